/* SPDX-License-Identifier: GPL-2.0-or-later */

/* After the end: the result is fetched, acknowledged, released, or kept for RetainSec=. */

#include "tests/integration/lib/stage.h"

/* No file of the state directory holds these bytes. */
static void must_not_be_on_disk(Trace trace) {
        _cleanup_free_ char *path = folder_find_bytes(d.state, trace.text, strlen(trace.text));

        ck_assert_msg(!path, "%s holds a secret", path);
}

static size_t files(const char *end) {
        return folder_count(d.state, end);
}

/* The record stands, and says that what was secret is gone. */
static void must_be_erased(JobId id, const char *certificate_id) {
        fleetprov_result *result = agent_result(client, id);

        ck_assert_int_eq(fleetprov_result_get_secrets_erased(result), 1);
        ck_assert_int_eq(fleetprov_result_has_secret(result, FLEETPROV_SECRET_PRIVATE_KEY), 0);
        ck_assert_str_eq(fleetprov_result_get_certificate_id(result), certificate_id);
        ck_assert_ptr_nonnull(fleetprov_result_get_certificate_pem(result));
        ck_assert_ptr_nonnull(fleetprov_result_get_thing_name(result));
        fleetprov_result_free(result);
        ck_assert_uint_eq(files(".secret"), 0);
}

START_TEST(acknowledged_secrets_are_erased)
{
        const char *sources[] = {"daemon", "cloud"};
        _cleanup_free_ char *key = NULL, *again = NULL, *certificate = NULL;
        fleetprov_result *result;
        JobId id;

        stage_start("", "");
        id = agent_submit(client, &(Wish){.serial = "ack", .key_source = sources[_i]});
        result = agent_result(client, id);
        key = agent_secret(result, FLEETPROV_SECRET_PRIVATE_KEY);
        certificate = strdup(fleetprov_result_get_certificate_id(result));
        fleetprov_result_free(result);
        ck_assert_uint_eq(files(".secret"), 1);
        must_not_be_on_disk(identity_trace(key));

        /* Until then it may be fetched as often as need be. */
        result = agent_result(client, id);
        again = agent_secret(result, FLEETPROV_SECRET_PRIVATE_KEY);
        ck_assert_str_eq(again, key);
        fleetprov_result_free(result);

        ck_assert_uint_eq(agent_count_jobs(client, 0), 1);
        ck_assert_int_eq(agent_call(client, fleetprov_client_acknowledge, id), FLEETPROV_OK);
        must_be_erased(id, certificate);
        ck_assert_int_eq(agent_call(client, fleetprov_client_acknowledge, id), FLEETPROV_OK);
        ck_assert_uint_eq(agent_count_jobs(client, 0), 0);
        ck_assert_uint_eq(agent_count_jobs(client, 1), 1);
        stage_restart(false);
        must_be_erased(id, certificate);
        must_not_be_on_disk(identity_trace(key));
}
END_TEST

START_TEST(created_certificates_lose_key_and_token)
{
        fleetprov_result *result;
        JobId id;

        stage_start("", "");
        id = agent_submit(client,
                          &(Wish){.operation = FLEETPROV_OPERATION_CREATE_KEYS_AND_CERTIFICATE});
        result = agent_result(client, id);
        ck_assert_int_eq(fleetprov_result_has_secret(result, FLEETPROV_SECRET_PRIVATE_KEY), 1);
        ck_assert_int_eq(fleetprov_result_has_secret(result, FLEETPROV_SECRET_OWNERSHIP_TOKEN), 1);
        fleetprov_result_free(result);
        ck_assert_int_eq(agent_call(client, fleetprov_client_acknowledge, id), FLEETPROV_OK);
        result = agent_result(client, id);
        ck_assert_int_eq(fleetprov_result_get_secrets_erased(result), 1);
        ck_assert_int_eq(fleetprov_result_has_secret(result, FLEETPROV_SECRET_PRIVATE_KEY), 0);
        ck_assert_int_eq(fleetprov_result_has_secret(result, FLEETPROV_SECRET_OWNERSHIP_TOKEN), 0);
        fleetprov_result_free(result);
        ck_assert_uint_eq(files(".secret"), 0);
}
END_TEST

