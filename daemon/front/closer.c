/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/front/closer.h"

#include <errno.h>
#include <fcntl.h>

#include "daemon/base/log.h"
#include "daemon/base/worker.h"

struct Closer {
        Worker *worker;
};

/* A task is the descriptor itself, plus one: no memory is needed to get rid of one. */
static void *task_of(int fd) {
        return (void *) ((intptr_t) fd + 1); // NOLINT: never followed
}

static void on_close_run(void *task) {
        close((int) ((intptr_t) task - 1));
}

/* Of one that was never begun, the process ends: who waits now would wait for ever. */
static void on_close_destroy(void *task) {
}

static void on_close_complete(void *task, void *userdata) {
}

static const WorkerTaskType close_task = {
        .run = on_close_run, .complete = on_close_complete, .destroy = on_close_destroy};

int closer_new(sd_event *event, Closer **ret) {
        const WorkerOptions options = {.name = "closer",
                                       .queue_max = CLOSER_MAX,
                                       .linger_usec = WORKER_LINGER_USEC,
                                       .may_hang = true};
        Closer *c = calloc(1, sizeof(Closer));
        int r;

        if (!c)
                return -ENOMEM;
        r = worker_new(event, &options, &c->worker);
        if (r < 0) {
                free(c);
                return r;
        }
        *ret = c;
        return 0;
}

Closer *closer_free(Closer *c) {
        if (!c)
                return NULL;
        worker_free(c->worker);
        free(c);
        return NULL;
}

bool closer_has_room(const Closer *c, size_t n) {
        return worker_pending(c->worker) + n <= CLOSER_MAX;
}

bool closer_is_busy(const Closer *c) {
        return worker_pending(c->worker) > 0;
}

void closer_close(Closer *c, int fd) {
        int r = worker_submit(c->worker, &close_task, task_of(fd), NULL);

        if (r < 0) /* rather than to wait for whoever serves it */
                log_warning_errno(r, "A descriptor that a caller sent is left open");
}

bool closer_wants(int fd) {
        return fcntl(fd, F_GET_SEALS) < 0;
}
