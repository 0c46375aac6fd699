/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the caller pops: answers to calls, what happens to jobs, how the connection fares. */

#include "libclient/check.h"
#include "libclient/error.h"
#include "libclient/fleetprov-client.h"
#include "libclient/job.h"
#include "libclient/result.h"
#include "libclient/status.h"

struct fleetprov_event {
        int type;
        uint64_t ticket;
        fleetprov_error *error;
        bool failed; /* an answer that is an error, also when memory was too short to say which */
        char *job_id;
        int state;
        char *phase;
        fleetprov_job **jobs;
        size_t n_jobs;
        fleetprov_result *result;
        fleetprov_status *status;
        CheckList checks;
        fleetprov_event *next;
};

DEFINE_CLEANUP(fleetprov_event *, fleetprov_event_free);

fleetprov_event *event_new(int type);

/* Takes the job in any case. */
int event_add_job(fleetprov_event *event, fleetprov_job *job);
