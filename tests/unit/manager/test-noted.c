/* SPDX-License-Identifier: GPL-2.0-or-later */

/* That a job asks for a certificate is on record before it does: with its request, where it is the
 * next one, and by a note of its own else. */

#include <errno.h>

#include "tests/unit/manager/bench.h"

/* The service makes the keys: nothing comes before the certificate. */
static void setup(void) {
        bench_setup();
        lanes_note = true;
        slot->profile->key_source = KEY_SOURCE_CLOUD;
}

static void note(Job *job) {
        ck_assert_ptr_eq(slot->way.lane->job, job);
        slot->way.lane->noted = 1;
        slot->way.lane->options.ops->note(m, job);
}

/* Created, but for those that wait behind it. */
static Job *created(FrontCall *call) {
        disk_answer(0);
        return bench_job(call);
}

START_TEST(of_the_next_one_it_stands_with_the_request)
{
        FrontCall call = {};
        Job *job;

        bench_submit(alice, NULL, &call);
        ck_assert_int_eq(disk_next(), ASK_CREATE);
        job = created(&call);
        ck_assert_int_eq(disk_file(job->id)->state, JOB_RUNNING);
        ck_assert_uint_eq(disk_file(job->id)->attempts, 1);
        ck_assert_int_eq(job->state, JOB_QUEUED); /* nobody else sees it */
        bench_run();
        ck_assert_ptr_eq(slot->way.lane->job, job);
        ck_assert_int_eq(slot->way.lane->noted, 0);
        ck_assert_uint_eq(disk_pending(), 0);
}
END_TEST

START_TEST(a_second_try_is_noted)
{
        FrontCall call = {};
        Job *job;

        bench_submit(alice, NULL, &call);
        job = created(&call);
        bench_run();
        note(job);
        ck_assert_int_eq(slot->way.lane->noted, 1);
        ck_assert_int_eq(disk_next(), ASK_NOTE);
        disk_answer(0);
        ck_assert_int_eq(slot->way.lane->noted, 0);
}
END_TEST

START_TEST(another_line_overtakes_it)
{
        FrontCall call = {};
        Job *job;

        bench_submit(alice, NULL, &call);
        job = created(&call);
        bench_run();
        lane_put_back(slot->way.lane, 0); /* before it was asked */
        ck_assert_int_eq(disk_next(), ASK_NOTE);
        disk_answer(0);
        ck_assert_int_eq(disk_file(job->id)->state, JOB_QUEUED);
        slot->way.lane->noted = 1;
        bench_run();
        ck_assert_ptr_eq(slot->way.lane->job, job);
        ck_assert_int_eq(slot->way.lane->noted, 1);
        ck_assert_int_eq(disk_next(), ASK_NOTE);
        disk_answer(0);
}
END_TEST

/* One is being written, or waits, or is at work. */
START_TEST(not_of_one_that_is_not_the_next)
{
        FrontCall calls[2] = {};
        Job *job;

        bench_submit(alice, NULL, calls);
        if (_i > 0)
                (void) created(calls);
        if (_i > 1)
                bench_run();
        bench_submit(bob, NULL, calls + 1);
        if (_i == 0)
                (void) created(calls);
        ck_assert_int_eq(disk_next(), ASK_CREATE);
        job = created(calls + 1);
        ck_assert_int_eq(disk_file(job->id)->state, JOB_QUEUED);
        ck_assert_uint_eq(disk_pending(), 0);
}
END_TEST

/* It waits for its turn, and is begun at the next turn of the loop. */
START_TEST(not_of_one_that_comes_right_behind_another)
{
        FrontCall calls[2] = {};

        slot->profile->key_source = KEY_SOURCE_DAEMON;
        bench_submit(alice, NULL, calls);
        (void) created(calls);
        slot->profile->key_source = KEY_SOURCE_CLOUD;
        bench_submit(bob, NULL, calls + 1);
        ck_assert_int_eq(disk_file(created(calls + 1)->id)->state, JOB_QUEUED);
}
END_TEST

/* The session broke, or the service asked for patience, while the request was being written. */
START_TEST(where_it_does_not_come_to_that_it_is_taken_back)
{
        FrontCall calls[1] = {};
        Job *job;

        bench_submit(alice, NULL, calls);
        if (_i == 0)
                lane_fail(slot->way.lane, ERROR_CONNECTION_LOST);
        else
                slot->throttled_until = USEC_INFINITY;
        job = created(calls);
        ck_assert_int_eq(disk_file(job->id)->state, JOB_RUNNING);
        bench_run();
        ck_assert_int_eq(disk_next(), ASK_NOTE);
        disk_answer(0);
        ck_assert_int_eq(disk_file(job->id)->state, JOB_QUEUED);
}
END_TEST

/* Between the answer and its turn. */
START_TEST(not_of_one_that_is_cancelled_before_its_turn)
{
        FrontCall call = {}, cancel = {};
        Job *job;

        bench_submit(alice, NULL, &call);
        job = created(&call);
        manager_cancel(m, job, &cancel);
        ck_assert_ptr_null(m->noted);
        bench_until(job, JOB_CANCELLED);
        ck_assert_int_eq(disk_file(job->id)->state, JOB_CANCELLED);
}
END_TEST

/* The daemon ends while the request is being written: nothing is begun any more. */
START_TEST(taken_back_where_the_daemon_ends)
{
        FrontCall call = {};
        Job *job;

        bench_submit(alice, NULL, &call);
        m->is_ending = true;
        job = created(&call);
        ck_assert_int_eq(disk_next(), ASK_NOTE);
        disk_answer(0);
        ck_assert_int_eq(disk_file(job->id)->state, JOB_QUEUED);
        ck_assert_uint_eq(disk_file(job->id)->attempts, 0);
}
END_TEST

START_TEST(not_where_a_key_is_made_first)
{
        FrontCall call = {};
        Job *job;

        slot->profile->key_source = KEY_SOURCE_DAEMON;
        bench_submit(alice, NULL, &call);
        job = created(&call);
        ck_assert_int_eq(disk_file(job->id)->state, JOB_QUEUED);
}
END_TEST

START_TEST(one_that_cannot_be_written_is_in_nobodys_way)
{
        FrontCall calls[2] = {};

        bench_submit(alice, NULL, calls);
        disk_answer(-ENOSPC);
        ck_assert_int_eq(calls[0].answer, ANSWER_FAILED);
        bench_submit(bob, NULL, calls + 1);
        ck_assert_int_eq(disk_file(created(calls + 1)->id)->state, JOB_RUNNING);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("noted");
        TCase *tc = tcase_create("noted");
        SRunner *runner;
        int failed;

        tcase_add_checked_fixture(tc, setup, bench_teardown);
        tcase_add_test(tc, of_the_next_one_it_stands_with_the_request);
        tcase_add_test(tc, a_second_try_is_noted);
        tcase_add_test(tc, another_line_overtakes_it);
        tcase_add_loop_test(tc, not_of_one_that_is_not_the_next, 0, 3);
        tcase_add_test(tc, not_of_one_that_comes_right_behind_another);
        tcase_add_loop_test(tc, where_it_does_not_come_to_that_it_is_taken_back, 0, 2);
        tcase_add_test(tc, not_of_one_that_is_cancelled_before_its_turn);
        tcase_add_test(tc, taken_back_where_the_daemon_ends);
        tcase_add_test(tc, not_where_a_key_is_made_first);
        tcase_add_test(tc, one_that_cannot_be_written_is_in_nobodys_way);
        suite_add_tcase(suite, tc);
        runner = srunner_create(suite);
        srunner_run_all(runner, CK_ENV);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? 0 : 1;
}
