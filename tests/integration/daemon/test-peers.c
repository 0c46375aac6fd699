/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Clouds that are right, each in another way: with IPv6 alone, with one version of TLS alone, on
 * port 443. Daemon and cloud have a network namespace each. Needs root. */

#include <stdio.h>
#include <sys/mount.h>

#include "tests/integration/daemon/checkup.h"
#include "tests/integration/lib/cable.h"
#include "tests/integration/lib/own-mounts.h"
#include "tests/integration/lib/proxies.h"

#define V6_CLOUD "fd77::1"
#define V6_DAEMON "fd77::2"
#define NAME "cloud.example"
#define HTTP 3128
#define SOCKS 1080
#define PROXY_HTTP "Proxy=http://[" V6_CLOUD "]:3128\n"
#define PROXY_SOCKS "Proxy=socks5://[" V6_CLOUD "]\n"
#define WEBSOCKET "Transport=websocket\n"

static Cable cable;

static const struct {
        const char *what;
        const char *address, *name; /* of the cloud; NULL: the address */
        const char *tls;            /* NULL: any */
        unsigned port;              /* 0: any */
        const char *lines;
        size_t alpn; /* connections to AWS that agree to it: the session, a check, the doctor */
} peers[] = {
        {"IPv6, by address", V6_CLOUD, NULL, NULL, 0, "", 0},
        {"IPv6, by name", V6_CLOUD, NAME, NULL, 0, "", 0},
        {"IPv6, WebSocket", V6_CLOUD, NAME, NULL, 0, WEBSOCKET, 0},
        {"IPv6, HTTP proxy", V6_CLOUD, NULL, NULL, 0, PROXY_HTTP, 0},
        {"IPv6, SOCKS5 proxy", V6_CLOUD, NULL, NULL, 0, PROXY_SOCKS, 0},
        {"IPv6, proxies and a name", V6_CLOUD, NAME, NULL, 0, PROXY_SOCKS WEBSOCKET, 0},
        {"TLS 1.2", CABLE_CLOUD_ADDRESS, NULL, "1.2", 0, "", 0},
        {"TLS 1.2, WebSocket", CABLE_CLOUD_ADDRESS, NULL, "1.2", 0, WEBSOCKET, 0},
        {"TLS 1.3", CABLE_CLOUD_ADDRESS, NULL, "1.3", 0, "", 0},
        {"TLS 1.3, WebSocket", CABLE_CLOUD_ADDRESS, NULL, "1.3", 0, WEBSOCKET, 0},
        {"port 443", CABLE_CLOUD_ADDRESS, NULL, NULL, 443, "", 3},
        {"port 443, WebSocket", CABLE_CLOUD_ADDRESS, NULL, NULL, 443, WEBSOCKET, 0},
};

static bool is_v6(int i) {
        return streq(peers[i].address, V6_CLOUD);
}

/* --- the network */

static void forget_v4(void) {
        cable_ip(cable.cloud_side, "address del " CABLE_CLOUD_ADDRESS "/24 dev cable");
        cable_ip(cable.cloud_side, "address add " V6_CLOUD "/64 dev cable nodad");
        cable_ip(cable.daemon_side, "address del " CABLE_DAEMON_ADDRESS "/24 dev other");
        cable_ip(cable.daemon_side, "address add " V6_DAEMON "/64 dev other nodad");
        cable_go(cable.cloud_side);
}

/* For whoever is started from now on; a name that is the cloud's alone. */
static void publish_name(void) {
        const char *hosts =
                place_write(&d.place, "hosts", 0644,
                            "127.0.0.1 localhost\n::1 localhost\n" V6_CLOUD " " NAME "\n");

        ck_assert_int_ge(own_mounts(0), 0);
        ck_assert_int_eq(mount(hosts, "/etc/hosts", "none", MS_BIND, NULL), 0);
}

/* --- the cloud */

/* The broker has no such setting; OpenSSL has (config(5ssl)). */
static void limit_tls(const char *version) {
        const char *conf = place_text(&d.place,
                                      "openssl_conf=all\n[all]\nssl_conf=ssl\n[ssl]\n"
                                      "system_default=limits\n[limits]\n"
                                      "MinProtocol=TLSv%s\nMaxProtocol=TLSv%s\n",
                                      version, version);

        ck_assert_int_eq(
                setenv("OPENSSL_CONF", place_write(&d.place, "openssl.cnf", 0644, conf), 1), 0);
}

