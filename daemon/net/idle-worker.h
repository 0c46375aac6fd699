/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* A worker whose thread exists while there is work, and for a second after it. Each thread of a
 * process with wolfSSL costs some 60 KB that are really used, 45 of them wolfSSL's thread-local
 * tables, which glibc fills with zeroes; and names are looked up once in a session. Otherwise like
 * a Worker (daemon/base/worker.h). Loop thread. */

#include "daemon/base/worker.h"

typedef struct IdleWorker IdleWorker;

int idle_worker_new(sd_event *event, const WorkerOptions *options, IdleWorker **ret);
IdleWorker *idle_worker_free(IdleWorker *w); /* as worker_free() */
DEFINE_CLEANUP(IdleWorker *, idle_worker_free);

/* Takes `task` in any case, as worker_submit(). */
int idle_worker_submit(IdleWorker *w, const WorkerTaskType *type, void *task, void *userdata);

/* As worker_drain(). */
void idle_worker_drain(IdleWorker *w);

/* For tests. */
bool idle_worker_has_thread(const IdleWorker *w);
