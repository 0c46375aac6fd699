/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/base/worker.h"

#include <errno.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

#include "daemon/base/clock.h"
#include "tests/unit/base/worker-fixture.h"
#include "tests/unit/protocol-aws/suite.h"

static unsigned n_bare;

static void run_bare(void *task) {
        n_bare++;
}

START_TEST(tasks_run_and_complete_in_the_order_of_their_coming)
{
        start_plain();
        /* The first is held until all stand in line. */
        ck_assert_int_eq(submit(1, true), 0);
        (void) sem_wait(&started);
        for (unsigned i = 2; i <= 5; i++)
                ck_assert_int_eq(submit(i, false), 0);
        ck_assert_uint_eq(worker_pending(worker), 5);
        (void) sem_post(&gate);
        worker_drain(worker);
        ck_assert_uint_eq(worker_pending(worker), 0);
        ck_assert(!pthread_equal(ran_on, pthread_self()));
        /* How lots and completions interleave is chance; each kind has its order. */
        for (char what[] = "rcd", *p = what; *p; p++) {
                const char *at = diary.text;

                for (unsigned i = 1; i <= 5; i++) {
                        char entry[] = {*p, (char) ('0' + i), ' ', '\0'};

                        at = strstr(at, entry);
                        ck_assert_msg(at, "%c%u in %s", *p, i, diary.text);
                }
        }
}
END_TEST

/* One that takes long, a name server that is dead say, holds up nobody who was served before it. */
START_TEST(what_is_done_is_told_while_the_next_runs)
{
        start_plain();
        ck_assert_int_eq(submit(1, true), 0);
        (void) sem_wait(&started);
        ck_assert_int_eq(submit(2, false), 0);
        ck_assert_int_eq(submit(3, true), 0);
        (void) sem_post(&gate);
        (void) sem_wait(&started); /* 3 runs, and does not end yet */
        while (worker_pending(worker) > 1)
                ck_assert_int_gt(sd_event_run(event, 5 * USEC_PER_SEC), 0);
        expect_diary("r1 r2 c1 d1 c2 d2 ");
        (void) sem_post(&gate);
        worker_drain(worker);
}
END_TEST

START_TEST(one_flush_serves_all_that_wait_and_comes_before_their_completion)
{
        start_worker(&(WorkerOptions){.name = WORKER_NAME,
                                      .queue_max = TASKS_MAX,
                                      .flush = on_flush,
                                      .idle = on_idle,
                                      .userdata = &started});
        ck_assert_int_eq(submit(1, true), 0);
        (void) sem_wait(&started);
        ck_assert_int_eq(submit(2, false), 0);
        ck_assert_int_eq(submit(3, false), 0);
        (void) sem_post(&gate);
        (void) sem_wait(&flushed); /* nothing waits any more: both lots are done */
        expect_diary("r1 f0 r2 r3 f0 i0 ");
        worker_drain(worker);
        expect_diary("c1 d1 c2 d2 c3 d3 ");
}
END_TEST

/* --- very many at once */

#define MANY (3 * WORKER_LOT_MAX + 8)

static unsigned n_flushed, n_told, n_told_before, n_turns;

static void count_flush(void *userdata) {
        n_flushed++;
}

static void count_told(void *task, void *userdata) {
        n_told++;
}

static const WorkerTaskType counted_type = {
        .complete = count_told, .run = run_bare, .destroy = free};

static void count_idle(void *userdata) {
        (void) sem_post(&flushed);
}

/* One who wants his turn, as a caller does. */
static int on_turn(sd_event_source *s, int fd, uint32_t revents, void *userdata) {
        ck_assert_uint_le(n_told - n_told_before, WORKER_LOT_MAX);
        n_told_before = n_told;
        n_turns++;
        return 0;
}

START_TEST(very_many_completions_hold_up_nobody)
{
        int always_ready = eventfd(1, EFD_CLOEXEC);
        sd_event_source *turn;

        start_worker(&(WorkerOptions){.name = WORKER_NAME,
                                      .queue_max = MANY + 1,
                                      .flush = count_flush,
                                      .idle = count_idle});
        ck_assert_int_eq(submit(1, true), 0);
        (void) sem_wait(&started);
        for (unsigned i = 0; i < MANY; i++)
                ck_assert_int_eq(worker_submit(worker, &counted_type, malloc(1), NULL), 0);
        (void) sem_post(&gate);
        (void) sem_wait(&flushed);
        /* The first alone, and then as many as a lot may have. */
        ck_assert_uint_eq(n_flushed, 1 + (MANY + WORKER_LOT_MAX - 1) / WORKER_LOT_MAX);
        ck_assert_int_ge(always_ready, 0);
        ck_assert_int_ge(sd_event_add_io(event, &turn, always_ready, EPOLLIN, on_turn, NULL), 0);
        ck_assert_int_ge(sd_event_source_set_priority(turn, WORKER_BACKLOG_PRIORITY), 0);
        while (worker_pending(worker) > 0)
                ck_assert_int_ge(sd_event_run(event, UINT64_MAX), 0);
        ck_assert_uint_eq(n_told, MANY);
        ck_assert_uint_ge(n_turns, MANY / WORKER_LOT_MAX - 1);
        /* Those that come later are served at once again. */
        n_turns = 0;
        ck_assert_int_eq(worker_submit(worker, &counted_type, malloc(1), NULL), 0);
        (void) sem_wait(&flushed);
        ck_assert_int_ge(sd_event_run(event, UINT64_MAX), 0);
        ck_assert_uint_eq(worker_pending(worker), 0);
        sd_event_source_disable_unref(turn);
        close(always_ready);
}
END_TEST