START_TEST(who_brought_the_key_loses_nothing)
{
        _cleanup_free_ char *key = NULL, *csr = NULL;
        fleetprov_result *result;
        JobId id;

        stage_start("", "");
        identity_make_csr(&key, &csr);
        id = agent_submit(client, &(Wish){.serial = "mine", .csr = csr});
        fleetprov_result_free(agent_result(client, id));
        WAIT_FOR(files(".secret") == 0); /* its token is spent, and goes by itself */
        ck_assert_int_eq(agent_call(client, fleetprov_client_acknowledge, id), FLEETPROV_OK);
        result = agent_result(client, id);
        ck_assert_int_eq(fleetprov_result_get_secrets_erased(result), 0);
        identity_assert(&cloud, result, "mine", key, "ec-p256");
        fleetprov_result_free(result);
}
END_TEST

START_TEST(released_jobs_leave_nothing)
{
        JobId id, next;

        stage_start("", "");
        id = agent_submit(client, &(Wish){.serial = "gone", .key = "free-again"});
        fleetprov_result_free(agent_result(client, id));
        ck_assert_int_eq(agent_call(client, fleetprov_client_release, id), FLEETPROV_OK);
        ck_assert_uint_eq(files(".job") + files(".secret"), 0);
        ck_assert_uint_eq(agent_count_jobs(client, 1), 0);
        ck_assert_int_eq(agent_call(client, fleetprov_client_get_job, id), FLEETPROV_NO_SUCH_JOB);
        ck_assert_int_eq(agent_find(client, "aws", "free-again", NULL), FLEETPROV_NO_SUCH_JOB);
        next = agent_submit(client, &(Wish){.serial = "gone", .key = "free-again"});
        ck_assert_str_ne(next.text, id.text);
        agent_wait_end(client, next, FLEETPROV_STATE_SUCCEEDED);
        stage_restart(false);
        ck_assert_uint_eq(agent_count_jobs(client, 1), 1);
}
END_TEST

START_TEST(unfinished_jobs_have_no_result_yet)
{
        static const AgentCall calls[] = {fleetprov_client_get_result, fleetprov_client_acknowledge,
                                          fleetprov_client_release};
        JobId id;

        cloud_stop(&cloud);
        stage_start("", "");
        id = agent_submit(client, &(Wish){.serial = "unfinished"});
        for (size_t i = 0; i < ELEMENTSOF(calls); i++)
                ck_assert_int_eq(agent_call(client, calls[i], id), FLEETPROV_NOT_FINISHED);
        cloud_again(&cloud);
        agent_wait_end(client, id, FLEETPROV_STATE_SUCCEEDED);
        ck_assert_int_eq(agent_call(client, fleetprov_client_release, id), FLEETPROV_OK);
}
END_TEST

START_TEST(result_of_a_failed_job_is_its_error)
{
        JobId id;

        stage_start("", "");
        id = agent_submit(client, &(Wish){.serial = "refuse-me"});
        agent_wait_end(client, id, FLEETPROV_STATE_FAILED);
        ck_assert_int_eq(agent_call(client, fleetprov_client_get_result, id),
                         FLEETPROV_SERVER_REFUSED);
        ck_assert_int_eq(agent_call(client, fleetprov_client_acknowledge, id), FLEETPROV_OK);
        stage_restart(false);
        ck_assert_int_eq(agent_call(client, fleetprov_client_get_result, id),
                         FLEETPROV_SERVER_REFUSED);
        ck_assert_int_eq(agent_call(client, fleetprov_client_release, id), FLEETPROV_OK);
        ck_assert_uint_eq(files(".job") + files(".secret"), 0);
}
END_TEST

