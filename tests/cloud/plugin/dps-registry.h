/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Registrations that DPS has heard of, each with its last operation. In memory alone: a cloud that
 * is started again knows nobody. */

#include <stdbool.h>

#include <jansson.h>

#include "daemon/base/list.h"
#include "daemon/base/macro.h"

/* At one time; more are refused. */
#define DPS_REGISTRATIONS_MAX 10000

#define DPS_OPERATION_ID_LENGTH 40

typedef struct Registration {
        char *id;
        char operation_id[DPS_OPERATION_ID_LENGTH + 1];
        bool told;         /* the client was sent that id */
        bool over;         /* … and the outcome */
        uint64_t left;     /* so many queries are answered "assigning" */
        usec_t not_before; /* a query before is too early */
        json_t *payload;   /* of the request; NULL: it had none */
        json_t *issued;    /* certificates, as the state will have them; NULL: none */
        unsigned assigned; /* so often */
        char created[32];  /* RFC 3339 */
        LIST_LINK(struct Registration, registrations);
} Registration;

typedef struct DpsRegistry {
        LIST_HEAD(Registration, registrations);
        size_t n_registrations;
} DpsRegistry;

/* NULL: there is none. Case of the id does not count. */
Registration *dps_registry_find(const DpsRegistry *registry, const char *id);

/* The registration with a new operation; NULL when memory is out, or there are too many. */
Registration *dps_registry_begin(DpsRegistry *registry, const char *id);

void dps_registry_clear(DpsRegistry *registry);

/* Now, as the service writes it. */
void dps_time(char ret[static 32]);
