/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The probe against a real broker, and against peers that are odd in one way each. */

#include "daemon/net/probe.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>

#include "daemon/net/mqtt-connect.h"
#include "tests/integration/net/harness.h"
#include "tests/integration/net/tls-talker.h"

#define LOG "s_server.log"
#define SHORT_USEC (1500 * USEC_PER_MSEC) /* for those who never answer */
#define LONG_USEC (48 * USEC_PER_SEC)

static pid_t server;

static void stop_server(void) {
        harness_stop(server);
        server = 0;
}

typedef struct Ask {
        sd_event *event;
        Network *network;
        ProbeParameters p;
        Secret *trusted, *certificate, *private_key;
        Probe *probe;

        unsigned n_told;
        ProbeVerdict verdict;
        Failure *failure;
} Ask;

static void ask_init(Ask *a, uint16_t port) {
        *a = (Ask){};
        ck_assert_int_ge(sd_event_new(&a->event), 0);
        ck_assert_int_eq(network_new(a->event, &a->network), 0);
        a->trusted = harness_file("ca.pem");
        a->certificate = harness_file("client.pem");
        a->private_key = harness_file("client.key");
        a->p = (ProbeParameters){
                .road.tls = {.host = "localhost",
                             .port = port,
                             .trusted = a->trusted,
                             .certificate = a->certificate,
                             .private_key = a->private_key},
                .client_id = "thing-7",
                .timeout_usec = 15 * USEC_PER_SEC,
        };
}

static void ask_use(Ask *a, const char *certificate, const char *private_key) {
        secret_free(a->certificate);
        secret_free(a->private_key);
        a->p.road.tls.certificate = a->certificate = harness_file(certificate);
        a->p.road.tls.private_key = a->private_key = harness_file(private_key);
}

static void ask_done(Ask *a) {
        probe_free(a->probe);
        network_free(a->network);
        secret_free(a->trusted);
        secret_free(a->certificate);
        secret_free(a->private_key);
        failure_free(a->failure);
        sd_event_unref(a->event);
}

/* Frees the probe from within, as its user does. */
static void on_verdict(ProbeVerdict verdict, Failure *failure, void *userdata) {
        Ask *a = userdata;

        a->n_told++;
        a->verdict = verdict;
        failure_free(a->failure);
        a->failure = failure;
        a->probe = probe_free(a->probe);
}

static void ask(Ask *a) {
        ck_assert_int_eq(probe_new(a->network, &a->p, on_verdict, a, &a->probe), 0);
        ck_assert_uint_eq(a->n_told, 0); /* never from within */
        while (a->n_told == 0)
                ck_assert_int_ge(sd_event_run(a->event, UINT64_MAX), 0);
}

/* With a timeout that is meant to pass, longer where this machine was still on its way, which
 * `before` tells. */
static void ask_out_of_time(Ask *a, ErrorCode before) {
        for (usec_t usec = SHORT_USEC; usec <= LONG_USEC; usec *= 2) {
                a->n_told = 0;
                a->p.timeout_usec = usec;
                ask(a);
                if (failure_code(a->failure) != before)
                        return;
        }
}

static void assert_accepted(Ask *a) {
        ck_assert_msg(a->verdict == PROBE_ACCEPTED, "%s", failure_message(a->failure));
        ck_assert_ptr_null(a->failure);
}

static void assert_told(const Ask *a, ProbeVerdict verdict, ErrorCode code, const char *text) {
        ck_assert_msg(a->verdict == verdict && failure_code(a->failure) == code,
                      "verdict %d, %s: %s", a->verdict,
                      error_code_to_string(failure_code(a->failure)), failure_message(a->failure));
        ck_assert_msg(strstr(failure_message(a->failure), text) != NULL, "no \"%s\" in: %s", text,
                      failure_message(a->failure));
}

/* --- a real broker */

START_TEST(broker_lets_a_right_certificate_in_and_hears_a_farewell)
{
        uint16_t port = harness_free_port();
        Ask a;

        server = harness_start_broker(port, NULL);
        ask_init(&a, port);
        ask(&a);
        assert_accepted(&a);
        harness_wait_log("mosquitto.log", "as thing-7 (p2, c1, k60");
        harness_wait_log("mosquitto.log", "Received DISCONNECT from thing-7");
        ask_done(&a);
        stop_server();
}
END_TEST

START_TEST(another_key_is_refused_as_such)
{
        uint16_t port = harness_free_port();
        Ask a;

        server = harness_start_broker(port, NULL);
        ask_init(&a, port);
        ask_use(&a, "client.pem", "client-stranger.key");
        ask(&a);
        assert_told(&a, PROBE_REFUSED, ERROR_CREDENTIALS_REFUSED, "signature");
        ask_done(&a);
        stop_server();
}
END_TEST

