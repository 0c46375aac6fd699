/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The whole way: against mosquitto with TLS and client certificates, and against nobody. */

#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "tests/integration/net/harness.h"

#define DESCRIPTORS_MAX 256

static pid_t server;

static void stop_server(void) {
        harness_stop(server);
        server = 0;
}

static void start_broker(Client *c, const char *extra) {
        uint16_t port = harness_free_port();

        server = harness_start_broker(port, extra);
        client_init(c, port);
}

static void run_until_gone(Client *c) {
        while (network_lingering(c->network) > 0)
                ck_assert_int_ge(sd_event_run(c->event, UINT64_MAX), 0);
}

static unsigned count_descriptors(void) {
        DIR *dir = opendir("/proc/self/fd");
        unsigned n = 0;

        ck_assert_ptr_nonnull(dir);
        while (readdir(dir))
                n++;
        closedir(dir);
        return n;
}

/* --- a real broker ------------------------------------------------------------------------------
 */

START_TEST(message_comes_back_from_the_broker)
{
        static const char *const hosts[] = {"localhost", "127.0.0.1", "::1"};
        Client c;

        start_broker(&c, NULL);
        c.p.road.tls.host = hosts[_i];
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
        stop_server();
}
END_TEST

/* Larger than a TLS record, in both directions, and back unchanged. */
START_TEST(large_message_comes_back_whole)
{
        size_t size = PACKET_MAX - 16;
        uint8_t *payload = malloc(size);
        Client c;

        for (size_t i = 0; i < size; i++)
                payload[i] = (uint8_t) (i * 7 + i / 251);
        start_broker(&c, NULL);
        client_connect(&c);
        client_run(&c, &c.n_connected, 1);
        ck_assert_int_eq(connection_subscribe(c.connection, "t"), 0);
        client_run(&c, &c.n_subscribed, 1);
        for (unsigned i = 1; i <= 3; i++) {
                ck_assert_int_eq(connection_publish(c.connection, "t", payload, size), 0);
                client_run(&c, &c.n_messages, i);
                ck_assert_uint_eq(c.payload_size, size);
                ck_assert_mem_eq(c.payload, payload, size);
        }

        /* A little more, and it is over. */
        c.p.packet_max = 1024;
        client_connect(&c);
        client_run(&c, &c.n_connected, 1);
        ck_assert_int_eq(connection_subscribe(c.connection, "t"), 0);
        client_run(&c, &c.n_subscribed, 1);
        ck_assert_int_eq(connection_publish(c.connection, "t", payload, 1024), 0);
        client_run(&c, &c.n_lost, 1);
        ck_assert_int_eq(failure_code(c.failure), ERROR_BAD_RESPONSE);
        ck_assert_ptr_nonnull(strstr(failure_message(c.failure), "more than the 1024"));
        client_done(&c);
        stop_server();
        free(payload);
}
END_TEST

/* Of the one listener that this process has on IPv4. */
static uint16_t bridge_port(void) {
        for (int fd = 3; fd < DESCRIPTORS_MAX; fd++) {
                struct sockaddr_in a = {};
                socklen_t size = sizeof(a), int_size = sizeof(int);
                int listens = 0;

                if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &int_size) == 0 &&
                    listens && getsockname(fd, (struct sockaddr *) &a, &size) == 0 &&
                    a.sin_family == AF_INET)
                        return ntohs(a.sin_port);
        }
        ck_abort_msg("nobody listens");
}

START_TEST(stranger_while_descriptors_are_short_costs_no_session)
{
        const struct rlimit limit = {DESCRIPTORS_MAX, DESCRIPTORS_MAX};
        struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        int stranger = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), copies[DESCRIPTORS_MAX];
        size_t n = 0;
        Client c;

        start_broker(&c, NULL);
        client_connect(&c);
        client_run(&c, &c.n_connected, 1);
        ck_assert_int_eq(connection_subscribe(c.connection, "t"), 0);
        client_run(&c, &c.n_subscribed, 1);
        a.sin_port = htons(bridge_port());
        ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
        while (n < DESCRIPTORS_MAX && (copies[n] = dup(stranger)) >= 0)
                n++;
        ck_assert_int_eq(errno, EMFILE);
        (void) connect(stranger, (struct sockaddr *) &a, sizeof(a));
        while (sd_event_run(c.event, 0) > 0)
                ;
        ck_assert_int_eq(connection_publish(c.connection, "t", "x", 1), 0);
        client_run(&c, &c.n_messages, 1);
        while (n > 0)
                close(copies[--n]);
        close(stranger);
        client_done(&c);
        stop_server();
}
END_TEST

