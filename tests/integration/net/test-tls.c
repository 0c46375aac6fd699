/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Servers that are wrong in one way each: each is refused with its own code, and not a byte of MQTT
 * reaches it. The servers are OpenSSL's; what they decrypt stands in their log. */

#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#include "daemon/net/tls-trust.h"
#include "tests/integration/net/harness.h"

#define OPTIONS_MAX 24U
#define LOG "s_server.log"

static pid_t server;

/* `options`: words with spaces between them. */
static uint16_t start_server(const char *certificate, const char *options) {
        _cleanup_free_ char *words = strdup(options);
        const char *argv[OPTIONS_MAX] = {"openssl", "s_server", "-quiet", "-naccept", "100"};
        uint16_t port = harness_free_port();
        _cleanup_free_ char *accept = NULL;
        char key[64], pem[64], *save = NULL;
        size_t n = 5;

        ck_assert_int_gt(asprintf(&accept, "%u", port), 0);
        argv[n++] = "-accept";
        argv[n++] = accept;
        if (certificate) {
                (void) snprintf(pem, sizeof(pem), "%s.pem", certificate);
                (void) snprintf(key, sizeof(key), "%s.key", certificate);
                argv[n++] = "-cert";
                argv[n++] = harness_path(pem);
                argv[n++] = "-key";
                argv[n++] = harness_path(key);
        } else
                argv[n++] = "-nocert";
        argv[n++] = "-CAfile";
        argv[n++] = harness_path("ca.pem");
        for (char *w = strtok_r(words, " ", &save); w && n < OPTIONS_MAX - 1;
             w = strtok_r(NULL, " ", &save))
                argv[n++] = w;
        server = harness_start(LOG, argv);
        harness_wait_listening(port);
        return port;
}

static void stop_server(void) {
        harness_stop(server);
        server = 0;
}

/* "MQTT" stands in each CONNECT packet. */
static void assert_no_mqtt(void) {
        ck_assert_msg(!harness_log_has(LOG, "MQTT"), "the server got an MQTT packet");
}

/* A right server is spoken to: the cases below do not pass because nothing works. It is no broker,
 * and stays silent. */
static void assert_spoken_to(Client *c) {
        client_connect(c);
        while (!harness_log_has(LOG, "MQTT")) {
                ck_assert_msg(c->n_lost == 0, "%s", failure_message(c->failure));
                ck_assert_int_ge(sd_event_run(c->event, 10 * USEC_PER_MSEC), 0);
        }
        client_disconnect(c);
}

typedef struct Case {
        const char *what;
        const char *certificate; /* the server's; NULL: none */
        const char *options;
        ErrorCode code;
        const char *text;
} Case;

static const Case cases[] = {
        {"anonymous Diffie-Hellman", NULL, "-tls1_2 -cipher ADH-AES256-GCM-SHA384:@SECLEVEL=0",
         ERROR_TLS_FAILED, "check Port="},
        {"anonymous ECDH", NULL, "-tls1_2 -cipher AECDH-AES256-SHA:@SECLEVEL=0", ERROR_TLS_FAILED,
         "check Port="},
        {"no encryption", "server-rsa", "-tls1_2 -cipher NULL-SHA256:@SECLEVEL=0", ERROR_TLS_FAILED,
         "check Port="},
        {"pre-shared key", NULL, "-tls1_2 -psk 00112233 -cipher PSK-AES128-GCM-SHA256:@SECLEVEL=0",
         ERROR_TLS_FAILED, "check Port="},
        {"CBC and SHA-1", "server-rsa", "-tls1_2 -cipher AES128-SHA:@SECLEVEL=0", ERROR_TLS_FAILED,
         "check Port="},
        {"TLS 1.1", "server-rsa", "-tls1_1 -cipher DEFAULT:@SECLEVEL=0", ERROR_TLS_FAILED, "TLS"},
        {"TLS 1.0", "server-rsa", "-tls1 -cipher DEFAULT:@SECLEVEL=0", ERROR_TLS_FAILED, "TLS"},
        {"expired, TLS 1.2", "expired", "-tls1_2", ERROR_TLS_CLOCK, "has expired"},
        {"expired, TLS 1.3", "expired", "-tls1_3", ERROR_TLS_CLOCK, "has expired"},
        {"not yet valid, TLS 1.2", "not-yet-valid", "-tls1_2", ERROR_TLS_CLOCK, "not yet valid"},
        {"not yet valid, TLS 1.3", "not-yet-valid", "-tls1_3", ERROR_TLS_CLOCK, "not yet valid"},
        {"wrong host, TLS 1.2", "wrong-host", "-tls1_2", ERROR_TLS_HOSTNAME,
         "is for other.example, not for localhost"},
        {"wrong host, TLS 1.3", "wrong-host", "-tls1_3", ERROR_TLS_HOSTNAME,
         "is for other.example, not for localhost"},
        {"unknown authority, TLS 1.2", "unknown-ca", "-tls1_2", ERROR_TLS_TRUST,
         "TrustedCertificates="},
        {"unknown authority, TLS 1.3", "unknown-ca", "-tls1_3", ERROR_TLS_TRUST,
         "TrustedCertificates="},
        {"self-signed, TLS 1.2", "self-signed", "-tls1_2", ERROR_TLS_TRUST, "TrustedCertificates="},
        {"self-signed, TLS 1.3", "self-signed", "-tls1_3", ERROR_TLS_TRUST, "TrustedCertificates="},
        {"a client's certificate", "wrong-use", "-tls1_3", ERROR_TLS_TRUST, "TrustedCertificates="},
        {"RSA of 1024 bits", "server-weak", "-tls1_2 -cipher DEFAULT:@SECLEVEL=0", ERROR_TLS_TRUST,
         "TrustedCertificates="},
        {"claim refused, TLS 1.2", "server", "-tls1_2 -Verify 1 -verify_return_error",
         ERROR_CREDENTIALS_REFUSED, "check that Certificate="},
        {"claim refused, TLS 1.3", "server", "-tls1_3 -Verify 1 -verify_return_error",
         ERROR_CREDENTIALS_REFUSED, "check that Certificate="},
};

