/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The worker's thread: it comes with work, goes without, and is left behind where it hangs. */

#include "daemon/base/worker.h"

#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/mman.h>

#include "tests/unit/base/worker-fixture.h"
#include "tests/unit/protocol-aws/suite.h"

static unsigned n_counted_run, n_counted_complete;

/* The time runs out in the very moment in which work comes (see meson.build). */
static bool is_late;

int __real_pthread_cond_timedwait(pthread_cond_t *condition, pthread_mutex_t *lock,
                                  const struct timespec *deadline);
int __wrap_pthread_cond_timedwait(pthread_cond_t *condition, pthread_mutex_t *lock,
                                  const struct timespec *deadline);

int __wrap_pthread_cond_timedwait(pthread_cond_t *condition, pthread_mutex_t *lock,
                                  const struct timespec *deadline) {
        if (!is_late)
                return __real_pthread_cond_timedwait(condition, lock, deadline);
        (void) pthread_cond_wait(condition, lock);
        return ETIMEDOUT;
}

static void count_run(void *p) {
        __atomic_add_fetch(&n_counted_run, 1, __ATOMIC_SEQ_CST);
}

static void count_complete(void *p, void *userdata) {
        n_counted_complete++;
}

static void run_until_thread_is_gone(void) {
        while (worker_has_thread(worker))
                ck_assert_int_ge(sd_event_run(event, UINT64_MAX), 0);
}

/* The name is the worker's. */
static bool thread_exists(void) {
        DIR *dir = opendir("/proc/self/task");
        const struct dirent *entry;
        bool found = false;

        ck_assert_ptr_nonnull(dir);
        while (!found && (entry = readdir(dir))) {
                char path[300], name[16] = "";
                FILE *f;

                (void) snprintf(path, sizeof(path), "/proc/self/task/%s/comm", entry->d_name);
                f = fopen(path, "re");
                found = f && fgets(name, sizeof(name), f) && strcmp(name, WORKER_NAME "\n") == 0;
                if (f)
                        fclose(f);
        }
        closedir(dir);
        return found;
}

static void wait_until_alone(void) {
        while (thread_exists())
                (void) usleep(1000);
}

static bool is_mapped(void *address) {
        unsigned char resident;
        uintptr_t page = (uintptr_t) sysconf(_SC_PAGESIZE);

        return mincore((void *) ((uintptr_t) address & ~(page - 1)), page, &resident) == 0;
}

static void start_lingering(usec_t usec) {
        start_worker(
                &(WorkerOptions){.name = WORKER_NAME, .queue_max = TASKS_MAX, .linger_usec = usec});
}

START_TEST(thread_comes_with_work_and_goes_after_it)
{
        start_lingering(USEC_PER_MSEC);
        for (unsigned i = 1; i <= 3; i++) {
                ck_assert(!worker_has_thread(worker));
                ck_assert_int_eq(submit(i, false), 0);
                ck_assert(worker_has_thread(worker));
                run_until_thread_is_gone();
                ck_assert_uint_eq(worker_pending(worker), 0);
                wait_until_alone();
        }
        expect_diary("r1 c1 d1 r2 c2 d2 r3 c3 d3 ");
        /* And nothing wakes the loop any more. */
        ck_assert_int_eq(sd_event_run(event, 0), 0);
}
END_TEST

START_TEST(stack_goes_with_its_thread)
{
        start_lingering(USEC_PER_MSEC);
        ck_assert_int_eq(submit(1, true), 0);
        (void) sem_wait(&started);
        ck_assert(is_mapped(ran_near));
        (void) sem_post(&gate);
        run_until_thread_is_gone();
        ck_assert(!is_mapped(ran_near));
}
END_TEST

START_TEST(thread_stays_while_its_time_is_not_over)
{
        static const usec_t times[] = {0, USEC_INFINITY, 3600 * USEC_PER_SEC};

        start_lingering(times[_i]);
        ck_assert_int_eq(submit(1, false), 0);
        while (worker_pending(worker) > 0)
                ck_assert_int_ge(sd_event_run(event, UINT64_MAX), 0);
        ck_assert_int_eq(sd_event_run(event, 20 * USEC_PER_MSEC), 0);
        ck_assert(worker_has_thread(worker));
}
END_TEST

