/* SPDX-License-Identifier: GPL-2.0-or-later */

/* A job's way from its turn to its end: whose turn it is, what is durable when, what races. */

#include <errno.h>

#include "tests/unit/manager/bench.h"

static void put_back(usec_t delay_usec, bool disk_is_ill) {
        Lane *lane = slot->way.lane;
        Job *job = lane->job;

        lane->job = NULL;
        lane->options.ops->put_back(m, job, delay_usec, false,
                                    failure_new(ERROR_SERVER_REFUSED, "so it is"), "later");
        /* So it is on record, for a next daemon; nobody waits for that. */
        ck_assert_int_eq(disk_next(), ASK_NOTE);
        disk_answer(disk_is_ill ? -EIO : 0);
        ck_assert_int_eq(disk_file(job->id)->state, disk_is_ill ? JOB_QUEUED : job->state);
}

static void wait_until_queued(Job *job) {
        while (!queue_holds(slot->queue, job))
                ck_assert_int_ge(sd_event_run(m->event, USEC_INFINITY), 0);
}

START_TEST(job_that_is_tried_again_does_not_hold_up_other_owners)
{
        Job *hers = bench_queued(alice, NULL), *his;

        bench_run();
        ck_assert_ptr_eq(slot->way.lane->job, hers);
        put_back(USEC_PER_MSEC, _i == 1);
        his = bench_queued(bob, NULL);
        ck_assert_int_ge(sd_event_source_set_enabled(m->dispatch, SD_EVENT_OFF), 0);
        wait_until_queued(hers);
        bench_run();
        ck_assert_ptr_eq(slot->way.lane->job, his);
        lane_finish(slot->way.lane, JOB_FAILED, ERROR_TIMEOUT, NULL);
        disk_settle();
        ck_assert_ptr_eq(slot->way.lane->job, hers);
}
END_TEST

START_TEST(job_whose_connection_broke_is_the_next)
{
        Job *hers = bench_queued(alice, NULL), *his = bench_queued(bob, NULL);

        bench_run();
        put_back(0, _i == 1);
        bench_run();
        ck_assert_ptr_eq(slot->way.lane->job, hers);
        ck_assert(queue_holds(slot->queue, his));
}
END_TEST

START_TEST(end_is_told_when_it_is_durable_and_not_before)
{
        Job *job = bench_queued(alice, NULL);
        size_t before;

        bench_run();
        before = n_told;
        lane_finish(slot->way.lane, JOB_FAILED, ERROR_TIMEOUT, NULL);
        bench_run();
        ck_assert_uint_eq(n_told, before);
        ck_assert(!job_state_is_final(job->state));
        disk_settle();
        ck_assert_int_eq(job->state, JOB_FAILED);
        ck_assert_uint_eq(n_told, before + 1);
}
END_TEST

START_TEST(end_that_the_disk_does_not_take_is_kept_until_the_daemon_ends)
{
        Job *job = bench_queued(alice, NULL);
        JobSecrets secrets = {.private_key = secret_new("the key", 7)};
        FrontCall cancel = {};

        job->spec->operation = OPERATION_CREATE_KEYS_AND_CERTIFICATE;
        bench_run();
        lane_finish(slot->way.lane, JOB_SUCCEEDED, ERROR_NONE, &secrets);
        job_secrets_done(&secrets);
        manager_cancel(m, job, &cancel);
        disk_answer(-ENOSPC);
        bench_run();
        ck_assert(!job_state_is_final(job->state));
        ck_assert_int_eq(cancel.answer, ANSWER_NONE);
        manager_free(TAKE_PTR(m)); /* and forgets no memory */
        ck_assert_int_eq(cancel.answer, ANSWER_DROPPED);
}
END_TEST

START_TEST(key_that_is_being_stored_is_not_forgotten_by_an_end_behind_it)
{
        Job *job = bench_queued(alice, "k");
        JobSecrets secrets = {.private_key = secret_new("the key", 7)};

        bench_run();
        slot->way.lane->options.ops->store(m, job, &secrets, "made");
        job_secrets_done(&secrets);
        lane_expire(slot->way.lane);
        ck_assert_uint_eq(disk_pending(), 2);
        disk_settle();
        ck_assert_int_eq(job->state, JOB_EXPIRED);
        ck_assert(job->secrets_stored);
        ck_assert(disk_file(job->id)->secrets);
        ck_assert(disk_file(job->id)->secrets_marked);
}
END_TEST

