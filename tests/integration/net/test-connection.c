/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The whole way against a real broker: mosquitto, with TLS and client certificates. */

#include <check.h>
#include <stdlib.h>

#include "tests/integration/net/harness.h"

START_TEST(message_comes_back_from_the_broker)
{
        uint16_t port = harness_free_port();
        pid_t broker = harness_start_broker(port, NULL);
        Client c;

        client_init(&c, port);
        client_connect(&c);
        client_run(&c, &c.n_connected, 1);
        ck_assert_int_eq(connection_subscribe(c.connection, "a/b"), 0);
        client_run(&c, &c.n_subscribed, 1);
        ck_assert_int_eq(connection_publish(c.connection, "a/b", "hello", 5), 0);
        client_run(&c, &c.n_messages, 1);
        ck_assert_str_eq(c.topic, "a/b");
        ck_assert_uint_eq(c.payload_size, 5);
        ck_assert_mem_eq(c.payload, "hello", 5);

        ck_assert_int_eq(connection_publish(c.connection, "a/b", NULL, 0), 0);
        client_run(&c, &c.n_messages, 2);
        ck_assert_uint_eq(c.payload_size, 0);
        client_disconnect(&c);
        client_done(&c);
        harness_wait_log("mosquitto.log", "Received DISCONNECT");
        harness_stop(broker);
}
END_TEST

int main(void) {
        Suite *s = suite_create("connection");
        TCase *t = tcase_create("broker");
        SRunner *r;
        int failed;

        tcase_add_unchecked_fixture(t, harness_setup, harness_teardown);
        tcase_set_timeout(t, 60);
        tcase_add_test(t, message_comes_back_from_the_broker);
        suite_add_tcase(s, t);
        r = srunner_create(s);
        srunner_run_all(r, CK_NORMAL);
        failed = srunner_ntests_failed(r);
        srunner_free(r);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