/* With a thread that may end in any moment, and a loop that turns seldom. */
START_TEST(no_task_is_lost_while_the_thread_ends)
{
        enum {
                ROUNDS = 2000
        };
        static const WorkerTaskType counted = {.run = count_run, .complete = count_complete};

        start_lingering(1);
        for (unsigned i = 0; i < ROUNDS; i++) {
                ck_assert_int_eq(worker_submit(worker, &counted, NULL, NULL), 0);
                (void) usleep(i % 80);
                if (i % TASKS_MAX == 0)
                        worker_drain(worker);
                if (i % 7 == 0)
                        ck_assert_int_ge(sd_event_run(event, 0), 0);
        }
        worker_drain(worker);
        ck_assert_uint_eq(n_counted_run, ROUNDS);
        ck_assert_uint_eq(n_counted_complete, ROUNDS);
}
END_TEST

START_TEST(work_that_comes_as_the_time_runs_out_is_done)
{
        is_late = true;
        start_lingering(USEC_PER_MSEC);
        for (unsigned i = 1; i <= 3; i++) {
                ck_assert_int_eq(submit(i, false), 0);
                worker_drain(worker);
        }
        expect_diary("r1 c1 d1 r2 c2 d2 r3 c3 d3 ");
}
END_TEST

/* As when the loop has exited. */
START_TEST(ended_thread_is_followed_by_another_without_the_loop)
{
        start_lingering(1);
        for (unsigned i = 1; i <= 2; i++) {
                ck_assert_int_eq(submit(i, false), 0);
                worker_drain(worker);
                wait_until_alone();
        }
        expect_diary("r1 c1 d1 r2 c2 d2 ");
        worker = worker_free(worker);
}
END_TEST

START_TEST(task_that_hangs_is_left_behind)
{
        start_worker(&(WorkerOptions){.name = WORKER_NAME,
                                      .queue_max = TASKS_MAX,
                                      .may_hang = true,
                                      .flush = on_flush,
                                      .idle = on_idle,
                                      .userdata = &started});
        ck_assert_int_eq(submit(1, true), 0);
        (void) sem_wait(&started);
        ck_assert_int_eq(submit(2, false), 0);
        worker = worker_free(worker); /* and not in an hour */
        event = sd_event_unref(event);
        expect_diary("d2 ");
        (void) sem_post(&gate);
        wait_until_alone();
        expect_diary("r1 d1 ");
}
END_TEST

START_TEST(worker_that_may_hang_and_does_not_ends_in_good_order)
{
        start_worker(&(WorkerOptions){.name = WORKER_NAME,
                                      .queue_max = TASKS_MAX,
                                      .may_hang = true,
                                      .idle = on_idle,
                                      .userdata = &started});
        ck_assert_int_eq(submit(1, false), 0);
        (void) sem_wait(&flushed);
        worker = worker_free(worker);
        expect_diary("r1 i0 i0 d1 ");
}
END_TEST

int main(void) {
        Suite *s = suite_create("base/worker-thread");
        TCase *c = tcase_create("worker");

        tcase_add_checked_fixture(c, worker_setup, worker_teardown);
        tcase_add_test(c, thread_comes_with_work_and_goes_after_it);
        tcase_add_test(c, stack_goes_with_its_thread);
        tcase_add_loop_test(c, thread_stays_while_its_time_is_not_over, 0, 3);
        tcase_add_test(c, no_task_is_lost_while_the_thread_ends);
        tcase_add_test(c, work_that_comes_as_the_time_runs_out_is_done);
        tcase_add_test(c, ended_thread_is_followed_by_another_without_the_loop);
        tcase_add_test(c, task_that_hangs_is_left_behind);
        tcase_add_test(c, worker_that_may_hang_and_does_not_ends_in_good_order);
        suite_add_tcase(s, c);
        return suite_run(s);
}