START_TEST(broker_that_dies_is_a_loss)
{
        Client c;

        start_broker(&c, NULL);
        client_connect(&c);
        client_run(&c, &c.n_connected, 1);
        stop_server();
        client_run(&c, &c.n_lost, 1);
        ck_assert_int_eq(failure_code(c.failure), ERROR_CONNECTION_LOST);
        ck_assert_ptr_null(strstr(failure_message(c.failure), "last thing sent"));
        ck_assert_int_eq(connection_subscribe(c.connection, "t"), -ENOTCONN);
        ck_assert_int_eq(connection_publish(c.connection, "t", "x", 1), -ENOTCONN);
        client_done(&c);
}
END_TEST

START_TEST(connack_5_is_credentials_refused)
{
        Client c;

        start_broker(&c, "password_file /dev/null\nallow_anonymous false\n");
        client_must_fail(&c, ERROR_CREDENTIALS_REFUSED, "CONNACK 5");
        ck_assert_int_eq(c.failure->status_code, 5);
        client_done(&c);
        stop_server();
}
END_TEST

/* Nothing is left behind by a generation: no descriptor, and no event of it reaches the next. */
START_TEST(connection_after_connection_leaves_nothing_behind)
{
        unsigned descriptors = 0;
        Client c;

        start_broker(&c, NULL);
        for (unsigned i = 0; i < 4; i++) {
                client_connect(&c);
                client_run(&c, &c.n_connected, 1);
                ck_assert_int_eq(connection_subscribe(c.connection, "t"), 0);
                client_run(&c, &c.n_subscribed, 1);
                ck_assert_int_eq(connection_publish(c.connection, "t", "x", 1), 0);
                client_disconnect(&c);
                run_until_gone(&c);
                if (i == 0)
                        descriptors = count_descriptors();
                else
                        ck_assert_uint_eq(count_descriptors(), descriptors);
                ck_assert_uint_le(c.n_messages, 1);
        }
        client_done(&c);
        stop_server();
}
END_TEST

/* The library holds its global lock while it waits for one bridge's answer: were it waited for on
 * the loop, the others would starve each other. */
START_TEST(several_connect_at_once)
{
        Connection *others[6] = {};
        Client c, records[ELEMENTSOF(others)] = {};
        char id[ELEMENTSOF(others)][8];

        start_broker(&c, NULL);
        client_connect(&c);
        for (size_t i = 0; i < ELEMENTSOF(others); i++) {
                (void) snprintf(id[i], sizeof(id[i]), "id%zu", i);
                records[i].event = c.event;
                records[i].network = c.network;
                records[i].p = c.p;
                records[i].p.client_id = id[i];
                client_connect(&records[i]);
        }
        client_run(&c, &c.n_connected, 1);
        for (size_t i = 0; i < ELEMENTSOF(others); i++) {
                client_run(&records[i], &records[i].n_connected, 1);
                ck_assert_int_eq(connection_subscribe(records[i].connection, id[i]), 0);
        }
        for (size_t i = 0; i < ELEMENTSOF(others); i++) {
                client_run(&records[i], &records[i].n_subscribed, 1);
                ck_assert_int_eq(connection_publish(records[i].connection, id[i], id[i], 3), 0);
                client_run(&records[i], &records[i].n_messages, 1);
                ck_assert_str_eq(records[i].topic, id[i]);
        }
        for (size_t i = 0; i < ELEMENTSOF(others); i++) {
                client_disconnect(&records[i]);
                free(records[i].topic);
                free(records[i].payload);
        }
        client_done(&c); /* waits for what lingers */
        stop_server();
}
END_TEST

/* At whatever moment it is freed: silence, and all of it goes away. */
START_TEST(connection_is_freed_at_any_moment)
{
        unsigned n_connected = 0;
        Client c;

        start_broker(&c, NULL);
        for (unsigned steps = 0; n_connected < 2; steps++) {
                client_connect(&c);
                for (unsigned i = 0; i < steps && c.n_connected + c.n_lost == 0; i++)
                        ck_assert_int_ge(sd_event_run(c.event, UINT64_MAX), 0);
                ck_assert_msg(c.n_lost == 0, "after %u steps: %s", steps,
                              failure_message(c.failure));
                n_connected += c.n_connected;
                client_disconnect(&c);
                if (steps % 8 == 7)
                        run_until_gone(&c);
        }
        ck_assert_uint_eq(c.n_lost, 0);
        client_done(&c);
        stop_server();
}
END_TEST

START_TEST(environment_that_misleads_the_library_is_not_obeyed)
{
        Client c;

        setenv("http_proxy", "http://127.0.0.1:1", 1);
        setenv("https_proxy", "http://127.0.0.1:1", 1);
        setenv("MQTT_C_CLIENT_TRACE", harness_path("trace"), 1);
        setenv("MQTT_C_CLIENT_TRACE_LEVEL", "MAXIMUM", 1);
        start_broker(&c, NULL);
        client_connect(&c);
        client_run(&c, &c.n_connected, 1);
        client_done(&c);
        ck_assert_int_ne(access(harness_path("trace"), F_OK), 0);
        stop_server();
}
END_TEST

