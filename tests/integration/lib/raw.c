/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/integration/lib/raw.h"

#include <check.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

/* A socket is in the file system before anybody listens on it. */
#define OPEN_TRIES 500
#define OPEN_PAUSE_USEC 10000

sd_bus *raw_open(const char *address, bool is_bus) {
        int r = -ECONNREFUSED;

        for (int i = 0; i < OPEN_TRIES && (r == -ECONNREFUSED || r == -ENOENT); i++) {
                sd_bus *bus = NULL;

                ck_assert_int_ge(sd_bus_new(&bus), 0);
                ck_assert_int_ge(sd_bus_set_address(bus, address), 0);
                ck_assert_int_ge(sd_bus_set_bus_client(bus, is_bus), 0);
                ck_assert_int_ge(sd_bus_negotiate_fds(bus, 1), 0);
                r = sd_bus_start(bus);
                if (r >= 0)
                        return bus;
                sd_bus_unref(bus);
                usleep(OPEN_PAUSE_USEC);
        }
        ck_abort_msg("%s: %s", address, strerrordesc_np(-r));
        return NULL;
}

static int call(sd_bus *bus, const char *path, const char *interface, const char *member,
                const char *types, va_list args, sd_bus_error *error, sd_bus_message **ret) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;

        ck_assert_int_ge(
                sd_bus_message_new_method_call(bus, &m, IPC_BUS_NAME, path, interface, member), 0);
        if (types)
                ck_assert_int_ge(sd_bus_message_appendv(m, types, args), 0);
        return sd_bus_call(bus, m, 0, error, ret);
}

sd_bus_message *raw_call(sd_bus *bus, const char *path, const char *interface, const char *member,
                         const char *types, ...) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        sd_bus_message *reply = NULL;
        va_list args;
        int r;

        va_start(args, types);
        r = call(bus, path, interface, member, types, args, &error, &reply);
        va_end(args);
        ck_assert_msg(r >= 0, "%s: %s: %s", member, error.name ? error.name : strerrordesc_np(-r),
                      error.message ? error.message : "");
        return reply;
}

void raw_refused(sd_bus *bus, const char *expected, const char *path, const char *interface,
                 const char *member, const char *types, ...) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_free_ char *name = NULL;
        va_list args;
        int r;

        ck_assert_int_ge(
                asprintf(&name, "%s%s", strchr(expected, '.') ? "" : IPC_ERROR_PREFIX, expected),
                0);
        va_start(args, types);
        r = call(bus, path, interface, member, types, args, &error, NULL);
        va_end(args);
        ck_assert_msg(r < 0, "%s succeeds", member);
        ck_assert_ptr_nonnull(error.name);
        ck_assert_str_eq(error.name, name);
        /* A message for people, too. */
        ck_assert(error.message && *error.message);
}

char *raw_introspect(sd_bus *bus, const char *path) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        const char *text;
        char *copy;

        m = raw_call(bus, path, "org.freedesktop.DBus.Introspectable", "Introspect", NULL);
        ck_assert_int_ge(sd_bus_message_read(m, "s", &text), 0);
        copy = strdup(text);
        ck_assert_ptr_nonnull(copy);
        return copy;
}
