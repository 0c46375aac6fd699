/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The sockets, and a link for each client: D-Bus without a bus daemon. Connections are bounded in
 * all, per owner (door and user) and per further door, and some are kept back for root, so that
 * nobody can shut him out. When descriptors run out, accepting pauses instead of spinning. */

#include "daemon/front/link.h"

#define SOCKET_CONNECTIONS_MAX ((size_t) 160)
#define SOCKET_CONNECTIONS_PER_USER_MAX ((size_t) 64)
#define SOCKET_CONNECTIONS_KEPT_BACK ((size_t) 16)    /* for the privileged */
#define SOCKET_CONNECTIONS_PER_DOOR_MAX ((size_t) 64) /* of one that is not the main one */
#define SOCKET_CONNECTIONS_DOORS_MAX ((size_t) 96)    /* of all those */
#define SOCKET_PAUSE_USEC (1 * USEC_PER_SEC)

typedef struct Sockets Sockets;

/* `path`: where to listen if systemd passed no socket; NULL: nowhere. Each failure is logged. */
int sockets_new(sd_event *event, const FrontContext *context, const char *path, Sockets **ret);
Sockets *sockets_free(Sockets *s);
DEFINE_CLEANUP(Sockets *, sockets_free);

/* Closes the connection that has most signals to read, if all of them together have too many. */
void sockets_close_slowest(Sockets *s);

/* The doors of the sockets, one after the other, perhaps one of them twice; NULL behind the last.
 */
const char *sockets_door_at(const Sockets *s, size_t i);

/* Descriptors that clients sent are being closed. For tests. */
bool sockets_are_closing(const Sockets *s);

/* The clients, one after the other (`links`). */
Link *sockets_first(Sockets *s);
