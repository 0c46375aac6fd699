/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The doctor, on this machine and on the way to the server: each line finds the fault that it is
 * there for. test-check-cloud.c: what the cloud lets the claim do. */

#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "tests/integration/daemon/checkup.h"
#include "tests/integration/lib/other-clock.h"

#define YEAR_SEC ((int64_t) 365 * 24 * 3600)

/* A copy of a file of the cloud in the daemon's own place. */
static const char *copy(const char *name, mode_t mode) {
        _cleanup_free_ char *text = file_read(place_path(&cloud.place, name), NULL);

        ck_assert_ptr_nonnull(text);
        return place_write(&d.place, name, mode, text);
}

static void start(const char *text) {
        daemon_configure(&d, text);
        daemon_start(&d);
        client = agent_open(d.socket);
}

static void start_with_claim(const char *certificate, const char *key) {
        start(cloud_profile(
                &cloud, "aws",
                place_text(&d.place, "Certificate=%s\nPrivateKey=%s\n", certificate, key)));
}

START_TEST(all_is_well_and_the_session_stays)
{
        fleetprov_event *event;

        stage_start("", "");
        daemon_wait_session(&d, "aws", "ready");
        event = check("aws");
        assert_good_but(event, "");
        assert_line(event, "files", "ok", "");
        assert_line(event, "modes", "ok", "");
        assert_line(event, "key-match", "ok", "");
        assert_line(event, "expiry", "ok", "days");
        assert_line(event, "name", "ok", "");
        assert_line(event, "tcp", "ok", "");
        assert_line(event, "tls", "ok", "");
        assert_line(event, "mqtt", "ok", "");
        assert_line(event, "subscribe", "ok", "4 topics");
        fleetprov_event_free(event);
        /* Nobody was thrown off, which the cloud would note, and no certificate was made. */
        ck_assert_uint_eq(file_count_lines(d.log, "-> backoff", NULL), 0);
        ck_assert_uint_eq(stage_certificates(), 0);
}
END_TEST

START_TEST(missing_file_is_named)
{
        daemon_make(&d);
        start_with_claim("/nonexistent/claim.pem", place_path(&cloud.place, "claim.key"));
        finds("files", "/nonexistent/claim.pem", "key-match");
}
END_TEST

START_TEST(key_that_others_may_read_is_refused)
{
        fleetprov_event *event;

        daemon_make(&d);
        start_with_claim(copy("claim.pem", 0644), copy("claim.key", 0644));
        finds("modes", "chmod", "key-match");
        /* The way to the server is looked at all the same. */
        event = check("aws");
        assert_line(event, "tls", "ok", "");
        assert_line(event, "mqtt", "warning", "not tried");
        fleetprov_event_free(event);
}
END_TEST

START_TEST(key_of_another_certificate_is_found)
{
        daemon_make(&d);
        start_with_claim(copy("claim.pem", 0644), copy("claim-2.key", 0600));
        finds("key-match", "key-mismatch", "subscribe");
}
END_TEST

static const struct {
        const char *more, *check, *words, *left_out;
} ways[] = {
        {"Endpoint=no-such-host.invalid\n", "name", "name-resolution", "tcp"},
        {"Port=1\n", "tcp", "connect-failed", "tls"},
};

START_TEST(fault_on_the_way_is_found)
{
        daemon_make(&d);
        start_with(ways[_i].more);
        finds(ways[_i].check, ways[_i].words, ways[_i].left_out);
}
END_TEST

START_TEST(server_that_is_not_trusted_is_found)
{
        daemon_make(&d);
        place_self_signed(&d.place, "foreign", "foreign.example", "90");
        start_with(place_text(&d.place, "TrustedCertificates=%s\n",
                              place_path(&d.place, "foreign.pem")));
        finds("tls", "tls-trust", "mqtt");
}
END_TEST

