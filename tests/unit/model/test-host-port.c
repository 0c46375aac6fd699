/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/model/host-port.h"

#include "tests/unit/net/run-suite.h"

static const struct {
        const char *host;
        uint16_t port;
        const char *text;
} cases[] = {
        {"localhost", 8883, "localhost:8883"},
        {"192.0.2.1", 1, "192.0.2.1:1"},
        {"2001:db8::1", 65535, "[2001:db8::1]:65535"},
};

START_TEST(address_with_colons_has_brackets)
{
        _cleanup_free_ char *text = host_port_text(cases[_i].host, cases[_i].port);

        ck_assert_str_eq(text, cases[_i].text);
}
END_TEST

int main(void) {
        Suite *s = suite_create("host-port");
        TCase *t = tcase_create("host-port");

        tcase_add_loop_test(t, address_with_colons_has_brackets, 0, ELEMENTSOF(cases));
        suite_add_tcase(s, t);
        return run_suite(s);
}
