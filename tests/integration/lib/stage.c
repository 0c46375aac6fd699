/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/integration/lib/stage.h"

/* A test that waits has its own patience; this is for one that hangs. */
#define TIMEOUT_SEC 100

Cloud cloud;
Daemon d;
fleetprov_client *client;
static size_t certificates_before;

static void start_cloud(void) {
        cloud_start(&cloud);
}

static void start_cloud_with_dps(void) {
        cloud_start_dps(&cloud);
}

static void end_cloud(void) {
        cloud_done(&cloud);
}

static void clear(void) {
        fleetprov_client_free(client);
        client = NULL;
        daemon_done(&d);
        cloud_assert_no_breach(&cloud);
}

/* Of a test that failed. */
static void forget(void) {
        cloud_clear(&cloud);
        cloud_forget_breaches(&cloud);
}

static void clear_alone(void) {
        clear();
        cloud_done(&cloud);
}

static TCase *make_shared(Suite *suite, const char *name, void (*start)(void)) {
        TCase *tc = tcase_create(name);

        tcase_set_timeout(tc, TIMEOUT_SEC);
        tcase_add_unchecked_fixture(tc, start, end_cloud);
        tcase_add_checked_fixture(tc, forget, clear);
        suite_add_tcase(suite, tc);
        return tc;
}

TCase *stage_shared(Suite *suite, const char *name) {
        return make_shared(suite, name, start_cloud);
}

TCase *stage_shared_dps(Suite *suite, const char *name) {
        return make_shared(suite, name, start_cloud_with_dps);
}

static TCase *make_alone(Suite *suite, const char *name, void (*start)(void), void (*end)(void)) {
        TCase *tc = tcase_create(name);

        tcase_set_timeout(tc, TIMEOUT_SEC);
        tcase_add_checked_fixture(tc, start, end);
        suite_add_tcase(suite, tc);
        return tc;
}

TCase *stage_alone(Suite *suite, const char *name) {
        return make_alone(suite, name, start_cloud, clear_alone);
}

TCase *stage_alone_dps(Suite *suite, const char *name) {
        return make_alone(suite, name, start_cloud_with_dps, clear_alone);
}

static void clear_elsewhere(void) {
        client = fleetprov_client_free(client);
        daemon_done(&d);
        if (cloud.place.dir)
                cloud_done(&cloud);
}

TCase *stage_elsewhere(Suite *suite, const char *name) {
        return make_alone(suite, name, NULL, clear_elsewhere);
}

void stage_start(const char *daemon, const char *more) {
        certificates_before = cloud_count_certificates(&cloud);
        daemon_run(&d, &cloud, daemon, more);
        client = agent_open(d.socket);
}

void stage_start_azure(const char *more) {
        daemon_make(&d);
        daemon_configure(&d, cloud_dps_profile(&cloud, "azure", more));
        daemon_start(&d);
        client = agent_open(d.socket);
}

void stage_restart(bool kill) {
        fleetprov_client_free(client);
        if (kill)
                daemon_kill(&d);
        else
                daemon_stop(&d);
        daemon_start(&d);
        client = agent_open(d.socket);
}

size_t stage_certificates(void) {
        return cloud_count_certificates(&cloud) - certificates_before;
}

int stage_run(Suite *suite) {
        SRunner *runner = srunner_create(suite);
        int failed;

        srunner_run_all(runner, CK_ENV);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
