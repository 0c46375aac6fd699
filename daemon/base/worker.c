/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/base/worker.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <time.h>

#include "daemon/base/clock.h"
#include "daemon/base/list.h"
#include "daemon/base/worker-stack.h"

#define NSEC_PER_USEC 1000U

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
        usec_t linger_usec;
        bool may_hang;
        usec_t patience_usec;
        void (*flush)(void *userdata);
        void (*tidy)(void *userdata);
        void (*idle)(void *userdata);
        void *userdata;

        char *name;
        /* Loop thread only; where `stack` is NULL, there is no thread. */
        pthread_t thread;
        void *stack;

        pthread_mutex_t lock;
        pthread_cond_t wake;     /* something waits, or stop */
        pthread_cond_t finished; /* something was finished */
        ItemList waiting;
        size_t n_waiting;
        ItemList done;
        usec_t busy_since;
        bool stop;
        bool abandoned; /* by worker_free(): the thread frees what is left */
        bool ended;     /* the thread does not touch the Worker any more */
};

/* Returns how many there were, `max` at most. */
static size_t items_move_some(ItemList *to, ItemList *from, size_t max) {
        size_t n = 0;
        Item *item;

        while (n < max && (item = from->items_first)) {
                LIST_REMOVE(items, from, item);
                LIST_APPEND(items, to, item);
                n++;
        }
        return n;
}

