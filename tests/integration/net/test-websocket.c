/* SPDX-License-Identifier: GPL-2.0-or-later */

/* MQTT in a WebSocket: against mosquitto's own listener, of which libwebsockets makes the frames,
 * and against servers that are none. That listener is at all addresses, whatever it is told, so the
 * test goes into a network namespace of its own. Needs root for those tests. */

#include <check.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>

#include "daemon/net/probe.h"
#include "tests/integration/net/tls-talker.h"

static pid_t server;

static void stop_server(void) {
        harness_stop(server);
        server = 0;
}

static bool go_alone(void) {
        if (geteuid() != 0) {
                fputs("skipped: network namespaces need root\n", stderr);
                return false;
        }
        ck_assert_int_eq(unshare(CLONE_NEWNET), 0);
        ck_assert_int_eq(system("ip link set lo up"), 0);
        return true;
}

/* Mosquitto 2.0.11 gives up where it has no listener but those of libwebsockets; so there is one,
 * which nobody uses. */
static void start_broker(Client *c) {
        FILE *f = fopen(harness_path("mosquitto.conf"), "we");
        uint16_t port = harness_free_port();

        ck_assert_ptr_nonnull(f);
        fprintf(f,
                "listener %u 127.0.0.1\nlistener %u\nprotocol websockets\ncafile %s\ncertfile "
                "%s\nkeyfile %s\n"
                "require_certificate true\nallow_anonymous true\npersistence false\n"
                "log_type all\nuser root\n",
                harness_free_port(), port, harness_path("ca.pem"), harness_path("server.pem"),
                harness_path("server.key"));
        ck_assert_int_eq(fclose(f), 0);
        server = harness_start("mosquitto.log",
                               (const char *const[]){"/usr/sbin/mosquitto", "-v", "-c",
                                                     harness_path("mosquitto.conf"), NULL});
        harness_wait_log("mosquitto.log", "running");
        client_init(c, port);
        c->p.road.websocket_path = "/mqtt";
}

/* --- a real broker */

static void exchange(Client *c, const char *topic, const uint8_t *payload, size_t size) {
        unsigned n = c->n_messages;

        ck_assert_int_eq(connection_publish(c->connection, topic, payload, size), 0);
        client_run(c, &c->n_messages, n + 1);
        ck_assert_uint_eq(c->payload_size, size);
        ck_assert_mem_eq(c->payload, payload, size);
}

/* Frames with each form of a length, and larger than a TLS record. */
START_TEST(messages_of_any_size_come_back)
{
        static const size_t sizes[] = {1, 100, 126, 4000, 20000, PACKET_MAX - 16};
        uint8_t *payload = malloc(PACKET_MAX);
        Client c;

        if (!go_alone())
                return;
        for (size_t i = 0; i < PACKET_MAX; i++)
                payload[i] = (uint8_t) (i * 7 + i / 251);
        start_broker(&c);
        client_connect(&c);
        client_run(&c, &c.n_connected, 1);
        ck_assert_int_eq(connection_subscribe(c.connection, "t"), 0);
        client_run(&c, &c.n_subscribed, 1);
        for (size_t i = 0; i < ELEMENTSOF(sizes); i++)
                exchange(&c, "t", payload, sizes[i]);
        client_disconnect(&c);
        client_done(&c);
        harness_wait_log("mosquitto.log", "Received DISCONNECT");
        stop_server();
        free(payload);
}
END_TEST

/* What the MQTT library could not do by itself. */
START_TEST(several_are_open_at_once)
{
        Client c, others[3] = {};
        char id[ELEMENTSOF(others)][8];

        if (!go_alone())
                return;
        start_broker(&c);
        for (size_t i = 0; i < ELEMENTSOF(others); i++) {
                (void) snprintf(id[i], sizeof(id[i]), "id%zu", i);
                others[i].event = c.event;
                others[i].network = c.network;
                others[i].p = c.p;
                others[i].p.client_id = id[i];
                client_connect(&others[i]);
        }
        for (size_t i = 0; i < ELEMENTSOF(others); i++) {
                client_run(&others[i], &others[i].n_connected, 1);
                ck_assert_int_eq(connection_subscribe(others[i].connection, id[i]), 0);
        }
        for (size_t i = 0; i < ELEMENTSOF(others); i++)
                client_run(&others[i], &others[i].n_subscribed, 1);
        for (size_t round = 0; round < 3; round++)
                for (size_t i = 0; i < ELEMENTSOF(others); i++)
                        exchange(&others[i], id[i], (const uint8_t *) id[i], 3);
        for (size_t i = 0; i < ELEMENTSOF(others); i++) {
                client_disconnect(&others[i]);
                free(others[i].topic);
                free(others[i].payload);
        }
        client_done(&c);
        stop_server();
}
END_TEST

