/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/net/idle-worker.h"

#include <errno.h>

#include "tests/unit/net/run-suite.h"

static sd_event *event;
static IdleWorker *worker;
static unsigned n_run, n_complete, n_destroyed;

static void on_run(void *task) {
        (void) usleep(1000); /* slower than they are submitted */
        __atomic_add_fetch(&n_run, 1, __ATOMIC_SEQ_CST);
}

static void on_complete(void *task, void *userdata) {
        n_complete++;
}

static void on_destroy(void *task) {
        n_destroyed++;
}

static const WorkerTaskType type = {on_run, on_complete, on_destroy};

static void setup(void) {
        ck_assert_int_ge(sd_event_new(&event), 0);
        ck_assert_int_eq(
                idle_worker_new(event, &(WorkerOptions){.name = "idle", .queue_max = 2}, &worker),
                0);
}

static void teardown(void) {
        idle_worker_free(worker);
        sd_event_unref(event);
}

START_TEST(thread_comes_with_work_and_goes_after_it)
{
        for (unsigned i = 1; i <= 2; i++) {
                ck_assert(!idle_worker_has_thread(worker));
                ck_assert_int_eq(idle_worker_submit(worker, &type, NULL, NULL), 0);
                ck_assert(idle_worker_has_thread(worker));
                while (idle_worker_has_thread(worker))
                        ck_assert_int_ge(sd_event_run(event, UINT64_MAX), 0);
                ck_assert_uint_eq(n_run, i);
                ck_assert_uint_eq(n_complete, i);
                ck_assert_uint_eq(n_destroyed, i);
        }
        /* And nothing wakes the loop any more. */
        ck_assert_int_eq(sd_event_run(event, 0), 0);
}
END_TEST

START_TEST(work_is_drained_without_the_loop)
{
        idle_worker_drain(worker);
        ck_assert_int_eq(idle_worker_submit(worker, &type, NULL, NULL), 0);
        idle_worker_drain(worker);
        ck_assert_uint_eq(n_complete, 1);
}
END_TEST

START_TEST(work_that_was_not_told_is_destroyed)
{
        unsigned n = 0;

        while (idle_worker_submit(worker, &type, NULL, NULL) == 0)
                n++;
        worker = idle_worker_free(worker);
        ck_assert_uint_eq(n_complete, 0);
        ck_assert_uint_eq(n_destroyed, n + 1);
}
END_TEST

int main(void) {
        Suite *s = suite_create("idle-worker");
        TCase *t = tcase_create("idle-worker");

        tcase_add_checked_fixture(t, setup, teardown);
        tcase_set_timeout(t, 30);
        tcase_add_test(t, thread_comes_with_work_and_goes_after_it);
        tcase_add_test(t, work_is_drained_without_the_loop);
        tcase_add_test(t, work_that_was_not_told_is_destroyed);
        suite_add_tcase(s, t);
        return run_suite(s);
}
