/* SPDX-License-Identifier: GPL-2.0-or-later */

/* MaxJobs= and MaxJobsPerUser=: what counts, and what makes room again. */

#include <errno.h>

#include "tests/unit/manager/bench.h"

START_TEST(user_at_the_limit_is_refused_and_others_are_not)
{
        FrontCall call;

        m->config->max_jobs_per_user = 2;
        (void) bench_queued(alice, NULL);
        (void) bench_cancelled(alice, NULL); /* those that are kept count as well */
        bench_submit(alice, NULL, &call);
        ck_assert_int_eq(call.answer, ANSWER_FAILED);
        ck_assert_int_eq(call.code, ERROR_QUEUE_FULL);
        (void) bench_queued(bob, NULL);
}
END_TEST

START_TEST(requests_that_are_being_written_count)
{
        FrontCall first, second;

        m->config->max_jobs_per_user = 1;
        bench_submit(alice, NULL, &first);
        bench_submit(alice, NULL, &second);
        ck_assert_int_eq(second.code, ERROR_QUEUE_FULL);
        disk_answer(-ENOSPC);
        ck_assert_int_eq(first.code, ERROR_STORAGE);
        (void) bench_queued(alice, NULL);
}
END_TEST

START_TEST(released_job_makes_room)
{
        Job *job;
        FrontCall release = {};

        m->config->max_jobs_per_user = 1;
        job = bench_succeeded(alice, "k");
        manager_release(m, job, &release);
        disk_settle();
        (void) bench_queued(alice, "k");
}
END_TEST

START_TEST(job_that_is_over_leaves_the_queue)
{
        FrontCall call;

        m->config->max_jobs = 2;
        (void) bench_succeeded(alice, NULL);
        (void) bench_cancelled(alice, NULL);
        (void) bench_queued(alice, NULL);
        (void) bench_queued(bob, NULL);
        bench_submit(bob, NULL, &call);
        ck_assert_int_eq(call.code, ERROR_QUEUE_FULL);
}
END_TEST

START_TEST(known_key_needs_no_room)
{
        Job *job = bench_cancelled(alice, "k");
        FrontCall call;

        m->config->max_jobs_per_user = 1;
        bench_submit(alice, "k", &call);
        disk_settle();
        ck_assert_ptr_eq(bench_job(&call), job);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("manager: quota");
        TCase *tc = tcase_create("quota");
        SRunner *runner = srunner_create(suite);
        int failed;

        tcase_add_checked_fixture(tc, bench_setup, bench_teardown);
        tcase_add_test(tc, user_at_the_limit_is_refused_and_others_are_not);
        tcase_add_test(tc, requests_that_are_being_written_count);
        tcase_add_test(tc, released_job_makes_room);
        tcase_add_test(tc, job_that_is_over_leaves_the_queue);
        tcase_add_test(tc, known_key_needs_no_room);
        suite_add_tcase(suite, tc);
        srunner_run_all(runner, CK_ENV);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