static ProbeVerdict verdict;
static unsigned n_verdicts;

static void on_verdict(ProbeVerdict v, Failure *failure, void *userdata) {
        verdict = v;
        n_verdicts++;
        failure_free(failure);
}

START_TEST(probe_is_let_in)
{
        ProbeParameters p = {.road = {.tls.host = "localhost", .websocket_path = "/mqtt"},
                             .client_id = "probe",
                             .timeout_usec = 20 * USEC_PER_SEC};
        Probe *probe;
        Client c;

        if (!go_alone())
                return;
        start_broker(&c);
        p.road.tls.port = c.p.road.tls.port;
        p.road.tls.trusted = c.trusted;
        p.road.tls.certificate = c.certificate;
        p.road.tls.private_key = c.private_key;
        ck_assert_int_eq(probe_new(c.network, &p, on_verdict, NULL, &probe), 0);
        client_run(&c, &n_verdicts, 1);
        ck_assert_int_eq(verdict, PROBE_ACCEPTED);
        probe_free(probe);
        client_done(&c);
        stop_server();
}
END_TEST

START_TEST(certificate_that_is_refused_is_told_as_such)
{
        Client c;

        if (!go_alone())
                return;
        start_broker(&c);
        secret_free(c.certificate);
        secret_free(c.private_key);
        c.p.road.tls.certificate = c.certificate = harness_file("client-stranger.pem");
        c.p.road.tls.private_key = c.private_key = harness_file("client-stranger.key");
        client_must_fail(&c, ERROR_CREDENTIALS_REFUSED, "check that Certificate=");
        client_done(&c);
        stop_server();
}
END_TEST

START_TEST(broker_without_websockets_is_none)
{
        uint16_t port = harness_free_port();
        Client c;

        server = harness_start_broker(port, NULL);
        client_init(&c, port);
        c.p.road.websocket_path = "/mqtt";
        client_must_fail(&c, ERROR_CONNECTION_LOST, "the wish for a WebSocket");
        client_done(&c);
        stop_server();
}
END_TEST

/* --- servers that say something else */

static const char *answer;

static void talk(TlsPeer *peer) {
        char byte, last[4] = "";

        do {
                (void) tls_peer_read(peer, &byte, 1);
                memmove(last, last + 1, 3);
                last[3] = byte;
        } while (memcmp(last, "\r\n\r\n", 4) != 0);
        if (answer)
                tls_peer_write(peer, answer, strlen(answer));
        tls_peer_wait_end(peer);
}

static const struct {
        const char *answer;
        ErrorCode code;
        int status;
        const char *text;
} answers[] = {
        {"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n", ERROR_SERVER_REFUSED, 403,
         "HTTP status 403 (Forbidden)"},
        {"HTTP/1.1 404 Not Found\r\n\r\n", ERROR_SERVER_REFUSED, 404, "at /mqtt"},
        {"HTTP/1.1 101 Fine\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
         "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
         "Sec-WebSocket-Protocol: mqtt\r\n\r\n",
         ERROR_BAD_RESPONSE, 0, "not for our key"},
        {"SSH-2.0-x\r\n", ERROR_BAD_RESPONSE, 0, "no HTTP"},
        {NULL, ERROR_TIMEOUT, 0, "did not answer the wish for a WebSocket in time"},
};

START_TEST(other_answer_has_its_own_code)
{
        uint16_t port = harness_free_port();
        Client c;

        answer = answers[_i].answer;
        server = tls_talker_start(port, talk);
        client_init(&c, port);
        c.p.road.websocket_path = "/mqtt";
        if (!answer)
                c.p.connect_timeout_usec = 2 * USEC_PER_SEC;
        client_must_fail(&c, answers[_i].code, answers[_i].text);
        ck_assert_int_eq(c.failure->status_code, answers[_i].status);
        client_done(&c);
        stop_server();
}
END_TEST

int main(void) {
        Suite *suite = suite_create("net: websocket");
        TCase *tc = tcase_create("websocket");
        SRunner *runner = srunner_create(suite);
        int failed;

        tcase_set_timeout(tc, 60);
        tcase_add_unchecked_fixture(tc, harness_setup, harness_teardown);
        tcase_add_test(tc, messages_of_any_size_come_back);
        tcase_add_test(tc, several_are_open_at_once);
        tcase_add_test(tc, probe_is_let_in);
        tcase_add_test(tc, certificate_that_is_refused_is_told_as_such);
        tcase_add_test(tc, broker_without_websockets_is_none);
        tcase_add_loop_test(tc, other_answer_has_its_own_code, 0, ELEMENTSOF(answers));
        suite_add_tcase(suite, tc);
        srunner_run_all(runner, CK_ENV);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