static unsigned free_port(void) {
        struct sockaddr_in address = {.sin_family = AF_INET,
                                      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        socklen_t size = sizeof(address);
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(bind(fd, (const struct sockaddr *) &address, size), 0);
        ck_assert_int_eq(getsockname(fd, (struct sockaddr *) &address, &size), 0);
        close(fd);
        return ntohs(address.sin_port);
}

START_TEST(server_of_another_name_is_found)
{
        const char *log, *pem, *key, *accept;
        unsigned port = free_port();
        pid_t server;

        daemon_make(&d);
        place_self_signed(&d.place, "elsewhere", "elsewhere.example", "90");
        log = place_path(&d.place, "s_server.log");
        pem = place_path(&d.place, "elsewhere.pem");
        key = place_path(&d.place, "elsewhere.key");
        accept = place_text(&d.place, "127.0.0.1:%u", port);
        server = process_start((const char *const[]){"openssl", "s_server", "-accept", accept,
                                                     "-cert", pem, "-key", key, "-www", NULL},
                               log, NULL);
        WAIT_FOR(file_has(log, "ACCEPT"));
        start_with(place_text(&d.place, "TrustedCertificates=%s\nPort=%u\n", pem, port));
        finds("tls", "tls-hostname", "mqtt");
        (void) process_end(server, SIGTERM);
}
END_TEST

START_TEST(claim_that_nobody_knows_is_refused)
{
        daemon_make(&d);
        place_self_signed(&d.place, "foreign", "foreign.example", "90");
        start_with_claim(place_path(&d.place, "foreign.pem"), place_path(&d.place, "foreign.key"));
        finds("mqtt", "credentials-refused", "subscribe");
}
END_TEST

static void start_with_clock(int64_t ahead) {
        daemon_make(&d);
        (void) other_clock_make(&d.place, ahead);
        other_clock_begin(&cloud.place);
        daemon_configure(&d, cloud_profile(&cloud, "aws", ""));
        daemon_start(&d);
        other_clock_end();
        client = agent_open(d.socket);
}

START_TEST(clock_before_this_program_was_made_is_wrong)
{
        fleetprov_event *event;

        start_with_clock(-30 * YEAR_SEC);
        event = check("aws");
        assert_line(event, "clock", "failed", "set it");
        assert_line(event, "tls", "failed", "tls-clock");
        fleetprov_event_free(event);
}
END_TEST

START_TEST(claim_that_has_expired_is_found)
{
        fleetprov_event *event;

        start_with_clock(30 * YEAR_SEC);
        event = check("aws");
        assert_line(event, "expiry", "failed", "has expired");
        fleetprov_event_free(event);
}
END_TEST

START_TEST(claim_that_expires_soon_is_warned_of)
{
        fleetprov_event *event;

        daemon_make(&d);
        place_self_signed(&d.place, "soon", "soon.example", "10");
        start_with_claim(place_path(&d.place, "soon.pem"), place_path(&d.place, "soon.key"));
        event = check("aws");
        assert_line(event, "expiry", "warning", "days");
        fleetprov_event_free(event);
}
END_TEST

START_TEST(state_directory_in_memory_is_warned_of)
{
        fleetprov_event *event;

        daemon_make(&d);
        if (mount("none", d.state, "tmpfs", 0, "mode=0700,size=4m") < 0) {
                fprintf(stderr, "skipped: a tmpfs cannot be mounted here\n");
                return;
        }
        start(cloud_profile(&cloud, "aws", ""));
        event = check("aws");
        assert_line(event, "state-directory", "warning", "a reboot loses");
        fleetprov_event_free(event);
        /* Busy while the daemon lives, and gone with it. */
        ck_assert_int_eq(umount2(d.state, MNT_DETACH), 0);
}
END_TEST

/* Who takes connections and says nothing holds up nobody for longer than ConnectTimeoutSec=. */
START_TEST(server_that_is_silent_is_given_up)
{
        struct sockaddr_in address = {.sin_family = AF_INET,
                                      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        socklen_t size = sizeof(address);

        ck_assert_int_eq(bind(fd, (const struct sockaddr *) &address, size), 0);
        ck_assert_int_eq(listen(fd, 64), 0);
        ck_assert_int_eq(getsockname(fd, (struct sockaddr *) &address, &size), 0);
        daemon_make(&d);
        start_with(place_text(&d.place, "Port=%u\nConnectTimeoutSec=2\n", ntohs(address.sin_port)));
        finds("tls", "tls-failed", "mqtt");
        close(fd);
}
END_TEST

/* Its device would connect under a registration id, which a job may be using: that is left out. */
START_TEST(profile_of_azure_is_looked_at_as_far_as_that_goes)
{
        fleetprov_event *event;
        const char *message;

        daemon_make(&d);
        start(place_text(
                &d.place,
                "[Profile azure]\nProvider=azure-dps\nEndpoint=localhost\nPort=%u\n"
                "TrustedCertificates=%s/ca.pem\nIdScope=0ne00TEST00\n"
                "RegistrationIds=sensor-*\nAuthentication=group-key\n"
                "SymmetricKey=%s\n",
                cloud.port, cloud.place.dir,
                place_write(&d.place, "group.key", 0600, "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0\n")));
        event = check("azure");
        assert_good_but(event, "mqtt");
        assert_line(event, "modes", "ok", "");
        assert_line(event, "tls", "ok", "");
        assert_line(event, "mqtt", "warning", "registration id");
        ck_assert_str_eq(line(event, "key-match", &message), "");
        ck_assert_str_eq(line(event, "subscribe", &message), "");
        fleetprov_event_free(event);
        ck_assert_int_eq(chmod(place_path(&d.place, "group.key"), 0644), 0);
        event = check("azure");
        assert_line(event, "modes", "failed", "group.key");
        fleetprov_event_free(event);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("daemon: check");
        TCase *tc = stage_shared(suite, "check");

        tcase_add_test(tc, all_is_well_and_the_session_stays);
        tcase_add_test(tc, missing_file_is_named);
        tcase_add_test(tc, key_that_others_may_read_is_refused);
        tcase_add_test(tc, key_of_another_certificate_is_found);
        tcase_add_loop_test(tc, fault_on_the_way_is_found, 0, ELEMENTSOF(ways));
        tcase_add_test(tc, server_that_is_not_trusted_is_found);
        tcase_add_test(tc, server_of_another_name_is_found);
        tcase_add_test(tc, claim_that_nobody_knows_is_refused);
        tcase_add_test(tc, clock_before_this_program_was_made_is_wrong);
        tcase_add_test(tc, claim_that_has_expired_is_found);
        tcase_add_test(tc, claim_that_expires_soon_is_warned_of);
        tcase_add_test(tc, state_directory_in_memory_is_warned_of);
        tcase_add_test(tc, server_that_is_silent_is_given_up);
        tcase_add_test(tc, profile_of_azure_is_looked_at_as_far_as_that_goes);
        return stage_run(suite);
}
