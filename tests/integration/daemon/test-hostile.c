/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Servers that are wrong in one way each, met by either provider on each road at once: each is
 * refused with its own code, and is told not a byte. The servers are OpenSSL's; what they decrypt
 * stands in their log. */

#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "tests/integration/lib/proxies.h"
#include "tests/integration/lib/stage.h"

#define WORDS_MAX 24

static Place place;
static uint16_t http_port, socks_port, server_port;
static pid_t server;

static const struct {
        const char *name, *lines; /* "%u" is the proxy's port */
} roads[] = {
        {"direct", ""},
        {"http", "Proxy=http://127.0.0.1:%u\n"},
        {"socks", "Proxy=socks5://127.0.0.1:%u\n"},
        {"websocket", "Transport=websocket\n"},
};

static const struct {
        const char *what, *certificate; /* NULL: none */
        const char *options, *code;
} servers[] = {
        {"anonymous", NULL, "-tls1_2 -cipher ADH-AES256-GCM-SHA384:@SECLEVEL=0", "tls-failed"},
        {"expired", "expired", "-tls1_3", "tls-clock"},
        {"not yet valid", "not-yet-valid", "-tls1_2", "tls-clock"},
        {"wrong host", "wrong-host", "-tls1_3", "tls-hostname"},
        {"unknown authority", "unknown-ca", "-tls1_2", "tls-trust"},
        {"self-signed leaf", "self-signed", "-tls1_3", "tls-trust"},
        {"no encryption", "server-rsa", "-tls1_2 -cipher NULL-SHA256:@SECLEVEL=0", "tls-failed"},
        {"TLS 1.1", "server-rsa", "-tls1_1 -cipher DEFAULT:@SECLEVEL=0", "tls-failed"},
};

/* --- who listens there */

static bool listens(unsigned port) {
        const struct sockaddr_in to = {.sin_family = AF_INET,
                                       .sin_port = htons((uint16_t) port),
                                       .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        _cleanup_close_ int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        static const int one = 1;

        /* Without connecting, which would be the server's one connection: who can be bound is free.
         */
        ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)), 0);
        return bind(fd, (const struct sockaddr *) &to, sizeof(to)) < 0;
}

static const char *in_place(const char *name, const char *end) {
        return place_text(&place, "%s/%s%s", place.dir, name, end);
}

static void set_up(void) {
        place_make(&place);
        ck_assert_int_eq(
                process_run((const char *const[]){SOURCE_ROOT
                                                  "/tests/integration/net/make-certificates",
                                                  place.dir, NULL},
                            NULL, NULL),
                0);
        (void) place_write(&place, "dps.key", 0600, "c2l4dGVlbiBieXRlcywgMTY=\n");
        ck_assert_int_eq(chmod(in_place("client", ".key"), 0600), 0);
        http_port = proxy_free_port();
        proxy_start_http(&place, "127.0.0.1", http_port, NULL, NULL);
        socks_port = proxy_free_port();
        proxy_start_socks(&place, "127.0.0.1", socks_port, NULL, NULL);
}

static void tear_down(void) {
        place_remove(&place);
}

static void start_server(const char *certificate, const char *options) {
        const char *argv[WORDS_MAX] = {"openssl",  "s_server", "-quiet",
                                       "-naccept", "1000",     "-accept"};
        _cleanup_free_ char *words = strdup(options);
        char *save = NULL;
        size_t n = 6;

        server_port = proxy_free_port();
        argv[n++] = place_text(&place, "%u", server_port);
        if (certificate) {
                argv[n++] = "-cert";
                argv[n++] = in_place(certificate, ".pem");
                argv[n++] = "-key";
                argv[n++] = in_place(certificate, ".key");
        } else
                argv[n++] = "-nocert";
        for (char *w = strtok_r(words, " ", &save); w && n < WORDS_MAX - 1;
             w = strtok_r(NULL, " ", &save))
                argv[n++] = w;
        (void) unlink(in_place("server", ".log"));
        server = process_start(argv, in_place("server", ".log"), NULL);
        WAIT_FOR(listens(server_port));
}

