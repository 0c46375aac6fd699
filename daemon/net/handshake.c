/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/net/handshake.h"

#include <errno.h>

/* What the thread of the tokens has in its hands. */
typedef struct Step {
        Tls *tls;
        int fd; /* is open as long as tls is there */
        TlsStatus status;
        Failure *failure;
        Handshake *handshake; /* loop thread only; NULL: nobody waits for it any more */
} Step;

struct Handshake {
        Worker *tokens; /* NULL: steps are taken here */
        HandshakeHandler handler;
        void *userdata;
        Tls *tls; /* NULL: `step` has it */
        int fd;   /* likewise -1 */
        Step *step;
        sd_event_source *io;
};

/* The last thing that the caller does: the handler may free the Handshake. */
static void failed(Handshake *h, Failure *failure) {
        h->io = sd_event_source_disable_unref(h->io);
        h->tls = tls_free(h->tls);
        h->fd = close_fd(h->fd);
        h->handler(NULL, -1, failure, h->userdata);
}

static void wait_for(Handshake *h, uint32_t events) {
        int r;

        r = sd_event_source_set_io_events(h->io, events);
        if (r >= 0)
                r = sd_event_source_set_enabled(h->io, SD_EVENT_ON);
        if (r < 0)
                failed(h, failure_from_errno(r, "cannot wait for the server"));
}

static void on_stepped(Handshake *h, TlsStatus status, Failure *failure) {
        switch (status) {
        case TLS_WANT_READ:
                wait_for(h, EPOLLIN);
                return;
        case TLS_WANT_WRITE:
                wait_for(h, EPOLLOUT);
                return;
        case TLS_DONE:
                h->io = sd_event_source_disable_unref(h->io);
                h->handler(TAKE_PTR(h->tls), TAKE_FD(h->fd), NULL, h->userdata);
                return;
        case TLS_CLOSED: /* not from a handshake */
        case TLS_FAILED:
                failed(h, failure);
                return;
        }
}

/* --- on the thread of the tokens */

static void step_run(void *task) {
        Step *step = task;

        step->status = tls_handshake(step->tls, &step->failure);
}

static void step_complete(void *task, void *userdata) {
        Step *step = task;
        Handshake *h = step->handshake;

        if (!h)
                return;
        h->step = NULL;
        h->tls = TAKE_PTR(step->tls);
        h->fd = TAKE_FD(step->fd);
        on_stepped(h, step->status, TAKE_PTR(step->failure));
}

static void step_destroy(void *task) {
        Step *step = task;

        tls_free(step->tls);
        close_fd(step->fd);
        failure_free(step->failure);
        free(step);
}

static const WorkerTaskType step_task = {
        .run = step_run, .complete = step_complete, .destroy = step_destroy};

static int step_elsewhere(Handshake *h) {
        Step *step;
        int r;

        r = sd_event_source_set_enabled(h->io, SD_EVENT_OFF);
        if (r < 0)
                return r;
        step = calloc(1, sizeof(*step));
        if (!step)
                return -ENOMEM;
        *step = (Step){.tls = TAKE_PTR(h->tls), .fd = TAKE_FD(h->fd), .handshake = h};
        r = worker_submit(h->tokens, &step_task, step, NULL);
        if (r < 0)
                return r; /* the worker destroyed it */
        h->step = step;
        return 0;
}

/* --- on the loop */

static void take_step(Handshake *h) {
        Failure *failure = NULL;
        TlsStatus status;
        int r;

        if (!h->tokens) {
                status = tls_handshake(h->tls, &failure);
                on_stepped(h, status, failure);
                return;
        }
        r = step_elsewhere(h);
        if (r == -EAGAIN)
                failed(h, failure_new(ERROR_NOT_INITIALIZED,
                                      "the token with the private key does not answer: too many "
                                      "wait for it already; look at the token and its reader"));
        else if (r < 0)
                failed(h, failure_from_errno(r, "cannot ask the token with the private key"));
}

static int on_handshake_io(sd_event_source *s, int fd, uint32_t revents, void *userdata) {
        take_step(userdata);
        return 0;
}

int handshake_new(sd_event *event, Worker *tokens, Tls *tls, int fd, HandshakeHandler handler,
                  void *userdata, Handshake **ret) {
        Handshake *h = calloc(1, sizeof(*h));
        int r;

        if (!h) {
                tls_free(tls);
                close_fd(fd);
                return -ENOMEM;
        }
        *h = (Handshake){
                .tokens = tokens, .handler = handler, .userdata = userdata, .tls = tls, .fd = fd};
        /* We speak first, so it begins when there is room for that. */
        r = sd_event_add_io(event, &h->io, fd, EPOLLOUT, on_handshake_io, h);
        if (r < 0) {
                handshake_free(h);
                return r;
        }
        *ret = h;
        return 0;
}

Handshake *handshake_free(Handshake *h) {
        if (!h)
                return NULL;
        if (h->step)
                h->step->handshake = NULL;
        sd_event_source_disable_unref(h->io);
        tls_free(h->tls);
        close_fd(h->fd);
        free(h);
        return NULL;
}

bool handshake_waits_for_token(const Handshake *h) {
        return h->step;
}
