/* SPDX-License-Identifier: GPL-2.0-or-later */

/* A session behind a router that forgets flows in which nothing goes on: KeepAliveSec= keeps it
 * from being forgotten, and where it was forgotten all the same nobody is told so: what is sent
 * then is dropped. The router is the kernel's own, in a network namespace. Needs root. */

#include <stdio.h>

#include "tests/integration/lib/cable.h"
#include "tests/integration/lib/stage.h"

/* As they are set below: the least that a profile may say, and a router's patience of twice as
 * long. */
#define KEEP_ALIVE_SEC 30
#define NAT_SEC 60
#define TIMEOUT "net.netfilter.nf_conntrack_tcp_timeout_established="

static Cable cable;

/* For how many seconds the session's flow is remembered, -1: it is not (nf_conntrack of proc). */
static long flow_left(void) {
        const char *port = place_text(&d.place, " dport=%u ", cloud.port);
        _cleanup_free_ char *table = NULL;
        long left = -1;

        cable_go(cable.nat_side);
        table = file_read("/proc/net/nf_conntrack", NULL);
        cable_go(cable.cloud_side);
        for (char *save = NULL, *line = strtok_r(table, "\n", &save); line;
             line = strtok_r(NULL, "\n", &save))
                if (strstr(line, port) && strstr(line, " ESTABLISHED "))
                        ck_assert_int_eq(sscanf(line, "%*s %*d tcp %*d %ld", &left), 1);
        return left;
}

static void set_nat(const char *setting) {
        cable_set(cable.nat_side, setting);
        cable_go(cable.cloud_side);
}

static bool start(const char *nat, const char *more) {
        if (geteuid() != 0) {
                fputs("skipped: network namespaces need root\n", stderr);
                return false;
        }
        daemon_make(&d);
        if (!cable_lay_behind_nat(&cable))
                return false;
        set_nat(nat);
        cloud_start_at(&cloud, CABLE_CLOUD_ADDRESS);
        daemon_configure(&d, cloud_profile(&cloud, "aws", more));
        cable_go(cable.daemon_side);
        daemon_start(&d);
        cable_go(cable.cloud_side);
        client = agent_open(d.socket);
        daemon_wait_session(&d, "aws", "ready");
        return true;
}

static size_t connections(void) {
        return file_count_lines(place_path(&cloud.place, "cloud/mosquitto.log"),
                                "New client connected", NULL);
}

static void must_provision(const char *serial) {
        fleetprov_result_free(
                agent_result(client, agent_submit(client, &(Wish){.serial = serial})));
}

/* It was remembered until then. */
static bool is_refreshed(long *left) {
        long before = *left;

        *left = flow_left();
        ck_assert_int_ge(*left, 0);
        return *left > before;
}

START_TEST(keepalive_keeps_the_flow)
{
        long left;

        if (!start(TIMEOUT "60", "KeepAliveSec=30"))
                return;
        must_provision("first");
        for (unsigned i = 0; i < 2; i++) {
                WAIT_FOR((left = flow_left()) <= NAT_SEC - KEEP_ALIVE_SEC / 2);
                WAIT_LONG_FOR(KEEP_ALIVE_SEC, is_refreshed(&left));
        }
        must_provision("second");
        ck_assert_uint_eq(connections(), 1);
        cloud_assert_no_breach(&cloud);
}
END_TEST

START_TEST(flow_that_was_forgotten_is_begun_anew)
{
        fleetprov_job *job;
        JobId id;

        if (!start(TIMEOUT "600", "KeepAliveSec=1200\nResponseTimeoutSec=5"))
                return;
        /* From the next packet on. */
        set_nat(TIMEOUT "5");
        must_provision("first");
        WAIT_FOR(flow_left() < 0);
        set_nat(TIMEOUT "600");
        id = agent_submit(client, &(Wish){.serial = "second"});
        fleetprov_result_free(agent_result(client, id));
        job = agent_job(client, id);
        ck_assert(agent_history_has(job, "no answer"));
        fleetprov_job_free(job);
        ck_assert_uint_ge(connections(), 2);
        /* Nobody told the cloud either. */
        cloud_allow_breach(&cloud, "client-id-taken-over", connections() - 1);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("daemon: nat");
        TCase *tc = stage_elsewhere(suite, "nat");

        tcase_set_timeout(tc, 200);
        tcase_add_test(tc, keepalive_keeps_the_flow);
        tcase_add_test(tc, flow_that_was_forgotten_is_begun_anew);
        return stage_run(suite);
}
