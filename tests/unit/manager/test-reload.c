/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Another configuration, while jobs come, run and are written. */

#include <errno.h>

#include "tests/unit/manager/bench.h"

static void setup(void) {
        bench_setup();
        bench_reload(BENCH_PROFILE "AllowUsers=1000 1001\n");
        bench_run();
}

START_TEST(session_of_a_profile_that_did_not_change_goes_on)
{
        unsigned lanes = lanes_made, opened = slot->way.lane->opened, claims = claims_loaded;

        bench_reload("[Daemon]\nMaxJobs=7\n" BENCH_PROFILE
                     "AllowUsers=1000\nResponseTimeoutSec=5\n");
        bench_run();
        ck_assert_uint_eq(lanes_made, lanes);
        ck_assert_uint_eq(slot->way.lane->opened, opened);
        ck_assert_uint_gt(claims_loaded, claims);
        ck_assert_uint_eq(slot->profile->response_timeout_usec, 5 * USEC_PER_SEC);
        ck_assert_ptr_eq(lane_profile(slot->way.lane), slot->profile);
        ck_assert_str_eq(slot->status.name, "p");
        claim_key = "another key";
        bench_reload(BENCH_PROFILE "AllowUsers=1000\n");
        bench_run();
        ck_assert_uint_eq(slot->way.lane->opened, opened + 1);
}
END_TEST

START_TEST(session_of_a_profile_that_changed_is_made_anew)
{
        unsigned lanes = lanes_made;

        bench_reload(BENCH_PROFILE "Port=443\nAllowUsers=1000\n");
        ck_assert_uint_eq(lanes_made, lanes + 1);
        bench_run();
        ck_assert_uint_eq(slot->way.lane->opened, 1);
}
END_TEST

START_TEST(job_at_work_ends_on_the_old_and_requests_meet_the_new)
{
        Job *job = bench_queued(alice, NULL), *his = bench_queued(bob, NULL);
        Lane *lane = slot->way.lane;
        FrontCall call;

        bench_run();
        ck_assert_ptr_eq(lane->job, job);
        bench_reload(BENCH_PROFILE "Port=443\nAllowUsers=1000\n");
        ck_assert_ptr_eq(slot->way.lane, lane);
        bench_submit(bob, NULL, &call);
        ck_assert_int_eq(call.code, ERROR_ACCESS_DENIED);
        lane_finish(lane, JOB_FAILED, ERROR_TIMEOUT, NULL);
        disk_settle();
        ck_assert_int_eq(job->state, JOB_FAILED);
        ck_assert_uint_eq(slot->profile->port, 443);
        ck_assert_int_eq(his->state, JOB_FAILED);
        ck_assert_int_eq(failure_code(his->failure), ERROR_ACCESS_DENIED);
}
END_TEST

START_TEST(profile_goes_while_a_request_is_written)
{
        static const int errors[] = {0, -ENOSPC};
        FrontCall call;

        bench_submit(alice, NULL, &call);
        bench_reload("");
        ck_assert_ptr_null(slot);
        disk_answer(errors[_i]);
        disk_settle();
        if (errors[_i] < 0) {
                ck_assert_int_eq(call.code, ERROR_STORAGE);
                ck_assert_uint_eq(job_table_size(m->jobs), 0);
                return;
        }
        ck_assert_int_eq(bench_job(&call)->state, JOB_FAILED);
        ck_assert_int_eq(failure_code(bench_job(&call)->failure), ERROR_NOT_INITIALIZED);
}
END_TEST

START_TEST(profile_goes_while_a_job_is_asked_for_again)
{
        Job *job = bench_cancelled(alice, "k");
        FrontCall call;

        bench_submit(alice, "k", &call);
        bench_reload("");
        disk_settle();
        ck_assert_ptr_eq(bench_job(&call), job);
        ck_assert_int_eq(failure_code(job->failure), ERROR_NOT_INITIALIZED);
}
END_TEST

