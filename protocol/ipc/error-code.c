/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/ipc/error-code.h"

#include "protocol/ipc/names.h"

/* Both spellings stand side by side, so that a reader can search for either. */
static const char *const error_code_table[ERROR_CODE_MAX] = {
        [ERROR_BAD_PARAMETER] = "bad-parameter",
        [ERROR_NO_MEMORY] = "no-memory",
        [ERROR_MQTT_ERROR] = "mqtt-error",
        [ERROR_TIMEOUT] = "timeout",
        [ERROR_SERVER_REFUSED] = "server-refused",
        [ERROR_BAD_RESPONSE] = "bad-response",
        [ERROR_INTERNAL_FAILURE] = "internal-failure",
        [ERROR_NOT_INITIALIZED] = "not-initialized",
        [ERROR_NAME_RESOLUTION] = "name-resolution",
        [ERROR_CONNECT_FAILED] = "connect-failed",
        [ERROR_PROXY_REFUSED] = "proxy-refused",
        [ERROR_TLS_CLOCK] = "tls-clock",
        [ERROR_TLS_TRUST] = "tls-trust",
        [ERROR_TLS_HOSTNAME] = "tls-hostname",
        [ERROR_TLS_FAILED] = "tls-failed",
        [ERROR_CREDENTIALS_REFUSED] = "credentials-refused",
        [ERROR_CONNECTION_LOST] = "connection-lost",
        [ERROR_PERMISSION_DENIED_BY_POLICY] = "permission-denied-by-policy",
        [ERROR_THROTTLED] = "throttled",
        [ERROR_ACCESS_DENIED] = "access-denied",
        [ERROR_QUEUE_FULL] = "queue-full",
        [ERROR_NO_SUCH_JOB] = "no-such-job",
        [ERROR_ID_CONFLICT] = "id-conflict",
        [ERROR_NOT_FINISHED] = "not-finished",
        [ERROR_CANCELLED] = "cancelled",
        [ERROR_EXPIRED] = "expired",
        [ERROR_VERIFY_FAILED] = "verify-failed",
        [ERROR_KEY_MISMATCH] = "key-mismatch",
        [ERROR_RESULT_GONE] = "result-gone",
        [ERROR_STORAGE] = "storage",
};

DEFINE_STRING_TABLE(error_code, ErrorCode, ERROR_CODE_INVALID);

static const char *const dbus_name_table[ERROR_CODE_MAX] = {
        [ERROR_BAD_PARAMETER] = IPC_ERROR_PREFIX "BadParameter",
        [ERROR_NO_MEMORY] = IPC_ERROR_PREFIX "NoMemory",
        [ERROR_MQTT_ERROR] = IPC_ERROR_PREFIX "MqttError",
        [ERROR_TIMEOUT] = IPC_ERROR_PREFIX "Timeout",
        [ERROR_SERVER_REFUSED] = IPC_ERROR_PREFIX "ServerRefused",
        [ERROR_BAD_RESPONSE] = IPC_ERROR_PREFIX "BadResponse",
        [ERROR_INTERNAL_FAILURE] = IPC_ERROR_PREFIX "InternalFailure",
        [ERROR_NOT_INITIALIZED] = IPC_ERROR_PREFIX "NotInitialized",
        [ERROR_NAME_RESOLUTION] = IPC_ERROR_PREFIX "NameResolution",
        [ERROR_CONNECT_FAILED] = IPC_ERROR_PREFIX "ConnectFailed",
        [ERROR_PROXY_REFUSED] = IPC_ERROR_PREFIX "ProxyRefused",
        [ERROR_TLS_CLOCK] = IPC_ERROR_PREFIX "TlsClock",
        [ERROR_TLS_TRUST] = IPC_ERROR_PREFIX "TlsTrust",
        [ERROR_TLS_HOSTNAME] = IPC_ERROR_PREFIX "TlsHostname",
        [ERROR_TLS_FAILED] = IPC_ERROR_PREFIX "TlsFailed",
        [ERROR_CREDENTIALS_REFUSED] = IPC_ERROR_PREFIX "CredentialsRefused",
        [ERROR_CONNECTION_LOST] = IPC_ERROR_PREFIX "ConnectionLost",
        [ERROR_PERMISSION_DENIED_BY_POLICY] = IPC_ERROR_PREFIX "PermissionDeniedByPolicy",
        [ERROR_THROTTLED] = IPC_ERROR_PREFIX "Throttled",
        [ERROR_ACCESS_DENIED] = IPC_ERROR_PREFIX "AccessDenied",
        [ERROR_QUEUE_FULL] = IPC_ERROR_PREFIX "QueueFull",
        [ERROR_NO_SUCH_JOB] = IPC_ERROR_PREFIX "NoSuchJob",
        [ERROR_ID_CONFLICT] = IPC_ERROR_PREFIX "IdConflict",
        [ERROR_NOT_FINISHED] = IPC_ERROR_PREFIX "NotFinished",
        [ERROR_CANCELLED] = IPC_ERROR_PREFIX "Cancelled",
        [ERROR_EXPIRED] = IPC_ERROR_PREFIX "Expired",
        [ERROR_VERIFY_FAILED] = IPC_ERROR_PREFIX "VerifyFailed",
        [ERROR_KEY_MISMATCH] = IPC_ERROR_PREFIX "KeyMismatch",
        [ERROR_RESULT_GONE] = IPC_ERROR_PREFIX "ResultGone",
        [ERROR_STORAGE] = IPC_ERROR_PREFIX "Storage",
};

const char *error_code_to_dbus(ErrorCode code) {
        if ((int) code <= ERROR_NONE || code >= ERROR_CODE_MAX)
                return NULL;
        return dbus_name_table[code];
}

ErrorCode error_code_from_dbus(const char *name) {
        if (!name)
                return ERROR_CODE_INVALID;
        for (int i = ERROR_NONE + 1; i < ERROR_CODE_MAX; i++)
                if (strcmp(dbus_name_table[i], name) == 0)
                        return (ErrorCode) i;
        return ERROR_CODE_INVALID;
}
