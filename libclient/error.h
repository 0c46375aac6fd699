/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What went wrong: read from the daemon's a{sv}, from a D-Bus error, or made here. */

#include <systemd/sd-bus.h>

#include "libclient/fleetprov-client.h"
#include "libclient/macro.h"

struct fleetprov_error {
        int code;
        char *phase;
        char *message;
        int32_t status_code;
        char *service_code;
        char *service_message;
        char *tracking_id;
        int retriable; /* -1: not told */
        struct fleetprov_error *cause;
};

DEFINE_CLEANUP(fleetprov_error *, fleetprov_error_free);
#define _cleanup_error_ _cleanup_(fleetprov_error_freep)

/* NULL where memory is short: reads as FLEETPROV_NO_MEMORY. */
fleetprov_error *error_new(int code, const char *format, ...) _printf_(2, 3);

/* From the answer to a call; `about_job`: UnknownObject then means that there is no such job. */
fleetprov_error *error_from_bus(const sd_bus_error *error, bool about_job);

/* DictReader of an error: v holding a{sv}, into fleetprov_error *; an empty one gives NULL. Causes
 * beyond the eighth are left out. */
int error_read(sd_bus_message *m, void *to, unsigned depth);
