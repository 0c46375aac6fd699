/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/base/worker.h"

#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>

#include "daemon/base/clock.h"
#include "tests/unit/protocol-aws/suite.h"

#define TASKS_MAX 16U

/* What happened, in order: a letter for what, and the task's number. */
typedef struct Diary {
        pthread_mutex_t lock;
        char text[512];
} Diary;

typedef struct Task {
        unsigned number;
        sem_t *started; /* posted when it runs; or NULL */
        sem_t *gate;    /* waited for while it runs; or NULL */
} Task;

static sd_event *event;
static Worker *worker;
static Diary diary;
static sem_t started, gate, flushed;
static pthread_t ran_on;
static void *ran_near; /* an address on its stack */
static unsigned n_counted_run, n_counted_complete;
static sigset_t ran_with;

/* worker_free() is about to wait for the thread (see meson.build): it has told it to stop. */
static bool opens_on_join;

int __real_pthread_join(pthread_t thread, void **ret);
int __wrap_pthread_join(pthread_t thread, void **ret);

int __wrap_pthread_join(pthread_t thread, void **ret) {
        if (opens_on_join)
                (void) sem_post(&gate);
        return __real_pthread_join(thread, ret);
}

static void note(char what, unsigned number) {
        size_t size;

        pthread_mutex_lock(&diary.lock);
        size = strlen(diary.text);
        (void) snprintf(diary.text + size, sizeof(diary.text) - size, "%c%u ", what, number);
        pthread_mutex_unlock(&diary.lock);
}

static void expect_diary(const char *expected) {
        pthread_mutex_lock(&diary.lock);
        ck_assert_str_eq(diary.text, expected);
        diary.text[0] = '\0';
        pthread_mutex_unlock(&diary.lock);
}

static void task_run(void *p) {
        Task *task = p;

        ran_on = pthread_self();
        ran_near = __builtin_frame_address(0);
        (void) pthread_sigmask(SIG_SETMASK, NULL, &ran_with);
        if (task->started)
                (void) sem_post(task->started);
        if (task->gate)
                (void) sem_wait(task->gate);
        note('r', task->number);
}

static void task_complete(void *p, void *userdata) {
        const Task *task = p;

        ck_assert_ptr_eq(userdata, &diary);
        note('c', task->number);
}

static void task_destroy(void *p) {
        Task *task = p;

        note('d', task->number);
        free(task);
}

static const WorkerTaskType task_type = {task_run, task_complete, task_destroy};

static Task *task_new(unsigned number, bool held) {
        Task *task = calloc(1, sizeof(Task));

        ck_assert_ptr_nonnull(task);
        task->number = number;
        task->started = held ? &started : NULL;
        task->gate = held ? &gate : NULL;
        return task;
}

static int submit(unsigned number, bool held) {
        return worker_submit(worker, &task_type, task_new(number, held), &diary);
}

static void on_flush(void *userdata) {
        ck_assert_ptr_eq(userdata, &started);
        note('f', 0);
}

static void on_idle(void *userdata) {
        note('i', 0);
        (void) sem_post(&flushed);
}

static void start_worker(const WorkerOptions *options) {
        ck_assert_int_eq(worker_new(event, options, &worker), 0);
}

static void setup(void) {
        diary = (Diary){.lock = PTHREAD_MUTEX_INITIALIZER};
        sem_init(&started, 0, 0);
        sem_init(&gate, 0, 0);
        sem_init(&flushed, 0, 0);
        ck_assert_int_ge(sd_event_new(&event), 0);
}

static void teardown(void) {
        worker = worker_free(worker);
        event = sd_event_unref(event);
}

static void start_plain(void) {
        start_worker(&(WorkerOptions){.name = "test", .queue_max = TASKS_MAX});
}

START_TEST(tasks_run_and_complete_in_the_order_of_their_coming)
{
        start_plain();
        /* The first is held until all stand in line: the rest is one lot. */
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

START_TEST(one_flush_serves_all_that_wait_and_comes_before_their_completion)
{
        start_worker(&(WorkerOptions){.name = "test",
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
        start_worker(&(WorkerOptions){.name = "test", .queue_max = 2});
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
        start_worker(&(WorkerOptions){
                .name = "test", .queue_max = TASKS_MAX, .flush = on_flush, .userdata = &started});
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
        start_worker(&(WorkerOptions){
                .name = "test", .queue_max = TASKS_MAX, .idle = on_idle, .userdata = &started});
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
        const Task *task = p;

        task_complete(p, userdata);
        if (task->number < 4)
                ck_assert_int_eq(submit(task->number + 3, false), 0);
}

START_TEST(drain_goes_on_with_what_completions_submit)
{
        static const WorkerTaskType chain = {task_run, complete_and_submit, task_destroy};

        start_plain();
        ck_assert_int_eq(worker_submit(worker, &chain, task_new(1, false), &diary), 0);
        worker_drain(worker);
        ck_assert_uint_eq(worker_pending(worker), 0);
        /* Only whether the first goes before the fourth runs is chance. */
        ck_assert_ptr_nonnull(strstr(diary.text, "r1 c1 "));
        ck_assert_ptr_nonnull(strstr(diary.text, " c4 d4 "));
}
END_TEST

START_TEST(tasks_need_neither_completion_nor_destructor)
{
        static const WorkerTaskType bare = {.run = task_run};
        Task task = {.number = 7};

        start_worker(&(WorkerOptions){.name = "test", .queue_max = 1});
        ck_assert_int_eq(worker_submit(worker, &bare, &task, NULL), 0);
        worker_drain(worker);
        expect_diary("r7 ");
}
END_TEST

START_TEST(the_watchdog_sees_since_when_a_task_runs)
{
        usec_t before, since;

        start_worker(&(WorkerOptions){
                .name = "test", .queue_max = 4, .idle = on_idle, .userdata = &started});
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
                found = f && fgets(name, sizeof(name), f) && strcmp(name, "test\n") == 0;
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
        start_worker(&(WorkerOptions){.name = "test", .queue_max = TASKS_MAX, .linger_usec = usec});
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

START_TEST(thread_stays_where_nobody_says_otherwise)
{
        start_lingering(_i == 0 ? 0 : USEC_INFINITY);
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
        start_worker(&(WorkerOptions){.name = "test",
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
        start_worker(&(WorkerOptions){.name = "test",
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
        Suite *s = suite_create("base/worker");
        TCase *c = tcase_create("worker");

        tcase_add_checked_fixture(c, setup, teardown);
        tcase_add_test(c, tasks_run_and_complete_in_the_order_of_their_coming);
        tcase_add_test(c, one_flush_serves_all_that_wait_and_comes_before_their_completion);
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
        tcase_add_test(c, thread_comes_with_work_and_goes_after_it);
        tcase_add_test(c, stack_goes_with_its_thread);
        tcase_add_loop_test(c, thread_stays_where_nobody_says_otherwise, 0, 2);
        tcase_add_test(c, no_task_is_lost_while_the_thread_ends);
        tcase_add_test(c, ended_thread_is_followed_by_another_without_the_loop);
        tcase_add_test(c, task_that_hangs_is_left_behind);
        tcase_add_test(c, worker_that_may_hang_and_does_not_ends_in_good_order);
        suite_add_tcase(s, c);
        return suite_run(s);
}
