/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Rotations: whose turn it is, what a session that does not come means, and how long the key that
 * was handed in is kept. */

#include <errno.h>

#include "tests/unit/manager/bench.h"

/* Submitted and durable. */
static Job *queued(const Peer *peer, const char *key) {
        FrontCall call = {};

        manager_submit(m, peer, bench_rotation_spec(key), &call);
        ck_assert_uint_eq(disk_pending(), 1);
        disk_answer(0);
        return bench_job(&call);
}

static Lane *lane(void) {
        return slot->rotation.lane;
}

/* The same, and at work in its session. */
static Job *at_work(const Peer *peer, const char *key) {
        Job *job = queued(peer, key);

        bench_run();
        disk_settle(); /* its secrets are read */
        ck_assert_ptr_nonnull(lane());
        ck_assert_ptr_eq(lane()->job, job);
        return job;
}

/* The lane has a certificate, its key and its token stored. */
static void store_certificate(Job *job) {
        JobSecrets secrets = {};

        ck_assert_int_eq(job_secrets_copy(&lane()->got, &secrets), 0);
        secrets.private_key = secret_new("the new key", 11);
        secrets.ownership_token = secret_new("the token", 9);
        ck_assert_int_eq(free_and_strdup(&job->result.certificate_id, "c1"), 0);
        lane()->options.ops->store(m, job, &secrets, "made");
        job_secrets_done(&secrets);
        disk_settle();
        ck_assert_int_eq(lane()->stored, 0);
}

static void finish(JobState outcome, ErrorCode code) {
        lane_finish(lane(), outcome, code, NULL);
}

/* --- the key that was handed in */

START_TEST(key_is_sealed_with_the_request_and_is_nowhere_else)
{
        FrontCall call = {};
        Job *job;

        manager_submit(m, alice, bench_rotation_spec("k"), &call);
        ck_assert_int_eq(call.answer, ANSWER_NONE);
        disk_answer(0);
        ck_assert_int_eq(call.answer, ANSWER_JOB);
        job = bench_job(&call);
        ck_assert(job->secrets_stored);
        ck_assert_ptr_null(job->spec->private_key);
        ck_assert(disk_file(job->id)->secrets);
        ck_assert_ptr_nonnull(disk_secrets(job->id)->claim_key);
        ck_assert_uint_eq(job->token_made_boot, 0);
}
END_TEST

START_TEST(key_goes_once_the_end_is_on_record)
{
        Job *job = at_work(alice, "k");

        store_certificate(job);
        ck_assert_int_eq(free_and_strdup(&job->result.thing_name, "thing"), 0);
        finish(JOB_SUCCEEDED, ERROR_NONE);
        /* A power cut here leaves a job that is at work, with all that it works with. */
        ck_assert_int_eq(disk_next(), ASK_UPDATE);
        ck_assert_ptr_nonnull(disk_secrets(job->id)->claim_key);
        disk_settle();
        ck_assert_int_eq(job->state, JOB_SUCCEEDED);
        ck_assert_ptr_null(disk_secrets(job->id)->claim_key);
        ck_assert_ptr_null(disk_secrets(job->id)->ownership_token);
        ck_assert_str_eq(secret_text(disk_secrets(job->id)->private_key), "the new key");
        ck_assert(job->secrets_stored);
}
END_TEST

START_TEST(nothing_is_kept_of_a_rotation_that_made_nothing)
{
        Job *job = at_work(alice, "k");

        finish(JOB_FAILED, ERROR_SERVER_REFUSED);
        disk_settle();
        ck_assert_int_eq(job->state, JOB_FAILED);
        ck_assert(!disk_file(job->id)->secrets);
        ck_assert(!job->secrets_stored);
}
END_TEST

