/* SPDX-License-Identifier: GPL-2.0-or-later */

/* A network that comes back ends the back-off early, and frees a connection that hangs, to either
 * cloud. The daemon lives in a network namespace of its own, with one cable to the cloud's. Needs
 * root. */

#include <stdio.h>

#include "tests/integration/lib/cable.h"
#include "tests/integration/lib/stage.h"

#define CLOUD_ADDRESS "10.77.0.1"
#define CLOUD_ADDRESS_HEX "01004D0A"

/* A wait that is so long was not over by chance when the network came. The mean of the waits that
 * lead to it is some 8 s in all. */
#define LONG_WAIT_SEC 3.0

/* Nobody gives up by himself as long as the test lasts; nor does the kernel, see below. */
#define HANGS "ConnectTimeoutSec=600\n"

static const char hurried[] = "a network came, trying again";

static Cable cable;

static const struct {
        const char *name;
        bool on_cloud_side;
        const char *down, *up;
} troubles[] = {
        {"cable", true, "link set cable down", "link set cable up"},
        {"link", false, "link set other down", "link set other up"},
        {"address", false, "address del 10.77.0.2/24 dev other",
         "address add 10.77.0.2/24 dev other"},
        {"route", false, "route del 10.77.0.0/24 dev other", "route add 10.77.0.0/24 dev other"},
};

/* The wait that was begun last. */
static double last_wait(void) {
        _cleanup_free_ char *log = file_read(d.log, NULL);
        const char *p = log, *last = NULL;
        double sec = 0;

        while ((p = strstr(p, "session backoff for ")))
                last = p++;
        if (last)
                ck_assert_int_eq(sscanf(last, "session backoff for %lf s", &sec), 1);
        return sec;
}

/* A SYN is out, and unanswered (proc(5), /proc/net/tcp). */
static bool is_hanging(unsigned port) {
        const char *path = place_text(&d.place, "/proc/%d/net/tcp", d.pid);
        _cleanup_free_ char *sockets = file_read(path, NULL);

        return strstr(sockets, place_text(&d.place, CLOUD_ADDRESS_HEX ":%04X 02 ", port));
}

static void wait_for_a_long_wait(void) {
        WAIT_FOR(last_wait() > 0);
        for (unsigned rounds = 0; last_wait() < LONG_WAIT_SEC;) {
                unsigned tries = 0;

                while (last_wait() < LONG_WAIT_SEC && process_pause(&tries))
                        ;
                ck_assert_uint_lt(rounds++, 4);
        }
}

START_TEST(session_is_tried_again_at_once)
{
        size_t before;
        JobId id;
        int side;

        if (geteuid() != 0) {
                fputs("skipped: network namespaces need root\n", stderr);
                return;
        }
        daemon_make(&d);
        cable_lay(&cable);
        cloud_start_at(&cloud, CABLE_CLOUD_ADDRESS);
        side = troubles[_i].on_cloud_side ? cable.cloud_side : cable.daemon_side;
        cable_ip(side, troubles[_i].down);
        daemon_configure(&d, place_text(&d.place, "[Daemon]\n%s",
                                        cloud_profile(&cloud, "aws", "ConnectTimeoutSec=1")));
        cable_go(cable.daemon_side);
        daemon_start(&d);
        client = agent_open(d.socket);
        id = agent_submit(client, &(Wish){.serial = troubles[_i].name});
        wait_for_a_long_wait();
        before = file_count_lines(d.log, hurried, NULL);
        cable_ip(side, troubles[_i].up);
        WAIT_FOR(file_count_lines(d.log, hurried, NULL) > before);
        fleetprov_result_free(agent_result(client, id));
}
END_TEST

/* Nothing comes back to the address that the machine has first, and nothing says so: the connection
 * hangs, and what is repeated of it bears that address, too. Then the machine has another one. */
static const struct {
        const char *profile;
        Wish wish;
} providers[] = {
        {"aws", {.serial = "moved"}},
        {"azure", {.profile = "azure"}},
};

START_TEST(connection_that_hangs_is_begun_anew_in_another_network)
{
        const bool azure = streq(providers[_i].profile, "azure");
        fleetprov_job *job;
        JobId id;

        if (geteuid() != 0) {
                fputs("skipped: network namespaces need root\n", stderr);
                return;
        }
        daemon_make(&d);
        cable_lay(&cable);
        cloud.has_dps = azure;
        cloud_start_at(&cloud, CABLE_CLOUD_ADDRESS);
        cable_ip(cable.cloud_side, "route add blackhole 10.77.0.2/32");
        cable_set(cable.daemon_side, "net.ipv4.tcp_syn_retries=20");
        daemon_configure(&d, azure ? cloud_dps_profile(&cloud, "azure",
                                                       HANGS "RegistrationId=gw-1\n"
                                                             "SymmetricKey=DIR/dps.key")
                                   : cloud_profile(&cloud, "aws", HANGS));
        daemon_start(&d);
        client = agent_open(d.socket);
        id = agent_submit(client, &providers[_i].wish);
        daemon_wait_session(&d, providers[_i].profile, "connecting");
        WAIT_FOR(is_hanging(azure ? cloud.dps_port : cloud.port));
        cable_ip(cable.daemon_side, "address add 10.77.0.3/24 dev other");
        cable_ip(cable.daemon_side, "route replace 10.77.0.0/24 dev other src 10.77.0.3");
        fleetprov_result_free(agent_result(client, id));
        /* It did not wait for the address to be given up. */
        ck_assert_uint_eq(file_count_lines(d.log, "session backoff", NULL), 0);
        job = agent_job(client, id);
        ck_assert(!agent_history_has(job, "there is no connection"));
        fleetprov_job_free(job);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("daemon: network");
        TCase *tc = stage_elsewhere(suite, "network");

        tcase_set_timeout(tc, 150);
        tcase_add_loop_test(tc, session_is_tried_again_at_once, 0, ELEMENTSOF(troubles));
        tc = stage_elsewhere(suite, "hang");
        tcase_set_timeout(tc, 150);
        tcase_add_loop_test(tc, connection_that_hangs_is_begun_anew_in_another_network, 0,
                            ELEMENTSOF(providers));
        return stage_run(suite);
}
