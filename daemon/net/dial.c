/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/net/dial.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <time.h>

#include "daemon/net/resolve.h"

#define TIMER_ACCURACY_USEC (10 * USEC_PER_MSEC)

/* Dead peers are found by MQTT's keep-alive; these find them where that is long, and keep the state
 * in routers alive. */
#define KEEPALIVE_IDLE_SEC 60
#define KEEPALIVE_INTERVAL_SEC 15
#define KEEPALIVE_PROBES 4

typedef struct Attempt {
        Dial *dial;
        const Address *address;
        int fd; /* -1: over */
        sd_event_source *io;
        sd_event_source *timer;
} Attempt;

struct Dial {
        sd_event *event;
        char *host;
        uint16_t port;
        bool is_proxy;
        usec_t user_timeout_usec;
        DialHandler handler;
        void *userdata;

        Resolve *resolve;
        AddressList list;
        Attempt attempts[RESOLVE_ADDRESSES_MAX];
        size_t n_started, n_failed;
        sd_event_source *next_timer;
        char *reasons; /* "192.0.2.1: Connection refused; …" */
};

static void start_next(Dial *d);

static void attempt_close(Attempt *a) {
        a->io = sd_event_source_disable_unref(a->io);
        a->timer = sd_event_source_disable_unref(a->timer);
        a->fd = close_fd(a->fd);
}

/* The last thing that the caller does: the handler may free the Dial. */
static void dial_finish(Dial *d, int fd, Failure *failure) {
        for (size_t i = 0; i < d->n_started; i++)
                attempt_close(&d->attempts[i]);
        d->next_timer = sd_event_source_disable_unref(d->next_timer);
        d->handler(fd, failure, d->userdata);
}

static void add_reason(Dial *d, const Address *address, int error) {
        char text[INET6_ADDRSTRLEN] = "?";
        char *reasons;

        if (address->any.sa_family == AF_INET)
                (void) inet_ntop(AF_INET, &address->in.sin_addr, text, sizeof(text));
        else
                (void) inet_ntop(AF_INET6, &address->in6.sin6_addr, text, sizeof(text));
        if (asprintf(&reasons, "%s%s%s: %s", d->reasons ? d->reasons : "", d->reasons ? "; " : "",
                     text, strerrordesc_np(error)) < 0)
                return;
        free(d->reasons);
        d->reasons = reasons;
}

static Failure *failure_connect(const Dial *d, const char *what) {
        return failure_new(
                ERROR_CONNECT_FAILED, "%s %s%s port %u%s%s; check %s, the network and firewalls",
                what, d->is_proxy ? "the proxy " : "", d->host, d->port, d->reasons ? ": " : "",
                d->reasons ? d->reasons : "", d->is_proxy ? "Proxy=" : "Endpoint=, Port=");
}

Failure *dial_failure_timeout(const Dial *d) {
        if (d->list.n == 0)
                return failure_new(ERROR_NAME_RESOLUTION,
                                   "no answer in time to the question for the address of %s%s; "
                                   "check the network and the name servers",
                                   d->is_proxy ? "the proxy " : "", d->host);
        return failure_connect(d, "no answer in time from");
}

static void attempt_failed(Attempt *a, int error) {
        Dial *d = a->dial;

        add_reason(d, a->address, error);
        attempt_close(a);
        d->n_failed++;
        if (d->n_failed == d->list.n)
                dial_finish(d, -1, failure_connect(d, "cannot connect to"));
        else if (d->n_started < d->list.n)
                start_next(d);
}

static int on_attempt_io(sd_event_source *s, int fd, uint32_t revents, void *userdata) {
        socklen_t size = sizeof(int);
        Attempt *a = userdata;
        int error = 0;

        if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0)
                error = errno;
        if (error != 0) {
                attempt_failed(a, error);
                return 0;
        }
        a->io = sd_event_source_disable_unref(a->io);
        dial_finish(a->dial, TAKE_FD(a->fd), NULL);
        return 0;
}

static int on_attempt_timeout(sd_event_source *s, uint64_t usec, void *userdata) {
        attempt_failed(userdata, ETIMEDOUT);
        return 0;
}

static int on_next_timer(sd_event_source *s, uint64_t usec, void *userdata) {
        Dial *d = userdata;

        if (d->n_started < d->list.n)
                start_next(d);
        return 0;
}

static int set_option(int fd, int level, int name, int value) {
        return setsockopt(fd, level, name, &value, sizeof(value)) < 0 ? -errno : 0;
}