START_TEST(wrong_server_is_refused_with_its_own_code)
{
        const Case *t = &cases[_i];
        uint16_t port = start_server(t->certificate, t->options);
        Client c;

        client_init(&c, port);
        if (strncmp(t->what, "claim", 5) == 0) {
                secret_free(c.certificate);
                secret_free(c.private_key);
                c.p.road.tls.certificate = c.certificate = harness_file("client-stranger.pem");
                c.p.road.tls.private_key = c.private_key = harness_file("client-stranger.key");
        }
        client_must_fail(&c, t->code, t->text);
        client_done(&c);
        assert_no_mqtt();
        stop_server();
}
END_TEST

START_TEST(server_without_what_stands_between_is_refused)
{
        uint16_t port = start_server("server-ec-leaf", "-tls1_3");
        Client c;

        client_init(&c, port);
        client_must_fail(&c, ERROR_TLS_TRUST, "TrustedCertificates=");
        client_done(&c);
        assert_no_mqtt();
        stop_server();
}
END_TEST

START_TEST(server_that_wants_a_certificate_gets_none)
{
        static const char *const versions[] = {"-tls1_2 -Verify 1 -verify_return_error",
                                               "-tls1_3 -Verify 1 -verify_return_error"};
        uint16_t port = start_server("server", versions[_i]);
        Client c;

        client_init(&c, port);
        c.p.road.tls.certificate = c.p.road.tls.private_key = NULL;
        if (_i == 0) /* TLS 1.2 knows no alert of its own for it */
                client_must_fail(&c, ERROR_TLS_FAILED, "handshake");
        else
                client_must_fail(&c, ERROR_CREDENTIALS_REFUSED, "none was given");
        client_done(&c);
        assert_no_mqtt();
        stop_server();
}
END_TEST

/* By version, kind of key, and what stands between the server and its root. */
static const struct {
        const char *certificate, *chain, *options;
} right_servers[] = {
        {"server", NULL, "-tls1_2"},
        {"server", NULL, "-tls1_3"},
        {"server-rsa", NULL, "-tls1_2 -cipher ECDHE-RSA-AES128-GCM-SHA256"},
        {"server-rsa", NULL, "-tls1_3"},
        {"server-ec-leaf", "server-ec-chain.pem", "-tls1_2"},
        {"server-ec-leaf", "server-ec-chain.pem", "-tls1_3"},
        {"server-rsa-leaf", "server-rsa-chain.pem", "-tls1_2"},
        {"server-rsa-leaf", "server-rsa-chain.pem", "-tls1_3"},
};

static const char *with_chain(const char *options, const char *chain, char **ret) {
        if (!chain)
                return options;
        ck_assert_int_gt(asprintf(ret, "%s -cert_chain %s", options, harness_path(chain)), 0);
        return *ret;
}

START_TEST(right_server_is_spoken_to)
{
        _cleanup_free_ char *options = NULL;
        uint16_t port = start_server(
                right_servers[_i].certificate,
                with_chain(right_servers[_i].options, right_servers[_i].chain, &options));
        Client c;

        client_init(&c, port);
        assert_spoken_to(&c);
        client_done(&c);
        stop_server();
}
END_TEST

