/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The doctor, where the cloud has a word to say: client ids, rights, and who may ask. */

#include "tests/integration/daemon/checkup.h"

START_TEST(client_id_that_is_not_let_in_is_found)
{
        cloud_add(&cloud, "connack=7", "--always");
        stage_start("", "");
        finds("mqtt", "credentials-refused", "subscribe");
        cloud_clear(&cloud);
}
END_TEST

/* The policy knows the profile's client id alone: jobs do not mind. */
START_TEST(client_id_of_the_check_alone_is_a_warning)
{
        fleetprov_event *event;

        cloud_add(&cloud, "connack=7", "--client=gw-check", "--always");
        stage_start("", "ClientId=gw\n");
        daemon_wait_session(&d, "aws", "ready");
        event = check("aws");
        assert_line(event, "mqtt", "warning", "gw-check");
        assert_good_but(event, "mqtt");
        fleetprov_event_free(event);
        cloud_clear(&cloud);
}
END_TEST

START_TEST(client_id_of_another_profile_is_not_taken)
{
        fleetprov_event *event;

        stage_start(cloud_profile(&cloud, "other", "ClientId=gw-check\n"), "ClientId=gw\n");
        daemon_wait_session(&d, "other", "ready");
        event = check("aws");
        assert_line(event, "mqtt", "warning", "gw-check");
        fleetprov_event_free(event);
}
END_TEST

static const char *const refusals[] = {"deny-subscribe", "suback-refuse"};

START_TEST(topic_that_is_forbidden_is_found_with_the_policy)
{
        static const char statement[] =
                "{\"Effect\": \"Allow\", \"Action\": [\"iot:Subscribe\"], \"Resource\": "
                "[\"arn:aws:iot:REGION:ACCOUNT:topicfilter/$aws/certificates/create-from-csr/*\"]}";
        fleetprov_event *event;

        cloud_add(&cloud,
                  place_text(&cloud.place, "%s=$aws/certificates/create-from-csr/json/rejected",
                             refusals[_i]),
                  "--client=gw-check", "--always");
        stage_start("", "ClientId=gw\n");
        event = check("aws");
        assert_good_but(event, "subscribe");
        assert_line(event, "subscribe", "failed", "permission-denied-by-policy");
        assert_line(event, "subscribe", "failed", "create-from-csr/json/rejected;");
        assert_line(event, "subscribe", "failed", statement);
        fleetprov_event_free(event);
        cloud_clear(&cloud);
}
END_TEST

START_TEST(one_check_at_a_time)
{
        fleetprov_event *event = NULL;
        uint64_t first = 0, second = 0;

        /* So that it takes its time: after each refusal it connects anew. */
        cloud_add(&cloud, "deny-subscribe", "--client=gw-check", "--always");
        stage_start("", "ClientId=gw\n");
        ck_assert_int_eq(fleetprov_client_check(client, "aws", &first), 0);
        ck_assert_int_eq(fleetprov_client_check(client, "aws", &second), 0);
        ck_assert_int_eq(fleetprov_client_wait(client, second, 60 * USEC_PER_SEC, &event), 0);
        ck_assert_int_eq(fleetprov_error_get_code(fleetprov_event_get_error(event)),
                         FLEETPROV_QUEUE_FULL);
        fleetprov_event_free(event);
        /* Each topic by itself: all four are named. */
        ck_assert_int_eq(fleetprov_client_wait(client, first, 60 * USEC_PER_SEC, &event), 0);
        assert_line(event, "subscribe", "failed", "create-from-csr/json/accepted, ");
        assert_line(event, "subscribe", "failed", "FleetTemplate/provision/json/rejected;");
        assert_line(event, "subscribe", "failed",
                    "topic/$aws/provisioning-templates/FleetTemplate"
                    "/provision/*\"]}");
        fleetprov_event_free(event);
        cloud_clear(&cloud);
}
END_TEST

/* Neither a daemon that ends nor a profile that goes waits for a check. */
START_TEST(check_is_given_up_with_the_daemon)
{
        uint64_t ticket = 0;

        cloud_add(&cloud, "deny-subscribe", "--client=gw-check", "--always");
        stage_start("", "ClientId=gw\n");
        ck_assert_int_eq(fleetprov_client_check(client, "aws", &ticket), 0);
        fleetprov_status_free(agent_status(client)); /* it was sent, too */
        WAIT_FOR(file_has(d.log, "checking it"));
        daemon_configure(&d, "");
        ck_assert_int_eq(agent_reload(client, NULL), 0);
        cloud_clear(&cloud);
}
END_TEST

static void must_be_denied(void *socket) {
        fleetprov_client *own = agent_open(socket);
        fleetprov_event *event = NULL;
        uint64_t ticket = 0;

        ck_assert_int_eq(fleetprov_client_check(own, "aws", &ticket), 0);
        ck_assert_int_eq(fleetprov_client_wait(own, ticket, 60 * USEC_PER_SEC, &event), 0);
        ck_assert_int_eq(fleetprov_error_get_code(fleetprov_event_get_error(event)),
                         FLEETPROV_ACCESS_DENIED);
        fleetprov_event_free(event);
        fleetprov_client_free(own);
}

START_TEST(check_is_for_those_who_may_submit)
{
        char *socket;

        stage_start("", "");
        ck_assert_int_eq(chmod(d.socket, 0666), 0);
        socket = strdup(d.socket);
        process_as_user(12345, 12345, NULL, 0, must_be_denied, socket);
        free(socket);
}
END_TEST

static int run_ctl(const char *profile, const char *json, char **ret_output) {
        const char *const argv[] = {FLEETPROVCTL, place_text(&d.place, "--socket=%s", d.socket),
                                    json,         "check",
                                    profile,      NULL};

        return process_run(argv, NULL, ret_output);
}

START_TEST(ctl_says_it_in_a_table_and_in_json)
{
        _cleanup_free_ char *table = NULL, *json = NULL, *unknown = NULL;

        cloud_add(&cloud, "deny-subscribe", "--client=gw-check", "--always");
        stage_start("", "ClientId=gw\n");
        ck_assert_int_eq(run_ctl(NULL, "--json=off", &table), 1);
        ck_assert_ptr_nonnull(strstr(table, "CHECK"));
        ck_assert_ptr_nonnull(strstr(table, "topicfilter/$aws/certificates/create-from-csr/*\""));
        cloud_clear(&cloud);
        ck_assert_int_eq(run_ctl("aws", "--json=short", &json), 0);
        ck_assert_ptr_nonnull(strstr(json, "{\"profile\":\"aws\",\"check\":\"files\",\"result\":"
                                           "\"ok\",\"message\":\""));
        ck_assert_int_ne(run_ctl("nobody", "--json=off", &unknown), 0);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("daemon: check-cloud");
        TCase *tc = stage_shared(suite, "check-cloud");

        tcase_add_test(tc, client_id_that_is_not_let_in_is_found);
        tcase_add_test(tc, client_id_of_the_check_alone_is_a_warning);
        tcase_add_test(tc, client_id_of_another_profile_is_not_taken);
        tcase_add_loop_test(tc, topic_that_is_forbidden_is_found_with_the_policy, 0,
                            ELEMENTSOF(refusals));
        tcase_add_test(tc, one_check_at_a_time);
        tcase_add_test(tc, check_is_given_up_with_the_daemon);
        tcase_add_test(tc, check_is_for_those_who_may_submit);
        tcase_add_test(tc, ctl_says_it_in_a_table_and_in_json);
        return stage_run(suite);
}
