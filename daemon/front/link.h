/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* One D-Bus connection with our objects on it: to a bus, where each message has a sender of its
 * own, or to the one client behind a socket. The vtables know nothing but this. */

#include <systemd/sd-bus.h>

#include "daemon/base/list.h"
#include "daemon/front/bus-peer.h"
#include "daemon/front/front.h"
#include "daemon/front/gate.h"

/* Message dispatch comes after the daemon's own work: a client that floods us delays itself. */
#define FRONT_PRIORITY (SD_EVENT_PRIORITY_NORMAL + 10)

/* Calls of one connection that wait for their answers. A socket is read no further while there are
 * so many; on a bus, where all callers share one connection, the next one is refused. */
#define LINK_CALLS_MAX ((size_t) 64)
#define LINK_BUS_CALLS_MAX ((size_t) 1024)

/* Messages in our queue for a client that does not read. Above the first, its socket is read no
 * further; above the second (signals, that is), the connection is closed. */
#define LINK_QUEUE_PAUSE ((uint64_t) 8)
#define LINK_QUEUE_MAX ((uint64_t) 256)
#define LINK_BUS_QUEUE_MAX ((uint64_t) 16384)

/* What all connections share. */
typedef struct FrontContext {
        const FrontOps *ops;
        void *userdata;
        bool stopping;
} FrontContext;

typedef struct Link Link;
struct Link {
        const FrontContext *context;
        sd_bus *bus;
        Peer *peer;        /* who is at the other end of the socket; NULL on a bus */
        BusPeers *senders; /* who the callers are on a bus; NULL on a socket */
        Gate *gate;        /* NULL on a bus */
        char *unique_name; /* what we answer to Hello on a socket */
        bool greeted;      /* its first call was answered: signals may be sent */
        bool closing;
        sd_event_source *greet;  /* fires behind the dispatch of the first call */
        sd_event_source *closed; /* fires outside of any dispatch of `bus` */
        void (*on_closed)(Link *l, void *owner);
        void *owner;
        LIST_HEAD(FrontCall, calls);
        size_t n_calls;
        LIST_LINK(Link, links);
};

/* Takes `bus`, which is started, and attaches it to the loop. `on_closed` is called once, never
 * from within a callback of the bus, when the connection has ended or link_close() was called; it
 * frees the link. */
int link_new(sd_event *event, const FrontContext *context, sd_bus *bus,
             void (*on_closed)(Link *l, void *owner), void *owner, Link **ret);
Link *link_free(Link *l);
DEFINE_CLEANUP(Link *, link_free);

/* Soon. */
void link_close(Link *l);

/* Who sent this message; NULL: nobody known. Valid while it is handled. */
const Peer *link_peer(Link *l, sd_bus_message *m);

/* A signal of the Manager, if this connection may have one: made by link_signal_new(), sent by
 * link_signal_send(), which takes it. A connection that does not read is closed. */
bool link_hears(Link *l, const Job *job);
void link_signal_send(Link *l, sd_bus_message *m);

static inline const FrontOps *link_ops(const Link *l) {
        return l->context->ops;
}

static inline void *link_ops_userdata(const Link *l) {
        return l->context->userdata;
}
