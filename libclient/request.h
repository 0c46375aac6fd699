/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A request while it is put together: what Manager.Submit takes. The limits of protocol/ipc are
 * told here, before the daemon is asked. */

#include <systemd/sd-bus.h>

#include "libclient/dict.h"
#include "libclient/fleetprov-client.h"

struct fleetprov_request {
        int operation;
        char *profile; /* NULL: the daemon's default */
        char *key;
        char *csr;
        char *certificate;
        char *key_type;
        char *key_source;
        char *payload;
        char *registration_id;
        uint64_t deadline;
        StringMap parameters;
        size_t parameters_size;
        int token_fd;       /* sealed; -1: none */
        int private_key_fd; /* likewise */
};

DEFINE_CLEANUP(fleetprov_request *, fleetprov_request_free);

/* Appends Submit's arguments. */
int request_append(const fleetprov_request *request, sd_bus_message *m);
