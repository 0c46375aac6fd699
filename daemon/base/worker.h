/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* One thread for one kind of slow thing (crypto, disk, names), so that the loop never waits.
 *
 * A task carries ids and copies, never pointers into the loop's world. Tasks run in the order in
 * which they were submitted; their completions come on the loop, in the same order. Where there is
 * a `flush`, the thread takes what waits at once, WORKER_LOT_MAX tasks at most: it runs each task,
 * then calls `flush` once for the whole lot, and only then are their completions told. That is how
 * one fsync serves everybody who waits for it. Else each task is a lot of its own: what is done is
 * told, however long the next one takes. So many completions, at most, are told in one turn of the
 * loop, and when there are more by then, those come in turn with everything else.
 *
 * The thread is made with the first task, and may end when there is nothing to do: its stack and
 * its share of the libraries' thread-local memory cost some 60 KB. The next task makes another one.
 */

#include <systemd/sd-event.h>

#include "daemon/base/macro.h"

#define WORKER_LOT_MAX ((size_t) 64)

/* Of completions that are left over: as low as what callers want from the loop. */
#define WORKER_BACKLOG_PRIORITY (SD_EVENT_PRIORITY_NORMAL + 10)

/* What a thread may cost that has nothing to do, for those whose work comes in fits. */
#define WORKER_LINGER_USEC USEC_PER_SEC

typedef struct Worker Worker;

typedef struct WorkerTaskType {
        void (*run)(void *task);                      /* on the worker's thread */
        void (*complete)(void *task, void *userdata); /* on the loop's thread; then `destroy` */
        /* On the loop's thread (but see may_hang); alone for tasks that never ran. */
        void (*destroy)(void *task);
} WorkerTaskType;

typedef struct WorkerOptions {
        const char *name;              /* of the thread, 15 bytes at most */
        size_t queue_max;              /* tasks that may wait; one more is -EAGAIN */
        void (*flush)(void *userdata); /* on the worker's thread, after a lot; or NULL */
        /* On the worker's thread, when a lot can be told and before the next is taken: for what
         * nobody waits for. Or NULL. */
        void (*tidy)(void *userdata);
        /* Without work for so long, the thread ends. 0 or USEC_INFINITY: it stays. */
        usec_t linger_usec;
        /* A task may hang, and the one that runs is not waited for in worker_free(): it and its
         * thread are left to themselves. What it touches must not be gone by then; `destroy` of it
         * and of the others of its lot is called on that thread, and no `flush`, `tidy` and `idle`.
         */
        bool may_hang;
        /* Since it began, for so long worker_free() waits for such a one all the same. */
        usec_t patience_usec;
        /* On the worker's thread, when nothing waits, and before the thread ends; or NULL. */
        void (*idle)(void *userdata);
        void *userdata; /* of flush, tidy and idle */
} WorkerOptions;

int worker_new(sd_event *event, const WorkerOptions *options, Worker **ret);

/* Ends after the task that runs now (see may_hang); what waits is destroyed without being told.
 * Loop thread, also when the loop has exited. */
Worker *worker_free(Worker *w);
DEFINE_CLEANUP(Worker *, worker_free);

/* Takes `task` in any case: on an error it is destroyed. Loop thread. */
int worker_submit(Worker *w, const WorkerTaskType *type, void *task, void *userdata);

/* Nobody wants to know any more. True: it had not begun; it is destroyed, and nothing is told.
 * False: it goes its way. Loop thread. */
bool worker_withdraw(Worker *w, const void *task);

/* Tasks that were submitted and whose completion has not been told yet. Loop thread. */
size_t worker_pending(const Worker *w);

/* There is a thread: it works, or lingers. For tests. Loop thread. */
bool worker_has_thread(const Worker *w);

/* Since when (boot clock) the running task has been running; USEC_INFINITY where none runs. The
 * watchdog asks. Any thread. */
usec_t worker_busy_since(Worker *w);

/* Runs whatever is pending to its end and tells the completions, on the caller's stack. For an
 * orderly stop and for tests. Loop thread. */
void worker_drain(Worker *w);
