/* SPDX-License-Identifier: GPL-2.0-or-later */

/* A job whose certificate was not let in: its identity is kept, and the same key goes on with it.
 */

#include <errno.h>

#include "tests/unit/manager/bench.h"

/* A job at work, with what it brought so far as the lane has it. */
static Job *at_work(const char *key) {
        Job *job = bench_queued(alice, key);

        bench_run();
        ck_assert_ptr_eq(slot->way.lane->job, job);
        return job;
}

static void keep(Job *job, const JobSecrets *secrets) {
        slot->way.lane->stored = 1;
        slot->way.lane->options.ops->store(m, job, secrets, "made");
        ck_assert_int_eq(slot->way.lane->stored, 1); /* not before it is durable */
        disk_settle();
        ck_assert_int_eq(slot->way.lane->stored, 0);
}

/* Certificate and key are stored, then the thing, without the key; then it is not let in. */
static Job *bench_unverified(const char *key) {
        JobSecrets secrets = {.private_key = secret_new("the key", 7)};
        Job *job = at_work(key);

        job->result.certificate_id = strdup("certificate-1");
        keep(job, &secrets);
        job->result.thing_name = strdup("thing-1");
        keep(job, NULL);
        lane_finish(slot->way.lane, JOB_FAILED, ERROR_VERIFY_FAILED, &secrets);
        job_secrets_done(&secrets);
        disk_settle();
        ck_assert_int_eq(job->state, JOB_FAILED);
        return job;
}

START_TEST(key_stays_on_disk_when_the_thing_is_kept)
{
        const Job *job = bench_unverified("k");

        ck_assert(job->secrets_stored);
        ck_assert(disk_file(job->id)->secrets);
        ck_assert(disk_file(job->id)->secrets_marked);
}
END_TEST

START_TEST(its_result_can_be_fetched)
{
        Job *job = bench_unverified("k");
        FrontCall call = {};

        manager_get_result(m, job, &call);
        disk_settle();
        ck_assert_int_eq(call.answer, ANSWER_RESULT);
        ck_assert_uint_eq(job->n_left_certificates, 0); /* it is no leftover */
        ck_assert_int_eq(failure_code(job->failure), ERROR_VERIFY_FAILED);
}
END_TEST

START_TEST(any_other_failure_has_no_result)
{
        Job *job = at_work("k");
        FrontCall call = {};

        lane_finish(slot->way.lane, JOB_FAILED, ERROR_SERVER_REFUSED, NULL);
        disk_settle();
        manager_get_result(m, job, &call);
        ck_assert_int_eq(call.answer, ANSWER_FAILED);
        ck_assert_int_eq(call.code, ERROR_SERVER_REFUSED);
}
END_TEST

START_TEST(same_key_goes_on_with_the_same_identity)
{
        Job *job = bench_unverified("k");
        FrontCall again;

        bench_submit(alice, "k", &again);
        disk_settle();
        ck_assert_ptr_eq(bench_job(&again), job);
        ck_assert_ptr_eq(slot->way.lane->job, job);
        ck_assert_str_eq(job->result.thing_name, "thing-1");
        ck_assert_str_eq(secret_text(slot->way.lane->got.private_key), "the key");
}
END_TEST

/* Who says that he has it, has it, and is not given another behind his back. */
START_TEST(acknowledged_it_is_not_tried_again)
{
        Job *job = bench_unverified("k");
        FrontCall call = {}, again;

        manager_acknowledge(m, job, &call);
        disk_settle();
        ck_assert_int_eq(call.answer, ANSWER_DONE);
        ck_assert(!disk_file(job->id)->secrets);
        ck_assert(disk_file(job->id)->acknowledged);
        ck_assert_int_eq(failure_code(job->failure), ERROR_VERIFY_FAILED); /* it still has failed */
        ck_assert_int_eq(job->state, JOB_FAILED);

        bench_submit(alice, "k", &again);
        disk_settle();
        ck_assert_int_eq(again.answer, ANSWER_FAILED);
        ck_assert_int_eq(again.code, ERROR_RESULT_GONE);
        ck_assert_ptr_null(slot->way.lane->job);

        call = (FrontCall){};
        manager_release(m, job, &call);
        disk_settle();
        bench_submit(alice, "k", &again);
        disk_settle();
        ck_assert_int_eq(again.answer, ANSWER_JOB);
        ck_assert_ptr_nonnull(slot->way.lane->job);
}
END_TEST

