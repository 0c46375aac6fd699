/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Inside daemon/provider: what a registrar is made of. dps.c carries out what the assignment
 * machine says; dps-key.c has keys made; dps-login.c makes names and tokens; dps-answer.c reads
 * what the service says; dps-check.c says what a job may ask; dps-run.c knows what a job brings
 * along. */

#include "daemon/provider/dps.h"
#include "daemon/provider/job-run.h"
#include "daemon/provider/key-maker.h"
#include "protocol/dps/name.h"
#include "protocol/dps/refusal.h"

#define REGISTRAR_RID_LENGTH 32 /* hex digits */

struct Registrar {
        RegistrarOptions options;
        const Profile *profile;
        Secret *trusted, *certificate, *private_key, *symmetric_key, *secondary_key;
        Secret *proxy_credentials;
        TokenKey *token_key; /* in the place of private_key */
        Token *key_store;    /* NULL: device keys are made in memory */

        SessionState state;
        usec_t connected_since_real; /* 0: not ready */
        Connection *connection;
        Failure *last_error; /* NULL: none */

        Job *job; /* at work, or NULL */
        KeyOrder *key_order;
        sd_event_source *timer;             /* of an answer, a pause, or a connection in a hurry */
        char rid[REGISTRAR_RID_LENGTH + 1]; /* of the request in flight */
        bool clock_unset; /* this refusal of credentials is perhaps the clock's fault */
};

/* What an answer or its absence is about. */
typedef struct RegistrarEvent {
        AssignmentEventType type;
        usec_t retry_after_usec; /* USEC_INFINITY: none was said */
        Failure *failure;        /* taken; NULL: none */
} RegistrarEvent;

/* dps.c */
void registrar_event(Registrar *r, const RegistrarEvent *event);
/* This machine could not do `what`; `detail` is for the caller's own mistakes. */
void registrar_broken(Registrar *r, int error, const char *what, const char *detail);

/* dps-key.c; both are answered by an event */
void dps_key_place(Registrar *r);
void dps_key_make(Registrar *r);

/* dps-line.c */
void registrar_connect(Registrar *r);
void registrar_disconnect(Registrar *r);
int registrar_set_timer(Registrar *r, usec_t delay_usec);

/* dps-run.c: gives the job its run; errors are those of registrar_start(). */
int dps_run_begin(const Registrar *r, Job *job, const JobSecrets *stored);
bool dps_run_wants_certificate(const Job *job);
void dps_run_forget_operation(Job *job);

/* dps-login.c: for the key in use. `*ret_password` is NULL with x509. free() the name. */
int dps_login_make(const Registrar *r, char **ret_user_name, Secret **ret_password);
/* The registration's own key in base64, of a group's; NULL with any other authentication. */
int dps_login_own_key(const Registrar *r, Secret **ret);

/* dps-answer.c */
DpsRequest dps_request_of(const Registrar *r); /* in flight */
const char *dps_request_title(DpsRequest request);
void dps_on_message(Registrar *r, const char *topic, size_t topic_size, const uint8_t *payload,
                    size_t size);
