/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The manager on a bench: its own code as it is, with a disk, lanes, claims and callers that a test
 * moves by hand. Nothing is durable until the test says so; in what order things come back is the
 * test's to choose. The other side of each is in fake-*.c. */

#include <check.h>

#include "daemon/manager/manager-internal.h"

extern Manager *m;
extern Slot *slot; /* of profile "p", whose session is ready */

void bench_setup(void);
void bench_teardown(void);

/* The profile as it is in a configuration, but for its users; further keys may follow. */
#define BENCH_PROFILE                          \
        "[Profile p]\n"                        \
        "Provider=aws-iot\n"                   \
        "Endpoint=cloud.example\n"             \
        "Certificate=/nonexistent/claim.pem\n" \
        "PrivateKey=/nonexistent/claim.key\n"  \
        "Template=Template\n"

/* Another configuration; `slot` is the profile's then, or NULL. */
void bench_configure(const char *configuration); /* written, and not read yet */
void bench_reload(const char *configuration);

/* Runs the loop until it has nothing to do at once. */
void bench_run(void);
/* Runs it until something is asked of the disk, which a timer of the manager's is to bring about.
 */
void bench_run_until_disk(void);

/* The same, and answers it, until the job has ended so. */
void bench_until(const Job *job, JobState state);

extern Peer *alice, *bob; /* both may use the profile */

/* --- callers (fake-front.c) */
typedef enum Answer {
        ANSWER_NONE, /* not yet */
        ANSWER_JOB,
        ANSWER_RESULT,
        ANSWER_DONE,
        ANSWER_FAILED,
        ANSWER_DROPPED,
} Answer;

struct FrontCall {
        Answer answer;
        ErrorCode code; /* FAILED */
        char id[IPC_JOB_ID_LENGTH + 1];
        bool job_was_durable; /* JOB: its file was there when it was told */
};

/* A request of `peer` with this key (NULL: none). */
JobSpec *bench_spec(const char *key);
/* The same to rotate, with a certificate and its key. */
JobSpec *bench_rotation_spec(const char *key);
void bench_submit(const Peer *peer, const char *key, FrontCall *call);
Job *bench_job(const FrontCall *call); /* the job it was answered with; NULL: it is gone */

/* Submits, makes it durable, and gives the job. */
Job *bench_queued(const Peer *peer, const char *key);
/* The same, and cancels it. */
Job *bench_cancelled(const Peer *peer, const char *key);
/* The same, and it succeeds with a key that is stored. */
Job *bench_succeeded(const Peer *peer, const char *key);

/* The last thing told of any job: "added", "changed", "removed", or "". */
extern const char *told;
extern size_t n_told;

/* --- disk (fake-store.c) */
typedef enum AskType {
        ASK_CREATE,
        ASK_UPDATE,
        ASK_NOTE,
        ASK_REWRITE,
        ASK_ERASE,
        ASK_REMOVE,
        ASK_READ,
} AskType;

/* What stands on the disk of a job. */
typedef struct File {
        char id[IPC_JOB_ID_LENGTH + 1];
        JobState state;
        unsigned attempts;
        bool cancel, secrets_marked, acknowledged;
        bool secrets; /* <id>.secret */
} File;

size_t disk_pending(void);
AskType disk_next(void); /* what the oldest asks for */
/* Answers the oldest, with 0 or an error. */
void disk_answer(int error);
/* All that are there, and what they bring. */
void disk_settle(void);
const File *disk_file(const char *id); /* NULL: there is none */
const JobSecrets *disk_secrets(const char *id);

/* --- lane (fake-lane.c) */
struct Lane {
        LaneOptions options;
        const Profile *profile;
        SessionState state;
        Failure *last_error;
        Job *job;
        unsigned opened; /* how often */
        unsigned retried;
        Secret *private_key;
        JobSecrets got; /* with lane_start() */
        bool cancelled, expired;
        int noted;  /* the last answer to `note`; 1: none */
        int stored; /* the last answer to `store`; 1: none */
};

extern unsigned lanes_made;
extern bool lanes_open_ready; /* else a test makes them so */
extern bool lanes_note;       /* that they ask, as soon as a job is begun */
void lane_finish(Lane *lane, JobState outcome, ErrorCode code, const JobSecrets *secrets);
void lane_make_ready(Lane *lane);
void lane_fail(Lane *lane, ErrorCode code); /* its session */
void lane_put_back(Lane *lane, usec_t delay_usec);

/* --- claim (fake-claim.c) */
extern const char *claim_key; /* what the files hold now; NULL: nothing */
extern unsigned claims_loaded;
