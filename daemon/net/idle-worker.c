/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/net/idle-worker.h"

#include <errno.h>
#include <time.h>

#define IDLE_USEC USEC_PER_SEC
#define TIMER_ACCURACY_USEC (250 * USEC_PER_MSEC)

struct IdleWorker {
        sd_event *event;
        WorkerOptions options;
        Worker *worker; /* NULL: nothing to do */
        sd_event_source *timer;
};

/* Not in a completion: the worker is still at work with it. */
static int on_idle_timer(sd_event_source *s, uint64_t usec, void *userdata) {
        IdleWorker *w = userdata;

        if (worker_pending(w->worker) == 0) {
                w->worker = worker_free(w->worker);
                return 0;
        }
        (void) sd_event_source_set_time_relative(s, IDLE_USEC);
        (void) sd_event_source_set_enabled(s, SD_EVENT_ONESHOT);
        return 0;
}

int idle_worker_new(sd_event *event, const WorkerOptions *options, IdleWorker **ret) {
        _cleanup_(idle_worker_freep) IdleWorker *w = NULL;
        int r;

        w = calloc(1, sizeof(IdleWorker));
        if (!w)
                return -ENOMEM;
        w->event = sd_event_ref(event);
        w->options = *options;
        r = sd_event_add_time(event, &w->timer, CLOCK_BOOTTIME, 0, TIMER_ACCURACY_USEC,
                              on_idle_timer, w);
        if (r < 0)
                return r;
        r = sd_event_source_set_enabled(w->timer, SD_EVENT_OFF);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(w);
        return 0;
}

IdleWorker *idle_worker_free(IdleWorker *w) {
        if (!w)
                return NULL;
        sd_event_source_disable_unref(w->timer);
        worker_free(w->worker);
        sd_event_unref(w->event);
        free(w);
        return NULL;
}

static int wake(IdleWorker *w) {
        int r;

        if (!w->worker) {
                r = worker_new(w->event, &w->options, &w->worker);
                if (r < 0)
                        return r;
        }
        r = sd_event_source_set_time_relative(w->timer, IDLE_USEC);
        if (r < 0)
                return r;
        return sd_event_source_set_enabled(w->timer, SD_EVENT_ONESHOT);
}

int idle_worker_submit(IdleWorker *w, const WorkerTaskType *type, void *task, void *userdata) {
        int r = wake(w);

        /* Without a timer the thread stays, and that is all; without a thread there is nobody. */
        if (!w->worker) {
                if (type->destroy)
                        type->destroy(task);
                return r;
        }
        return worker_submit(w->worker, type, task, userdata);
}

void idle_worker_drain(IdleWorker *w) {
        if (w->worker)
                worker_drain(w->worker);
}

bool idle_worker_has_thread(const IdleWorker *w) {
        return w->worker;
}
