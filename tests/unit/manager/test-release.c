/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Release, and what meets it while the disk still has to erase the job. */

#include <errno.h>

#include "tests/unit/manager/bench.h"

START_TEST(key_asked_for_while_a_failed_job_goes_makes_another_job)
{
        Job *job = bench_cancelled(alice, "k");
        FrontCall release = {}, submit;
        char old[IPC_JOB_ID_LENGTH + 1];

        memcpy(old, job->id, sizeof(old));
        manager_release(m, job, &release);
        bench_submit(alice, "k", &submit);
        disk_settle();
        ck_assert_int_eq(release.answer, ANSWER_DONE);
        ck_assert_int_eq(submit.answer, ANSWER_JOB);
        ck_assert_str_ne(submit.id, old);
        ck_assert_ptr_nonnull(bench_job(&submit));
        ck_assert_ptr_null(disk_file(old));
        ck_assert(submit.job_was_durable);
}
END_TEST

START_TEST(key_asked_for_while_a_succeeded_job_goes_makes_another_job)
{
        Job *job = bench_succeeded(alice, "k");
        FrontCall release = {}, submit, again;
        char old[IPC_JOB_ID_LENGTH + 1];

        memcpy(old, job->id, sizeof(old));
        manager_release(m, job, &release);
        bench_submit(alice, "k", &submit);
        bench_submit(alice, "k", &again);
        ck_assert_int_eq(submit.answer, ANSWER_NONE);
        disk_settle();
        ck_assert_str_ne(submit.id, old);
        ck_assert_ptr_nonnull(bench_job(&submit));
        ck_assert_str_eq(submit.id, again.id);
}
END_TEST

START_TEST(key_asked_for_while_a_job_cannot_go_finds_it_again)
{
        Job *job = bench_succeeded(alice, "k");
        FrontCall release = {}, submit;

        manager_release(m, job, &release);
        bench_submit(alice, "k", &submit);
        disk_answer(-EIO);
        bench_run();
        ck_assert_int_eq(release.answer, ANSWER_FAILED);
        ck_assert_int_eq(release.code, ERROR_STORAGE);
        ck_assert_ptr_eq(bench_job(&submit), job);
        ck_assert(!job->hidden);
}
END_TEST

START_TEST(retention_ends_while_a_job_is_released)
{
        static const char *const keys[] = {NULL, "k"};
        Job *job = bench_succeeded(alice, keys[_i]);
        FrontCall release = {};

        manager_release(m, job, &release);
        m->config->retain_usec = 0;
        delivery_arm_retention(m);
        for (unsigned i = 0; i < 3; i++)
                (void) sd_event_run(m->event, USEC_PER_SEC);
        disk_settle();
        ck_assert_int_eq(release.answer, ANSWER_DONE);
}
END_TEST

START_TEST(stop_while_a_job_is_released)
{
        Job *job = bench_succeeded(alice, "k");
        FrontCall release = {}, submit;

        manager_release(m, job, &release);
        bench_submit(alice, "k", &submit);
        manager_free(TAKE_PTR(m));
        ck_assert_int_eq(release.answer, ANSWER_DONE);
        ck_assert_int_ne(submit.answer, ANSWER_NONE);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("manager: release");
        TCase *tc = tcase_create("release");
        SRunner *runner = srunner_create(suite);
        int failed;

        tcase_add_checked_fixture(tc, bench_setup, bench_teardown);
        tcase_add_test(tc, key_asked_for_while_a_failed_job_goes_makes_another_job);
        tcase_add_test(tc, key_asked_for_while_a_succeeded_job_goes_makes_another_job);
        tcase_add_test(tc, key_asked_for_while_a_job_cannot_go_finds_it_again);
        tcase_add_loop_test(tc, retention_ends_while_a_job_is_released, 0, 2);
        tcase_add_test(tc, stop_while_a_job_is_released);
        suite_add_tcase(suite, tc);
        srunner_run_all(runner, CK_ENV);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
