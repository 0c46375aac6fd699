/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* A profile's lane to its cloud: the session that is kept open, and at most one job at work on it.
 * The rules are the model's (session, exchange); here they are carried out. Loop thread only. */

#include <systemd/sd-event.h>

#include "daemon/base/worker.h"
#include "daemon/model/job.h"
#include "daemon/model/profile.h"
#include "daemon/net/connection.h"

typedef struct Lane Lane;

/* What the profile's claim is made of. Copied. */
typedef struct LaneClaim {
        const Secret *trusted;           /* PEM bundle */
        const Secret *certificate;       /* PEM */
        const Secret *private_key;       /* PEM, not encrypted; or … */
        TokenKey *token_key;             /* … in a token */
        Token *key_store;                /* device keys are made there; NULL: in memory */
        const Secret *proxy_credentials; /* NULL: none */
} LaneClaim;

/* They may be called from within a lane_* call; the lane is in order by then. Each may call lane_*,
 * but lane_free(). */
typedef struct LaneOps {
        /* The session's state or last error is another one. Ready: lane_start() may be called. Not
         * to be answered by lane_start() from within: the lane may be about to go on with a job. */
        void (*session_changed)(void *userdata, Lane *lane);

        /* The job has gone on to a phase. */
        void (*progress)(void *userdata, Job *job, JobPhase phase, const char *note);

        /* The job's phase is to be on record, so that the daemon's death cannot take it back,
         * before what cannot be taken back is asked for; lane_noted() answers. */
        void (*note)(void *userdata, Job *job);

        /* The job's result so far and its secrets (NULL: what is stored of them already) are to
         * become durable; lane_stored() answers. */
        void (*store)(void *userdata, Job *job, const JobSecrets *secrets, const char *note);

        /* The job left the lane: to come back when the session is ready (delay 0: first in turn),
         * or after a wait. `throttled`: nobody goes before that. `failure`: why. */
        void (*put_back)(void *userdata, Job *job, usec_t delay_usec, bool throttled,
                         Failure *failure, const char *note);

        /* The job is over; its result is in it. `secrets`: what belongs to the result; NULL for
         * what is stored already. */
        void (*finished)(void *userdata, Job *job, JobState outcome, Failure *failure,
                         const JobSecrets *secrets, const char *note);
} LaneOps;

typedef struct LaneOptions {
        sd_event *event;
        Network *network;
        Worker *crypto; /* makes keys */
        Worker *tokens; /* makes those that are made in tokens; NULL: there are none */
        const LaneOps *ops;
        void *userdata;
} LaneOptions;

/* The profile must live as long as the lane. */
int lane_new(const LaneOptions *options, const Profile *profile, Lane **ret);

/* Another profile, which must live as long, when nothing is at work. The session goes on, so all
 * that it is made of must be the same (profile_same_connection()). */
void lane_change_profile(Lane *lane, const Profile *profile);

/* The job at work, if any, stays where it is: the caller puts it back itself. */
Lane *lane_free(Lane *lane);
DEFINE_CLEANUP(Lane *, lane_free);

/* Opens the session with this claim, or opens it anew. */
int lane_open(Lane *lane, const LaneClaim *claim);

/* Ends the session; why says it to people (taken; may be NULL). */
void lane_close(Lane *lane, Failure *why);

/* The network or the clock changed: a wait ends now. */
void lane_hurry(Lane *lane);

/* Somebody who may have mended it wants what is given up for a while to be tried now: a session
 * that waits, and requests that the claim's policy seems to refuse. */
void lane_retry(Lane *lane);

const Profile *lane_profile(const Lane *lane);
SessionState lane_state(const Lane *lane);
usec_t lane_connected_since_real(const Lane *lane);
const Failure *lane_last_error(const Lane *lane); /* NULL: none */

/* Ready, and nobody at work. */
bool lane_is_free(const Lane *lane);
Job *lane_job(const Lane *lane);

/* Begins with a job, or goes on with it. `secrets`: what <id>.secret holds (NULL: nothing). */
int lane_start(Lane *lane, Job *job, const JobSecrets *secrets);

/* What LaneOps.note asked for is written down (0), or could not be. */
void lane_noted(Lane *lane, int error);

/* What LaneOps.store asked for is durable (0), or could not be made so. */
void lane_stored(Lane *lane, int error);

/* To the job at work; nothing where there is none. Cancelled: its current call is finished first.
 * Expired: it is over at once. */
void lane_cancel(Lane *lane);
void lane_expire(Lane *lane);

/* Frees what a job holds between its tries. */
void job_run_free(Job *job);