START_TEST(profile_goes_under_a_job_at_work_and_comes_back)
{
        Job *job = bench_queued(alice, "k"), *waiting = bench_queued(alice, NULL);
        FrontCall call;

        bench_run();
        ck_assert_ptr_eq(slot->way.lane->job, job);
        bench_reload("");
        bench_reload(BENCH_PROFILE "AllowUsers=1000\n");
        bench_until(waiting, JOB_FAILED);
        ck_assert_int_eq(job->state, JOB_FAILED);
        ck_assert_int_eq(failure_code(job->failure), ERROR_NOT_INITIALIZED);
        ck_assert_int_eq(failure_code(waiting->failure), ERROR_NOT_INITIALIZED);
        bench_submit(alice, "k", &call);
        disk_settle();
        ck_assert_ptr_eq(slot->way.lane->job, job);
}
END_TEST

START_TEST(thousand_jobs_of_a_profile_that_goes_end_a_few_at_a_time)
{
        Job *jobs[1000];

        for (size_t i = 0; i < ELEMENTSOF(jobs); i++)
                jobs[i] = bench_queued(i % 2 == 0 ? alice : bob, NULL);
        bench_reload("");
        for (size_t i = 0; i < ELEMENTSOF(jobs); i++)
                while (!job_state_is_final(jobs[i]->state)) {
                        bench_run_until_disk();
                        ck_assert_uint_le(disk_pending(), MANAGER_CHORES_MAX);
                        disk_answer(0);
                }
        for (size_t i = 0; i < ELEMENTSOF(jobs); i++)
                ck_assert_int_eq(failure_code(jobs[i]->failure), ERROR_NOT_INITIALIZED);
}
END_TEST

START_TEST(thousand_jobs_are_forgotten_a_few_at_a_time)
{
        for (size_t i = 0; i < 1000; i++)
                (void) bench_cancelled(i % 2 == 0 ? alice : bob, NULL);
        bench_reload("[Daemon]\nRetainSec=1\n" BENCH_PROFILE);
        while (job_table_size(m->jobs) > 0) {
                bench_run_until_disk();
                ck_assert_uint_le(disk_pending(), MANAGER_CHORES_MAX);
                disk_answer(0);
        }
}
END_TEST

START_TEST(shorter_retention_counts_at_once)
{
        Job *job = bench_succeeded(alice, NULL);
        char id[IPC_JOB_ID_LENGTH + 1];

        memcpy(id, job->id, sizeof(id));
        bench_reload("[Daemon]\nRetainSec=1\n" BENCH_PROFILE);
        bench_run_until_disk();
        disk_settle();
        ck_assert_ptr_null(job_table_find(m->jobs, id));
        ck_assert_str_eq(told, "removed");
}
END_TEST

START_TEST(refused_configuration_changes_nothing)
{
        unsigned lanes = lanes_made;
        char *why = NULL;

        bench_configure(BENCH_PROFILE "Nonsense=1\n");
        ck_assert_int_lt(reload_now(m, &why), 0);
        free(why);
        ck_assert_ptr_eq(slot_find(m, "p"), slot);
        ck_assert_uint_eq(lanes_made, lanes);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("manager: reload");
        TCase *tc = tcase_create("reload");
        SRunner *runner = srunner_create(suite);
        int failed;

        tcase_add_checked_fixture(tc, setup, bench_teardown);
        tcase_set_timeout(tc, 60);
        tcase_add_test(tc, session_of_a_profile_that_did_not_change_goes_on);
        tcase_add_test(tc, session_of_a_profile_that_changed_is_made_anew);
        tcase_add_test(tc, job_at_work_ends_on_the_old_and_requests_meet_the_new);
        tcase_add_loop_test(tc, profile_goes_while_a_request_is_written, 0, 2);
        tcase_add_test(tc, profile_goes_while_a_job_is_asked_for_again);
        tcase_add_test(tc, profile_goes_under_a_job_at_work_and_comes_back);
        tcase_add_test(tc, thousand_jobs_of_a_profile_that_goes_end_a_few_at_a_time);
        tcase_add_test(tc, thousand_jobs_are_forgotten_a_few_at_a_time);
        tcase_add_test(tc, shorter_retention_counts_at_once);
        tcase_add_test(tc, refused_configuration_changes_nothing);
        suite_add_tcase(suite, tc);
        srunner_run_all(runner, CK_ENV);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
