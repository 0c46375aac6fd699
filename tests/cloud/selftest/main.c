/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The test cloud, tried by a client that shares no code with the daemon. */

#include "daemon/base/macro.h"
#include "tests/cloud/selftest/suites.h"

#define CASE_TIMEOUT_SEC 120

CloudProcess cloud;

static void start_cloud(void) {
        cloud_start(&cloud, NULL);
}

static void stop_cloud(void) {
        cloud_stop(&cloud);
}

static void clear_faults(void) {
        free(cloud_fault(&cloud, "clear", NULL));
}

void connect_claim(Client *client, Format format) {
        ck_assert_int_eq(client_connect(client, &cloud, "claim", "claim-client", true), 0);
        exchange_subscribe(client, format, "FleetTemplate");
}

void assert_accepted(json_t *answer, const Topic *topic) {
        ck_assert_ptr_nonnull(answer);
        ck_assert_int_eq(topic->part, TOPIC_ACCEPTED);
        json_decref(answer);
}

void assert_rejected(json_t *answer, const Topic *topic, int status, const char *code) {
        ck_assert_ptr_nonnull(answer);
        ck_assert_int_eq(topic->part, TOPIC_REJECTED);
        ck_assert_int_eq(json_integer_value(json_object_get(answer, "statusCode")), status);
        ck_assert_str_eq(json_string_value(json_object_get(answer, "errorCode")), code);
        ck_assert(json_is_string(json_object_get(answer, "errorMessage")));
        json_decref(answer);
}

static void add(Suite *suite, TCase *test_case) {
        tcase_add_unchecked_fixture(test_case, start_cloud, stop_cloud);
        tcase_add_checked_fixture(test_case, clear_faults, NULL);
        tcase_set_timeout(test_case, CASE_TIMEOUT_SEC);
        suite_add_tcase(suite, test_case);
}

int main(void) {
        Suite *suite = suite_create("test cloud");
        SRunner *runner;
        int failed;

        add(suite, operations_tests());
        add(suite, rules_tests());
        add(suite, answer_fault_tests());
        add(suite, session_fault_tests());
        add(suite, dps_login_tests());
        add(suite, dps_tests());
        suite_add_tcase(suite, process_tests());
        runner = srunner_create(suite);
        srunner_run_all(runner, CK_ENV);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
