/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Who the callers on a bus are: the uid and the groups that the bus daemon noted when they
 * connected (GetConnectionCredentials; sd-bus 252 cannot tell supplementary groups, and /proc would
 * tell those of whoever has the pid by then).
 *
 * The first message of an unknown sender is held, and its later ones behind it, until the bus has
 * answered; then they are put back, in their order. What was learnt is kept by unique name: the
 * least recently used goes when there are too many. A name that left needs no notice, since a bus
 * never gives a unique name twice (D-Bus specification, "Valid names"); watching all comings and
 * goings would wake the daemon for every one of them. */

#include <systemd/sd-bus.h>

#include "daemon/model/peer.h"

#define BUS_PEERS_MAX ((size_t) 256)
#define BUS_PEERS_HELD_MAX ((size_t) 64)        /* messages of one sender */
#define BUS_PEERS_HELD_TOTAL_MAX ((size_t) 256) /* of all senders */

typedef struct BusPeers BusPeers;

/* Adds a filter to the bus that sees to it that bus_peers_get() knows the sender of each method
 * call that is dispatched. */
int bus_peers_new(sd_bus *bus, BusPeers **ret);
BusPeers *bus_peers_free(BusPeers *p);
DEFINE_CLEANUP(BusPeers *, bus_peers_free);

/* NULL: unknown. Valid until the next message is dispatched. */
const Peer *bus_peers_get(BusPeers *p, const char *sender);
