/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* What all connections of the process share: the worker that resolves names, the worker that waits
 * for the MQTT library, and the connections that are over but not yet gone. Loop thread. */

#include <systemd/sd-event.h>

#include "daemon/base/worker.h"

typedef struct Network Network;

/* One in a process, made before it has other threads: takes http_proxy, https_proxy and
 * MQTT_C_CLIENT_TRACE* out of the environment, since the MQTT library obeys them, and ignores
 * SIGPIPE. */
int network_new(sd_event *event, Network **ret);

/* The thread of the tokens, for handshakes with a key in one. It must live until nobody uses a
 * token any more; without it there are no such handshakes. */
void network_set_tokens(Network *n, Worker *tokens);

/* After all connections were freed. Waits for what lingers (see network_lingering()), seconds at
 * the worst; not for a name query that hangs. Not from within an event handler of a connection. */
Network *network_free(Network *n);
DEFINE_CLEANUP(Network *, network_free);

/* Connections that are over, whose MQTT handle is still being taken down. */
size_t network_lingering(const Network *n);

/* Gives memory back that nobody will need soon: wolfSSL's tables of elliptic curve points of this
 * thread, some megabytes, and the heap's free pages. When a session has become ready, and when the
 * queue runs empty. */
void network_trim(void);