/* _i: the daemon is restarted before RetainSec= has passed. */
START_TEST(what_is_kept_long_enough_goes)
{
        _cleanup_free_ char *certificate = NULL;
        fleetprov_result *result;
        JobId keyless, keyed;

        stage_start("RetainSec=3s", "");
        keyed = agent_submit(client, &(Wish){.serial = "keyed", .key = "stays"});
        result = agent_result(client, keyed);
        certificate = strdup(fleetprov_result_get_certificate_id(result));
        fleetprov_result_free(result);
        keyless = agent_submit(client, &(Wish){.serial = "keyless"});
        agent_wait_end(client, keyless, FLEETPROV_STATE_SUCCEEDED);
        if (_i == 1)
                stage_restart(false);
        WAIT_FOR(agent_count_jobs(client, 1) == 1);
        ck_assert_int_eq(agent_call(client, fleetprov_client_get_result, keyless),
                         FLEETPROV_NO_SUCH_JOB);
        WAIT_FOR(files(".secret") == 0);
        must_be_erased(keyed, certificate);
        WAIT_FOR(files(".job") == 1); /* it is out of sight before it is off the disk */
        ck_assert_int_eq(agent_call(client, fleetprov_client_release, keyed), FLEETPROV_OK);
        ck_assert_uint_eq(files(".job"), 0);
}
END_TEST

START_TEST(listeners_learn_that_a_job_went)
{
        fleetprov_client *listener;
        fleetprov_event *event;
        bool removed = false;
        JobId id;

        stage_start("", "");
        listener = agent_open(d.socket);
        fleetprov_status_free(agent_status(listener));
        id = agent_submit(client, &(Wish){.serial = "listened"});
        fleetprov_result_free(agent_result(client, id));
        ck_assert_int_eq(agent_call(client, fleetprov_client_release, id), FLEETPROV_OK);
        while (!removed) {
                ck_assert_int_eq(fleetprov_client_wait(listener, 0, 60 * USEC_PER_SEC, &event), 0);
                removed = fleetprov_event_get_type(event) == FLEETPROV_EVENT_JOB_REMOVED;
                if (removed)
                        ck_assert_str_eq(fleetprov_event_get_job_id(event), id.text);
                fleetprov_event_free(event);
        }
        fleetprov_client_free(listener);
}
END_TEST

START_TEST(quota_counts_what_is_retained)
{
        JobId id;

        stage_start("MaxJobsPerUser=2", "");
        id = agent_submit(client, &(Wish){.serial = "one"});
        agent_wait_end(client, id, FLEETPROV_STATE_SUCCEEDED);
        agent_wait_end(client, agent_submit(client, &(Wish){.serial = "two"}),
                       FLEETPROV_STATE_SUCCEEDED);
        ck_assert_int_eq(agent_refused(client, &(Wish){.serial = "three"}, NULL),
                         FLEETPROV_QUEUE_FULL);
        ck_assert_int_eq(agent_call(client, fleetprov_client_release, id), FLEETPROV_OK);
        agent_wait_end(client, agent_submit(client, &(Wish){.serial = "three"}),
                       FLEETPROV_STATE_SUCCEEDED);
}
END_TEST

START_TEST(queue_has_an_end)
{
        cloud_stop(&cloud);
        stage_start("MaxJobs=2", "");
        (void) agent_submit(client, &(Wish){.serial = "one"});
        (void) agent_submit(client, &(Wish){.serial = "two", .key = "two"});
        ck_assert_int_eq(agent_refused(client, &(Wish){.serial = "three"}, NULL),
                         FLEETPROV_QUEUE_FULL);
        /* One that is there already is found, room or not. */
        (void) agent_submit(client, &(Wish){.serial = "two", .key = "two"});
        cloud_again(&cloud);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("daemon: delivery");
        TCase *tc = stage_shared(suite, "delivery");

        tcase_add_loop_test(tc, acknowledged_secrets_are_erased, 0, 2);
        tcase_add_test(tc, created_certificates_lose_key_and_token);
        tcase_add_test(tc, who_brought_the_key_loses_nothing);
        tcase_add_test(tc, released_jobs_leave_nothing);
        tcase_add_test(tc, result_of_a_failed_job_is_its_error);
        tcase_add_loop_test(tc, what_is_kept_long_enough_goes, 0, 2);
        tcase_add_test(tc, listeners_learn_that_a_job_went);
        tcase_add_test(tc, quota_counts_what_is_retained);
        tc = stage_alone(suite, "delivery without cloud");
        tcase_add_test(tc, unfinished_jobs_have_no_result_yet);
        tcase_add_test(tc, queue_has_an_end);
        return stage_run(suite);
}