START_TEST(job_that_is_cancelled_while_its_secrets_are_read_does_not_begin)
{
        Job *job = bench_cancelled(alice, "k");
        FrontCall again, cancel = {};

        job->secrets_stored = true;
        bench_submit(alice, "k", &again);
        disk_answer(0);
        bench_run();
        ck_assert_int_eq(disk_next(), ASK_READ);
        manager_cancel(m, job, &cancel);
        disk_settle();
        ck_assert_int_eq(job->state, JOB_CANCELLED);
        ck_assert_int_eq(cancel.answer, ANSWER_DONE);
        ck_assert_ptr_null(slot->way.lane->job);
        ck_assert_ptr_null(slot->preparing);
}
END_TEST

START_TEST(two_acknowledge_at_once_and_both_are_answered)
{
        Job *job = bench_succeeded(alice, NULL);
        FrontCall first = {}, second = {}, result = {};

        manager_acknowledge(m, job, &first);
        manager_acknowledge(m, job, &second);
        manager_get_result(m, job, &result);
        ck_assert_uint_eq(disk_pending(), 2);
        ck_assert_int_eq(first.answer, ANSWER_NONE);
        disk_settle();
        ck_assert_int_eq(first.answer, ANSWER_DONE);
        ck_assert_int_eq(second.answer, ANSWER_DONE);
        ck_assert_int_eq(result.answer, ANSWER_RESULT);
        ck_assert(!disk_file(job->id)->secrets);
        ck_assert(disk_file(job->id)->acknowledged);
}
END_TEST

START_TEST(acknowledge_that_fails_can_be_tried_again)
{
        Job *job = bench_succeeded(alice, NULL);
        FrontCall first = {}, second = {}, third = {};

        manager_acknowledge(m, job, &first);
        manager_acknowledge(m, job, &second);
        disk_answer(-EIO);
        ck_assert_int_eq(first.code, ERROR_STORAGE);
        ck_assert_int_eq(second.code, ERROR_STORAGE);
        ck_assert(!job->acknowledged);
        manager_acknowledge(m, job, &third);
        disk_settle();
        ck_assert_int_eq(third.answer, ANSWER_DONE);
}
END_TEST

START_TEST(result_that_is_read_while_its_job_goes)
{
        Job *job = bench_succeeded(alice, NULL);
        FrontCall result = {}, release = {};

        manager_release(m, job, &release);
        disk_answer(0);
        ck_assert_int_eq(release.answer, ANSWER_DONE);
        job = bench_succeeded(alice, NULL);
        manager_get_result(m, job, &result);
        release = (FrontCall){};
        manager_release(m, job, &release);
        disk_settle();
        ck_assert_int_eq(result.code, ERROR_NO_SUCH_JOB);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("manager: way");
        TCase *tc = tcase_create("way");
        SRunner *runner = srunner_create(suite);
        int failed;

        tcase_add_checked_fixture(tc, bench_setup, bench_teardown);
        tcase_set_timeout(tc, 60);
        tcase_add_loop_test(tc, job_that_is_tried_again_does_not_hold_up_other_owners, 0, 2);
        tcase_add_loop_test(tc, job_whose_connection_broke_is_the_next, 0, 2);
        tcase_add_test(tc, end_is_told_when_it_is_durable_and_not_before);
        tcase_add_test(tc, end_that_the_disk_does_not_take_is_kept_until_the_daemon_ends);
        tcase_add_test(tc, key_that_is_being_stored_is_not_forgotten_by_an_end_behind_it);
        tcase_add_test(tc, job_that_is_cancelled_while_its_secrets_are_read_does_not_begin);
        tcase_add_test(tc, two_acknowledge_at_once_and_both_are_answered);
        tcase_add_test(tc, acknowledge_that_fails_can_be_tried_again);
        tcase_add_test(tc, result_that_is_read_while_its_job_goes);
        suite_add_tcase(suite, tc);
        srunner_run_all(runner, CK_ENV);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
