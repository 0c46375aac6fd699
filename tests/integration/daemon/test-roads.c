/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Every road to the cloud, for both providers: through proxies of other people's making, in a
 * WebSocket, and both. The daemon lives in a network namespace at whose other end nothing but the
 * proxies listens; the cloud listens on the loopback addresses of theirs, as `localhost`. So all
 * that arrives has gone through a proxy, which has resolved the name. Needs root. */

#include <stdio.h>

#include "tests/integration/daemon/checkup.h"
#include "tests/integration/lib/cable.h"
#include "tests/integration/lib/proxies.h"
#include "tests/integration/lib/rotation.h"

#define AT "://" CABLE_CLOUD_ADDRESS
#define USER "gateway"
#define PASSWORD "s3cr3t-7"
#define KEY "RegistrationId=gw-1\nSymmetricKey=DIR/dps.key\n"
#define X509                                                                           \
        "RegistrationId=x509-1\nAuthentication=x509\nCertificate=DIR/dps-device.pem\n" \
        "PrivateKey=DIR/dps-device.key\n"
#define CREDENTIALS "ProxyCredentials=/PROXY\n" /* the file's path is put in */

static Cable cable;

/* Proxies, by their ports. */
enum {
        HTTP = 3128,
        HTTP_PASSWORD = 3129,
        SOCKS = 1080,
        SOCKS_PASSWORD = 1081,
        NOBODY = 9,
};

static bool is_possible(void) {
        if (geteuid() == 0)
                return true;
        fputs("skipped: network namespaces need root\n", stderr);
        return false;
}

/* Once, for all tests: they leave it as it is. */
static void set_up(void) {
        if (!is_possible())
                return;
        cable_lay(&cable);
        cloud_start_dps(&cloud);
        proxy_start_http(&cloud.place, CABLE_CLOUD_ADDRESS, HTTP, NULL, NULL);
        proxy_start_http(&cloud.place, CABLE_CLOUD_ADDRESS, HTTP_PASSWORD, USER, PASSWORD);
        proxy_start_socks(&cloud.place, CABLE_CLOUD_ADDRESS, SOCKS, NULL, NULL);
        proxy_start_socks(&cloud.place, CABLE_CLOUD_ADDRESS, SOCKS_PASSWORD, USER, PASSWORD);
}

static void tear_down(void) {
        if (cloud.place.dir)
                cloud_done(&cloud);
}

/* --- the daemon, at the other end */

static const char *put_credentials_in(const char *lines, const char *credentials) {
        const char *file = place_write(&d.place, "proxy", 0600, credentials);
        const char *at = strstr(lines, "/PROXY");

        return at ? place_text(&d.place, "%.*s%s%s", (int) (at - lines), lines, file,
                               at + strlen("/PROXY"))
                  : lines;
}

/* `road` replaces what the profile says. */
static void start_on(const char *provider, const char *lines, const char *road,
                     const char *credentials) {
        daemon_make(&d);
        daemon_configure(&d, streq(provider, "aws") ? cloud_profile(&cloud, "aws", lines)
                                                    : cloud_dps_profile(&cloud, "azure", lines));
        ck_assert_int_eq(mkdir(place_path(&d.place, "fleetprovd.conf.d"), 0755), 0);
        (void) place_write(&d.place, "fleetprovd.conf.d/50-road.conf", 0600,
                           place_text(&d.place, "[Profile %s]\n%s", provider,
                                      put_credentials_in(road, credentials)));
        cable_go(cable.daemon_side);
        daemon_start(&d);
        cable_go(cable.cloud_side);
        client = agent_open(d.socket);
}

static void start(const char *provider, const char *lines, const char *road) {
        start_on(provider, lines, road, USER ":" PASSWORD "\n");
}

/* The password is nobody's to read. */
static void assert_no_word_of_it(void) {
        ck_assert(!file_has(d.log, PASSWORD));
        ck_assert(!file_has(d.log, "Z2F0ZXdheTpz")); /* "gateway:s" in base64 */
}

static void stop(void) {
        if (!d.place.dir)
                return;
        assert_no_word_of_it();
        fleetprov_client_free(client);
        client = NULL;
        daemon_done(&d);
        cloud_assert_no_breach(&cloud);
}

/* --- roads that lead there */

#define WEBSOCKET "Transport=websocket\n"
static const struct {
        const char *name, *lines;
} roads[] = {
        {"http", "Proxy=http" AT ":3128\n"},
        {"http-file", "Proxy=http" AT ":3129\n" CREDENTIALS},
        {"http-key", "Proxy=http://gateway:s3cr3t%2d7@" CABLE_CLOUD_ADDRESS ":3129\n"},
        {"socks", "Proxy=socks5" AT "\n"},
        {"socks-file", "Proxy=socks5" AT ":1081\n" CREDENTIALS},
        {"socks-key", "Proxy=socks5://gateway:s3cr3t%2d7@" CABLE_CLOUD_ADDRESS ":1081\n"},
        {"http-websocket", "Proxy=http" AT ":3129\n" CREDENTIALS WEBSOCKET},
        {"socks-websocket", "Proxy=socks5" AT ":1081\n" CREDENTIALS WEBSOCKET},
};

static size_t websockets(void) {
        return file_count_lines(place_path(&cloud.place, "cloud/mosquitto.log"), "WebSocket: GET ",
                                "open");
}

/* No line of a check fails, up to the name of the one that the provider ends with. Nothing here
 * could have resolved another's name than the proxy's. */
