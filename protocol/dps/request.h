/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The payload of a registration; a query has none (zero bytes). Bounds are checked here, so that
 * nothing is sent that cannot be right: a refusal says what is wrong. */

#include "protocol/dps/name.h"
#include "protocol/ipc/limits.h"

/* A whole MQTT payload, either way ("IoT Hub DPS quotas and limits"). */
#define DPS_PAYLOAD_MAX ((size_t) 96 * 1024)
#define DPS_CSR_MAX IPC_CSR_MAX

typedef struct DpsRegistration {
        const char *registration_id;
        const char *payload;  /* any one JSON value, sent as it is; NULL: none */
        DpsIssuance issuance; /* of the version that the user name holds */
        const char *csr;      /* PEM; NULL: no certificate is asked for */
} DpsRegistration;

/* 0: `*ret` has a terminator that is not counted: let it go with protocol_wipe_free(), since a
 * payload may hold a secret. -EINVAL: the id is none, the payload is no JSON, the request no PEM,
 * or asked for in a version that issues none; -E2BIG: over a bound above; then `*ret_why` is a text
 * for people, free() it (NULL where memory was too short for it). -ENOMEM. `ret_why` may be NULL,
 * and is left alone on success. No such text holds a value. */
int dps_request_register(const DpsRegistration *registration, char **ret, size_t *ret_size,
                         char **ret_why);

/* Whether this can be a payload: errors are those of above. */
int dps_payload_check(const char *payload, char **ret_why);