/* Its silence is a failure with a name of its own. */
START_TEST(right_server_that_is_silent_is_a_timeout)
{
        uint16_t port = start_server("server", "-tls1_3");
        Client c;

        client_init(&c, port);
        c.p.connect_timeout_usec = 3 * USEC_PER_SEC;
        client_must_fail(&c, ERROR_TIMEOUT, "did not answer MQTT CONNECT within 3 s");
        client_done(&c);
        ck_assert(harness_log_has(LOG, "MQTT"));
        stop_server();
}
END_TEST

START_TEST(server_that_leaves_alpn_out_is_refused)
{
        uint16_t port = start_server("server", "-tls1_3");
        Client c;

        client_init(&c, port);
        c.p.road.tls.alpn = "x-amzn-mqtt-ca";
        client_must_fail(&c, ERROR_TLS_FAILED, "did not agree to the protocol \"x-amzn-mqtt-ca\"");
        client_done(&c);
        assert_no_mqtt();
        stop_server();
}
END_TEST

START_TEST(server_of_another_protocol_is_refused)
{
        uint16_t port = start_server("server", "-tls1_3 -alpn http/1.1");
        Client c;

        client_init(&c, port);
        c.p.road.tls.alpn = "x-amzn-mqtt-ca";
        client_must_fail(&c, ERROR_TLS_FAILED, "");
        client_done(&c);
        assert_no_mqtt();
        stop_server();
}
END_TEST

START_TEST(server_that_agrees_to_alpn_is_spoken_to)
{
        uint16_t port = start_server("server", "-tls1_3 -alpn x-amzn-mqtt-ca");
        Client c;

        client_init(&c, port);
        c.p.road.tls.alpn = "x-amzn-mqtt-ca";
        assert_spoken_to(&c);
        client_done(&c);
        stop_server();
}
END_TEST

START_TEST(address_counts_where_no_name_is_given)
{
        static const struct {
                const char *host, *certificate;
                const char *text; /* NULL: it is right */
        } addresses[] = {
                {"127.0.0.1", "server", NULL},
                {"::1", "server", NULL},
                {"127.0.0.1", "wrong-host", "not for 127.0.0.1"},
                {"::1", "wrong-host", "not for ::1"},
        };
        uint16_t port = start_server(addresses[_i].certificate, "-tls1_3");
        Client c;

        client_init(&c, port);
        c.p.road.tls.host = addresses[_i].host;
        if (addresses[_i].text)
                client_must_fail(&c, ERROR_TLS_HOSTNAME, addresses[_i].text);
        else
                assert_spoken_to(&c);
        client_done(&c);
        stop_server();
}
END_TEST

static void talk_http(int fd) {
        static const char text[] = "HTTP/1.1 400 Bad Request\r\n\r\n";

        (void) !write(fd, text, strlen(text));
        (void) usleep(100000);
}

static void talk_nothing(int fd) {
}

START_TEST(plain_server_is_no_tls)
{
        static const HarnessTalk talks[] = {talk_http, talk_nothing};
        uint16_t port = harness_free_port();
        Client c;

        server = harness_start_talker(port, talks[_i]);
        client_init(&c, port);
        client_must_fail(&c, ERROR_TLS_FAILED, "check");
        client_done(&c);
        stop_server();
}
END_TEST

START_TEST(cipher_list_of_the_user_is_kept_to)
{
        uint16_t port = start_server("server-rsa", "-tls1_2");
        Client c;

        client_init(&c, port);
        c.p.road.tls.cipher_list = "ECDHE-RSA-AES256-GCM-SHA384";
        assert_spoken_to(&c);
        c.p.road.tls.cipher_list = "TLS_AES_128_GCM_SHA256"; /* TLS 1.3 alone */
        client_must_fail(&c, ERROR_TLS_FAILED, "");
        c.p.road.tls.cipher_list = "ECDHE-ECDSA-AES256-GCM-SHA384"; /* of another key */
        client_must_fail(&c, ERROR_TLS_FAILED, "");
        c.p.road.tls.cipher_list = "NULL-SHA256";
        client_must_fail(&c, ERROR_BAD_PARAMETER, "'NULL-SHA256'");
        client_done(&c);
        stop_server();
}
END_TEST

START_TEST(own_certificate_that_is_broken_is_named)
{
        uint16_t port = start_server("server", "-tls1_3");
        _cleanup_secret_ Secret *junk = secret_new("junk\n", 5);
        Client c;

        client_init(&c, port);
        c.p.road.tls.certificate = junk;
        client_must_fail(&c, ERROR_NOT_INITIALIZED, "Certificate=");
        c.p.road.tls.certificate = c.certificate;
        c.p.road.tls.private_key = junk;
        client_must_fail(&c, ERROR_NOT_INITIALIZED, "PrivateKey=");
        client_done(&c);
        stop_server();
}
END_TEST

