/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/base/worker.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>

#include "daemon/base/clock.h"
#include "daemon/base/list.h"

typedef struct Item Item;
struct Item {
        const WorkerTaskType *type;
        void *task;
        void *userdata;
        LIST_LINK(Item, items);
};

typedef struct ItemList {
        LIST_HEAD(Item, items);
} ItemList;

struct Worker {
        sd_event_source *source;
        int completion_fd;
        size_t queue_max;
        size_t pending; /* loop thread only */
        void (*flush)(void *userdata);
        void (*idle)(void *userdata);
        void *userdata;

        char *name;
        pthread_t thread;
        bool started; /* loop thread only */

        pthread_mutex_t lock;
        pthread_cond_t wake;     /* something waits, or stop */
        pthread_cond_t finished; /* something was finished */
        ItemList waiting;
        size_t n_waiting;
        ItemList done;
        usec_t busy_since;
        bool stop;
};

static void items_move(ItemList *to, ItemList *from) {
        Item *item, *next;

        LIST_FOREACH_SAFE(items, item, next, from) {
                LIST_REMOVE(items, from, item);
                LIST_APPEND(items, to, item);
        }
}

static void item_free(Item *item) {
        if (item->type->destroy)
                item->type->destroy(item->task);
        free(item);
}

static void items_free(ItemList *list) {
        Item *item, *next;

        LIST_FOREACH_SAFE(items, item, next, list) {
                LIST_REMOVE(items, list, item);
                item_free(item);
        }
}

/* Returns true when it was told to stop in the middle of a lot. */
static bool run_lot(Worker *w, ItemList *lot) {
        Item *item;

        LIST_FOREACH(items, item, lot) {
                bool stop;

                pthread_mutex_lock(&w->lock);
                stop = w->stop;
                w->busy_since = clock_boot_usec();
                pthread_mutex_unlock(&w->lock);
                if (stop)
                        return true;
                item->type->run(item->task);
        }
        if (w->flush)
                w->flush(w->userdata);
        return false;
}

static void *worker_main(void *p) {
        Worker *w = p;
        ItemList lot = {};

        pthread_mutex_lock(&w->lock);
        for (;;) {
                while (!w->stop && w->n_waiting == 0)
                        pthread_cond_wait(&w->wake, &w->lock);
                if (w->stop)
                        break;
                items_move(&lot, &w->waiting);
                w->n_waiting = 0;
                pthread_mutex_unlock(&w->lock);

                if (run_lot(w, &lot)) {
                        pthread_mutex_lock(&w->lock);
                        items_move(&w->waiting, &lot); /* worker_free() destroys them */
                        break;
                }

                pthread_mutex_lock(&w->lock);
                items_move(&w->done, &lot);
                w->busy_since = USEC_INFINITY;
                pthread_cond_broadcast(&w->finished);
                (void) eventfd_write(w->completion_fd, 1);
                if (w->idle && w->n_waiting == 0) {
                        pthread_mutex_unlock(&w->lock);
                        w->idle(w->userdata);
                        pthread_mutex_lock(&w->lock);
                }
        }
        w->busy_since = USEC_INFINITY;
        pthread_mutex_unlock(&w->lock);
        /* What libraries keep for a thread, nobody can reach when it is gone. */
        if (w->idle)
                w->idle(w->userdata);
        return NULL;
}

static void tell_completions(Worker *w) {
        ItemList done = {};
        Item *item, *next;

        pthread_mutex_lock(&w->lock);
        items_move(&done, &w->done);
        pthread_mutex_unlock(&w->lock);
        LIST_FOREACH_SAFE(items, item, next, &done) {
                LIST_REMOVE(items, &done, item);
                w->pending--;
                if (item->type->complete)
                        item->type->complete(item->task, item->userdata);
                item_free(item);
        }
}

static int on_completion_io(sd_event_source *s, int fd, uint32_t revents, void *userdata) {
        eventfd_t count;

        (void) eventfd_read(fd, &count);
        tell_completions(userdata);
        return 0;
}

static int start_thread(Worker *w) {
        sigset_t all, before;
        int r;

        if (w->started)
                return 0;
        /* Signals are the loop's business. */
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &before);
        r = pthread_create(&w->thread, NULL, worker_main, w);
        pthread_sigmask(SIG_SETMASK, &before, NULL);
        if (r > 0)
                return -r;
        w->started = true;
        (void) pthread_setname_np(w->thread, w->name);
        return 0;
}

int worker_new(sd_event *event, const WorkerOptions *options, Worker **ret) {
        _cleanup_(worker_freep) Worker *w = NULL;
        int r;

        w = calloc(1, sizeof(Worker));
        if (!w)
                return -ENOMEM;
        w->completion_fd = -1;
        w->queue_max = options->queue_max;
        w->flush = options->flush;
        w->idle = options->idle;
        w->userdata = options->userdata;
        w->busy_since = USEC_INFINITY;
        pthread_mutex_init(&w->lock, NULL);
        pthread_cond_init(&w->wake, NULL);
        pthread_cond_init(&w->finished, NULL);

        w->name = strdup(options->name);
        if (!w->name)
                return -ENOMEM;
        w->completion_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        if (w->completion_fd < 0)
                return -errno;
        r = sd_event_add_io(event, &w->source, w->completion_fd, EPOLLIN, on_completion_io, w);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(w);
        return 0;
}

Worker *worker_free(Worker *w) {
        if (!w)
                return NULL;
        if (w->started) {
                pthread_mutex_lock(&w->lock);
                w->stop = true;
                pthread_cond_broadcast(&w->wake);
                pthread_mutex_unlock(&w->lock);
                pthread_join(w->thread, NULL);
        }
        items_free(&w->waiting);
        items_free(&w->done);
        sd_event_source_disable_unref(w->source);
        close_fd(w->completion_fd);
        free(w->name);
        pthread_cond_destroy(&w->finished);
        pthread_cond_destroy(&w->wake);
        pthread_mutex_destroy(&w->lock);
        free(w);
        return NULL;
}

int worker_submit(Worker *w, const WorkerTaskType *type, void *task, void *userdata) {
        Item *item = NULL;
        int r;

        r = start_thread(w);
        if (r >= 0) {
                item = calloc(1, sizeof(Item));
                if (!item)
                        r = -ENOMEM;
        }
        if (r < 0) {
                if (type->destroy)
                        type->destroy(task);
                return r;
        }
        *item = (Item){.type = type, .task = task, .userdata = userdata};

        pthread_mutex_lock(&w->lock);
        if (w->n_waiting >= w->queue_max) {
                pthread_mutex_unlock(&w->lock);
                item_free(item);
                return -EAGAIN;
        }
        LIST_APPEND(items, &w->waiting, item);
        w->n_waiting++;
        pthread_cond_signal(&w->wake);
        pthread_mutex_unlock(&w->lock);
        w->pending++;
        return 0;
}

size_t worker_pending(const Worker *w) {
        return w->pending;
}

usec_t worker_busy_since(Worker *w) {
        usec_t since;

        pthread_mutex_lock(&w->lock);
        since = w->busy_since;
        pthread_mutex_unlock(&w->lock);
        return since;
}

void worker_drain(Worker *w) {
        while (w->pending > 0) {
                pthread_mutex_lock(&w->lock);
                while (!w->done.items_first)
                        pthread_cond_wait(&w->finished, &w->lock);
                pthread_mutex_unlock(&w->lock);
                tell_completions(w);
        }
}