static int attempt_socket(const Dial *d, const Address *address) {
        _cleanup_close_ int fd = -1;
        int user_timeout_msec = 0;

        fd = socket(address->any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
                    IPPROTO_TCP);
        if (fd < 0)
                return -errno;
        if (d->user_timeout_usec / USEC_PER_MSEC < INT32_MAX)
                user_timeout_msec = (int) (d->user_timeout_usec / USEC_PER_MSEC);
        /* Before connect: with Nagle's algorithm a small packet waits for the acknowledgement of
         * the one before, which the peer delays by 40 ms. The others are comfort. */
        if (set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1) < 0)
                return -errno;
        (void) set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
        (void) set_option(fd, IPPROTO_TCP, TCP_KEEPIDLE, KEEPALIVE_IDLE_SEC);
        (void) set_option(fd, IPPROTO_TCP, TCP_KEEPINTVL, KEEPALIVE_INTERVAL_SEC);
        (void) set_option(fd, IPPROTO_TCP, TCP_KEEPCNT, KEEPALIVE_PROBES);
        (void) set_option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, user_timeout_msec);
        if (connect(fd, &address->any, address->size) < 0 && errno != EINPROGRESS)
                return -errno;
        return TAKE_FD(fd);
}

static int attempt_start(Attempt *a) {
        Dial *d = a->dial;
        int r;

        a->fd = attempt_socket(d, a->address);
        if (a->fd < 0)
                return a->fd;
        r = sd_event_add_io(d->event, &a->io, a->fd, EPOLLOUT, on_attempt_io, a);
        if (r < 0)
                return r;
        return sd_event_add_time_relative(d->event, &a->timer, CLOCK_BOOTTIME, DIAL_ADDRESS_USEC,
                                          TIMER_ACCURACY_USEC, on_attempt_timeout, a);
}

static int arm_next_timer(Dial *d) {
        int r;

        if (d->n_started >= d->list.n)
                return 0;
        if (!d->next_timer)
                return sd_event_add_time_relative(d->event, &d->next_timer, CLOCK_BOOTTIME,
                                                  DIAL_NEXT_ADDRESS_USEC, TIMER_ACCURACY_USEC,
                                                  on_next_timer, d);
        r = sd_event_source_set_time_relative(d->next_timer, DIAL_NEXT_ADDRESS_USEC);
        if (r < 0)
                return r;
        return sd_event_source_set_enabled(d->next_timer, SD_EVENT_ONESHOT);
}

/* Tail position only. An address that fails at once (no route, no IPv6) makes room for the next. */
static void start_next(Dial *d) {
        Attempt *a = &d->attempts[d->n_started];
        int r;

        *a = (Attempt){.dial = d, .address = &d->list.addresses[d->n_started], .fd = -1};
        d->n_started++;
        r = arm_next_timer(d);
        if (r >= 0)
                r = attempt_start(a);
        if (r < 0)
                attempt_failed(a, -r);
}

static void on_resolved(const AddressList *list, Failure *failure, void *userdata) {
        Dial *d = userdata;

        d->resolve = resolve_free(d->resolve);
        if (!list) {
                dial_finish(d, -1, failure);
                return;
        }
        d->list = *list;
        start_next(d);
}

int dial_new(sd_event *event, Worker *names, const DialParameters *p, DialHandler handler,
             void *userdata, Dial **ret) {
        _cleanup_(dial_freep) Dial *d = NULL;
        int r;

        d = calloc(1, sizeof(Dial));
        if (!d)
                return -ENOMEM;
        d->event = sd_event_ref(event);
        d->port = p->port;
        d->is_proxy = p->is_proxy;
        d->user_timeout_usec = p->user_timeout_usec;
        d->handler = handler;
        d->userdata = userdata;
        r = free_and_strdup(&d->host, p->host);
        if (r < 0)
                return r;
        r = resolve_new(names, p->host, p->port, p->is_proxy, on_resolved, d, &d->resolve);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(d);
        return 0;
}

Dial *dial_free(Dial *d) {
        if (!d)
                return NULL;
        resolve_free(d->resolve);
        for (size_t i = 0; i < d->n_started; i++)
                attempt_close(&d->attempts[i]);
        sd_event_source_disable_unref(d->next_timer);
        free(d->reasons);
        free(d->host);
        sd_event_unref(d->event);
        free(d);
        return NULL;
}
