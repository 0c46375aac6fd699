/* SPDX-License-Identifier: GPL-2.0-or-later */

/* How connections end: against servers that go by a script. */

#include <check.h>
#include <stdlib.h>

#include "tests/integration/net/harness.h"
#include "tests/integration/net/tls-talker.h"

#define FLOOD_PACKETS 2000U

static pid_t server;

static void stop_server(void) {
        harness_stop(server);
        server = 0;
}

static void start_talker(Client *c, TlsTalk talk) {
        uint16_t port = harness_free_port();

        server = tls_talker_start(port, talk);
        client_init(c, port);
}

static void talk_connack_7(TlsPeer *p) {
        tls_peer_accept(p, 7);
}

static void talk_connack_2(TlsPeer *p) {
        tls_peer_accept(p, 2);
        tls_peer_wait_end(p);
}

START_TEST(connack_says_what_was_refused)
{
        Client c;

        start_talker(&c, talk_connack_7);
        client_must_fail(&c, ERROR_CREDENTIALS_REFUSED, "CONNACK 7");
        ck_assert_int_eq(c.failure->status_code, 7);
        client_done(&c);
        stop_server();

        start_talker(&c, talk_connack_2);
        client_must_fail(&c, ERROR_SERVER_REFUSED, "client id \"test\"");
        client_done(&c);
        stop_server();
}
END_TEST

static void talk_drop_connect(TlsPeer *p) {
        (void) tls_peer_read_packet(p, NULL);
}

START_TEST(server_that_drops_connect_is_a_loss)
{
        Client c;

        start_talker(&c, talk_drop_connect);
        client_must_fail(&c, ERROR_CONNECTION_LOST, "localhost");
        client_done(&c);
        stop_server();
}
END_TEST

static void talk_drop_request(TlsPeer *p) {
        tls_peer_accept(p, 0);
        (void) tls_peer_read_packet(p, NULL);
}

START_TEST(loss_after_a_request_names_it)
{
        Client c;

        start_talker(&c, talk_drop_request);
        client_connect(&c);
        client_run(&c, &c.n_connected, 1);
        ck_assert_int_eq(connection_subscribe(c.connection, "no/right"), 0);
        client_run(&c, &c.n_lost, 1);
        ck_assert_int_eq(failure_code(c.failure), ERROR_CONNECTION_LOST);
        ck_assert_ptr_nonnull(strstr(failure_message(c.failure), "the subscription to no/right"));

        client_connect(&c);
        client_run(&c, &c.n_connected, 1);
        ck_assert_int_eq(connection_publish(c.connection, "not/yours", "x", 1), 0);
        client_run(&c, &c.n_lost, 1);
        ck_assert_ptr_nonnull(strstr(failure_message(c.failure), "the publication to not/yours"));
        client_done(&c);
        stop_server();
}
END_TEST

static void talk_refuse_subscription(TlsPeer *p) {
        uint16_t id = 0;

        tls_peer_accept(p, 0);
        (void) tls_peer_read_packet(p, &id);
        tls_peer_write(p, (uint8_t[]){0x90, 3, (uint8_t) (id >> 8), (uint8_t) id, 0x80}, 5);
        tls_peer_wait_end(p);
}

START_TEST(suback_80_is_a_subscription_refused)
{
        Client c;

        start_talker(&c, talk_refuse_subscription);
        client_connect(&c);
        client_run(&c, &c.n_connected, 1);
        ck_assert_int_eq(connection_subscribe(c.connection, "t"), 0);
        client_run(&c, &c.n_refused, 1);
        ck_assert_uint_eq(c.n_subscribed, 0);
        client_done(&c);
        stop_server();
}
END_TEST

static void talk_last_words(TlsPeer *p) {
        static const uint8_t publish[] = {0x30, 6, 0, 1, 't', 'b', 'y', 'e'};

        tls_peer_accept(p, 0);
        (void) tls_peer_read_packet(p, NULL);
        tls_peer_write(p, publish, sizeof(publish));
}

START_TEST(answer_before_a_loss_is_delivered)
{
        Client c;

        start_talker(&c, talk_last_words);
        client_connect(&c);
        client_run(&c, &c.n_connected, 1);
        ck_assert_int_eq(connection_publish(c.connection, "q", "x", 1), 0);
        client_run(&c, &c.n_messages, 1);
        ck_assert_mem_eq(c.payload, "bye", 3);
        client_run(&c, &c.n_lost, 1);
        client_done(&c);
        stop_server();
}
END_TEST

static void talk_announce_250_megabytes(TlsPeer *p) {
        static const uint8_t header[] = {0x30, 0xff, 0xff, 0xff, 0x7f};

        tls_peer_accept(p, 0);
        tls_peer_write(p, header, 2);
        tls_peer_write(p, header + 2, 3);
        tls_peer_wait_end(p);
}

static void talk_endless_length(TlsPeer *p) {
        static const uint8_t header[] = {0x30, 0xff, 0xff, 0xff, 0xff, 0x01};

        tls_peer_accept(p, 0);
        tls_peer_write(p, header, sizeof(header));
        tls_peer_wait_end(p);
}