static bool speaks(const char *option) {
        const char *command = place_text(
                &cloud.place,
                "exec openssl s_client -connect %s:%u -cert %s/claim.pem -key %s/claim.key %s "
                "</dev/null",
                cloud.address, cloud.port, cloud.place.dir, cloud.place.dir, option);

        return process_run((const char *const[]){"sh", "-c", command, NULL}, NULL, NULL) == 0;
}

static void start_cloud(int i) {
        if (peers[i].tls)
                limit_tls(peers[i].tls);
        if (peers[i].port > 0)
                cable_set(cable.cloud_side, "net.ipv4.ip_unprivileged_port_start=0");
        cloud.has_dps = true;
        cloud.name = peers[i].name;
        cloud.port_wanted = peers[i].port;
        cloud_start_at(&cloud, peers[i].address);
        (void) unsetenv("OPENSSL_CONF");
        if (peers[i].tls) {
                ck_assert(speaks("-tls1_2") == streq(peers[i].tls, "1.2"));
                ck_assert(speaks("-tls1_3") == streq(peers[i].tls, "1.3"));
        }
        if (strstr(peers[i].lines, "Proxy=http"))
                proxy_start_http(&cloud.place, V6_CLOUD, HTTP, NULL, NULL);
        if (strstr(peers[i].lines, "Proxy=socks"))
                proxy_start_socks(&cloud.place, V6_CLOUD, SOCKS, NULL, NULL);
}

static size_t agreements(void) {
        return file_count_lines(place_path(&cloud.place, "cloud/mosquitto.log"),
                                "ALPN: x-amzn-mqtt-ca", NULL);
}

/* --- the daemon */

static void start_daemon(int i) {
        const char *aws = place_text(&cloud.place, "VerifyCertificate=yes\n%s", peers[i].lines);
        const char *azure = place_text(
                &cloud.place, "RegistrationId=gw-1\nSymmetricKey=DIR/dps.key\n%s", peers[i].lines);

        daemon_configure(&d, place_text(&cloud.place, "%s%s", cloud_profile(&cloud, "aws", aws),
                                        cloud_dps_profile(&cloud, "azure", azure)));
        cable_go(cable.daemon_side);
        daemon_start(&d);
        cable_go(cable.cloud_side);
        client = agent_open(d.socket);
}

static void assert_checked(const char *profile, const char *last) {
        fleetprov_event *event = check(profile);
        const char *message;

        assert_good_but(event, "mqtt");
        ck_assert_str_ne(line(event, last, &message), "");
        ck_assert_str_ne(line(event, last, &message), "failed");
        fleetprov_event_free(event);
}

START_TEST(cloud_is_reached_by_either_provider)
{
        fleetprov_result *result;

        if (geteuid() != 0) {
                fputs("skipped: network namespaces need root\n", stderr);
                return;
        }
        daemon_make(&d);
        cable_lay(&cable);
        if (is_v6(_i))
                forget_v4();
        if (peers[_i].name)
                publish_name();
        start_cloud(_i);
        start_daemon(_i);
        fleetprov_result_free(agent_result(
                client, agent_submit(client, &(Wish){.profile = "aws", .serial = "peer"})));
        result = agent_result(client, agent_submit(client, &(Wish){.profile = "azure"}));
        ck_assert_str_eq(fleetprov_result_get_device_id(result), "gw-1");
        fleetprov_result_free(result);
        assert_checked("aws", "subscribe");
        assert_checked("azure", "mqtt");
        ck_assert_uint_eq(agreements(), peers[_i].alpn);
        cloud_assert_no_breach(&cloud);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("daemon: peers");
        TCase *tc = stage_elsewhere(suite, "peers");

        tcase_set_timeout(tc, 100);
        tcase_add_loop_test(tc, cloud_is_reached_by_either_provider, 0, ELEMENTSOF(peers));
        return stage_run(suite);
}