START_TEST(bundle_is_checked_before_it_is_trusted)
{
        uint16_t port = start_server("server", "-tls1_3");
        _cleanup_secret_ Secret *leaf = harness_file("server.pem");
        _cleanup_secret_ Secret *key = harness_file("ca.key");
        _cleanup_secret_ Secret *weak = harness_file("short.pem");
        _cleanup_secret_ Secret *nothing = secret_new("hello\n", 6);
        _cleanup_secret_ Secret *broken = NULL, *cut = NULL;
        char *byte;
        Client c;

        client_init(&c, port);
        broken = secret_copy(c.trusted);
        cut = secret_new(c.trusted->data, c.trusted->size - 30);
        byte = strstr((char *) broken->data, "\n") + 5;
        *byte = *byte == 'A' ? 'B' : 'A';

        c.p.road.tls.trusted = leaf;
        client_must_fail(&c, ERROR_TLS_TRUST, "certificate 1 of TrustedCertificates= (its line 1)");
        c.p.road.tls.trusted = key;
        client_must_fail(&c, ERROR_TLS_TRUST, "no \"BEGIN CERTIFICATE\"");
        c.p.road.tls.trusted = nothing;
        client_must_fail(&c, ERROR_TLS_TRUST, "holds no certificate");
        c.p.road.tls.trusted = broken;
        client_must_fail(&c, ERROR_TLS_TRUST, "is broken");
        c.p.road.tls.trusted = cut;
        client_must_fail(&c, ERROR_TLS_TRUST, "no end");
        c.p.road.tls.trusted = weak;
        client_must_fail(&c, ERROR_TLS_TRUST, "too short");
        client_done(&c);
        stop_server();
}
END_TEST

/* RFC 5280, 6.1.1 (d). A clock that was never set is before the beginning of every root, too. */
START_TEST(dates_of_an_anchor_do_not_count)
{
        uint16_t port = start_server("server-of-old", "-tls1_3");
        _cleanup_secret_ Secret *old = harness_file("old.pem");
        Client c;

        client_init(&c, port);
        client_must_fail(&c, ERROR_TLS_TRUST, "TrustedCertificates=");
        c.p.road.tls.trusted = old;
        assert_spoken_to(&c);
        client_done(&c);
        stop_server();
}
END_TEST

/* Text between the blocks, 150 authorities, expired ones among them perhaps: all of it is taken. */
START_TEST(bundle_of_the_system_is_taken)
{
        _cleanup_secret_ Secret *bundle = NULL;
        Failure *failure = NULL;

        if (secret_from_file(AT_FDCWD, "/etc/ssl/certs/ca-certificates.crt", 4 * 1024 * 1024,
                             &bundle) < 0)
                return; /* not installed */
        ck_assert_msg(tls_trust_check(bundle, &failure), "%s", failure_message(failure));
}
END_TEST

int main(void) {
        Suite *s = suite_create("tls");
        TCase *t = tcase_create("hostile servers");
        SRunner *r;
        int failed;

        tcase_add_unchecked_fixture(t, harness_setup, harness_teardown);
        tcase_set_timeout(t, 60);
        tcase_add_loop_test(t, wrong_server_is_refused_with_its_own_code, 0, ELEMENTSOF(cases));
        tcase_add_loop_test(t, server_that_wants_a_certificate_gets_none, 0, 2);
        tcase_add_loop_test(t, right_server_is_spoken_to, 0, ELEMENTSOF(right_servers));
        tcase_add_test(t, server_without_what_stands_between_is_refused);
        tcase_add_test(t, right_server_that_is_silent_is_a_timeout);
        tcase_add_test(t, server_that_leaves_alpn_out_is_refused);
        tcase_add_test(t, server_of_another_protocol_is_refused);
        tcase_add_test(t, server_that_agrees_to_alpn_is_spoken_to);
        tcase_add_loop_test(t, address_counts_where_no_name_is_given, 0, 4);
        tcase_add_loop_test(t, plain_server_is_no_tls, 0, 2);
        tcase_add_test(t, cipher_list_of_the_user_is_kept_to);
        tcase_add_test(t, own_certificate_that_is_broken_is_named);
        tcase_add_test(t, bundle_is_checked_before_it_is_trusted);
        tcase_add_test(t, dates_of_an_anchor_do_not_count);
        tcase_add_test(t, bundle_of_the_system_is_taken);
        suite_add_tcase(s, t);
        r = srunner_create(s);
        srunner_run_all(r, CK_NORMAL);
        failed = srunner_ntests_failed(r);
        srunner_free(r);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