START_TEST(what_was_made_is_kept_for_a_second_submission)
{
        Job *job = at_work(alice, "k");
        FrontCall call = {};

        store_certificate(job);
        finish(JOB_FAILED, ERROR_SERVER_REFUSED);
        disk_settle();
        ck_assert_ptr_null(disk_secrets(job->id)->claim_key);
        ck_assert_str_eq(secret_text(disk_secrets(job->id)->ownership_token), "the token");

        manager_submit(m, alice, bench_rotation_spec("k"), &call);
        disk_settle();
        ck_assert_ptr_eq(bench_job(&call), job);
        ck_assert_ptr_eq(lane()->job, job);
        ck_assert_str_eq(secret_text(lane()->got.private_key), "the new key");
        ck_assert_str_eq(secret_text(lane()->got.ownership_token), "the token");
        ck_assert_ptr_nonnull(lane()->got.claim_key);
}
END_TEST

START_TEST(acknowledge_before_the_key_is_gone_is_not_undone)
{
        Job *job = at_work(alice, "k");
        FrontCall acknowledge = {};

        store_certificate(job);
        finish(JOB_SUCCEEDED, ERROR_NONE);
        disk_answer(0); /* the end */
        ck_assert_int_eq(disk_next(), ASK_READ);
        manager_acknowledge(m, job, &acknowledge);
        disk_settle();
        ck_assert_int_eq(acknowledge.answer, ANSWER_DONE);
        ck_assert(!disk_file(job->id)->secrets);
        ck_assert(job->acknowledged);
        ck_assert(!job->secrets_stored);
}
END_TEST

START_TEST(cancelled_while_it_waits_its_key_goes)
{
        Job *first = at_work(alice, NULL), *job = queued(bob, NULL);
        FrontCall cancel = {};

        manager_cancel(m, job, &cancel);
        disk_settle();
        ck_assert_int_eq(job->state, JOB_CANCELLED);
        ck_assert(!disk_file(job->id)->secrets);
        ck_assert_ptr_eq(lane()->job, first);
}
END_TEST

/* --- whose turn it is */

START_TEST(one_after_the_other_beside_the_claims_jobs)
{
        Job *first = at_work(alice, NULL), *second = queued(bob, NULL);
        Job *claimed = bench_queued(alice, NULL);

        bench_run();
        ck_assert_ptr_eq(slot->way.lane->job, claimed);
        ck_assert_ptr_eq(lane()->job, first);
        finish(JOB_FAILED, ERROR_SERVER_REFUSED);
        disk_settle();
        ck_assert_ptr_eq(lane()->job, second);
        ck_assert_ptr_eq(slot->way.lane->job, claimed);
}
END_TEST

START_TEST(session_is_of_its_own_and_for_the_rotation_template)
{
        Job *job = at_work(alice, NULL);
        const Profile *p = lane()->profile;

        ck_assert_ptr_ne(lane(), slot->way.lane);
        ck_assert_str_eq(p->template_name, "Rotation");
        ck_assert_str_ne(p->client_id, slot->profile->client_id);
        ck_assert_ptr_nonnull(strstr(p->client_id, job->id));
        ck_assert_ptr_nonnull(strstr(p->verify_client_id, job->id));
        ck_assert(p->verify_certificate);
        ck_assert(!slot->profile->verify_certificate);
        ck_assert_ptr_nonnull(strstr(secret_text(lane()->private_key), "PRIVATE KEY"));
        finish(JOB_FAILED, ERROR_SERVER_REFUSED);
        disk_settle();
        ck_assert_ptr_null(lane());
}
END_TEST

START_TEST(connection_that_broke_is_opened_again_for_the_same_job)
{
        Job *job = at_work(alice, NULL), *other = queued(bob, NULL);

        lane_put_back(lane(), 0);
        lane_fail(lane(), ERROR_CONNECTION_LOST);
        bench_run();
        ck_assert_ptr_null(lane()->job);
        lane_make_ready(lane());
        bench_run();
        ck_assert_ptr_eq(lane()->job, job);
        ck_assert(queue_holds(slot->rotation.queue, other));
}
END_TEST