static void items_move(ItemList *to, ItemList *from) {
        (void) items_move_some(to, from, SIZE_MAX);
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

static bool is_abandoned(Worker *w) {
        bool abandoned;

        pthread_mutex_lock(&w->lock);
        abandoned = w->abandoned;
        pthread_mutex_unlock(&w->lock);
        return abandoned;
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
        if (w->flush && !is_abandoned(w))
                w->flush(w->userdata);
        return false;
}

/* The last of it, on whichever thread it is. */
static void worker_release(Worker *w) {
        items_free(&w->waiting);
        items_free(&w->done);
        close_fd(w->completion_fd);
        free(w->name);
        pthread_cond_destroy(&w->finished);
        pthread_cond_destroy(&w->wake);
        pthread_mutex_destroy(&w->lock);
        free(w);
}

static struct timespec after(usec_t usec) {
        struct timespec t;

        (void) clock_gettime(CLOCK_MONOTONIC, &t);
        usec = usec_add((usec_t) t.tv_nsec / NSEC_PER_USEC, usec);
        t.tv_sec += (time_t) (usec / USEC_PER_SEC);
        t.tv_nsec = (long) (usec % USEC_PER_SEC * NSEC_PER_USEC);
        return t;
}

/* With the lock held. True: there is work. */
static bool wait_for_work(Worker *w) {
        const bool stays = w->linger_usec == USEC_INFINITY;
        const struct timespec deadline = stays ? (struct timespec){} : after(w->linger_usec);
        int r = 0;

        while (!w->stop && w->n_waiting == 0 && r != ETIMEDOUT)
                r = stays ? pthread_cond_wait(&w->wake, &w->lock)
                          : pthread_cond_timedwait(&w->wake, &w->lock, &deadline);
        return !w->stop && w->n_waiting > 0;
}

/* With the lock held, and without it for as long as it runs. False: it was told to stop. */
static bool work(Worker *w) {
        ItemList lot = {};
        bool stopped;

        w->n_waiting -= items_move_some(&lot, &w->waiting, w->flush ? WORKER_LOT_MAX : 1);
        pthread_mutex_unlock(&w->lock);
        stopped = run_lot(w, &lot);
        pthread_mutex_lock(&w->lock);
        w->busy_since = USEC_INFINITY;
        if (stopped) {
                items_move(&lot, &w->waiting); /* in their order */
                items_move(&w->waiting, &lot); /* worker_release() destroys them */
                pthread_cond_broadcast(&w->finished);
                return false;
        }
        items_move(&w->done, &lot);
        pthread_cond_broadcast(&w->finished);
        (void) eventfd_write(w->completion_fd, 1);
        if (w->tidy && !w->abandoned) {
                w->busy_since = clock_boot_usec();
                pthread_mutex_unlock(&w->lock);
                w->tidy(w->userdata);
                pthread_mutex_lock(&w->lock);
                w->busy_since = USEC_INFINITY;
        }
        if (w->idle && w->n_waiting == 0 && !w->stop) {
                pthread_mutex_unlock(&w->lock);
                w->idle(w->userdata);
                pthread_mutex_lock(&w->lock);
        }
        return true;
}

static void *worker_main(void *p) {
        Worker *w = p;

        pthread_mutex_lock(&w->lock);
        while (wait_for_work(w))
                if (!work(w))
                        break;
        if (w->abandoned) {
                pthread_mutex_unlock(&w->lock);
                worker_release(w);
                return NULL;
        }
        /* What libraries keep for a thread, nobody can reach when it is gone. Where nobody told it
         * to stop, this was done when the work ran out. */
        if (w->stop && w->idle) {
                pthread_mutex_unlock(&w->lock);
                w->idle(w->userdata);
                pthread_mutex_lock(&w->lock);
        }
        w->ended = true;
        (void) eventfd_write(w->completion_fd, 1);
        pthread_mutex_unlock(&w->lock);
        return NULL;
}

/* True: there are more. */
static bool tell_completions(Worker *w) {
        ItemList done = {};
        Item *item, *next;
        bool more;

        pthread_mutex_lock(&w->lock);
        (void) items_move_some(&done, &w->done, WORKER_LOT_MAX);
        more = w->done.items_first != NULL;
        pthread_mutex_unlock(&w->lock);
        LIST_FOREACH_SAFE(items, item, next, &done) {
                LIST_REMOVE(items, &done, item);
                w->pending--;
                if (item->type->complete)
                        item->type->complete(item->task, item->userdata);
                item_free(item);
        }
        return more;
}

/* Nothing but the end of the thread is waited for. */
static void join_thread(Worker *w) {
        pthread_join(w->thread, NULL);
        w->stack = worker_stack_free(w->stack);
        w->ended = false;
}

static void join_ended_thread(Worker *w) {
        bool ended;

        pthread_mutex_lock(&w->lock);
        ended = w->ended;
        pthread_mutex_unlock(&w->lock);
        if (ended)
                join_thread(w);
}

/* What is left comes in turn with everything else, so that thousands of them hold up nobody. */
static int on_completion_io(sd_event_source *s, int fd, uint32_t revents, void *userdata) {
        eventfd_t count;
        bool more;

        (void) eventfd_read(fd, &count);
        join_ended_thread(userdata);
        more = tell_completions(userdata);
        if (more)
                (void) eventfd_write(fd, 1);
        (void) sd_event_source_set_priority(s, more ? WORKER_BACKLOG_PRIORITY
                                                    : SD_EVENT_PRIORITY_NORMAL);
        return 0;
}

static int start_thread(Worker *w) {
        sigset_t all, before;
        int r;

        if (w->stack)
                return 0;
        w->stack = worker_stack_new();
        if (!w->stack)
                return -errno;
        /* Signals are the loop's business. */
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &before);
        r = worker_stack_run(w->stack, worker_main, w, &w->thread);
        pthread_sigmask(SIG_SETMASK, &before, NULL);
        if (r < 0) {
                w->stack = worker_stack_free(w->stack);
                return r;
        }
        (void) pthread_setname_np(w->thread, w->name);
        return 0;
}

