/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Jobs of a profile of azure-dps that do not go well at once: what the service says instead, and
 * what is left of it where the daemon is killed in the middle. */

#include "tests/integration/daemon/azure.h"

/* --- what the service says instead */

static const struct {
        const char *id, *fault, *name;
        int status;
        const char *service_code;
} ends[] = {
        {"gw-failing", NULL, "server-refused", 400, "400209"},
        {"gw-disabled", NULL, "server-refused", -1, NULL},
        {"gw-unassigned", NULL, "server-refused", -1, NULL},
        {"gw-1", "reject=401:401002:Unauthorized", "credentials-refused", 401, "401002"},
        {"gw-1", "reject=404:404201:Not found", "server-refused", 404, "404201"},
        {"gw-1", "malformed", "bad-response", -1, NULL},
};

START_TEST(refusal_reaches_the_caller)
{
        const fleetprov_error *error;
        fleetprov_job *job;

        if (ends[_i].fault)
                cloud_add(&cloud, ends[_i].fault, "--operation=dps-register");
        start_synchronised("yes", ANY);
        job = agent_wait(client, agent_submit(client, &(Wish){.profile = "azure",
                                                              .registration_id = ends[_i].id}));
        ck_assert_int_eq(fleetprov_job_get_state(job), FLEETPROV_STATE_FAILED);
        error = fleetprov_job_get_error(job);
        ck_assert_msg(streq(fleetprov_error_get_name(error), ends[_i].name), "%s: %s",
                      fleetprov_error_get_name(error), fleetprov_error_get_message(error));
        if (ends[_i].status >= 0)
                ck_assert_int_eq(fleetprov_error_get_status_code(error), ends[_i].status);
        if (ends[_i].service_code)
                ck_assert_str_eq(fleetprov_error_get_service_code(error), ends[_i].service_code);
        fleetprov_job_free(job);

        /* The next one is not held up by it. */
        fleetprov_result_free(agent_result(
                client,
                agent_submit(client, &(Wish){.profile = "azure", .registration_id = "gw-next"})));
}
END_TEST

START_TEST(throttling_is_waited_out)
{
        cloud_add(&cloud, "reject=429:429001:Slowly", "--operation=dps-register");
        cloud_add(&cloud, "reject=503:503001:Later", "--operation=dps-query");
        cloud_add(&cloud, "retry-after=2", "--operation=dps-query");
        start(ANY);
        must_assign(&(Wish){.profile = "azure", .registration_id = "gw-slow"}, "gw-slow");
}
END_TEST

START_TEST(clock_that_is_not_set_is_blamed_for_a_refusal)
{
        const fleetprov_error *error;
        fleetprov_job *job;
        JobId id;

        start_synchronised("no", "RegistrationId=gw-1\nSymmetricKey=DIR/dps-group.key");
        id = agent_submit(client, &(Wish){.profile = "azure"});
        agent_wait_state(client, id, FLEETPROV_STATE_RUNNING, "backoff");
        job = agent_job(client, id);
        error = fleetprov_job_get_error(job);
        ck_assert_str_eq(fleetprov_error_get_name(error), "credentials-refused");
        ck_assert_int_eq(fleetprov_error_get_retriable(error), 1);
        ck_assert_ptr_nonnull(strstr(fleetprov_error_get_message(error), "not synchronised"));
        fleetprov_job_free(job);
}
END_TEST

START_TEST(deadline_ends_what_is_never_assigned)
{
        cloud_add(&cloud, "assigning=1000", "--operation=dps-register");
        start(ANY);
        agent_wait_end(client,
                       agent_submit(client, &(Wish){.profile = "azure",
                                                    .registration_id = "gw-never",
                                                    .deadline_usec = 3 * USEC_PER_SEC}),
                       FLEETPROV_STATE_EXPIRED);
        daemon_wait_session(&d, "azure", "offline");
}
END_TEST

START_TEST(cancel_ends_it_while_it_is_assigned)
{
        JobId id;

        cloud_add(&cloud, "assigning=1000", "--operation=dps-register");
        start(ANY);
        id = agent_submit(client, &(Wish){.profile = "azure", .registration_id = "gw-cancelled"});
        agent_wait_state(client, id, FLEETPROV_STATE_RUNNING, "poll");
        ck_assert_int_eq(agent_call(client, fleetprov_client_cancel, id), FLEETPROV_OK);
        agent_wait_end(client, id, FLEETPROV_STATE_CANCELLED);
        daemon_wait_session(&d, "azure", "offline");
}
END_TEST

/* --- the daemon's death */

#define RECORD "\"operation-id\":"