/* --- nobody -------------------------------------------------------------------------------------
 */

START_TEST(unknown_name_is_name_resolution)
{
        Client c;

        client_init(&c, 8883);
        c.p.road.tls.host = "no-such-host.invalid"; /* RFC 6761, 6.4 */
        client_must_fail(&c, ERROR_NAME_RESOLUTION, "no-such-host.invalid");
        client_done(&c);
}
END_TEST

START_TEST(closed_port_is_connect_failed)
{
        static const char *const hosts[] = {"localhost", "127.0.0.1", "::1"};
        Client c;

        client_init(&c, harness_free_port());
        c.p.road.tls.host = hosts[_i];
        client_must_fail(&c, ERROR_CONNECT_FAILED, "Connection refused");
        client_done(&c);
}
END_TEST

/* A listener whose queue is full drops what knocks: a black hole. */
START_TEST(black_hole_is_connect_failed_in_time)
{
        uint16_t port = harness_free_port();
        int listener = harness_listen(port, 0), fds[4];
        struct sockaddr_in a = {.sin_family = AF_INET,
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                                .sin_port = htons(port)};
        Client c;

        for (size_t i = 0; i < ELEMENTSOF(fds); i++) {
                fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
                (void) connect(fds[i], (struct sockaddr *) &a, sizeof(a));
        }
        client_init(&c, port);
        c.p.road.tls.host = "127.0.0.1";
        c.p.connect_timeout_usec = USEC_PER_SEC;
        client_must_fail(&c, ERROR_CONNECT_FAILED, "no answer in time");
        client_done(&c);
        for (size_t i = 0; i < ELEMENTSOF(fds); i++)
                close(fds[i]);
        close(listener);
}
END_TEST

/* It takes the connection and never speaks. */
START_TEST(server_without_a_handshake_is_tls_failed_in_time)
{
        uint16_t port = harness_free_port();
        int listener = harness_listen(port, 4);
        Client c;

        client_init(&c, port);
        c.p.connect_timeout_usec = USEC_PER_SEC;
        client_must_fail(&c, ERROR_TLS_FAILED, "did not finish the TLS handshake in time");
        client_done(&c);
        close(listener);
}
END_TEST

START_TEST(parameters_without_sense_are_refused)
{
        static const ConnectionHandlers none = {};
        Client c;
        ConnectionParameters p;

        client_init(&c, 8883);
#define REFUSED(field, value) \
        p = c.p;              \
        p.field = value;      \
        ck_assert_int_eq(connection_new(c.network, &p, &none, NULL, &c.connection), -EINVAL)
        REFUSED(road.tls.host, "");
        REFUSED(road.tls.port, 0);
        REFUSED(road.tls.trusted, NULL);
        REFUSED(road.tls.private_key, NULL);
        REFUSED(client_id, "");
        REFUSED(keep_alive_sec, 0);
        REFUSED(keep_alive_sec, 65536);
        REFUSED(password, c.trusted);
        REFUSED(packet_max, 0);
#undef REFUSED
        client_done(&c);
}
END_TEST

int main(void) {
        Suite *s = suite_create("connection");
        TCase *t = tcase_create("connection");
        SRunner *r;
        int failed;

        tcase_add_unchecked_fixture(t, harness_setup, harness_teardown);
        tcase_set_timeout(t, 90);
        tcase_add_loop_test(t, message_comes_back_from_the_broker, 0, 3);
        tcase_add_test(t, large_message_comes_back_whole);
        tcase_add_test(t, stranger_while_descriptors_are_short_costs_no_session);
        tcase_add_test(t, broker_that_dies_is_a_loss);
        tcase_add_test(t, connack_5_is_credentials_refused);
        tcase_add_test(t, connection_after_connection_leaves_nothing_behind);
        tcase_add_test(t, several_connect_at_once);
        tcase_add_test(t, connection_is_freed_at_any_moment);
        tcase_add_test(t, environment_that_misleads_the_library_is_not_obeyed);
        tcase_add_test(t, unknown_name_is_name_resolution);
        tcase_add_loop_test(t, closed_port_is_connect_failed, 0, 3);
        tcase_add_test(t, black_hole_is_connect_failed_in_time);
        tcase_add_test(t, server_without_a_handshake_is_tls_failed_in_time);
        tcase_add_test(t, parameters_without_sense_are_refused);
        suite_add_tcase(s, t);
        r = srunner_create(s);
        srunner_run_all(r, CK_NORMAL);
        failed = srunner_ntests_failed(r);
        srunner_free(r);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