START_TEST(completions_come_on_the_loop)
{
        start_plain();
        ck_assert_int_eq(submit(1, false), 0);
        while (worker_pending(worker) > 0)
                ck_assert_int_ge(sd_event_run(event, UINT64_MAX), 0);
        expect_diary("r1 c1 d1 ");
        /* And nothing is left that would wake the loop. */
        ck_assert_int_eq(sd_event_run(event, 0), 0);
}
END_TEST

START_TEST(a_task_too_many_is_refused_and_destroyed)
{
        start_worker(&(WorkerOptions){.name = WORKER_NAME, .queue_max = 2});
        ck_assert_int_eq(submit(1, true), 0);
        (void) sem_wait(&started); /* it runs: it does not wait any more */
        ck_assert_int_eq(submit(2, false), 0);
        ck_assert_int_eq(submit(3, false), 0);
        ck_assert_int_eq(submit(4, false), -EAGAIN);
        expect_diary("d4 ");
        ck_assert_uint_eq(worker_pending(worker), 3);
        (void) sem_post(&gate);
        worker_drain(worker);
        ck_assert_int_eq(submit(5, false), 0);
        worker_drain(worker);
        ck_assert_ptr_nonnull(strstr(diary.text, "c5"));
}
END_TEST

START_TEST(withdrawn_before_it_begins_it_never_does)
{
        char *tasks[3];

        start_plain();
        ck_assert_int_eq(submit(1, true), 0);
        (void) sem_wait(&started);
        for (size_t i = 0; i < ELEMENTSOF(tasks); i++) {
                tasks[i] = malloc(1);
                ck_assert_int_eq(worker_submit(worker, &counted_type, tasks[i], NULL), 0);
        }
        ck_assert(worker_withdraw(worker, tasks[1]));
        ck_assert(!worker_withdraw(worker, tasks + 1)); /* nobody's */
        ck_assert_uint_eq(worker_pending(worker), 3);
        (void) sem_post(&gate);
        worker_drain(worker);
        ck_assert_uint_eq(n_bare, 2);
        ck_assert_uint_eq(n_told, 2);
        ck_assert_uint_eq(worker_pending(worker), 0);
}
END_TEST

static bool was_withdrawn;

static void withdraw_itself(void *task, void *userdata) {
        was_withdrawn = worker_withdraw(worker, task);
}

START_TEST(what_has_begun_cannot_be_withdrawn)
{
        static const WorkerTaskType type = {
                .run = run_bare, .complete = withdraw_itself, .destroy = free};

        start_plain();
        was_withdrawn = true;
        ck_assert_int_eq(worker_submit(worker, &type, malloc(1), NULL), 0);
        worker_drain(worker);
        ck_assert(!was_withdrawn);
        ck_assert_uint_eq(n_bare, 1);
}
END_TEST

START_TEST(freed_with_tasks_it_destroys_them_untold)
{
        start_plain();
        ck_assert_int_eq(submit(1, true), 0);
        (void) sem_wait(&started);
        ck_assert_int_eq(submit(2, false), 0);
        opens_on_join = true;
        worker = worker_free(worker);
        /* The one that ran was finished first; neither is told. */
        expect_diary("r1 d2 d1 ");
}
END_TEST

START_TEST(stopped_in_the_middle_of_a_lot_it_runs_no_more_of_it)
{
        start_worker(&(WorkerOptions){.name = WORKER_NAME,
                                      .queue_max = TASKS_MAX,
                                      .flush = on_flush,
                                      .userdata = &started});
        ck_assert_int_eq(submit(1, true), 0);
        (void) sem_wait(&started);
        for (unsigned i = 2; i <= 5; i++) /* one lot */
                ck_assert_int_eq(submit(i, i == 2), 0);
        (void) sem_post(&gate);
        (void) sem_wait(&started); /* 2 runs, the rest of its lot stands behind it */
        opens_on_join = true;
        worker = worker_free(worker);
        expect_diary("r1 f0 r2 d2 d3 d4 d5 d1 ");
}
END_TEST