START_TEST(who_waits_between_two_tries_lets_others_go)
{
        Job *job = at_work(alice, NULL), *other = queued(bob, NULL);

        lane_put_back(lane(), USEC_PER_DAY);
        disk_settle();
        ck_assert_ptr_eq(lane()->job, other);
        ck_assert_int_eq(job->phase, PHASE_BACKOFF);
}
END_TEST

/* The certificate's policy may have been mended: the breaker is not waited for. */
START_TEST(reload_retries_the_session_of_one_at_work)
{
        (void) at_work(alice, NULL);
        lane_fail(lane(), ERROR_PERMISSION_DENIED_BY_POLICY);
        bench_reload(BENCH_PROFILE "Port=443\nAllowUsers=1000\n");
        ck_assert_uint_eq(lane()->retried, 1);
        ck_assert_uint_eq(slot->way.lane->retried, 1);
}
END_TEST

START_TEST(another_profile_waits_for_one_at_work_alone)
{
        Job *job = at_work(alice, NULL);

        ck_assert(!rotation_stand_down(slot));
        lane_put_back(lane(), 0);
        ck_assert(rotation_stand_down(slot));
        ck_assert_ptr_null(lane());
        ck_assert(queue_holds(slot->rotation.queue, job));
        disk_settle();
        ck_assert_ptr_eq(lane()->job, job);
}
END_TEST

/* --- a session that does not come */

static Job *waiting_for_session(const Peer *peer) {
        Job *job;

        lanes_open_ready = false;
        job = queued(peer, NULL);
        disk_settle();
        return job;
}

START_TEST(refused_again_and_again_it_fails)
{
        Job *job = waiting_for_session(alice);

        for (unsigned i = 0; i < 3; i++) {
                ck_assert_int_eq(job->state, JOB_QUEUED);
                lane_fail(lane(), ERROR_CREDENTIALS_REFUSED);
                bench_run();
        }
        disk_settle();
        ck_assert_int_eq(job->state, JOB_FAILED);
        ck_assert_int_eq(job->failure->code, ERROR_CREDENTIALS_REFUSED);
        ck_assert_ptr_nonnull(job->failure->cause);
        ck_assert_ptr_null(lane());
        ck_assert(!disk_file(job->id)->secrets);
}
END_TEST

START_TEST(policy_that_forbids_it_fails_it_at_once)
{
        Job *job = waiting_for_session(alice);

        lane_fail(lane(), ERROR_PERMISSION_DENIED_BY_POLICY);
        disk_settle();
        ck_assert_int_eq(job->state, JOB_FAILED);
}
END_TEST

START_TEST(network_that_is_away_fails_nothing)
{
        Job *job = waiting_for_session(alice);

        slot->way.lane->state = SESSION_BACKOFF;
        for (unsigned i = 0; i < 100; i++) {
                lane_fail(lane(), ERROR_CONNECT_FAILED);
                bench_run();
        }
        ck_assert_int_eq(job->state, JOB_QUEUED);
        lane_make_ready(lane());
        bench_run();
        ck_assert_ptr_eq(lane()->job, job);
}
END_TEST

START_TEST(session_that_fails_while_the_claims_is_well_is_the_jobs_trouble)
{
        Job *job = waiting_for_session(alice);

        for (unsigned i = 0; i < 8; i++) {
                ck_assert_int_eq(job->state, JOB_QUEUED);
                lane_fail(lane(), ERROR_CONNECTION_LOST);
                bench_run();
        }
        disk_settle();
        ck_assert_int_eq(job->state, JOB_FAILED);
        ck_assert(job->failure->retriable);
}
END_TEST

START_TEST(others_get_a_turn_meanwhile)
{
        Job *hers = waiting_for_session(alice), *his = queued(bob, NULL);

        for (unsigned i = 0; i < 3; i++) {
                ck_assert_ptr_eq(slot->rotation.job, hers);
                lane_fail(lane(), ERROR_CONNECT_FAILED);
                bench_run();
        }
        disk_settle();
        ck_assert_ptr_eq(slot->rotation.job, his);
        ck_assert(queue_holds(slot->rotation.queue, hers));
}
END_TEST

