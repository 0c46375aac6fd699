/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The loopback leg: how the MQTT library, which knows no wolfSSL, comes to speak over our TLS. It
 * believes that we are an HTTP proxy on 127.0.0.1, and asks for CONNECT with a secret that only
 * this bridge and its own handle know.
 *
 * The window is closed. Any local user can connect to the port. So
 * - the other end of an accepted connection must be a socket of this very process, found among our
 *   own descriptors by both addresses; who is not, gets a reset, and not a byte;
 * - then it has two seconds for a CONNECT with the secret; a wrong one is closed, and changes
 *   nothing; the first right one is the leg, and there is no second;
 * - the port stays bound until the library's handle is destroyed: nobody can take it over and be
 *   told the secret (bridge_close() leaves the listener, which then turns everybody away).
 * Loop thread. */

#include <systemd/sd-event.h>

#include "daemon/net/pump.h"

#define BRIDGE_REQUEST_USEC (2 * USEC_PER_SEC)

typedef struct Bridge Bridge;

/* Once, never from within bridge_*(); takes `failure`. PumpEnd as in pump.h: after
 * PUMP_SERVER_ENDED on an open bridge the library tells what it saw. The Bridge may be closed in
 * it, not freed. */
typedef void (*BridgeHandler)(PumpEnd end, Failure *failure, void *userdata);

/* Takes wire and wire_fd, on errors, too. */
int bridge_new(sd_event *event, Wire *wire, int wire_fd, const char *endpoint, size_t packet_max,
               BridgeHandler handler, void *userdata, Bridge **ret);

/* "http://fleetprovd:SECRET@127.0.0.1:PORT". Until bridge_close(). */
const char *bridge_proxy(const Bridge *b);

/* Somebody proved to be the library. Whatever the library says of a bridge where nobody did is
 * about another connection. */
bool bridge_is_authenticated(const Bridge *b);

/* The library has begun to speak MQTT. */
bool bridge_is_open(const Bridge *b);

/* See pump_watch(). */
int bridge_watch(Bridge *b, usec_t silence_max_usec);

/* Ends leg and TLS, silently, and turns away who comes; the port stays ours. */
void bridge_close(Bridge *b, bool polite);

/* Accepts what waits, for the one who drains without a loop. */
void bridge_step(Bridge *b);

Bridge *bridge_free(Bridge *b);
DEFINE_CLEANUP(Bridge *, bridge_free);