START_TEST(killed_daemon_asks_before_it_registers_again)
{
        _cleanup_free_ char *found = NULL;
        fleetprov_job *job;
        JobId id;

        cloud_add(&cloud, "assigning=3", "--operation=dps-register");
        start(GROUP);
        id = agent_submit(client, &(Wish){.profile = "azure", .registration_id = "sensor-k"});
        /* The phase is told before that is on record. */
        WAIT_FOR((free(found), found = folder_find_bytes(d.state, RECORD, strlen(RECORD))));
        stage_restart(true);
        agent_wait_end(client, id, FLEETPROV_STATE_SUCCEEDED);
        ck_assert_uint_eq(registrations(), 1); /* and no query was too early: no breach */
        job = agent_job(client, id);
        ck_assert(agent_history_has(job, "asking what became of the registration"));
        fleetprov_job_free(job);
}
END_TEST

START_TEST(wait_that_the_service_asked_for_outlives_the_daemon)
{
        size_t queries = cloud_count(&cloud, "dps-query", "assigning");
        fleetprov_job *job;
        JobId id;

        cloud_add(&cloud, "assigning=1", "--operation=dps-register");
        cloud_add(&cloud, "retry-after=3600", "--operation=dps-register");
        start(GROUP);
        id = agent_submit(client, &(Wish){.profile = "azure", .registration_id = "sensor-w"});
        agent_wait_state(client, id, FLEETPROV_STATE_RUNNING, "backoff");
        stage_restart(true);
        agent_wait_state(client, id, FLEETPROV_STATE_RUNNING, "backoff");
        job = agent_job(client, id);
        ck_assert(agent_history_has(job, "the service said to wait"));
        fleetprov_job_free(job);
        /* Others go on meanwhile. */
        fleetprov_result_free(agent_result(
                client,
                agent_submit(client, &(Wish){.profile = "azure", .registration_id = "sensor-o"})));
        ck_assert_int_eq(agent_call(client, fleetprov_client_cancel, id), FLEETPROV_OK);
        agent_wait_end(client, id, FLEETPROV_STATE_CANCELLED);
        ck_assert_uint_eq(registrations(), 2);
        ck_assert_uint_eq(cloud_count(&cloud, "dps-query", "assigning"), queries);
}
END_TEST

START_TEST(jobs_register_one_after_another)
{
        JobId ids[4];

        start(GROUP);
        for (size_t i = 0; i < ELEMENTSOF(ids); i++)
                ids[i] = agent_submit(
                        client, &(Wish){.profile = "azure",
                                        .registration_id = place_text(&d.place, "sensor-n%zu", i)});
        for (size_t i = 0; i < ELEMENTSOF(ids); i++)
                agent_wait_end(client, ids[i], FLEETPROV_STATE_SUCCEEDED);
        ck_assert_uint_eq(registrations(), ELEMENTSOF(ids));
}
END_TEST

START_TEST(other_configuration_is_taken_up_by_jobs_that_wait)
{
        JobId id;

        /* Refused for a while, by a service that says so. */
        cloud_fault(&cloud, "add", "connack=3", "--count=100", NULL);
        start("RegistrationId=gw-1\nSymmetricKey=DIR/dps.key");
        id = agent_submit(client, &(Wish){.profile = "azure"});
        agent_wait_state(client, id, FLEETPROV_STATE_RUNNING, "backoff");
        daemon_configure(&d, cloud_dps_profile(&cloud, "azure",
                                               "RegistrationId=gw-2\nSymmetricKey=DIR/dps.key"));
        ck_assert_int_eq(agent_reload(client, NULL), FLEETPROV_OK);
        cloud_clear(&cloud);
        fleetprov_result_free(agent_result(client, id));
        ck_assert_uint_eq(registrations(), 1);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("azure trouble");
        TCase *tc = stage_shared_dps(suite, "trouble");

        tcase_add_loop_test(tc, refusal_reaches_the_caller, 0, ELEMENTSOF(ends));
        tcase_add_test(tc, throttling_is_waited_out);
        tcase_add_test(tc, clock_that_is_not_set_is_blamed_for_a_refusal);
        tcase_add_test(tc, deadline_ends_what_is_never_assigned);
        tcase_add_test(tc, cancel_ends_it_while_it_is_assigned);
        tcase_add_test(tc, killed_daemon_asks_before_it_registers_again);
        tcase_add_test(tc, wait_that_the_service_asked_for_outlives_the_daemon);
        tcase_add_test(tc, jobs_register_one_after_another);
        tcase_add_test(tc, other_configuration_is_taken_up_by_jobs_that_wait);
        return stage_run(suite);
}
