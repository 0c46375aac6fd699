/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/base/worker-fixture.h"

#include <check.h>
#include <pthread.h>
#include <stdio.h>

typedef struct Task {
        unsigned number;
        sem_t *started; /* posted when it runs; or NULL */
        sem_t *gate;    /* waited for while it runs; or NULL */
} Task;

sd_event *event;
Worker *worker;
Diary diary;
sem_t started, gate, flushed;
pthread_t ran_on;
void *ran_near;
sigset_t ran_with;

bool opens_on_join;

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

void expect_diary(const char *expected) {
        pthread_mutex_lock(&diary.lock);
        ck_assert_str_eq(diary.text, expected);
        diary.text[0] = '\0';
        pthread_mutex_unlock(&diary.lock);
}

void task_run(void *p) {
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

void task_complete(void *p, void *userdata) {
        const Task *task = p;

        ck_assert_ptr_eq(userdata, &diary);
        note('c', task->number);
}

void task_destroy(void *p) {
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

int submit(unsigned number, bool held) {
        return worker_submit(worker, &task_type, task_new(number, held), &diary);
}

int submit_as(const WorkerTaskType *type, unsigned number) {
        return worker_submit(worker, type, task_new(number, false), &diary);
}

unsigned task_number(const void *task) {
        return ((const Task *) task)->number;
}

void on_flush(void *userdata) {
        ck_assert_ptr_eq(userdata, &started);
        note('f', 0);
}

void on_idle(void *userdata) {
        note('i', 0);
        (void) sem_post(&flushed);
}

void start_worker(const WorkerOptions *options) {
        ck_assert_int_eq(worker_new(event, options, &worker), 0);
}

void worker_setup(void) {
        diary = (Diary){.lock = PTHREAD_MUTEX_INITIALIZER};
        sem_init(&started, 0, 0);
        sem_init(&gate, 0, 0);
        sem_init(&flushed, 0, 0);
        ck_assert_int_ge(sd_event_new(&event), 0);
}

void worker_teardown(void) {
        worker = worker_free(worker);
        event = sd_event_unref(event);
}

void start_plain(void) {
        start_worker(&(WorkerOptions){.name = WORKER_NAME, .queue_max = TASKS_MAX});
}
