/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The same owner, profile and key find the job again: never a second identity. */

#include <sys/stat.h>

#include "tests/integration/lib/stage.h"

#define OTHER_USER 12001U

/* Submits again, and expects the same job. */
static void must_find(JobId id, const Wish *wish) {
        JobId again = agent_submit(client, wish), found;

        ck_assert_str_eq(again.text, id.text);
        ck_assert_int_eq(agent_find(client, "aws", wish->key, &found), FLEETPROV_OK);
        ck_assert_str_eq(found.text, id.text);
        ck_assert_uint_eq(agent_count_jobs(client, 1), 1);
}

START_TEST(found_again_while_queued_running_and_succeeded)
{
        const Wish wish = {.serial = "again", .key = "device"};
        JobId id;

        stage_start("", "");
        cloud_add(&cloud, "delay=1000", "--operation=register");
        cloud_add(&cloud, "delay=1000", "--operation=create-csr");
        id = agent_submit(client, &wish);
        must_find(id, &wish); /* queued: the session is not ready yet */
        agent_wait_state(client, id, FLEETPROV_STATE_RUNNING, "create");
        must_find(id, &wish);
        agent_wait_state(client, id, FLEETPROV_STATE_RUNNING, "register");
        must_find(id, &wish);
        agent_wait_end(client, id, FLEETPROV_STATE_SUCCEEDED);
        must_find(id, &wish);
        stage_restart(false);
        must_find(id, &wish);
        agent_wait_end(client, id, FLEETPROV_STATE_SUCCEEDED);
        ck_assert_int_eq(agent_call(client, fleetprov_client_acknowledge, id), FLEETPROV_OK);
        must_find(id, &wish);
        ck_assert_uint_eq(stage_certificates(), 1);
}
END_TEST

START_TEST(found_again_after_restart_while_queued)
{
        const Wish wish = {.serial = "queued", .key = "device"};
        JobId id;

        cloud_stop(&cloud);
        stage_start("", "");
        id = agent_submit(client, &wish);
        stage_restart(false);
        must_find(id, &wish);
        cloud_again(&cloud);
        agent_wait_end(client, id, FLEETPROV_STATE_SUCCEEDED);
        must_find(id, &wish);
        ck_assert_uint_eq(stage_certificates(), 1);
}
END_TEST

START_TEST(asked_for_by_many_at_once_it_is_one_job)
{
        enum {
                ASKED = 8
        };
        fleetprov_request *request;
        fleetprov_event *event;
        uint64_t tickets[ASKED];
        JobId id = {};

        stage_start("", "");
        ck_assert_int_eq(fleetprov_request_new(&request, FLEETPROV_OPERATION_PROVISION, NULL), 0);
        ck_assert_int_eq(fleetprov_request_set_key(request, "at-once"), 0);
        ck_assert_int_eq(fleetprov_request_add_parameter(request, "SerialNumber", "once"), 0);
        for (size_t i = 0; i < ASKED; i++)
                ck_assert_int_eq(fleetprov_client_submit(client, request, tickets + i), 0);
        for (size_t i = 0; i < ASKED; i++) {
                ck_assert_int_eq(
                        fleetprov_client_wait(client, tickets[i], FLEETPROV_FOREVER, &event), 0);
                ck_assert_ptr_null(fleetprov_event_get_error(event));
                if (i == 0)
                        memcpy(id.text, fleetprov_event_get_job_id(event), sizeof(id.text));
                ck_assert_str_eq(fleetprov_event_get_job_id(event), id.text);
                fleetprov_event_free(event);
        }
        fleetprov_request_free(request);
        agent_wait_end(client, id, FLEETPROV_STATE_SUCCEEDED);
        ck_assert_uint_eq(stage_certificates(), 1);
}
END_TEST