/* --- TLS */

static uint16_t start_tls_server(const char *certificate, const char *version) {
        uint16_t port = harness_free_port();
        _cleanup_free_ char *accept = NULL, *pem = NULL, *key = NULL;

        ck_assert_int_gt(asprintf(&accept, "%u", port), 0);
        ck_assert_int_gt(asprintf(&pem, "%s.pem", certificate), 0);
        ck_assert_int_gt(asprintf(&key, "%s.key", certificate), 0);
        server = harness_start(
                LOG, (const char *const[]){"openssl", "s_server", "-quiet", "-accept", accept,
                                           "-cert", harness_path(pem), "-key", harness_path(key),
                                           "-CAfile", harness_path("ca.pem"), version, "-Verify",
                                           "1", "-verify_return_error", NULL});
        harness_wait_listening(port);
        return port;
}

START_TEST(alert_about_the_certificate_is_a_refusal)
{
        static const char *const versions[] = {"-tls1_2", "-tls1_3"};
        Ask a;

        ask_init(&a, start_tls_server("server", versions[_i]));
        ask_use(&a, "client-stranger.pem", "client-stranger.key");
        a.p.road.tls.certificate_name = "the new certificate";
        ask(&a);
        assert_told(&a, PROBE_REFUSED, ERROR_CREDENTIALS_REFUSED, "the new certificate is regist");
        ck_assert_ptr_null(strstr(failure_message(a.failure), "Certificate="));
        ck_assert_ptr_nonnull(strstr(failure_message(a.failure), "TLS alert"));
        ask_done(&a);
        stop_server();
}
END_TEST

/* A server that is wrong is no proof, and gets nothing. */
START_TEST(wrong_server_decides_nothing)
{
        static const struct {
                const char *certificate;
                ErrorCode code;
                const char *text;
        } cases[] = {
                {"wrong-host", ERROR_TLS_HOSTNAME, "other.example"},
                {"unknown-ca", ERROR_TLS_TRUST, "TrustedCertificates="},
                {"expired", ERROR_TLS_CLOCK, "has expired"},
        };
        Ask a;

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                ask_init(&a, start_tls_server(cases[i].certificate, "-tls1_3"));
                ask(&a);
                assert_told(&a, PROBE_UNDECIDED, cases[i].code, cases[i].text);
                ck_assert(!harness_log_has(LOG, "MQTT"));
                ask_done(&a);
                stop_server();
        }
}
END_TEST

START_TEST(protocol_that_was_not_agreed_to_decides_nothing)
{
        Ask a;

        ask_init(&a, start_tls_server("server", "-tls1_3"));
        a.p.road.tls.alpn = "x-amzn-mqtt-ca";
        ask(&a);
        assert_told(&a, PROBE_UNDECIDED, ERROR_TLS_FAILED, "x-amzn-mqtt-ca");
        ask_done(&a);
        stop_server();
}
END_TEST

START_TEST(what_is_no_certificate_cannot_be_tried)
{
        Ask a;

        ask_init(&a, start_tls_server("server", "-tls1_3"));
        ask_use(&a, "client.key", "client.key");
        a.p.road.tls.certificate_name = "the new certificate";
        ask(&a);
        assert_told(&a, PROBE_BROKEN, ERROR_NOT_INITIALIZED, "the new certificate cannot be used");
        ask_done(&a);
        stop_server();
}
END_TEST

/* --- odd peers behind right TLS */

static void say(TlsPeer *p, const char *bytes, size_t size) {
        (void) tls_peer_read_packet(p, NULL);
        tls_peer_write(p, bytes, size);
        tls_peer_wait_end(p);
}

static void talk_silent(TlsPeer *p) {
        tls_peer_wait_end(p);
}

static void talk_half(TlsPeer *p) {
        say(p, "\x20\x02", 2);
}

static void talk_half_and_end(TlsPeer *p) {
        (void) tls_peer_read_packet(p, NULL);
        tls_peer_write(p, "\x20\x02\x00", 3);
}

static void talk_end(TlsPeer *p) {
        (void) tls_peer_read_packet(p, NULL);
}

static void talk_end_at_once(TlsPeer *p) {
}

static void talk_suback(TlsPeer *p) {
        say(p, "\x90\x03\x00\x01\x00", 5);
}

static void talk_http(TlsPeer *p) {
        say(p, "HTTP/1.1 400 Bad Request\r\n\r\n", 28);
}

