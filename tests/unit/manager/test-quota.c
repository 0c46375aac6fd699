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

/* --- one who sends thousands */

#define THOUSANDS 300U

static FrontCall calls[THOUSANDS];

START_TEST(request_of_another_waits_for_one_round_of_the_disk)
{
        FrontCall his;

        for (unsigned i = 0; i < THOUSANDS; i++)
                bench_submit(alice, NULL, calls + i);
        bench_submit(bob, NULL, &his);
        ck_assert_uint_eq(disk_pending(), WORKER_LOT_MAX + 1);
        while (his.answer == ANSWER_NONE)
                disk_answer(0);
        ck_assert_int_eq(his.answer, ANSWER_JOB);
        ck_assert_int_eq(calls[WORKER_LOT_MAX - 1].answer, ANSWER_JOB);
        ck_assert_int_eq(calls[WORKER_LOT_MAX].answer, ANSWER_NONE);
        disk_settle();
        /* All of hers are served in the end, in their order. */
        for (unsigned i = 0; i < THOUSANDS; i++) {
                ck_assert_int_eq(calls[i].answer, ANSWER_JOB);
                if (i > 0)
                        ck_assert_uint_lt(bench_job(calls + i - 1)->serial,
                                          bench_job(calls + i)->serial);
        }
        ck_assert_ptr_null(m->admissions_first);
}
END_TEST

START_TEST(those_that_wait_are_refused_when_their_turn_comes)
{
        m->config->max_jobs_per_user = WORKER_LOT_MAX + 1;
        for (unsigned i = 0; i < THOUSANDS; i++)
                bench_submit(alice, i % 2 ? NULL : "k", calls + i);
        /* Those with the key are one job, and take no room. */
        disk_settle();
        for (unsigned i = 0; i < THOUSANDS; i++)
                if (i % 2 == 0 || i < 2 * WORKER_LOT_MAX)
                        ck_assert_int_eq(calls[i].answer, ANSWER_JOB);
                else
                        ck_assert_int_eq(calls[i].code, ERROR_QUEUE_FULL);
        ck_assert_ptr_null(m->admissions_first);
}
END_TEST

START_TEST(disk_that_takes_nothing_answers_all_of_them)
{
        for (unsigned i = 0; i < THOUSANDS; i++)
                bench_submit(alice, NULL, calls + i);
        while (disk_pending() > 0)
                disk_answer(-ENOSPC);
        for (unsigned i = 0; i < THOUSANDS; i++)
                ck_assert_int_eq(calls[i].code, ERROR_STORAGE);
        ck_assert_ptr_null(m->admissions_first);
        (void) bench_queued(alice, NULL);
}
END_TEST

START_TEST(end_of_the_daemon_answers_those_that_wait)
{
        for (unsigned i = 0; i < THOUSANDS; i++)
                bench_submit(alice, NULL, calls + i);
        manager_free(TAKE_PTR(m));
        for (unsigned i = 0; i < THOUSANDS; i++)
                ck_assert_int_eq(calls[i].answer, i < WORKER_LOT_MAX ? ANSWER_JOB : ANSWER_DROPPED);
}
END_TEST

START_TEST(jobs_that_are_asked_for_again_count_too)
{
        static const char *const keys[] = {"a", "b"};
        FrontCall again[ELEMENTSOF(keys)], his;
        Job *jobs[ELEMENTSOF(keys)];

        for (size_t i = 0; i < ELEMENTSOF(keys); i++)
                jobs[i] = bench_cancelled(alice, keys[i]);
        for (unsigned i = 0; i < WORKER_LOT_MAX - 1; i++)
                bench_submit(alice, NULL, calls + i);
        for (size_t i = 0; i < ELEMENTSOF(keys); i++)
                bench_submit(alice, keys[i], again + i);
        bench_submit(bob, NULL, &his);
        ck_assert_uint_eq(disk_pending(), WORKER_LOT_MAX + 1);
        disk_settle();
        for (size_t i = 0; i < ELEMENTSOF(keys); i++)
                ck_assert_ptr_eq(bench_job(again + i), jobs[i]);
        ck_assert_ptr_null(m->admissions_first);
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
        tcase_add_test(tc, request_of_another_waits_for_one_round_of_the_disk);
        tcase_add_test(tc, those_that_wait_are_refused_when_their_turn_comes);
        tcase_add_test(tc, disk_that_takes_nothing_answers_all_of_them);
        tcase_add_test(tc, end_of_the_daemon_answers_those_that_wait);
        tcase_add_test(tc, jobs_that_are_asked_for_again_count_too);
        suite_add_tcase(suite, tc);
        srunner_run_all(runner, CK_ENV);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
