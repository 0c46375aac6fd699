/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "libclient/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "libclient/dict.h"
#include "protocol/ipc/error-code.h"

#define CAUSES_MAX 8U

/* The numbers are part of the ABI, the daemon's enumeration is not: hold them together here. */
_Static_assert((int) FLEETPROV_BAD_PARAMETER == (int) ERROR_BAD_PARAMETER, "codes differ");
_Static_assert((int) FLEETPROV_NOT_INITIALIZED == (int) ERROR_NOT_INITIALIZED, "codes differ");
_Static_assert((int) FLEETPROV_NAME_RESOLUTION == (int) ERROR_NAME_RESOLUTION, "codes differ");
_Static_assert((int) FLEETPROV_CONNECTION_LOST == (int) ERROR_CONNECTION_LOST, "codes differ");
_Static_assert((int) FLEETPROV_THROTTLED == (int) ERROR_THROTTLED, "codes differ");
_Static_assert((int) FLEETPROV_ACCESS_DENIED == (int) ERROR_ACCESS_DENIED, "codes differ");
_Static_assert((int) FLEETPROV_CANCELLED == (int) ERROR_CANCELLED, "codes differ");
_Static_assert((int) FLEETPROV_RESULT_GONE == (int) ERROR_RESULT_GONE, "codes differ");
_Static_assert((int) FLEETPROV_STORAGE == (int) ERROR_STORAGE, "codes differ");

_public_ const char *fleetprov_code_to_string(int code) {
        return error_code_to_string((ErrorCode) code);
}

_public_ fleetprov_error *fleetprov_error_free(fleetprov_error *error) {
        while (error) {
                fleetprov_error *cause = error->cause;

                free(error->phase);
                free(error->message);
                free(error->service_code);
                free(error->service_message);
                free(error->tracking_id);
                free(error);
                error = cause;
        }
        return NULL;
}

static fleetprov_error *error_alloc(int code) {
        fleetprov_error *e = calloc(1, sizeof(fleetprov_error));

        if (e) {
                e->code = code;
                e->retriable = -1;
        }
        return e;
}

fleetprov_error *error_new(int code, const char *format, ...) {
        _cleanup_error_ fleetprov_error *e = error_alloc(code);
        va_list ap;
        int r;

        if (!e)
                return NULL;
        va_start(ap, format);
        r = vasprintf(&e->message, format, ap);
        va_end(ap);
        if (r < 0) {
                e->message = NULL;
                return NULL;
        }
        return TAKE_PTR(e);
}

/* Errors that are not the daemon's: of sd-bus, of a message bus. */
static int code_from_foreign(const char *name, bool about_job) {
        static const struct {
                const char *name;
                int code;
        } table[] = {
                {SD_BUS_ERROR_ACCESS_DENIED, FLEETPROV_ACCESS_DENIED},
                {SD_BUS_ERROR_AUTH_FAILED, FLEETPROV_ACCESS_DENIED},
                {SD_BUS_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED, FLEETPROV_ACCESS_DENIED},
                {SD_BUS_ERROR_INVALID_ARGS, FLEETPROV_BAD_PARAMETER},
                {SD_BUS_ERROR_INVALID_SIGNATURE, FLEETPROV_BAD_PARAMETER},
                {SD_BUS_ERROR_LIMITS_EXCEEDED, FLEETPROV_QUEUE_FULL},
                {SD_BUS_ERROR_NO_MEMORY, FLEETPROV_NO_MEMORY},
                {SD_BUS_ERROR_TIMEOUT, FLEETPROV_TIMEOUT},
                {SD_BUS_ERROR_NO_REPLY, FLEETPROV_TIMEOUT},
                {SD_BUS_ERROR_SERVICE_UNKNOWN, FLEETPROV_CONNECT_FAILED},
                {SD_BUS_ERROR_NAME_HAS_NO_OWNER, FLEETPROV_CONNECT_FAILED},
                {SD_BUS_ERROR_DISCONNECTED, FLEETPROV_CONNECTION_LOST},
        };

        if (about_job && name && streq(name, SD_BUS_ERROR_UNKNOWN_OBJECT))
                return FLEETPROV_NO_SUCH_JOB;
        for (size_t i = 0; name && i < ELEMENTSOF(table); i++)
                if (streq(table[i].name, name))
                        return table[i].code;
        if (name && strncmp(name, "org.freedesktop.DBus.Error.Spawn.", 33) == 0)
                return FLEETPROV_CONNECT_FAILED;
        return FLEETPROV_INTERNAL_FAILURE;
}

