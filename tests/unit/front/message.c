/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/front/message.h"

#include <check.h>
#include <sys/socket.h>

#include "daemon/base/macro.h"

MessageBus message_bus_open(void) {
        MessageBus b = {};
        int pair[2];

        ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
        b.peer_fd = pair[1];
        ck_assert_int_ge(sd_bus_new(&b.bus), 0);
        ck_assert_int_ge(sd_bus_set_fd(b.bus, pair[0], pair[0]), 0);
        ck_assert_int_ge(sd_bus_negotiate_fds(b.bus, 1), 0);
        ck_assert_int_ge(sd_bus_start(b.bus), 0);
        return b;
}

void message_bus_close(MessageBus *b) {
        sd_bus_close_unref(b->bus);
        close(b->peer_fd);
}

sd_bus_message *message_call(MessageBus *b) {
        sd_bus_message *m = NULL;

        ck_assert_int_ge(sd_bus_message_new_method_call(b->bus, &m, "a.b", "/a", "a.b", "C"), 0);
        return m;
}

void message_seal(sd_bus_message *m) {
        ck_assert_int_ge(sd_bus_message_seal(m, 1, 0), 0);
        ck_assert_int_ge(sd_bus_message_rewind(m, 1), 0);
}

int message_find(sd_bus_message *m, const char *name, const char *type) {
        const char *found;

        ck_assert_int_ge(sd_bus_message_rewind(m, 1), 0);
        ck_assert_int_gt(sd_bus_message_enter_container(m, 'a', "{sv}"), 0);
        while (sd_bus_message_enter_container(m, 'e', "sv") > 0) {
                ck_assert_int_gt(sd_bus_message_read(m, "s", &found), 0);
                if (streq(found, name)) {
                        ck_assert_int_gt(sd_bus_message_enter_container(m, 'v', type), 0);
                        return 1;
                }
                ck_assert_int_ge(sd_bus_message_skip(m, "v"), 0);
                ck_assert_int_ge(sd_bus_message_exit_container(m), 0);
        }
        return 0;
}

const char *message_text(sd_bus_message *m, const char *name) {
        const char *text;

        if (!message_find(m, name, "s"))
                return NULL;
        ck_assert_int_gt(sd_bus_message_read(m, "s", &text), 0);
        return text;
}