/* pthread_cond_timedwait() by a clock that nobody sets. */
static void init_locks(Worker *w) {
        pthread_condattr_t attributes;

        pthread_condattr_init(&attributes);
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
        pthread_mutex_init(&w->lock, NULL);
        pthread_cond_init(&w->wake, &attributes);
        pthread_cond_init(&w->finished, &attributes);
        pthread_condattr_destroy(&attributes);
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
        w->tidy = options->tidy;
        w->idle = options->idle;
        w->userdata = options->userdata;
        w->linger_usec = options->linger_usec > 0 ? options->linger_usec : USEC_INFINITY;
        w->may_hang = options->may_hang;
        w->patience_usec = options->patience_usec;
        w->busy_since = USEC_INFINITY;
        init_locks(w);

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

/* With the lock held. */
static void wait_patiently(Worker *w) {
        const usec_t now = clock_boot_usec();
        const usec_t busy = now > w->busy_since ? now - w->busy_since : 0;
        const struct timespec deadline =
                after(w->patience_usec > busy ? w->patience_usec - busy : 0);
        int r = 0;

        while (w->busy_since != USEC_INFINITY && r != ETIMEDOUT)
                r = pthread_cond_timedwait(&w->finished, &w->lock, &deadline);
}

/* True: the Worker is the thread's from now on. */
static bool stop_thread(Worker *w) {
        pthread_mutex_lock(&w->lock);
        w->stop = true;
        pthread_cond_broadcast(&w->wake);
        if (w->may_hang && w->patience_usec > 0)
                wait_patiently(w);
        if (w->may_hang && w->busy_since != USEC_INFINITY) {
                items_free(&w->waiting);
                items_free(&w->done);
                w->abandoned = true;
                /* Its stack stays mapped: it cannot take it away from under itself. */
                pthread_detach(w->thread);
                pthread_mutex_unlock(&w->lock);
                return true;
        }
        pthread_mutex_unlock(&w->lock);
        join_thread(w);
        return false;
}

Worker *worker_free(Worker *w) {
        if (!w)
                return NULL;
        w->source = sd_event_source_disable_unref(w->source);
        if (!w->stack || !stop_thread(w))
                worker_release(w);
        return NULL;
}

/* With the lock held, which a thread that has ended does not want any more. */
static int enqueue(Worker *w, Item *item) {
        int r;

        if (w->n_waiting >= w->queue_max)
                return -EAGAIN;
        if (w->ended)
                join_thread(w);
        r = start_thread(w);
        if (r < 0)
                return r;
        LIST_APPEND(items, &w->waiting, item);
        w->n_waiting++;
        return 0;
}

int worker_submit(Worker *w, const WorkerTaskType *type, void *task, void *userdata) {
        Item *item;
        int r;

        item = calloc(1, sizeof(Item));
        if (!item) {
                if (type->destroy)
                        type->destroy(task);
                return -ENOMEM;
        }
        *item = (Item){.type = type, .task = task, .userdata = userdata};
        pthread_mutex_lock(&w->lock);
        r = enqueue(w, item);
        pthread_mutex_unlock(&w->lock);
        if (r < 0) {
                item_free(item);
                return r;
        }
        /* Not with the lock held, at which the woken thread would have to sleep again. */
        pthread_cond_signal(&w->wake);
        w->pending++;
        return 0;
}

/* With the lock held. */
static Item *take_waiting(Worker *w, const void *task) {
        Item *item;

        LIST_FOREACH(items, item, &w->waiting)
                if (item->task == task) {
                        LIST_REMOVE(items, &w->waiting, item);
                        w->n_waiting--;
                        return item;
                }
        return NULL;
}

bool worker_withdraw(Worker *w, const void *task) {
        Item *item;

        pthread_mutex_lock(&w->lock);
        item = take_waiting(w, task);
        pthread_mutex_unlock(&w->lock);
        if (!item)
                return false;
        w->pending--;
        item_free(item);
        return true;
}

size_t worker_pending(const Worker *w) {
        return w->pending;
}

bool worker_has_thread(const Worker *w) {
        return w->stack;
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
                (void) tell_completions(w);
        }
}
