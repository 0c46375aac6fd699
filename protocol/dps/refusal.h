/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What DPS says when it refuses, kept whole, and what that means for us. */

#include <stddef.h>
#include <stdint.h>

#include "protocol/dps/name.h"

/* Longer texts are cut, at a character's boundary: a refusal is a refusal however long. */
#define DPS_ERROR_CODE_MAX ((size_t) 64)
#define DPS_ERROR_MESSAGE_MAX ((size_t) 4096)
#define DPS_TRACKING_ID_MAX ((size_t) 256)
#define DPS_TIMESTAMP_MAX ((size_t) 64)

typedef struct DpsRefusal {
        int status_code;      /* HTTP's; 0: a registration that has failed without an error code */
        int64_t error_number; /* six digits, the first three of them HTTP's; 0: it said none */
        char *error_code;     /* that as text, or the text that stood there; NULL: none */
        char *message;        /* these may hold control characters; NULL: none */
        char *tracking_id;
        char *timestamp_utc;
} DpsRefusal;

/* Frees; it is empty afterwards. Takes a zeroed one. Fit for a cleanup attribute. */
void dps_refusal_done(DpsRefusal *r);

/* Parses an answer whose topic has a status of 300 or more. The status alone is a refusal: what
 * cannot be read of the payload, all of it included, is left out. -ENOMEM. */
int dps_refusal_parse(int status_code, const void *data, size_t size, DpsRefusal *ret);

typedef enum DpsRequest {
        DPS_REQUEST_REGISTER,
        DPS_REQUEST_QUERY,
        DPS_REQUEST_MAX,
        DPS_REQUEST_INVALID = -EINVAL,
} DpsRequest;
DECLARE_STRING_TABLE(dps_request, DpsRequest); /* "register", "query" */

typedef enum DpsClass {
        DPS_CLASS_TRANSIENT,         /* the service's fault: the same request later */
        DPS_CLASS_THROTTLED,         /* too many at once: later, and slower */
        DPS_CLASS_CREDENTIALS,       /* the key, the certificate or the clock is wrong */
        DPS_CLASS_UNKNOWN_OPERATION, /* of a query: it has been forgotten; register again */
        DPS_CLASS_PERMANENT,         /* the same request will be refused again */
        DPS_CLASS_MAX,
        DPS_CLASS_INVALID = -EINVAL,
} DpsClass;
DECLARE_STRING_TABLE(dps_class, DpsClass); /* "transient", "throttled", ... */

/* Both numbers as in DpsRefusal, 0 where there is none. Where they differ, the one that gives more
 * hope decides: a needless try costs little. */
DpsClass dps_classify(DpsRequest request, int status_code, int64_t error_number);
