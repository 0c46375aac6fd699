/* SPDX-License-Identifier: GPL-2.0-or-later */

/* A job that ended badly is asked for again under its key, and what meets that. */

#include <errno.h>

#include "tests/unit/manager/bench.h"

START_TEST(job_that_is_asked_for_again_is_not_cancelled_any_more)
{
        Job *job = bench_cancelled(alice, "k");
        FrontCall again;

        job->cancel_requested = true; /* as its last line said, read at a start */
        bench_submit(alice, "k", &again);
        disk_settle();
        ck_assert_ptr_eq(bench_job(&again), job);
        ck_assert(!disk_file(job->id)->cancel);
        ck_assert(!job->cancel_requested);
        ck_assert_ptr_eq(slot->way.lane->job, job);
}
END_TEST

START_TEST(two_ask_again_at_once_and_it_runs_once)
{
        Job *job = bench_cancelled(alice, "k");
        FrontCall first, second;

        bench_submit(alice, "k", &first);
        bench_submit(alice, "k", &second);
        ck_assert_uint_eq(disk_pending(), 1);
        ck_assert_int_eq(first.answer, ANSWER_NONE);
        disk_settle();
        ck_assert_ptr_eq(bench_job(&first), job);
        ck_assert_ptr_eq(bench_job(&second), job);
        ck_assert_ptr_eq(slot->way.lane->job, job);
        ck_assert_uint_eq(job_table_size(m->jobs), 1);
}
END_TEST

START_TEST(retention_ends_while_it_is_asked_for_again)
{
        Job *job = bench_cancelled(alice, "k");
        FrontCall again;

        job->secrets_stored = true;
        bench_submit(alice, "k", &again);
        m->config->retain_usec = 0;
        delivery_arm_retention(m);
        for (unsigned i = 0; i < 3; i++)
                (void) sd_event_run(m->event, USEC_PER_SEC);
        disk_answer(0);
        bench_run();
        while (disk_pending() > 0 && disk_next() != ASK_READ)
                disk_answer(0);
        ck_assert_int_eq(disk_file(job->id)->state, JOB_QUEUED);
        ck_assert(!job_state_is_final(job->state));
}
END_TEST

START_TEST(it_cannot_be_written_and_stays_as_it_was)
{
        Job *job = bench_cancelled(alice, "k");
        FrontCall again, cancel = {}, release = {};

        bench_submit(alice, "k", &again);
        manager_cancel(m, job, &cancel);
        manager_release(m, job, &release);
        ck_assert_int_eq(release.code, ERROR_NOT_FINISHED);
        disk_answer(-ENOSPC);
        ck_assert_int_eq(again.answer, ANSWER_FAILED);
        ck_assert_int_eq(again.code, ERROR_STORAGE);
        ck_assert_int_eq(cancel.answer, ANSWER_DONE);
        ck_assert_int_eq(job->state, JOB_CANCELLED);
        ck_assert(job->errand->retained);
        ck_assert(!queue_holds(slot->queue, job));
}
END_TEST

START_TEST(cancel_that_follows_at_once_is_heard)
{
        Job *job = bench_cancelled(alice, "k");
        FrontCall again, cancel = {};

        bench_submit(alice, "k", &again);
        manager_cancel(m, job, &cancel);
        ck_assert_int_eq(cancel.answer, ANSWER_NONE);
        disk_settle();
        ck_assert_int_eq(again.answer, ANSWER_JOB);
        ck_assert_int_eq(cancel.answer, ANSWER_DONE);
        ck_assert_int_eq(job->state, JOB_CANCELLED);
        ck_assert_ptr_null(slot->way.lane->job);
}
END_TEST

START_TEST(other_request_under_its_key_is_a_conflict)
{
        JobSpec *spec = bench_spec("k");
        Job *job = bench_cancelled(alice, "k");
        FrontCall call = {};

        spec->operation = OPERATION_CREATE_KEYS_AND_CERTIFICATE;
        manager_submit(m, alice, spec, &call);
        ck_assert_int_eq(call.code, ERROR_ID_CONFLICT);
        ck_assert_int_eq(job->state, JOB_CANCELLED);
        ck_assert_uint_eq(disk_pending(), 0);
}
END_TEST

START_TEST(key_of_another_user_is_another_job)
{
        Job *hers = bench_queued(alice, "k"), *his = bench_queued(bob, "k");

        ck_assert_ptr_ne(hers, his);
        ck_assert_uint_eq(job_table_size(m->jobs), 2);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("manager: again");
        TCase *tc = tcase_create("again");
        SRunner *runner = srunner_create(suite);
        int failed;

        tcase_add_checked_fixture(tc, bench_setup, bench_teardown);
        tcase_add_test(tc, job_that_is_asked_for_again_is_not_cancelled_any_more);
        tcase_add_test(tc, two_ask_again_at_once_and_it_runs_once);
        tcase_add_test(tc, retention_ends_while_it_is_asked_for_again);
        tcase_add_test(tc, it_cannot_be_written_and_stays_as_it_was);
        tcase_add_test(tc, cancel_that_follows_at_once_is_heard);
        tcase_add_test(tc, other_request_under_its_key_is_a_conflict);
        tcase_add_test(tc, key_of_another_user_is_another_job);
        suite_add_tcase(suite, tc);
        srunner_run_all(runner, CK_ENV);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
