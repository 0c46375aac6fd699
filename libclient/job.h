/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A job as it was when it was read: from Job.GetDetails, or from a row of Manager.ListJobs. */

#include <systemd/sd-bus.h>

#include "libclient/dict.h"
#include "libclient/error.h"
#include "libclient/fleetprov-client.h"

typedef struct HistoryEntry {
        uint64_t time;
        char *state;
        char *phase;
        char *message;
} HistoryEntry;

struct fleetprov_job {
        char *id;
        char *key;
        char *operation;
        char *profile;
        uint32_t owner;
        int state;
        char *phase;
        uint32_t attempts;
        uint64_t created;
        uint64_t started;
        uint64_t finished;
        uint64_t deadline;
        int acknowledged;
        StringMap parameters;
        StringList left_certificates;
        uint32_t n_left_certificates;
        HistoryEntry *history;
        size_t n_history;
        fleetprov_error *error;
        fleetprov_error *waiting_for;
};

DEFINE_CLEANUP(fleetprov_job *, fleetprov_job_free);

/* Both read at the message's current place. -EBADMSG: not as the interface says. */
int job_read_details(sd_bus_message *m, fleetprov_job **ret);

/* One row; 0 and *ret NULL beyond the last. */
int job_read_row(sd_bus_message *m, fleetprov_job **ret);