fleetprov_error *error_from_bus(const sd_bus_error *error, bool about_job) {
        ErrorCode code = error_code_from_dbus(error->name);
        const char *message = error->message && *error->message ? error->message : error->name;

        if (code != ERROR_CODE_INVALID)
                return error_new((int) code, "%s", message);
        return error_new(code_from_foreign(error->name, about_job), "%s", message);
}

static int read_code(sd_bus_message *m, void *to, _unused_ unsigned depth) {
        int *code = to, r;
        const char *s;

        r = sd_bus_message_read(m, "v", "s", &s);
        if (r < 0)
                return r;
        *code = (int) error_code_from_string(s);
        /* A newer daemon's code: it is an error all the same. */
        if (*code < 0)
                *code = FLEETPROV_INTERNAL_FAILURE;
        return 0;
}

int error_read(sd_bus_message *m, void *to, unsigned depth) {
        static const DictField fields[] = {
                {"code", read_code, offsetof(fleetprov_error, code)},
                {"phase", dict_read_string, offsetof(fleetprov_error, phase)},
                {"message", dict_read_string, offsetof(fleetprov_error, message)},
                {"statusCode", dict_read_i32, offsetof(fleetprov_error, status_code)},
                {"errorCode", dict_read_string, offsetof(fleetprov_error, service_code)},
                {"errorMessage", dict_read_string, offsetof(fleetprov_error, service_message)},
                {"trackingId", dict_read_string, offsetof(fleetprov_error, tracking_id)},
                {"retriable", dict_read_bool, offsetof(fleetprov_error, retriable)},
                {"cause", error_read, offsetof(fleetprov_error, cause)},
        };
        _cleanup_error_ fleetprov_error *e = NULL;
        fleetprov_error **ret = to;
        int r;

        if (depth >= CAUSES_MAX)
                return sd_bus_message_skip(m, "v");
        e = error_alloc(FLEETPROV_OK);
        if (!e)
                return -ENOMEM;
        r = sd_bus_message_enter_container(m, 'v', "a{sv}");
        if (r < 0)
                return r;
        r = dict_read(m, fields, ELEMENTSOF(fields), e, depth + 1);
        if (r < 0)
                return r;
        r = sd_bus_message_exit_container(m);
        if (r < 0)
                return r;
        fleetprov_error_free(*ret);
        *ret = e->code == FLEETPROV_OK ? NULL : TAKE_PTR(e);
        return 0;
}

_public_ int fleetprov_error_get_code(const fleetprov_error *error) {
        return error ? error->code : FLEETPROV_NO_MEMORY;
}

_public_ const char *fleetprov_error_get_name(const fleetprov_error *error) {
        return fleetprov_code_to_string(fleetprov_error_get_code(error));
}

_public_ const char *fleetprov_error_get_phase(const fleetprov_error *error) {
        return error && error->phase && *error->phase ? error->phase : NULL;
}

_public_ const char *fleetprov_error_get_message(const fleetprov_error *error) {
        if (!error)
                return "out of memory";
        return error->message ? error->message : "the daemon did not say why";
}

_public_ int fleetprov_error_get_status_code(const fleetprov_error *error) {
        return error ? error->status_code : 0;
}

_public_ const char *fleetprov_error_get_service_code(const fleetprov_error *error) {
        return error ? error->service_code : NULL;
}

_public_ const char *fleetprov_error_get_service_message(const fleetprov_error *error) {
        return error ? error->service_message : NULL;
}

_public_ const char *fleetprov_error_get_tracking_id(const fleetprov_error *error) {
        return error ? error->tracking_id : NULL;
}

_public_ int fleetprov_error_get_retriable(const fleetprov_error *error) {
        return error && error->retriable > 0;
}

_public_ int fleetprov_error_has_retriable(const fleetprov_error *error) {
        return error && error->retriable >= 0;
}

_public_ const fleetprov_error *fleetprov_error_get_cause(const fleetprov_error *error) {
        return error ? error->cause : NULL;
}
