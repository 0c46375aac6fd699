/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a job has brought: the answer to Job.GetResult. */

#include <systemd/sd-bus.h>

#include "libclient/dict.h"
#include "libclient/fleetprov-client.h"
#include "libclient/secret.h"

struct fleetprov_result {
        char *job_id;
        char *thing_name;
        char *certificate_id;
        char *certificate_pem;
        char *private_key_uri;
        char *device_id;
        char *assigned_hub;
        char *registration_state;
        StringMap configuration;
        int secrets[SECRET_KINDS]; /* -1: none */
        int secrets_erased;
};

DEFINE_CLEANUP(fleetprov_result *, fleetprov_result_free);

/* Reads an a{sv} at the message's current place. -EBADMSG: not as the interface says. */
int result_read(sd_bus_message *m, const char *job_id, fleetprov_result **ret);