static void talk_mqtt5(TlsPeer *p) {
        say(p, "\x20\x03\x00\x00\x00", 5);
}

static void talk_ping_first(TlsPeer *p) {
        say(p, "\xd0\x00\x20\x02\x00\x00", 6);
}

#define DEFINE_TALK_CODE(code)                     \
        static void talk_code_##code(TlsPeer *p) { \
                tls_peer_accept(p, code);          \
                tls_peer_wait_end(p);              \
        }
DEFINE_TALK_CODE(1)
DEFINE_TALK_CODE(2)
DEFINE_TALK_CODE(3)
DEFINE_TALK_CODE(4)
DEFINE_TALK_CODE(5)
DEFINE_TALK_CODE(6)
DEFINE_TALK_CODE(7)

static const struct {
        TlsTalk talk;
        ProbeVerdict verdict;
        ErrorCode code;
        int status_code;
        const char *text;
} odd[] = {
        {talk_silent, PROBE_UNDECIDED, ERROR_TIMEOUT, 0, "did not answer MQTT CONNECT"},
        {talk_half, PROBE_UNDECIDED, ERROR_TIMEOUT, 0, "did not answer MQTT CONNECT"},
        {talk_half_and_end, PROBE_REFUSED, ERROR_CONNECTION_LOST, 0, "iot:Connect"},
        {talk_end, PROBE_REFUSED, ERROR_CONNECTION_LOST, 0, "not active"},
        {talk_end_at_once, PROBE_REFUSED, ERROR_CONNECTION_LOST, 0, "thing-7"},
        {talk_suback, PROBE_UNDECIDED, ERROR_BAD_RESPONSE, 0, "CONNACK"},
        {talk_http, PROBE_UNDECIDED, ERROR_BAD_RESPONSE, 0, "Port="},
        {talk_mqtt5, PROBE_UNDECIDED, ERROR_BAD_RESPONSE, 0, "CONNACK"},
        {talk_ping_first, PROBE_UNDECIDED, ERROR_BAD_RESPONSE, 0, "CONNACK"},
        {talk_code_1, PROBE_REFUSED, ERROR_SERVER_REFUSED, 1, "MQTT 3.1.1"},
        {talk_code_2, PROBE_REFUSED, ERROR_SERVER_REFUSED, 2, "check VerifyClientId="},
        {talk_code_3, PROBE_UNDECIDED, ERROR_SERVER_REFUSED, 3, "not available"},
        {talk_code_4, PROBE_REFUSED, ERROR_CREDENTIALS_REFUSED, 4, "CONNACK 4"},
        {talk_code_5, PROBE_REFUSED, ERROR_CREDENTIALS_REFUSED, 5, "iot:Connect"},
        {talk_code_6, PROBE_REFUSED, ERROR_SERVER_REFUSED, 6, "CONNACK 6"},
        {talk_code_7, PROBE_REFUSED, ERROR_CREDENTIALS_REFUSED, 7, "or VerifyClientId="},
};

static void ask_init_talker(Ask *a, TlsTalk talk) {
        uint16_t port = harness_free_port();

        server = tls_talker_start(port, talk);
        ask_init(a, port);
        a->p.client_id_name = "VerifyClientId=";
}

START_TEST(odd_peer_is_told_from_the_others)
{
        Ask a;

        ask_init_talker(&a, odd[_i].talk);
        if (odd[_i].code == ERROR_TIMEOUT)
                ask_out_of_time(&a, ERROR_TLS_FAILED);
        else
                ask(&a);
        assert_told(&a, odd[_i].verdict, odd[_i].code, odd[_i].text);
        ck_assert_int_eq(a.failure->status_code, odd[_i].status_code);
        ask_done(&a);
        stop_server();
}
END_TEST

static void talk_in_pieces(TlsPeer *p) {
        (void) tls_peer_read_packet(p, NULL);
        for (size_t i = 0; i < 4; i++) {
                (void) usleep(100000);
                tls_peer_write(p, &"\x20\x02\x00\x00"[i], 1);
        }
        tls_peer_wait_end(p);
}

static void talk_and_more(TlsPeer *p) {
        say(p, "\x20\x02\x01\x00\x30\x03\x00\x01x", 9);
}

START_TEST(slow_or_talkative_server_is_understood)
{
        static const TlsTalk talks[] = {talk_in_pieces, talk_and_more};
        Ask a;

        ask_init_talker(&a, talks[_i]);
        ask(&a);
        assert_accepted(&a);
        ask_done(&a);
        stop_server();
}
END_TEST

/* --- no way there */

