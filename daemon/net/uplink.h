/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* A TLS connection to a server, from its name to the last assertion: dial, perhaps a proxy,
 * handshake, perhaps a WebSocket's, on the loop. What is spoken over it is not its business. Loop
 * thread. */

#include <systemd/sd-event.h>

#include "daemon/base/worker.h"
#include "daemon/net/road.h"
#include "daemon/net/wire.h"

typedef struct Uplink Uplink;

/* Once, never from within uplink_new(); the Uplink may be freed in it. `wire` (over `fd`) and
 * `fd` are the handler's, or, with wire NULL, `failure` is. */
typedef void (*UplinkHandler)(Wire *wire, int fd, Failure *failure, void *userdata);

typedef struct UplinkParameters {
        Road road;
        Worker *tokens; /* the thread of the tokens; only for a token_key */
        usec_t user_timeout_usec;
} UplinkParameters;

int uplink_new(sd_event *event, Worker *names, const UplinkParameters *p, UplinkHandler handler,
               void *userdata, Uplink **ret);
Uplink *uplink_free(Uplink *l); /* silent from then on */
DEFINE_CLEANUP(Uplink *, uplink_free);

/* For the one who watches the time: what phase it is in (name-resolution, connect-failed,
 * tls-failed), and what is known so far. */
Failure *uplink_failure_timeout(const Uplink *l);