static void assert_checked(const char *profile, const char *last) {
        fleetprov_event *event = check(profile);
        const char *message;

        assert_good_but(event, "mqtt");
        assert_line(event, "name", "ok", "the proxy has an address: ");
        assert_line(event, "tcp", "ok", AT);
        ck_assert_str_ne(line(event, last, &message), "");
        ck_assert_str_ne(line(event, last, &message), "failed");
        fleetprov_event_free(event);
}

/* Session, the check of the new certificate, a rotation's session, and the doctor. */
START_TEST(aws_is_reached)
{
        _cleanup_(identity_done) Identity old = {}, fresh = {};
        size_t before = websockets();

        if (!is_possible())
                return;
        start("aws", "VerifyCertificate=yes\nRotationTemplate=FleetRotation\n", roads[_i].lines);
        old = rotation_first_identity(roads[_i].name);
        fresh = rotation_new_identity(&old, roads[_i].name);
        assert_checked("aws", "subscribe");
        ck_assert_uint_eq(websockets() - before, strstr(roads[_i].lines, WEBSOCKET) ? 5 : 0);
}
END_TEST

START_TEST(azure_is_reached)
{
        fleetprov_result *result;

        if (!is_possible())
                return;
        start("azure", _i % 2 == 0 ? KEY : X509, roads[_i].lines);
        result = agent_result(client, agent_submit(client, &(Wish){.profile = "azure"}));
        ck_assert_str_eq(fleetprov_result_get_assigned_hub(result), "hub.test.azure-devices.net");
        fleetprov_result_free(result);
        assert_checked("azure", "mqtt");
}
END_TEST

/* --- roads that do not */

static const struct {
        const char *lines, *credentials, *code, *words;
} dead_ends[] = {
        {"", "", "connect-failed", "cannot connect to localhost"},
        {"Proxy=http://proxy.invalid\n", "", "name-resolution", "the proxy proxy.invalid"},
        {"Proxy=http" AT ":9\n", "", "connect-failed", "the proxy " CABLE_CLOUD_ADDRESS " port 9"},
        {"Proxy=socks5" AT ":9\n", "", "connect-failed", "check Proxy="},
        {"Proxy=http" AT ":3129\n", "", "proxy-refused",
         "wants a user and password; set ProxyCredentials="},
        {"Proxy=http" AT ":3129\n" CREDENTIALS, USER ":other", "proxy-refused",
         "does not take the user and password"},
        {"Proxy=socks5" AT ":1081\n", "", "proxy-refused",
         "wants a user and password; set ProxyCredentials="},
        {"Proxy=socks5" AT ":1081\n" CREDENTIALS, USER ":other", "proxy-refused",
         "does not take the user and password"},
        {"Proxy=http" AT ":3128\nPort=9\n", "", "proxy-refused",
         "refused the way to localhost:9 with the HTTP status 500"},
        {"Proxy=socks5" AT "\nPort=9\n", "", "proxy-refused",
         "refused the way to localhost:9 with the SOCKS reply 5 (connection refused)"},
        /* Who is no such proxy may wait for more, or go. */
        {"Proxy=socks5" AT ":3128\nConnectTimeoutSec=2\n", "", "connect-failed",
         "did not say in time that localhost:"},
        {"Proxy=http" AT ":1080\n", "", "proxy-refused", "no HTTP"},
};

static bool last_error_is(const char *code, const char *words) {
        fleetprov_status *status = agent_status(client);
        const fleetprov_error *error = fleetprov_status_get_profile_error(status, 0);
        bool is = error && streq(fleetprov_error_get_name(error), code) &&
                  strstr(fleetprov_error_get_message(error), words);

        ck_assert(!error || !strstr(fleetprov_error_get_message(error), PASSWORD));
        fleetprov_status_free(status);
        return is;
}

START_TEST(dead_end_has_its_own_code)
{
        if (!is_possible())
                return;
        start_on("aws", "", dead_ends[_i].lines, dead_ends[_i].credentials);
        WAIT_FOR(last_error_is(dead_ends[_i].code, dead_ends[_i].words));
}
END_TEST

START_TEST(doctor_finds_the_proxy)
{
        fleetprov_event *event;

        if (!is_possible())
                return;
        start("aws", "", "Proxy=http" AT ":3129\n");
        event = check("aws");
        assert_good_but(event, "tcp");
        assert_line(event, "name", "ok", "http" AT ":3129; that of localhost port");
        assert_line(event, "tcp", "failed", "set ProxyCredentials=");
        fleetprov_event_free(event);
}
END_TEST

/* --- credentials that come later, and that are mended */

START_TEST(credentials_are_taken_up_when_they_change)
{
        if (!is_possible())
                return;
        start_on("aws", "", "Proxy=http" AT ":3129\n" CREDENTIALS, USER ":other");
        WAIT_FOR(last_error_is("proxy-refused", "does not take"));
        (void) place_write(&d.place, "proxy", 0600, USER ":" PASSWORD);
        daemon_wait_session(&d, "aws", "ready");
}
END_TEST

int main(void) {
        Suite *suite = suite_create("daemon: roads");
        TCase *tc = tcase_create("roads");

        tcase_set_timeout(tc, 100);
        tcase_add_unchecked_fixture(tc, set_up, tear_down);
        tcase_add_checked_fixture(tc, NULL, stop);
        tcase_add_loop_test(tc, aws_is_reached, 0, ELEMENTSOF(roads));
        tcase_add_loop_test(tc, azure_is_reached, 0, ELEMENTSOF(roads));
        tcase_add_loop_test(tc, dead_end_has_its_own_code, 0, ELEMENTSOF(dead_ends));
        tcase_add_test(tc, doctor_finds_the_proxy);
        tcase_add_test(tc, credentials_are_taken_up_when_they_change);
        suite_add_tcase(suite, tc);
        return stage_run(suite);
}
