/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The way in: one D-Bus interface on a bus and on sockets, and what it asks of the rest through one
 * small table of operations. Loop thread only. */

#include <systemd/sd-event.h>

#include "daemon/model/job-table.h"
#include "daemon/model/job.h"
#include "daemon/model/profile.h"

typedef struct Front Front;

/* One call that waits for its answer. Each of the front_call_* below answers it and consumes it;
 * the caller may be gone by then, and nothing happens; so may the front. Dropping it with
 * front_call_free() is answered internal-failure. */
typedef struct FrontCall FrontCall;

/* A line of Profile.Check: what was looked at, "ok", "warning" or "failed", and the mend. */
typedef struct FrontCheck {
        const char *check;
        const char *result;
        const char *message;
} FrontCheck;

void front_call_job(FrontCall *call, const Job *job);                               /* Submit */
void front_call_result(FrontCall *call, const Job *job, const JobSecrets *secrets); /* GetResult */
void front_call_check(FrontCall *call, const FrontCheck *checks, size_t n);         /* Check */
void front_call_done(FrontCall *call);                                              /* the others */
void front_call_fail(FrontCall *call, Failure *failure); /* takes the failure */
FrontCall *front_call_free(FrontCall *call);
DEFINE_CLEANUP(FrontCall *, front_call_free);

typedef struct FrontOps {
        /* Everything there is to see. Both stay valid until the loop runs on. */
        const JobTable *(*jobs)(void *userdata);
        /* What there is at this door; NULL behind the last. */
        const ProfileStatus *(*profile_at)(void *userdata, const char *door, size_t i);
        const char *(*default_profile)(void *userdata, const char *door); /* NULL: none */
        /* Why a waiting job waits; NULL: for its turn. Valid until the loop runs on. */
        const Failure *(*waiting_for)(void *userdata, const Job *job);

        /* Each answers the call, now or later. `spec` is taken; `peer` and `profile` are valid
         * during the call only: copy them. The job was seen to be visible to the peer, and may be
         * gone when a later answer is due: keep its id. */
        void (*submit)(void *userdata, const Peer *peer, JobSpec *spec, FrontCall *call);
        void (*get_result)(void *userdata, Job *job, FrontCall *call);
        void (*acknowledge)(void *userdata, Job *job, FrontCall *call);
        void (*cancel)(void *userdata, Job *job, FrontCall *call);
        void (*release)(void *userdata, Job *job, FrontCall *call);
        void (*reload)(void *userdata, FrontCall *call); /* the front saw that the peer is root */
        void (*check)(void *userdata, const Peer *peer, const char *profile, FrontCall *call);
} FrontOps;

typedef struct FrontOptions {
        const FrontOps *ops;
        void *userdata;
        const char *bus;    /* "system", "session", "none", or an address */
        const char *socket; /* a path to listen on where systemd passed none; NULL: none */
} FrontOptions;

/* Takes the sockets that systemd passed (FileDescriptorName=: "main" and unnamed ones are the main
 * door; any other name is the door that is called so). A bus that is absent is looked for again,
 * and ends nothing. The strings are copied; `ops` must outlive the front. -EADDRINUSE: another
 * daemon answers at the socket; each failure is logged with its reason. */
int front_new(sd_event *event, const FrontOptions *options, Front **ret);

/* Calls that are not answered yet stay good: their answers go nowhere. */
Front *front_free(Front *f);
DEFINE_CLEANUP(Front *, front_free);

/* Descriptors that clients sent are being closed, on another thread. For tests. */
bool front_is_closing(const Front *f);

/* The doors that there are sockets of, one after the other, perhaps one of them twice; NULL behind
 * the last. */
const char *front_door_at(const Front *f, size_t i);

/* Manager.State says "stopping" from now on. */
void front_set_stopping(Front *f);

/* Tell those who may hear it. On a bus all who may receive from us hear it; on the sockets those
 * who may see the job, once their first call is answered. Answer Submit first, then tell. */
void front_job_added(Front *f, const Job *job);
void front_job_changed(Front *f, const Job *job);
void front_job_removed(Front *f, const Job *job);