static void talk_nonsense(TlsPeer *p) {
        tls_peer_accept(p, 0);
        tls_peer_write(p, "\xf0\x00", 2);
        tls_peer_wait_end(p);
}

START_TEST(hostile_lengths_end_the_connection)
{
        static const TlsTalk talks[] = {talk_announce_250_megabytes, talk_endless_length,
                                        talk_nonsense};
        static const char *const texts[] = {"announced an MQTT packet of 268435455 bytes",
                                            "no MQTT", "no MQTT"};
        Client c;

        start_talker(&c, talks[_i]);
        client_connect(&c);
        client_run(&c, &c.n_lost, 1);
        ck_assert_int_eq(failure_code(c.failure), ERROR_BAD_RESPONSE);
        ck_assert_ptr_nonnull(strstr(failure_message(c.failure), texts[_i]));
        client_done(&c);
        stop_server();
}
END_TEST

/* More than the mailbox holds, before the loop looks: it is asleep meanwhile. */
static void talk_flood(TlsPeer *p) {
        static const uint8_t publish[] = {0x30, 4, 0, 1, 't', 'x'};
        static uint8_t many[FLOOD_PACKETS * sizeof(publish)]; /* in one record */

        for (size_t i = 0; i < FLOOD_PACKETS; i++)
                memcpy(many + i * sizeof(publish), publish, sizeof(publish));
        tls_peer_accept(p, 0);
        tls_peer_write(p, many, sizeof(many));
        tls_peer_wait_end(p);
}

static void on_first_connected(void *userdata) {
        Client *c = userdata;

        c->n_connected++;
}

static void on_slow_message(const char *topic, size_t topic_size, const uint8_t *payload,
                            size_t size, void *userdata) {
        Client *c = userdata;

        c->n_messages++;
        if (c->n_messages <= 3)
                (void) usleep(400000); /* slower than the flood */
}

static void on_flood_lost(Failure *failure, void *userdata) {
        Client *c = userdata;

        c->failure = failure;
        c->n_lost++;
}

START_TEST(flood_overruns_the_mailbox_and_ends_the_connection)
{
        static const ConnectionHandlers slow = {
                .connected = on_first_connected, .message = on_slow_message, .lost = on_flood_lost};
        Client c;

        start_talker(&c, talk_flood);
        ck_assert_int_eq(connection_new(c.network, &c.p, &slow, &c, &c.connection), 0);
        client_run(&c, &c.n_lost, 1);
        ck_assert_int_eq(failure_code(c.failure), ERROR_QUEUE_FULL);
        ck_assert_uint_ge(c.n_messages, 1);
        client_done(&c);
        stop_server();
}
END_TEST

static void talk_silence(TlsPeer *p) {
        tls_peer_accept(p, 0);
        tls_peer_wait_end(p);
}

START_TEST(ping_without_answer_is_a_loss)
{
        Client c;

        start_talker(&c, talk_silence);
        c.p.keep_alive_sec = 1;
        client_connect(&c);
        client_run(&c, &c.n_connected, 1);
        client_run(&c, &c.n_lost, 1);
        ck_assert_int_eq(failure_code(c.failure), ERROR_CONNECTION_LOST);
        ck_assert_ptr_nonnull(strstr(failure_message(c.failure), "keep-alive of 1 s"));
        client_done(&c);
        stop_server();
}
END_TEST

/* A server that falls silent is noticed here, long before the library does. */
START_TEST(silence_is_a_loss)
{
        Client c;

        start_talker(&c, talk_silence);
        c.p.keep_alive_sec = 12;
        client_connect(&c);
        client_run(&c, &c.n_connected, 1);
        client_run_for(&c, &c.n_lost, 1, 60);
        ck_assert_int_eq(failure_code(c.failure), ERROR_CONNECTION_LOST);
        ck_assert_ptr_nonnull(strstr(failure_message(c.failure), "said nothing for 22 s"));
        client_done(&c);
        stop_server();
}
END_TEST

int main(void) {
        Suite *s = suite_create("loss");
        TCase *t = tcase_create("loss");
        SRunner *r;
        int failed;

        tcase_add_unchecked_fixture(t, harness_setup, harness_teardown);
        tcase_set_timeout(t, 90);
        tcase_add_test(t, connack_says_what_was_refused);
        tcase_add_test(t, server_that_drops_connect_is_a_loss);
        tcase_add_test(t, loss_after_a_request_names_it);
        tcase_add_test(t, suback_80_is_a_subscription_refused);
        tcase_add_test(t, answer_before_a_loss_is_delivered);
        tcase_add_loop_test(t, hostile_lengths_end_the_connection, 0, 3);
        tcase_add_test(t, flood_overruns_the_mailbox_and_ends_the_connection);
        tcase_add_test(t, ping_without_answer_is_a_loss);
        tcase_add_test(t, silence_is_a_loss);
        suite_add_tcase(s, t);
        r = srunner_create(s);
        srunner_run_all(r, CK_NORMAL);
        failed = srunner_ntests_failed(r);
        srunner_free(r);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