/* --- the daemon */

static const char *road(size_t i) {
        const char *at = strstr(roads[i].lines, "%u");

        return at ? place_text(&place, "%.*s%u\n", (int) (at - roads[i].lines), roads[i].lines,
                               streq(roads[i].name, "http") ? http_port : socks_port)
                  : roads[i].lines;
}

static const char *profiles(void) {
        const char *all = "[Daemon]\nDefaultProfile=aws-direct\n";

        for (size_t i = 0; i < ELEMENTSOF(roads); i++) {
                const char *way = place_text(&place,
                                             "Endpoint=localhost\nPort=%u\n"
                                             "TrustedCertificates=%s\n%s",
                                             server_port, in_place("ca", ".pem"), road(i));

                all = place_text(&place,
                                 "%s[Profile aws-%s]\nProvider=aws-iot\nCertificate=%s\n"
                                 "PrivateKey=%s\n%s"
                                 "[Profile azure-%s]\nProvider=azure-dps\nIdScope=0ne1\n"
                                 "RegistrationId=gw\nSymmetricKey=%s\n%s",
                                 all, roads[i].name, in_place("client", ".pem"),
                                 in_place("client", ".key"), way, roads[i].name,
                                 in_place("dps", ".key"), way);
        }
        return all;
}

static size_t count_refused(const char *code) {
        fleetprov_status *status = agent_status(client);
        size_t n = 0;

        for (size_t i = 0; i < fleetprov_status_get_n_profiles(status); i++) {
                const fleetprov_error *error = fleetprov_status_get_profile_error(status, i);

                ck_assert_msg(!error || streq(fleetprov_error_get_name(error), code), "%s: %s: %s",
                              fleetprov_status_get_profile_name(status, i),
                              fleetprov_error_get_name(error), fleetprov_error_get_message(error));
                n += error != NULL;
        }
        fleetprov_status_free(status);
        return n;
}

START_TEST(hostile_server_is_refused_by_each_provider_on_each_road)
{
        const char *to;

        start_server(servers[_i].certificate, servers[_i].options);
        to = place_text(&place, "localhost:%u", server_port);
        daemon_make(&d);
        daemon_configure(&d, profiles());
        daemon_start(&d);
        client = agent_open(d.socket);
        /* A profile of azure-dps connects where there is a job. */
        for (size_t i = 0; i < ELEMENTSOF(roads); i++)
                (void) agent_submit(
                        client, &(Wish){.profile = place_text(&place, "azure-%s", roads[i].name)});
        WAIT_FOR(count_refused(servers[_i].code) == 2 * ELEMENTSOF(roads));

        ck_assert_uint_ge(file_count_lines(proxy_log(&place, http_port), "CONNECT", to), 2);
        ck_assert_uint_ge(file_count_lines(proxy_log(&place, socks_port), "connected to", to), 2);
        ck_assert(!file_has(in_place("server", ".log"), "MQTT"));
        ck_assert(!file_has(in_place("server", ".log"), "GET /"));
}
END_TEST

static void clear(void) {
        fleetprov_client_free(client);
        client = NULL;
        daemon_done(&d);
        (void) process_end(server, SIGKILL);
}

int main(void) {
        Suite *suite = suite_create("daemon: hostile servers");
        TCase *tc = tcase_create("hostile");

        tcase_set_timeout(tc, 100);
        tcase_add_unchecked_fixture(tc, set_up, tear_down);
        tcase_add_checked_fixture(tc, NULL, clear);
        tcase_add_loop_test(tc, hostile_server_is_refused_by_each_provider_on_each_road, 0,
                            ELEMENTSOF(servers));
        suite_add_tcase(suite, tc);
        return stage_run(suite);
}
