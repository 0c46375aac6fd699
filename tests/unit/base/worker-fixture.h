/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* What the tests of the worker share: a worker on a loop, tasks that can be held, and a diary of
 * what happened. */

#include <semaphore.h>
#include <signal.h>

#include "daemon/base/worker.h"

#define TASKS_MAX 16U

/* The name of each worker's thread. */
#define WORKER_NAME "test"

/* What happened, in order: r(un), c(omplete), d(estroyed) and the task's number; f0 for a flush, i0
 * for idle. */
typedef struct Diary {
        pthread_mutex_t lock;
        char text[512];
} Diary;

extern sd_event *event;
extern Worker *worker;
extern Diary diary;

/* Posted by a held task that runs; waited for by it; posted by idle. */
extern sem_t started, gate, flushed;

/* Of the last task that ran. */
extern pthread_t ran_on;
extern void *ran_near; /* an address on its stack */
extern sigset_t ran_with;

/* Opens the gate when worker_free() is about to wait for the thread (see meson.build): then it has
 * told it to stop. */
extern bool opens_on_join;

/* A checked fixture. */
void worker_setup(void);
void worker_teardown(void);

void start_worker(const WorkerOptions *options);
void start_plain(void);

/* The task waits for the gate where it is held. 0 or what worker_submit() says. */
int submit(unsigned number, bool held);
int submit_as(const WorkerTaskType *type, unsigned number);
unsigned task_number(const void *task);

/* The parts of a WorkerTaskType and WorkerOptions; userdata of the latter is &started. */
void task_run(void *task);
void task_complete(void *task, void *userdata);
void task_destroy(void *task);
void on_flush(void *userdata);
void on_idle(void *userdata);

/* Compares, and starts anew. */
void expect_diary(const char *expected);