/* It is tried with its key, which is there until then. */
START_TEST(acknowledge_is_refused_while_it_is_asked_for_again)
{
        Job *job = bench_unverified("k");
        FrontCall call = {}, again;

        bench_submit(alice, "k", &again);
        manager_acknowledge(m, job, &call);
        ck_assert_int_eq(call.answer, ANSWER_FAILED);
        ck_assert_int_eq(call.code, ERROR_NOT_FINISHED);
        disk_settle();
        ck_assert_int_eq(again.answer, ANSWER_JOB);
        ck_assert_ptr_eq(slot->way.lane->job, job);
        ck_assert(!job_state_is_final(job->state));
        ck_assert_str_eq(secret_text(slot->way.lane->got.private_key), "the key");
}
END_TEST

START_TEST(asked_for_again_while_it_is_acknowledged_it_is_not_tried)
{
        Job *job = bench_unverified("k");
        FrontCall call = {}, again;

        manager_acknowledge(m, job, &call);
        bench_submit(alice, "k", &again);
        ck_assert_int_eq(again.answer, ANSWER_NONE);
        disk_settle();
        ck_assert_int_eq(call.answer, ANSWER_DONE);
        ck_assert_int_eq(again.answer, ANSWER_FAILED);
        ck_assert_int_eq(again.code, ERROR_RESULT_GONE);
        ck_assert_ptr_null(slot->way.lane->job);
}
END_TEST

/* Then nothing was taken. */
START_TEST(asked_for_again_while_it_cannot_be_acknowledged_it_is_tried)
{
        Job *job = bench_unverified("k");
        FrontCall call = {}, again;

        manager_acknowledge(m, job, &call);
        bench_submit(alice, "k", &again);
        disk_answer(-EIO);
        ck_assert_int_eq(call.answer, ANSWER_FAILED);
        disk_settle();
        ck_assert_int_eq(again.answer, ANSWER_JOB);
        ck_assert_ptr_eq(slot->way.lane->job, job);
        ck_assert_str_eq(secret_text(slot->way.lane->got.private_key), "the key");
}
END_TEST

/* Nobody said so: what RetainSec= erased is made anew. */
START_TEST(forgotten_it_begins_anew)
{
        Job *job = bench_unverified("k");
        FrontCall again;

        m->config->retain_usec = 0;
        delivery_arm_retention(m);
        bench_run_until_disk();
        disk_settle();
        ck_assert(!job->secrets_stored);
        m->config->retain_usec = USEC_PER_DAY;
        bench_submit(alice, "k", &again);
        disk_settle();
        ck_assert_ptr_eq(bench_job(&again), job);
        ck_assert_ptr_eq(slot->way.lane->job, job);
        ck_assert_ptr_null(slot->way.lane->got.private_key);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("manager: verify");
        TCase *tc = tcase_create("verify");
        SRunner *runner = srunner_create(suite);
        int failed;

        tcase_add_checked_fixture(tc, bench_setup, bench_teardown);
        tcase_add_test(tc, key_stays_on_disk_when_the_thing_is_kept);
        tcase_add_test(tc, its_result_can_be_fetched);
        tcase_add_test(tc, any_other_failure_has_no_result);
        tcase_add_test(tc, same_key_goes_on_with_the_same_identity);
        tcase_add_test(tc, acknowledged_it_is_not_tried_again);
        tcase_add_test(tc, acknowledge_is_refused_while_it_is_asked_for_again);
        tcase_add_test(tc, asked_for_again_while_it_is_acknowledged_it_is_not_tried);
        tcase_add_test(tc, asked_for_again_while_it_cannot_be_acknowledged_it_is_tried);
        tcase_add_test(tc, forgotten_it_begins_anew);
        suite_add_tcase(suite, tc);
        srunner_run_all(runner, CK_ENV);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
