/* SPDX-License-Identifier: GPL-2.0-or-later */

/* A cloud that vanishes without a word, behind a router that says nothing either, while sessions
 * stand and registrations are under way on each road. The proxies are on the router: their
 * connections to the daemon stay as they were. Needs root. */

#include <stdio.h>

#include "tests/integration/lib/cable.h"
#include "tests/integration/lib/proxies.h"
#include "tests/integration/lib/stage.h"

#define HTTP 3128
#define SOCKS 1080
/* The least that a profile may say. A peer is given up after one and a half of it. */
#define KEEP_ALIVE_SEC 30

static Cable cable;

static const struct {
        const char *name, *lines;
} roads[] = {
        {"direct", ""},
        {"http", "Proxy=http://" CABLE_NAT_ADDRESS ":3128\n"},
        {"socks", "Proxy=socks5://" CABLE_NAT_ADDRESS ":1080\n"},
        {"websocket", "Transport=websocket\n"},
        {"http-websocket", "Proxy=http://" CABLE_NAT_ADDRESS ":3128\nTransport=websocket\n"},
        {"socks-websocket", "Proxy=socks5://" CABLE_NAT_ADDRESS ":1080\nTransport=websocket\n"},
};

static const char *aws(size_t i) {
        return place_text(&cloud.place, "aws-%s", roads[i].name);
}

static const char *azure(size_t i) {
        return place_text(&cloud.place, "azure-%s", roads[i].name);
}

static const char *profiles(void) {
        const char *all = "";

        for (size_t i = 0; i < ELEMENTSOF(roads); i++)
                all = place_text(&cloud.place, "%s%s%s", all,
                                 cloud_profile(&cloud, aws(i),
                                               place_text(&cloud.place, "KeepAliveSec=30\n%s",
                                                          roads[i].lines)),
                                 cloud_dps_profile(&cloud, azure(i),
                                                   place_text(&cloud.place,
                                                              "RegistrationId=gw-%zu\n"
                                                              "SymmetricKey=DIR/dps.key\n%s",
                                                              i, roads[i].lines)));
        return all;
}

/* Profiles that are in trouble. */
static size_t count_errors(void) {
        fleetprov_status *status = agent_status(client);
        size_t n = 0;

        for (size_t i = 0; i < fleetprov_status_get_n_profiles(status); i++)
                n += fleetprov_status_get_profile_error(status, i) != NULL;
        fleetprov_status_free(status);
        return n;
}

static void start(void) {
        cloud.has_dps = true;
        cloud_start_at(&cloud, CABLE_CLOUD_ADDRESS);
        cable_go(cable.nat_side);
        proxy_start_http(&cloud.place, CABLE_NAT_ADDRESS, HTTP, NULL, NULL);
        proxy_start_socks(&cloud.place, CABLE_NAT_ADDRESS, SOCKS, NULL, NULL);
        daemon_configure(&d, profiles());
        cable_go(cable.daemon_side);
        daemon_start(&d);
        cable_go(cable.cloud_side);
        client = agent_open(d.socket);
}

START_TEST(cloud_that_vanishes_is_noticed_on_each_road)
{
        JobId ids[ELEMENTSOF(roads)];
        size_t before;

        if (geteuid() != 0) {
                fputs("skipped: network namespaces need root\n", stderr);
                return;
        }
        daemon_make(&d);
        if (!cable_lay_behind_nat(&cable))
                return;
        start();
        cloud_add(&cloud, "status=assigning", "--operation=dps-query", "--always");
        for (size_t i = 0; i < ELEMENTSOF(roads); i++)
                ids[i] = agent_submit(client, &(Wish){.profile = azure(i)});
        for (size_t i = 0; i < ELEMENTSOF(roads); i++) {
                daemon_wait_session(&d, aws(i), "ready");
                agent_wait_state(client, ids[i], FLEETPROV_STATE_RUNNING, "poll");
        }
        ck_assert_uint_eq(count_errors(), 0);

        cable_ip(cable.cloud_side, "link set cable down");
        WAIT_LONG_FOR(KEEP_ALIVE_SEC * 3 / 2, count_errors() == 2 * ELEMENTSOF(roads));
        /* By the daemon itself: the MQTT library waits for another ping. */
        ck_assert_uint_gt(file_count_lines(d.log, "has said nothing for", "Profile aws-"), 0);
        cloud_clear(&cloud);
        before = cloud_count_certificates(&cloud);
        cable_ip(cable.cloud_side, "link set cable up");
        /* Back-offs have grown; the router says nothing of its cable. */
        cable_ip(cable.daemon_side, "address add 10.78.0.3/24 dev behind");
        cable_go(cable.cloud_side);
        for (size_t i = 0; i < ELEMENTSOF(roads); i++) {
                JobId id = agent_submit(client, &(Wish){.profile = aws(i), .serial = aws(i)});

                fleetprov_result_free(agent_result(client, id));
                fleetprov_result_free(agent_result(client, ids[i]));
        }
        ck_assert_uint_eq(cloud_count_certificates(&cloud) - before, ELEMENTSOF(roads));
        ck_assert_uint_eq(count_errors(), 0);
        /* Nobody told the cloud that the others were gone. */
        cloud_allow_breach(&cloud, "client-id-taken-over", 2 * ELEMENTSOF(roads));
}
END_TEST

int main(void) {
        Suite *suite = suite_create("daemon: vanish");
        TCase *tc = stage_elsewhere(suite, "vanish");

        agent_patience_sec = 120; /* back-offs grow while the cloud is away */
        tcase_set_timeout(tc, 250);
        tcase_add_test(tc, cloud_that_vanishes_is_noticed_on_each_road);
        return stage_run(suite);
}
