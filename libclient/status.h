/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The daemon and its profiles: the properties of Manager and of each Profile. */

#include <systemd/sd-bus.h>

#include "libclient/dict.h"
#include "libclient/error.h"
#include "libclient/fleetprov-client.h"

typedef struct Claim {
        char *subject;
        char *fingerprint;
        uint64_t not_after;
} Claim;

typedef struct ProfileStatus {
        bool known; /* its properties were read */
        char *name;
        char *provider;
        char *endpoint;
        char *session;
        uint64_t connected_since;
        Claim claim;
        fleetprov_error *last_error;
} ProfileStatus;

struct fleetprov_status {
        char *version;
        char *state;
        char *default_profile;
        uint32_t queued;
        uint32_t running;
        uint32_t finished;
        StringList paths; /* of the profiles */
        ProfileStatus *profiles;
        size_t n_profiles;
};

DEFINE_CLEANUP(fleetprov_status *, fleetprov_status_free);

/* Reads the Manager's properties; the profiles are still empty, one for each path. */
int status_read_manager(sd_bus_message *m, fleetprov_status **ret);

/* Reads the properties of the profile at `index`. */
int status_read_profile(fleetprov_status *status, size_t index, sd_bus_message *m);

/* Drops the profiles that went away while they were being read. */
void status_compact(fleetprov_status *status);
