/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* An application, in few words: libfleetprov-client, with every call waited for. What goes wrong
 * here fails the test. */

#include "daemon/base/macro.h"
#include "libclient/fleetprov-client.h"

/* How long an answer may take: PATIENCE_SEC. More for whoever makes it hard for the daemon. */
extern unsigned agent_patience_sec;

typedef struct JobId {
        char text[33];
} JobId;

/* What is asked for. What is NULL or 0 is left out: provision, with the profile's own ways. */
typedef struct Wish {
        int operation;
        const char *profile, *key;
        const char *serial; /* parameter SerialNumber */
        const char *csr, *key_type, *key_source;
        const char *parameter, *value; /* one more */
        const char *filler;            /* value of as many further ones as there may be */
        unsigned n_fillers;
        const void *token;
        size_t token_size;
        const char *certificate, *private_key; /* rotate */
        uint64_t deadline_usec;
        const char *registration_id, *payload; /* azure-dps */
} Wish;

/* `address` as of fleetprov_client_new(). */
fleetprov_client *agent_open(const char *address);

/* The same at a socket that somebody is about to make: its file is there before it is answered. */
fleetprov_client *agent_open_soon(const char *address);

JobId agent_submit(fleetprov_client *client, const Wish *wish);

/* 0 and the id, or the code and (unless NULL) the error, which is the caller's. */
int agent_try(fleetprov_client *client, const Wish *wish, JobId *id, fleetprov_error **ret_error);

/* It must be refused: the code. The error is the caller's; NULL: not wanted. */
int agent_refused(fleetprov_client *client, const Wish *wish, fleetprov_error **ret_error);

/* As it is now; as it has ended. The caller frees it. */
fleetprov_job *agent_job(fleetprov_client *client, JobId id);
fleetprov_job *agent_wait(fleetprov_client *client, JobId id);

/* Waits for the end, which must be this one. */
void agent_wait_end(fleetprov_client *client, JobId id, int state);

/* Waits until it is in that state and, unless NULL, that phase. */
void agent_wait_state(fleetprov_client *client, JobId id, int state, const char *phase);

/* Waits for success. The result is the caller's. */
fleetprov_result *agent_result(fleetprov_client *client, JobId id);

/* The result of a job as it stands. */
fleetprov_result *agent_fetch(fleetprov_client *client, JobId id);

/* What the answer to a call about a job is: 0, or the code. */
typedef int (*AgentCall)(fleetprov_client *client, const char *job_id, uint64_t *ret_ticket);
int agent_call(fleetprov_client *client, AgentCall call, JobId id);

/* 0 and the id, or the code. `id` may be NULL. */
int agent_find(fleetprov_client *client, const char *profile, const char *key, JobId *id);
size_t agent_count_jobs(fleetprov_client *client, int all);
JobId agent_first_job(fleetprov_client *client); /* of those that it sees */
fleetprov_status *agent_status(fleetprov_client *client);
int agent_reload(fleetprov_client *client, fleetprov_error **ret_error);

/* A secret of a result as a text; the caller frees it. */
char *agent_secret(const fleetprov_result *result, int kind);

/* Whether the history has an entry whose text holds `text`. */
bool agent_history_has(const fleetprov_job *job, const char *text);