START_TEST(nobody_listens)
{
        Ask a;

        ask_init(&a, harness_free_port());
        ask(&a);
        assert_told(&a, PROBE_UNDECIDED, ERROR_CONNECT_FAILED, "refused");
        ask_done(&a);
}
END_TEST

START_TEST(nobody_has_that_name)
{
        Ask a;

        ask_init(&a, harness_free_port());
        a.p.road.tls.host = "nobody.invalid"; /* RFC 2606, 2 */
        ask(&a);
        assert_told(&a, PROBE_UNDECIDED, ERROR_NAME_RESOLUTION, "nobody.invalid");
        ask_done(&a);
}
END_TEST

START_TEST(silence_without_tls_is_told_by_its_phase)
{
        uint16_t port = harness_free_port();
        int listener = harness_listen(port, 8);
        Ask a;

        ask_init(&a, port);
        ask_out_of_time(&a, ERROR_NAME_RESOLUTION);
        assert_told(&a, PROBE_UNDECIDED, ERROR_TLS_FAILED, "did not finish the TLS handshake");
        ask_done(&a);
        close(listener);
}
END_TEST

/* --- its own */

START_TEST(freed_at_any_moment_it_is_silent)
{
        Ask a;

        ask_init_talker(&a, talk_code_5);
        for (unsigned turns = 0; turns < 12; turns++) {
                ck_assert_int_eq(probe_new(a.network, &a.p, on_verdict, &a, &a.probe), 0);
                for (unsigned i = 0; i < turns && a.n_told == 0; i++)
                        ck_assert_int_ge(sd_event_run(a.event, 20 * USEC_PER_MSEC), 0);
                a.probe = probe_free(a.probe);
                a.n_told = 0;
                for (unsigned i = 0; i < 3; i++)
                        ck_assert_int_ge(sd_event_run(a.event, USEC_PER_MSEC), 0);
                ck_assert_uint_eq(a.n_told, 0);
        }
        ask_done(&a);
        stop_server();
}
END_TEST

START_TEST(parameters_without_sense_are_refused)
{
        char id[MQTT_CLIENT_ID_MAX + 2];
        ProbeParameters right;
        Ask a;

        memset(id, 'x', sizeof(id) - 1);
        id[sizeof(id) - 1] = '\0';
        ask_init(&a, 8883);
        right = a.p;
        for (unsigned i = 0; i < 7; i++) {
                a.p = right;
                switch (i) {
                case 0:
                        a.p.road.tls.host = "";
                        break;
                case 1:
                        a.p.road.tls.port = 0;
                        break;
                case 2:
                        a.p.road.tls.trusted = NULL;
                        break;
                case 3:
                        a.p.road.tls.private_key = NULL;
                        break;
                case 4:
                        a.p.client_id = "";
                        break;
                case 5:
                        a.p.client_id = id;
                        break;
                default:
                        a.p.timeout_usec = 0;
                        break;
                }
                ck_assert_int_eq(probe_new(a.network, &a.p, on_verdict, &a, &a.probe), -EINVAL);
                ck_assert_ptr_null(a.probe);
        }
        ask_done(&a);
}
END_TEST

int main(void) {
        Suite *s = suite_create("probe");
        TCase *t = tcase_create("probe");
        SRunner *runner;
        int failed;

        tcase_add_unchecked_fixture(t, harness_setup, harness_teardown);
        tcase_add_checked_fixture(t, NULL, stop_server);
        tcase_set_timeout(t, 60);
        tcase_add_test(t, broker_lets_a_right_certificate_in_and_hears_a_farewell);
        tcase_add_test(t, another_key_is_refused_as_such);
        tcase_add_loop_test(t, alert_about_the_certificate_is_a_refusal, 0, 2);
        tcase_add_test(t, wrong_server_decides_nothing);
        tcase_add_test(t, protocol_that_was_not_agreed_to_decides_nothing);
        tcase_add_test(t, what_is_no_certificate_cannot_be_tried);
        tcase_add_loop_test(t, odd_peer_is_told_from_the_others, 0, ELEMENTSOF(odd));
        tcase_add_loop_test(t, slow_or_talkative_server_is_understood, 0, 2);
        tcase_add_test(t, nobody_listens);
        tcase_add_test(t, nobody_has_that_name);
        tcase_add_test(t, silence_without_tls_is_told_by_its_phase);
        tcase_add_test(t, freed_at_any_moment_it_is_silent);
        tcase_add_test(t, parameters_without_sense_are_refused);
        suite_add_tcase(s, t);
        runner = srunner_create(s);
        srunner_run_all(runner, CK_ENV);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
