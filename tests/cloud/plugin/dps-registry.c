/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/cloud/plugin/dps-registry.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include <openssl/rand.h>

void dps_time(char ret[static 32]) {
        time_t now = time(NULL);
        struct tm tm;

        gmtime_r(&now, &tm);
        (void) strftime(ret, 32, "%Y-%m-%dT%H:%M:%SZ", &tm);
}

Registration *dps_registry_find(const DpsRegistry *registry, const char *id) {
        Registration *registration;

        LIST_FOREACH(registrations, registration, registry)
                if (strcasecmp(registration->id, id) == 0)
                        return registration;
        return NULL;
}

static Registration *add(DpsRegistry *registry, const char *id) {
        Registration *registration;

        if (registry->n_registrations >= DPS_REGISTRATIONS_MAX)
                return NULL;
        registration = calloc(1, sizeof(*registration));
        if (!registration)
                return NULL;
        registration->id = strdup(id);
        if (!registration->id) {
                free(registration);
                return NULL;
        }
        dps_time(registration->created);
        LIST_PREPEND(registrations, registry, registration);
        registry->n_registrations++;
        return registration;
}

Registration *dps_registry_begin(DpsRegistry *registry, const char *id) {
        Registration *registration = dps_registry_find(registry, id);
        unsigned char random[8];

        if (RAND_bytes(random, sizeof(random)) != 1)
                return NULL;
        if (!registration)
                registration = add(registry, id);
        if (!registration)
                return NULL;
        /* As the service's: SDKs put it into a topic as it is, where '+' would be a wildcard. */
        (void) snprintf(registration->operation_id, sizeof(registration->operation_id), "5.");
        for (size_t i = 0; i < sizeof(random); i++)
                (void) snprintf(registration->operation_id + 2 + 2 * i, 3, "%02x", random[i]);
        registration->told = registration->over = false;
        registration->left = 0;
        registration->not_before = 0;
        json_decref(registration->payload);
        json_decref(registration->issued);
        registration->payload = registration->issued = NULL;
        return registration;
}

void dps_registry_clear(DpsRegistry *registry) {
        Registration *registration;

        while ((registration = registry->registrations_first)) {
                LIST_REMOVE(registrations, registry, registration);
                json_decref(registration->payload);
                json_decref(registration->issued);
                free(registration->id);
                free(registration);
        }
        registry->n_registrations = 0;
}