/* Its thing is registered, which may have ended the old certificate: the new one is yet to be
 * tried.
 */
START_TEST(registered_one_needs_no_session)
{
        Job *job = waiting_for_session(alice);

        ck_assert_int_eq(free_and_strdup(&job->result.thing_name, "thing"), 0);
        lane_fail(lane(), ERROR_CREDENTIALS_REFUSED);
        bench_run();
        ck_assert_ptr_eq(lane()->job, job);
        /* The service is not heard: it waits for the session's next try, and not in a circle. */
        lane_put_back(lane(), 0);
        bench_run();
        ck_assert_ptr_null(lane()->job);
        lane_fail(lane(), ERROR_CREDENTIALS_REFUSED);
        bench_run();
        ck_assert_ptr_eq(lane()->job, job);
}
END_TEST

/* --- refused */

START_TEST(what_is_no_pair_is_refused)
{
        JobSpec *spec = bench_rotation_spec(NULL);
        FrontCall call = {};

        secret_free(spec->private_key);
        spec->private_key = secret_new("no key", 6);
        manager_submit(m, alice, spec, &call);
        ck_assert_int_eq(call.code, ERROR_BAD_PARAMETER);
        ck_assert_uint_eq(disk_pending(), 0);
}
END_TEST

START_TEST(another_certificate_under_the_same_key_is_a_conflict)
{
        JobSpec *spec = bench_rotation_spec("k");
        FrontCall call = {};

        (void) queued(alice, "k");
        ck_assert_int_eq(free_and_strdup(&spec->certificate, "another"), 0);
        manager_submit(m, alice, spec, &call);
        ck_assert_int_eq(call.code, ERROR_ID_CONFLICT);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("manager: rotation");
        TCase *tc = tcase_create("rotation");
        SRunner *runner = srunner_create(suite);
        int failed;

        tcase_add_checked_fixture(tc, bench_setup, bench_teardown);
        tcase_set_timeout(tc, 60);
        tcase_add_test(tc, key_is_sealed_with_the_request_and_is_nowhere_else);
        tcase_add_test(tc, key_goes_once_the_end_is_on_record);
        tcase_add_test(tc, nothing_is_kept_of_a_rotation_that_made_nothing);
        tcase_add_test(tc, what_was_made_is_kept_for_a_second_submission);
        tcase_add_test(tc, acknowledge_before_the_key_is_gone_is_not_undone);
        tcase_add_test(tc, cancelled_while_it_waits_its_key_goes);
        tcase_add_test(tc, one_after_the_other_beside_the_claims_jobs);
        tcase_add_test(tc, session_is_of_its_own_and_for_the_rotation_template);
        tcase_add_test(tc, connection_that_broke_is_opened_again_for_the_same_job);
        tcase_add_test(tc, who_waits_between_two_tries_lets_others_go);
        tcase_add_test(tc, reload_retries_the_session_of_one_at_work);
        tcase_add_test(tc, another_profile_waits_for_one_at_work_alone);
        tcase_add_test(tc, refused_again_and_again_it_fails);
        tcase_add_test(tc, policy_that_forbids_it_fails_it_at_once);
        tcase_add_test(tc, network_that_is_away_fails_nothing);
        tcase_add_test(tc, session_that_fails_while_the_claims_is_well_is_the_jobs_trouble);
        tcase_add_test(tc, others_get_a_turn_meanwhile);
        tcase_add_test(tc, registered_one_needs_no_session);
        tcase_add_test(tc, what_is_no_pair_is_refused);
        tcase_add_test(tc, another_certificate_under_the_same_key_is_a_conflict);
        suite_add_tcase(suite, tc);
        srunner_run_all(runner, CK_ENV);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
