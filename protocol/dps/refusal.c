/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/dps/refusal.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "protocol/base/json.h"
#include "protocol/base/scope.h"
#include "protocol/base/wipe.h"
#include "protocol/dps/field.h"
#include "protocol/dps/refusal-read.h"
#include "protocol/dps/request.h"

#define STATUS_UNAUTHORIZED 401       /* RFC 9110, section 15.5.2 */
#define STATUS_NOT_FOUND 404          /* section 15.5.5 */
#define STATUS_REQUEST_TIMEOUT 408    /* section 15.5.9: may be repeated */
#define STATUS_TOO_MANY_REQUESTS 429  /* RFC 6585, section 4 */
#define STATUS_INTERNAL_ERROR_MIN 500 /* section 15.6: the server's own fault */
#define STATUS_END 1000

static const char *const dps_request_table[DPS_REQUEST_MAX] = {
        [DPS_REQUEST_REGISTER] = "register",
        [DPS_REQUEST_QUERY] = "query",
};
DEFINE_STRING_TABLE(dps_request, DpsRequest, DPS_REQUEST_INVALID);

static const char *const dps_class_table[DPS_CLASS_MAX] = {
        [DPS_CLASS_TRANSIENT] = "transient",
        [DPS_CLASS_THROTTLED] = "throttled",
        [DPS_CLASS_CREDENTIALS] = "credentials",
        [DPS_CLASS_UNKNOWN_OPERATION] = "unknown-operation",
        [DPS_CLASS_PERMANENT] = "permanent",
};
DEFINE_STRING_TABLE(dps_class, DpsClass, DPS_CLASS_INVALID);

void dps_refusal_done(DpsRefusal *r) {
        free(r->error_code);
        free(r->message);
        free(r->tracking_id);
        free(r->timestamp_utc);
        *r = (DpsRefusal){};
}

/* HTTP's status within an error code: its first three digits. 0: there is none. */
static int status_within(int64_t error_number) {
        while (error_number >= STATUS_END)
                error_number /= 10;
        return error_number < 100 ? 0 : (int) error_number;
}

static int read_error_code(const json_t *object, DpsRefusal *r) {
        const json_t *value = json_object_get(object, "errorCode");

        if (json_is_integer(value) && json_integer_value(value) > 0) {
                r->error_number = json_integer_value(value);
                return asprintf(&r->error_code, "%" PRId64, r->error_number) < 0 ? -ENOMEM : 0;
        }
        if (dps_field_text(object, "errorCode", DPS_ERROR_CODE_MAX, &r->error_code) < 0)
                return -ENOMEM;
        /* A number in quotation marks is a number. */
        if (r->error_code) {
                char *end;
                long long number;

                errno = 0;
                number = strtoll(r->error_code, &end, 10);
                if (*end == '\0' && errno == 0 && number > 0)
                        r->error_number = number;
        }
        return 0;
}

int dps_refusal_read(const json_t *object, DpsRefusal *r) {
        int k;

        k = read_error_code(object, r);
        if (k < 0)
                return k;
        if (r->status_code == 0)
                r->status_code = status_within(r->error_number);
        /* "message" in an error, "errorMessage" in a state. */
        k = dps_field_text(object, "message", DPS_ERROR_MESSAGE_MAX, &r->message);
        if (k >= 0 && !r->message)
                k = dps_field_text(object, "errorMessage", DPS_ERROR_MESSAGE_MAX, &r->message);
        if (k < 0)
                return k;
        k = dps_field_text(object, "trackingId", DPS_TRACKING_ID_MAX, &r->tracking_id);
        if (k < 0)
                return k;
        return dps_field_text(object, "timestampUtc", DPS_TIMESTAMP_MAX, &r->timestamp_utc);
}

int dps_refusal_parse(int status_code, const void *data, size_t size, DpsRefusal *ret) {
        _cleanup_(protocol_json_wipep) json_t *root = NULL;
        _cleanup_(dps_refusal_done) DpsRefusal refusal = {.status_code = status_code};
        int r = -EBADMSG;

        if (size <= DPS_PAYLOAD_MAX)
                r = protocol_json_parse_object(data, size, &root, NULL);
        if (r >= 0)
                r = dps_refusal_read(root, &refusal);
        if (r == -ENOMEM)
                return r;
        *ret = refusal;
        refusal = (DpsRefusal){};
        return 0;
}

static bool is_transient(int status) {
        return status >= STATUS_INTERNAL_ERROR_MIN || status == STATUS_REQUEST_TIMEOUT;
}

DpsClass dps_classify(DpsRequest request, int status_code, int64_t error_number) {
        int within = status_within(error_number);

        if (status_code == STATUS_TOO_MANY_REQUESTS || within == STATUS_TOO_MANY_REQUESTS)
                return DPS_CLASS_THROTTLED;
        if (is_transient(status_code) || is_transient(within))
                return DPS_CLASS_TRANSIENT;
        if (status_code == STATUS_UNAUTHORIZED || within == STATUS_UNAUTHORIZED)
                return DPS_CLASS_CREDENTIALS;
        if (request == DPS_REQUEST_QUERY &&
            (status_code == STATUS_NOT_FOUND || within == STATUS_NOT_FOUND))
                return DPS_CLASS_UNKNOWN_OPERATION;
        return DPS_CLASS_PERMANENT;
}
