/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What DPS answers with a status below 300, to a registration and to a query alike. Nothing in an
 * answer is believed: it is bounded, every text is UTF-8 without NUL, what is needed is there, once
 * and of its type. Fields and statuses that are not known are no error, since the service grows.
 *
 * Whether a certificate carries the right key is for the caller to check. Names come from the other
 * side: they hold no control characters, but they are no file names. */

#include "protocol/dps/refusal.h"
#include "protocol/dps/request.h"

#define DPS_STATUS_TEXT_MAX ((size_t) 64)
#define DPS_DEVICE_ID_MAX ((size_t) 128) /* IoT Hub's */
#define DPS_HUB_MAX ((size_t) 253)       /* of a host name, RFC 1035 */
/* Its text as we write it: escapes may make it longer than it came, numbers too. */
#define DPS_STATE_MAX ((size_t) 128 * 1024)
/* Of a chain, and of a trust bundle; sizes are of PEM text. */
#define DPS_CERTIFICATES_MAX ((size_t) 8)
#define DPS_CERTIFICATES_SIZE_MAX ((size_t) 32 * 1024)

typedef enum DpsAssignment {
        DPS_ASSIGNMENT_UNASSIGNED, /* the service has given up on it, or was told to */
        DPS_ASSIGNMENT_ASSIGNING,  /* ask again later */
        DPS_ASSIGNMENT_ASSIGNED,
        DPS_ASSIGNMENT_FAILED,
        DPS_ASSIGNMENT_DISABLED, /* the enrolment is */
        DPS_ASSIGNMENT_MAX,
        DPS_ASSIGNMENT_INVALID = -EINVAL,
} DpsAssignment;
DECLARE_STRING_TABLE(dps_assignment, DpsAssignment); /* "unassigned", ... */

/* Strings are NUL-terminated and owned; NULL where the answer has none. */
typedef struct DpsAnswer {
        DpsAssignment assignment; /* DPS_ASSIGNMENT_INVALID: one that is not known */
        char *status;             /* as it came; never NULL */
        char *operation_id;       /* at most DPS_OPERATION_ID_MAX (topic.h) bytes */
        char *registration_id;
        char *device_id;          /* never NULL where assigned */
        char *assigned_hub;       /* likewise */
        char *substatus;          /* "initialAssignment", "reprovisionedToInitialAssignment", ... */
        char *registration_state; /* JSON text of the whole object */
        DpsRefusal refusal;       /* what stands in the state; of failed and disabled ones */
        char *certificate_pem;    /* issued; leaf first */
        char *trust_bundle_pem;
} DpsAnswer;

/* Wipes and frees all of it; it is empty afterwards. Takes a zeroed one. Fit for a cleanup
 * attribute. */
void dps_answer_done(DpsAnswer *a);

/* Parses the payload. 0: `*ret` is filled, let it go with dps_answer_done(). -EBADMSG: it is no
 * such answer, and `*ret_why` is a text for people that names the field; free() it (NULL where
 * memory was too short). `ret_why` may be NULL and is left alone on success; it never holds a
 * value. -ENOMEM. */
int dps_answer_parse(const void *data, size_t size, DpsAnswer *ret, char **ret_why);