START_TEST(its_thread_gives_back_what_it_has_before_it_ends)
{
        start_worker(&(WorkerOptions){.name = WORKER_NAME,
                                      .queue_max = TASKS_MAX,
                                      .idle = on_idle,
                                      .userdata = &started});
        ck_assert_int_eq(submit(1, true), 0);
        (void) sem_wait(&started);
        ck_assert_int_eq(submit(2, false), 0); /* so that the end of the first is not idleness */
        opens_on_join = true;
        worker = worker_free(worker);
        expect_diary("r1 i0 d2 d1 ");
}
END_TEST

START_TEST(freed_without_a_task_or_not_made_at_all)
{
        start_plain();
        ck_assert_uint_eq(worker_pending(worker), 0);
        worker_drain(worker);
        worker = worker_free(worker);
        ck_assert_ptr_null(worker);
        ck_assert_ptr_null(worker_free(NULL));
        expect_diary("");
}
END_TEST

static void complete_and_submit(void *p, void *userdata) {
        task_complete(p, userdata);
        if (task_number(p) < 4)
                ck_assert_int_eq(submit(task_number(p) + 3, false), 0);
}

START_TEST(drain_goes_on_with_what_completions_submit)
{
        static const WorkerTaskType chain = {task_run, complete_and_submit, task_destroy};

        start_plain();
        ck_assert_int_eq(submit_as(&chain, 1), 0);
        worker_drain(worker);
        ck_assert_uint_eq(worker_pending(worker), 0);
        /* Only whether the first goes before the fourth runs is chance. */
        ck_assert_ptr_nonnull(strstr(diary.text, "r1 c1 "));
        ck_assert_ptr_nonnull(strstr(diary.text, " c4 d4 "));
}
END_TEST

START_TEST(tasks_need_neither_completion_nor_destructor)
{
        static const WorkerTaskType bare = {.run = run_bare};
        start_worker(&(WorkerOptions){.name = WORKER_NAME, .queue_max = 1});
        ck_assert_int_eq(worker_submit(worker, &bare, NULL, NULL), 0);
        worker_drain(worker);
        ck_assert_uint_eq(n_bare, 1);
}
END_TEST

START_TEST(the_watchdog_sees_since_when_a_task_runs)
{
        usec_t before, since;

        start_worker(&(WorkerOptions){
                .name = WORKER_NAME, .queue_max = 4, .idle = on_idle, .userdata = &started});
        ck_assert_uint_eq(worker_busy_since(worker), USEC_INFINITY);
        before = clock_boot_usec();
        ck_assert_int_eq(submit(1, true), 0);
        (void) sem_wait(&started);
        since = worker_busy_since(worker);
        ck_assert_uint_ge(since, before);
        ck_assert_uint_le(since, clock_boot_usec());
        (void) sem_post(&gate);
        (void) sem_wait(&flushed);
        ck_assert_uint_eq(worker_busy_since(worker), USEC_INFINITY);
}
END_TEST

START_TEST(signals_are_left_to_the_loop)
{
        static const int samples[] = {SIGTERM, SIGINT, SIGHUP, SIGCHLD, SIGUSR1, SIGPIPE};
        sigset_t mine;

        start_plain();
        ck_assert_int_eq(submit(1, false), 0);
        worker_drain(worker);
        for (size_t i = 0; i < ELEMENTSOF(samples); i++)
                ck_assert_int_eq(sigismember(&ran_with, samples[i]), 1);
        (void) pthread_sigmask(SIG_SETMASK, NULL, &mine);
        ck_assert_int_eq(sigismember(&mine, SIGTERM), 0);
}
END_TEST

int main(void) {
        Suite *s = suite_create("base/worker");
        TCase *c = tcase_create("worker");

        tcase_add_checked_fixture(c, worker_setup, worker_teardown);
        tcase_add_test(c, tasks_run_and_complete_in_the_order_of_their_coming);
        tcase_add_test(c, withdrawn_before_it_begins_it_never_does);
        tcase_add_test(c, what_has_begun_cannot_be_withdrawn);
        tcase_add_test(c, what_is_done_is_told_while_the_next_runs);
        tcase_add_test(c, one_flush_serves_all_that_wait_and_comes_before_their_completion);
        tcase_add_test(c, very_many_completions_hold_up_nobody);
        tcase_add_test(c, completions_come_on_the_loop);
        tcase_add_test(c, a_task_too_many_is_refused_and_destroyed);
        tcase_add_test(c, freed_with_tasks_it_destroys_them_untold);
        tcase_add_test(c, stopped_in_the_middle_of_a_lot_it_runs_no_more_of_it);
        tcase_add_test(c, its_thread_gives_back_what_it_has_before_it_ends);
        tcase_add_test(c, freed_without_a_task_or_not_made_at_all);
        tcase_add_test(c, drain_goes_on_with_what_completions_submit);
        tcase_add_test(c, tasks_need_neither_completion_nor_destructor);
        tcase_add_test(c, the_watchdog_sees_since_when_a_task_runs);
        tcase_add_test(c, signals_are_left_to_the_loop);
        suite_add_tcase(s, c);
        return suite_run(s);
}