START_TEST(key_of_another_request_is_a_conflict)
{
        _cleanup_free_ char *key = NULL, *csr = NULL, *other_key = NULL, *other_csr = NULL;
        JobId id;

        stage_start("", "");
        identity_make_csr(&key, &csr);
        identity_make_csr(&other_key, &other_csr);
        id = agent_submit(client, &(Wish){.serial = "conflict", .key = "taken", .csr = csr});
        for (unsigned i = 0; i < 2; i++) {
                ck_assert_int_eq(
                        agent_refused(
                                client,
                                &(Wish){.serial = "conflict", .key = "taken", .csr = other_csr},
                                NULL),
                        FLEETPROV_ID_CONFLICT);
                ck_assert_int_eq(
                        agent_refused(client, &(Wish){.serial = "conflict", .key = "taken"}, NULL),
                        FLEETPROV_ID_CONFLICT);
                ck_assert_int_eq(
                        agent_refused(
                                client,
                                &(Wish){.operation =
                                                FLEETPROV_OPERATION_CREATE_KEYS_AND_CERTIFICATE,
                                        .key = "taken"},
                                NULL),
                        FLEETPROV_ID_CONFLICT);
                agent_wait_end(client, id, FLEETPROV_STATE_SUCCEEDED);
        }
        ck_assert_uint_eq(agent_count_jobs(client, 1), 1);
        ck_assert_uint_eq(stage_certificates(), 1);
}
END_TEST

START_TEST(key_belongs_to_profile_and_owner)
{
        JobId aws, other;

        stage_start(cloud_profile(&cloud, "other", ""), "");
        ck_assert_int_eq(agent_refused(client, &(Wish){.serial = "x"}, NULL),
                         FLEETPROV_NOT_INITIALIZED); /* which of the two? */
        aws = agent_submit(client, &(Wish){.profile = "aws", .serial = "a", .key = "same"});
        other = agent_submit(client, &(Wish){.profile = "other", .serial = "b", .key = "same"});
        ck_assert_str_ne(aws.text, other.text);
        agent_wait_end(client, aws, FLEETPROV_STATE_SUCCEEDED);
        agent_wait_end(client, other, FLEETPROV_STATE_SUCCEEDED);
        ck_assert_uint_eq(stage_certificates(), 2);
}
END_TEST

static void submit_as_other(void *userdata) {
        fleetprov_client *own = agent_open(userdata);

        ck_assert_int_eq(agent_find(own, "aws", "same", NULL), FLEETPROV_NO_SUCH_JOB);
        fleetprov_result_free(
                agent_result(own, agent_submit(own, &(Wish){.serial = "o", .key = "same"})));
        fleetprov_client_free(own);
}

START_TEST(other_users_have_keys_of_their_own)
{
        if (geteuid() != 0)
                return;
        stage_start("", "AllowUsers=root 12001");
        ck_assert_int_eq(chmod(d.socket, 0666), 0);
        agent_wait_end(client, agent_submit(client, &(Wish){.serial = "r", .key = "same"}),
                       FLEETPROV_STATE_SUCCEEDED);
        process_as_user(OTHER_USER, OTHER_USER, NULL, 0, submit_as_other,
                        (char *) (uintptr_t) d.socket);
        ck_assert_uint_eq(stage_certificates(), 2);
}
END_TEST

/* --- after a bad end --- */

static const struct {
        const char *name, *fault, *operation;
        bool restart;
        size_t left; /* certificates, after the first try */
} failures[] = {
        {"create", "reject=403:ACCESS_DENIED:no", "--operation=create-csr", false, 0},
        {"create-restart", "reject=403:ACCESS_DENIED:no", "--operation=create-csr", true, 0},
        {"register", "reject=403:ACCESS_DENIED:no", "--operation=register", false, 1},
        {"register-restart", "reject=403:ACCESS_DENIED:no", "--operation=register", true, 1},
        {"malformed", "malformed", "--operation=create-csr", false, 0},
};

