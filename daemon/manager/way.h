/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* A profile's way to its cloud, whichever that is: a lane to AWS, which keeps a session open, or a
 * registrar with DPS, which connects for each job anew. What the manager asks of both stands here,
 * and nowhere else in it is asked which of them there is, but where what is told hangs on it. Loop
 * thread only. */

#include "daemon/config/claim.h"
#include "daemon/provider/dps.h"
#include "daemon/provider/lane.h"

/* One of them, or none. A value: it may be copied, and belongs to whoever made it. */
typedef struct Way {
        Lane *lane;
        Registrar *registrar;
} Way;

typedef struct WayOptions {
        sd_event *event;
        Network *network;
        Worker *crypto;
        Worker *tokens; /* NULL: nobody has keys in tokens */
        const LaneOps *lane_ops;
        const RegistrarOps *registrar_ops;
        void *userdata;
} WayOptions;

/* The one that goes with the profile's provider; the profile must live as long. */
int way_new(const WayOptions *options, const Profile *profile, Way *ret);
void way_done(Way *way); /* lane_free(), registrar_free(); nothing where there is none */

static inline bool way_is_none(Way way) {
        return !way.lane && !way.registrar;
}

/* With this claim from now on: a session is opened anew, a registrar connects when there is a job.
 */
int way_open(Way way, const Claim *claim);

SessionState way_state(Way way);
usec_t way_connected_since_real(Way way); /* 0: it is not */
const Failure *way_last_error(Way way);   /* NULL: none */

/* A job may begin: the session is ready, or there is a claim to connect with; nobody is at work. */
bool way_is_free(Way way);
Job *way_job(Way way);

/* As lane_start() and what follows it there; nothing where there is no way. */
int way_start(Way way, Job *job, const JobSecrets *secrets);
void way_noted(Way way, int error);
void way_stored(Way way, int error);
void way_cancel(Way way);
void way_expire(Way way);
