/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Tells when a network may have come (back): a link got its carrier, an address or a route was
 * added (rtnetlink(7)). What goes is of no interest: connections notice that themselves. Loop
 * thread only. */

#include <systemd/sd-event.h>

#include "daemon/base/macro.h"

/* Link, address and route come one after the other: told once, when the first is so old. */
#define NETWORK_WATCH_SETTLE_USEC (200 * USEC_PER_MSEC)

/* A host that starts containers all day has news of networks all day, and a fleet must not come
 * back all at once for that: the n-th time in a row is at least min(last, first * 2^n) after the
 * one before. It begins again after `last` without news. */
#define NETWORK_WATCH_SPACING_FIRST_USEC (1 * USEC_PER_SEC)
#define NETWORK_WATCH_SPACING_LAST_USEC (32 * USEC_PER_SEC)

typedef struct NetworkWatch NetworkWatch;

/* -EAFNOSUPPORT, -EPERM…: there is no netlink to be had here; one can do without. */
int network_watch_new(sd_event *event, void (*came)(void *userdata), void *userdata,
                      NetworkWatch **ret);
NetworkWatch *network_watch_free(NetworkWatch *w);
DEFINE_CLEANUP(NetworkWatch *, network_watch_free);

/* Whether these messages of NETLINK_ROUTE say that a network may have come. Anything may stand in
 * there. */
bool network_news_are_good(const void *messages, size_t size);
