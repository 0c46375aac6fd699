/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Deadlines that pass: of one job, of the one at work, of thousands at once. */

#include "daemon/base/clock.h"
#include "tests/unit/manager/bench.h"

#define THOUSANDS 1000U

static Job *queued_with(const Peer *peer, const char *key, usec_t deadline) {
        JobSpec *spec = bench_spec(key);
        FrontCall call = {};

        spec->deadline_usec = deadline;
        manager_submit(m, peer, spec, &call);
        disk_settle();
        return bench_job(&call);
}

/* Nothing is at work: the session is down. */
static void session_down(void) {
        slot->way.lane->state = SESSION_BACKOFF;
}

START_TEST(job_that_waits_expires_and_others_do_not)
{
        Job *never, *late, *soon;

        session_down();
        never = bench_queued(alice, NULL);
        late = queued_with(alice, NULL, USEC_PER_HOUR);
        soon = queued_with(alice, NULL, 20 * USEC_PER_MSEC);
        bench_until(soon, JOB_EXPIRED);
        bench_run();
        ck_assert_int_eq(soon->failure->code, ERROR_EXPIRED);
        ck_assert_int_eq(never->state, JOB_QUEUED);
        ck_assert_int_eq(late->state, JOB_QUEUED);
        ck_assert(!queue_holds(slot->queue, soon));
}
END_TEST

/* As if two hours went by for this one. */
static void time_passes(Job *job) {
        job->created_boot -= 2 * USEC_PER_HOUR;
        deadline_watch(job);
}

/* The timer is set for the first of them, in whatever order they come. */
START_TEST(each_has_its_own_time)
{
        static const usec_t deadlines[] = {60, 20, 40, 80};
        static const size_t order[] = {1, 2, 0, 3};
        Job *jobs[ELEMENTSOF(deadlines)];

        session_down();
        for (size_t i = 0; i < ELEMENTSOF(jobs); i++)
                jobs[i] = queued_with(alice, NULL, deadlines[i] * USEC_PER_MINUTE);
        for (size_t i = 0; i < ELEMENTSOF(order); i++) {
                Job *first = jobs[order[i]];

                ck_assert_ptr_nonnull(m->deadline_timer);
                ck_assert_uint_eq(m->deadline_due,
                                  first->created_boot + deadlines[order[i]] * USEC_PER_MINUTE);
                time_passes(first);
                bench_until(first, JOB_EXPIRED);
                for (size_t j = i + 1; j < ELEMENTSOF(order); j++)
                        ck_assert_int_eq(jobs[order[j]]->state, JOB_QUEUED);
        }
        ck_assert_ptr_null(m->deadline_timer);
}
END_TEST

START_TEST(job_at_work_is_given_up)
{
        Job *job = queued_with(alice, NULL, USEC_PER_HOUR);

        bench_run();
        ck_assert_ptr_eq(slot->way.lane->job, job);
        time_passes(job);
        bench_until(job, JOB_EXPIRED);
        ck_assert(slot->way.lane->expired);
}
END_TEST

START_TEST(job_that_is_asked_for_again_has_its_time_anew)
{
        Job *job;
        FrontCall call = {};
        JobSpec *spec;

        session_down();
        job = queued_with(alice, "k", 20 * USEC_PER_MSEC);
        bench_until(job, JOB_EXPIRED);
        spec = bench_spec("k");
        spec->deadline_usec = USEC_PER_HOUR;
        manager_submit(m, alice, spec, &call);
        disk_settle();
        ck_assert_ptr_eq(bench_job(&call), job);
        ck_assert_int_eq(job->state, JOB_QUEUED);
        ck_assert_uint_gt(job_deadline_left(job, clock_boot_usec()), 59 * USEC_PER_MINUTE);
}
END_TEST

START_TEST(thousands_at_once_end_a_few_at_a_time)
{
        Job *jobs[THOUSANDS];
        size_t over = 0;

        session_down();
        m->config->max_jobs_per_user = THOUSANDS;
        for (unsigned i = 0; i < THOUSANDS; i++)
                jobs[i] = queued_with(alice, NULL, USEC_PER_HOUR);
        for (unsigned i = 0; i < THOUSANDS; i++)
                jobs[i]->created_boot -= 2 * USEC_PER_HOUR;
        deadline_watch(jobs[0]);
        while (over < THOUSANDS) {
                bench_run_until_disk();
                bench_run();
                ck_assert_uint_le(disk_pending(), MANAGER_CHORES_MAX);
                disk_settle();
                over = job_table_count_state(m->jobs, JOB_EXPIRED);
        }
        ck_assert_ptr_null(m->deadline_timer);
}
END_TEST

START_TEST(beyond_the_end_of_all_clocks)
{
        session_down();
        (void) queued_with(alice, NULL, USEC_INFINITY - 1);
        (void) queued_with(alice, NULL, INT64_MAX);
        ck_assert_int_eq(queued_with(alice, NULL, USEC_INFINITY)->state, JOB_QUEUED);
        bench_until(queued_with(alice, NULL, 20 * USEC_PER_MSEC), JOB_EXPIRED);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("manager: deadline");
        TCase *tc = tcase_create("deadline");
        SRunner *runner = srunner_create(suite);
        int failed;

        tcase_add_checked_fixture(tc, bench_setup, bench_teardown);
        tcase_set_timeout(tc, 60);
        tcase_add_test(tc, job_that_waits_expires_and_others_do_not);
        tcase_add_test(tc, each_has_its_own_time);
        tcase_add_test(tc, job_at_work_is_given_up);
        tcase_add_test(tc, job_that_is_asked_for_again_has_its_time_anew);
        tcase_add_test(tc, thousands_at_once_end_a_few_at_a_time);
        tcase_add_test(tc, beyond_the_end_of_all_clocks);
        suite_add_tcase(suite, tc);
        srunner_run_all(runner, CK_ENV);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