START_TEST(failed_job_goes_on_with_the_certificate_it_has)
{
        const Wish wish = {.serial = failures[_i].name, .key = "try-again"};
        const size_t made_by_malformed = streq(failures[_i].fault, "malformed") ? 1 : 0;
        _cleanup_free_ char *left = NULL;
        fleetprov_result *result;
        fleetprov_job *job;
        JobId id;

        stage_start("", "");
        cloud_add(&cloud, failures[_i].fault, failures[_i].operation);
        id = agent_submit(client, &wish);
        job = agent_wait(client, id);
        ck_assert_int_eq(fleetprov_job_get_state(job), FLEETPROV_STATE_FAILED);
        ck_assert_uint_eq(fleetprov_job_get_n_left_certificates(job), failures[_i].left);
        if (failures[_i].left)
                left = strdup(fleetprov_job_get_left_certificate(job, 0));
        fleetprov_job_free(job);
        if (failures[_i].restart)
                stage_restart(false);

        must_find(id, &wish);
        result = agent_result(client, id);
        identity_assert(&cloud, result, wish.serial, NULL, "ec-p256");
        if (left)
                ck_assert_str_eq(fleetprov_result_get_certificate_id(result), left);
        fleetprov_result_free(result);
        ck_assert_uint_eq(stage_certificates(), 1 + made_by_malformed);

        job = agent_job(client, id);
        ck_assert_uint_eq(fleetprov_job_get_n_left_certificates(job), 0);
        ck_assert(agent_history_has(job, "asked for again"));
        ck_assert_ptr_null(fleetprov_job_get_error(job));
        ck_assert_uint_ge(fleetprov_job_get_attempts(job), 2);
        fleetprov_job_free(job);
}
END_TEST

START_TEST(cancelled_and_expired_jobs_are_asked_for_again)
{
        const Wish wish = {
                .serial = _i == 0 ? "cancelled" : "expired",
                .key = "again",
                .deadline_usec = _i == 0 ? 0 : 100 * USEC_PER_MSEC,
        };
        Wish without_deadline = wish;
        JobId id;

        cloud_stop(&cloud);
        stage_start("", "");
        id = agent_submit(client, &wish);
        if (_i == 0)
                ck_assert_int_eq(agent_call(client, fleetprov_client_cancel, id), FLEETPROV_OK);
        agent_wait_end(client, id, _i == 0 ? FLEETPROV_STATE_CANCELLED : FLEETPROV_STATE_EXPIRED);
        without_deadline.deadline_usec = 0;
        must_find(id, &without_deadline);
        cloud_again(&cloud);
        agent_wait_end(client, id, FLEETPROV_STATE_SUCCEEDED);
        ck_assert_uint_eq(stage_certificates(), 1);
}
END_TEST

START_TEST(other_parameters_count_when_it_starts_over)
{
        fleetprov_result *result;
        JobId id, again;

        stage_start("", "");
        cloud_add(&cloud, "reject=403:ACCESS_DENIED:no", "--operation=create-csr");
        id = agent_submit(client, &(Wish){.serial = "before", .key = "changed"});
        agent_wait_end(client, id, FLEETPROV_STATE_FAILED);
        again = agent_submit(client, &(Wish){.serial = "after", .key = "changed"});
        ck_assert_str_eq(again.text, id.text);
        result = agent_result(client, id);
        ck_assert_str_eq(fleetprov_result_get_thing_name(result), "thing-after");
        fleetprov_result_free(result);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("daemon: idempotency");
        TCase *tc = stage_shared(suite, "idempotency");

        tcase_add_test(tc, found_again_while_queued_running_and_succeeded);
        tcase_add_test(tc, asked_for_by_many_at_once_it_is_one_job);
        tcase_add_test(tc, key_of_another_request_is_a_conflict);
        tcase_add_test(tc, key_belongs_to_profile_and_owner);
        tcase_add_test(tc, other_users_have_keys_of_their_own);
        tcase_add_loop_test(tc, failed_job_goes_on_with_the_certificate_it_has, 0,
                            ELEMENTSOF(failures));
        tcase_add_test(tc, other_parameters_count_when_it_starts_over);
        tc = stage_alone(suite, "idempotency without cloud");
        tcase_add_test(tc, found_again_after_restart_while_queued);
        tcase_add_loop_test(tc, cancelled_and_expired_jobs_are_asked_for_again, 0, 2);
        return stage_run(suite);
}
