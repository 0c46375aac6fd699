/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Every way in which a request can end badly, by one name: as a D-Bus error
 * (io.fleetprov.Provisioner1.Error.CamelCase), as "code" in JSON (with dashes) and as a C constant.
 * The first eight are those of the C library this API comes from (AWS_IOT_PROVISIONING_*). */

#include <errno.h>

#include "protocol/ipc/string-table.h"

typedef enum ErrorCode {
        ERROR_NONE, /* no error; has no name */
        ERROR_BAD_PARAMETER,
        ERROR_NO_MEMORY,
        ERROR_MQTT_ERROR,
        ERROR_TIMEOUT,
        ERROR_SERVER_REFUSED,
        ERROR_BAD_RESPONSE,
        ERROR_INTERNAL_FAILURE,
        ERROR_NOT_INITIALIZED, /* no such profile, or its claim is missing */

        ERROR_NAME_RESOLUTION,
        ERROR_CONNECT_FAILED,
        ERROR_PROXY_REFUSED,
        ERROR_TLS_CLOCK,    /* a certificate "not yet valid" or "expired" */
        ERROR_TLS_TRUST,    /* no path to a trusted root */
        ERROR_TLS_HOSTNAME, /* a good certificate of another host */
        ERROR_TLS_FAILED,
        ERROR_CREDENTIALS_REFUSED,
        ERROR_CONNECTION_LOST,
        ERROR_PERMISSION_DENIED_BY_POLICY, /* dropped on subscribe or publish */
        ERROR_THROTTLED,

        ERROR_ACCESS_DENIED,
        ERROR_QUEUE_FULL,
        ERROR_NO_SUCH_JOB,
        ERROR_ID_CONFLICT,
        ERROR_NOT_FINISHED,
        ERROR_CANCELLED,
        ERROR_EXPIRED,
        ERROR_VERIFY_FAILED,
        ERROR_KEY_MISMATCH,
        ERROR_RESULT_GONE,
        ERROR_STORAGE,

        ERROR_CODE_MAX,
        ERROR_CODE_INVALID = -EINVAL,
} ErrorCode;

/* "bad-parameter" */
DECLARE_STRING_TABLE(error_code, ErrorCode);

/* "io.fleetprov.Provisioner1.Error.BadParameter"; NULL for ERROR_NONE. Static storage. */
const char *error_code_to_dbus(ErrorCode code);

/* ERROR_CODE_INVALID where the name is none of ours. */
ErrorCode error_code_from_dbus(const char *name);
