/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "libclient/client.h"

#include <errno.h>
#include <poll.h>
#include <sys/epoll.h>
#include <time.h>

DEFINE_CLEANUP(fleetprov_client *, fleetprov_client_free);

usec_t client_now(void) {
        struct timespec ts;

        /* The clock that sd_bus_get_timeout(3) counts in. */
        clock_gettime(CLOCK_MONOTONIC, &ts);
        return (usec_t) ts.tv_sec * USEC_PER_SEC + (usec_t) ts.tv_nsec / 1000;
}

static void queue_append(fleetprov_client *c, fleetprov_event *event) {
        if (c->events_tail)
                c->events_tail->next = event;
        else
                c->events = event;
        c->events_tail = event;
        c->n_events++;
}

void client_post(fleetprov_client *c, fleetprov_event *event) {
        /* Answers are as many as the caller's calls; the rest has a bound, and says so when it was
         * passed. */
        if (!event || (c->n_events >= CLIENT_EVENTS_MAX && event->type != FLEETPROV_EVENT_ANSWER)) {
                c->overrun = true;
                fleetprov_event_free(event);
                return;
        }
        queue_append(c, event);
}

static void tell_overrun(fleetprov_client *c) {
        fleetprov_event *event;

        if (!c->overrun || c->n_events > 0)
                return;
        event = event_new(FLEETPROV_EVENT_RESYNC);
        if (!event)
                return;
        c->overrun = false;
        queue_append(c, event);
}

fleetprov_event *client_take_event(fleetprov_client *c, uint64_t ticket) {
        fleetprov_event *previous = NULL;

        tell_overrun(c);
        for (fleetprov_event *e = c->events; e; previous = e, e = e->next) {
                if (ticket != 0 && e->ticket != ticket)
                        continue;
                if (previous)
                        previous->next = e->next;
                else
                        c->events = e->next;
                if (c->events_tail == e)
                        c->events_tail = previous;
                e->next = NULL;
                c->n_events--;
                return e;
        }
        return NULL;
}

void client_rearm(fleetprov_client *c) {
        struct epoll_event ev = {0};
        int fd = -1, events;

        if (c->open) {
                fd = sd_bus_get_fd(c->bus);
                events = sd_bus_get_events(c->bus);
                if (fd >= 0 && events > 0)
                        ev.events = ((events & POLLIN) ? (uint32_t) EPOLLIN : 0U) |
                                    ((events & POLLOUT) ? (uint32_t) EPOLLOUT : 0U);
        }
        if (fd >= 0 && fd == c->watched_fd) {
                if (ev.events != c->watched_events &&
                    epoll_ctl(c->epoll_fd, EPOLL_CTL_MOD, fd, &ev) >= 0)
                        c->watched_events = ev.events;
                return;
        }
        if (c->watched_fd >= 0)
                epoll_ctl(c->epoll_fd, EPOLL_CTL_DEL, c->watched_fd, NULL);
        c->watched_fd = -1;
        if (fd >= 0 && epoll_ctl(c->epoll_fd, EPOLL_CTL_ADD, fd, &ev) >= 0) {
                c->watched_fd = fd;
                c->watched_events = ev.events;
        }
}

_public_ int fleetprov_client_new(fleetprov_client **ret, const char *address) {
        _cleanup_(fleetprov_client_freep) fleetprov_client *c = NULL;
        int r;

        if (!ret)
                return -EINVAL;
        c = calloc(1, sizeof(fleetprov_client));
        if (!c)
                return -ENOMEM;
        c->watched_fd = -1;
        c->backoff = CLIENT_BACKOFF_MIN_USEC;
        c->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
        if (c->epoll_fd < 0)
                return -errno;
        r = connection_choose(c, address);
        if (r < 0)
                return r;
        client_rearm(c);
        *ret = TAKE_PTR(c);
        return 0;
}

_public_ fleetprov_client *fleetprov_client_free(fleetprov_client *client) {
        if (!client)
                return NULL;
        call_free_all(client);
        sd_bus_close_unref(client->bus);
        while (client->events) {
                fleetprov_event *e = client->events;

                client->events = e->next;
                fleetprov_event_free(e);
        }
        closep(&client->epoll_fd);
        free(client->address);
        free(client);
        return NULL;
}

_public_ int fleetprov_client_get_fd(fleetprov_client *client) {
        return client ? client->epoll_fd : -EINVAL;
}

static bool may_read(const fleetprov_client *c) {
        return c->n_events < CLIENT_EVENTS_MAX || c->waited_ticket != 0;
}

_public_ int fleetprov_client_get_events(fleetprov_client *client) {
        if (!client)
                return -EINVAL;
        client_rearm(client);
        return may_read(client) ? POLLIN : 0;
}

_public_ int fleetprov_client_get_timeout(fleetprov_client *client, uint64_t *ret_usec) {
        usec_t t = USEC_INFINITY, bus_timeout;

        if (!client || !ret_usec)
                return -EINVAL;
        if (may_read(client)) {
                if (client->open && sd_bus_get_timeout(client->bus, &bus_timeout) >= 0)
                        t = bus_timeout;
                if (!client->open || call_any_waiting(client))
                        t = usec_min(t, client->retry_at);
        }
        *ret_usec = t;
        return 0;
}

_public_ int fleetprov_client_dispatch(fleetprov_client *client) {
        if (!client)
                return -EINVAL;
        for (unsigned i = 0; i < CLIENT_DISPATCH_MAX && may_read(client); i++) {
                int r;

                if (!client->open) {
                        if (client_now() < client->retry_at)
                                break;
                        if (connection_open(client) < 0) {
                                connection_retry(client);
                                break;
                        }
                }
                if (call_any_waiting(client) && client_now() >= client->retry_at)
                        call_send_waiting(client);
                r = sd_bus_process(client->bus, NULL);
                if (r < 0)
                        connection_lost(client);
                if (r == 0)
                        break;
        }
        client_rearm(client);
        return client->n_events > 0 || client->overrun;
}

_public_ int fleetprov_client_pop_event(fleetprov_client *client, fleetprov_event **ret) {
        fleetprov_event *event;

        if (!client || !ret)
                return -EINVAL;
        event = client_take_event(client, 0);
        if (!event)
                return 0;
        *ret = event;
        return 1;
}
