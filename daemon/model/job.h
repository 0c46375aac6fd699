/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* A job: one request of an application, from the moment it is accepted until it is released.
 *
 * It holds no secret of its result: those stand sealed on disk, and pass through memory only while
 * an exchange needs them or a caller fetches them. Times called `_real` are for people; `_boot` is
 * what decides. */

#include "daemon/base/list.h"
#include "daemon/model/failure.h"
#include "daemon/model/job-spec.h"
#include "daemon/model/peer.h"
#include "protocol/ipc/limits.h"

#define JOB_HISTORY_MAX ((size_t) 256) /* entries kept; the oldest go, the first one stays */

typedef struct JobHistory {
        usec_t time_real;
        JobState state;
        JobPhase phase;
        char *text; /* what happened, for people */
} JobHistory;

/* What stands in <id>.secret; each may be NULL. */
typedef struct JobSecrets {
        Secret *private_key; /* PKCS#8 PEM; of the result */
        Secret *ownership_token;
        Secret *symmetric_key;
        Secret *claim_key; /* rotate: the key in force, which acts as the claim; until the end */
} JobSecrets;

void job_secrets_done(JobSecrets *s);
int job_secrets_copy(const JobSecrets *from, JobSecrets *to);
bool job_secrets_is_empty(const JobSecrets *s);

typedef struct JobResult {
        char *thing_name;
        char *certificate_id;
        char *certificate_pem;
        Parameters device_configuration;
        bool has_device_configuration; /* an empty one is not the same as none */
        char *device_id;
        char *assigned_hub;
        char *operation_id;       /* of DPS, until its outcome is known; told to nobody */
        char *registration_state; /* JSON text */
        char *private_key_uri;    /* of a key in a token; also before there is anything else */
} JobResult;

void job_result_done(JobResult *r);

typedef struct Job Job;
struct Job {
        char id[IPC_JOB_ID_LENGTH + 1];
        uint64_t serial; /* order of coming; never given twice in a state directory */
        Peer *owner;
        JobSpec *spec;
        char *profile_fingerprint; /* hex; ties sealed secrets to the profile they came through */

        JobState state;
        JobPhase phase;
        unsigned attempts;
        usec_t created_real, started_real, finished_real; /* 0: not yet */
        usec_t created_boot;  /* of the last submission, on this boot's clock; before its zero
                                 (wrapped)  after a reboot */
        usec_t finished_boot; /* likewise */

        Failure *failure;
        JobResult result;
        bool secrets_stored; /* <id>.secret is there */
        bool secrets_erased; /* there was one, and it was erased */
        bool acknowledged;
        bool had_result;          /* once there was an identity to be fetched: it may be in use */
        usec_t token_made_boot;   /* when the ownership token was received; 0: there is none */
        usec_t not_before_boot;   /* the service said to ask for nothing before; 0: it did not */
        char **left_certificates; /* ids, NULL-terminated */
        size_t n_left_certificates;
        JobHistory *history;
        size_t n_history;

        bool hidden; /* not durable yet: nobody sees it */
        bool cancel_requested;
        struct JobRun *run; /* the provider's, from the first try to the end; NULL otherwise */
        struct JobErrand *errand; /* the manager's: timers, and what is under way */
        size_t counted_bytes;     /* of its request, by the table */
        size_t *state_counts;     /* of the table it stands in, by state; NULL: it stands in none */
        LIST_LINK(Job, jobs);     /* all of them, in the table */
        LIST_LINK(Job, waiting);  /* those queued, in their owner's turn */
        LIST_LINK(Job, retained); /* those that have ended, in the order of their ends */
};

/* Draws the id. `owner` and `spec` are taken on success only. */
int job_new(Peer *owner, JobSpec *spec, usec_t now_real, usec_t now_boot, Job **ret);
Job *job_free(Job *j);
DEFINE_CLEANUP(Job *, job_free);
#define _cleanup_job_ _cleanup_(job_freep)

/* The only writer of state and phase. Asserts that the edge exists; adds to the history. `text` is
 * what happened, for people. -ENOMEM changes nothing but loses the line of history. */
void job_set_state(Job *j, JobState state, JobPhase phase, usec_t now_real, usec_t now_boot,
                   const char *text);

int job_add_history(Job *j, usec_t now_real, JobState state, JobPhase phase, const char *text);
int job_add_left_certificate(Job *j, const char *certificate_id);

/* The certificate of its result is on record as left behind; a later try may use it all the same,
 * and then it is taken off the record, since it was delivered after all. */
int job_note_left_certificate(Job *j);
void job_forget_left_certificate(Job *j);

/* Who may see and steer it: its owner, and whoever is privileged. */
bool job_is_visible_to(const Job *j, const Peer *peer);

/* There is an identity to be fetched: it succeeded, or it failed in nothing but that the new
 * certificate was not let in when it was tried. */
bool job_has_result(const Job *j);

/* It has ended, and there may be a key of it in a token that is of use to nobody: no certificate
 * for it was ever to be fetched. */
bool job_has_unused_key(const Job *j);

/* … but to the job itself, when it is asked for again: its certificate is used first then, where it
 * is registered or its ownership token is there, or the operation that brings one. */
bool job_may_use_key_again(const Job *j);

/* Its caller gets a secret by it: a key that daemon or cloud made outside a token, or an ownership
 * token. What is kept only on the way there (the token of a provisioning by the caller's own
 * request) is none. */
bool job_brings_secret(const Job *j);

/* What is left until its deadline; USEC_INFINITY where there is none. */
usec_t job_deadline_left(const Job *j, usec_t now_boot);

/* A job as it will be once a change is durable, to be written down before anybody sees it. It
 * shares what the job owns, but for the tail of its history, and lives no longer than the job stays
 * as it is. */
int job_image_make(const Job *j, JobState state, JobPhase phase, usec_t now_real, usec_t now_boot,
                   const char *text, Job *ret);
/* The same of a job that is about to be so, and will tell it in its history itself. */
int job_image_make_ahead(const Job *j, JobState state, JobPhase phase, usec_t now_real,
                         usec_t now_boot, Job *ret);
void job_image_done(Job *image);
