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
 * so many; on a bus, where all callers share one connection, the next one is refused, and that of
 * a user who has a fourth of them already. */
#define LINK_CALLS_MAX ((size_t) 64)
#define LINK_BUS_CALLS_MAX ((size_t) 1024)
#define LINK_BUS_CALLS_PER_USER_MAX (LINK_BUS_CALLS_MAX / 4)

/* Messages in our queue for a client that does not read. With so many, its socket is read no
 * further: answers do not pile up. */
#define LINK_QUEUE_PAUSE ((uint64_t) 8)
/* Signals do: when those of all sockets together are too many (about 1 KB each in sd-bus), the
 * connection that has most of them is closed. One that reads may have thousands for a moment, when
 * a profile's whole queue fails. The bus, too, may have so many. */
#define LINK_QUEUE_TOTAL_MAX ((uint64_t) 16384)

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

/* Through which door: on a bus always the main one. */
const char *link_door(const Link *l);

/* Whether this connection may have a signal of this job. */
bool link_hears(Link *l, const Job *job);

/* Messages that wait to be written; none where it is closing. */
uint64_t link_queued(const Link *l);

static inline const FrontOps *link_ops(const Link *l) {
        return l->context->ops;
}

static inline void *link_ops_userdata(const Link *l) {
        return l->context->userdata;
}
