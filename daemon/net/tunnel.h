/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The way through a proxy: over a connection to it, until it has opened the way to the server. What
 * is said is proxy-talk.h's; here it is sent and received. Loop thread. The time is the caller's to
 * watch. */

#include <systemd/sd-event.h>

#include "daemon/net/proxy-talk.h"

typedef struct Tunnel Tunnel;

/* Once, never from within tunnel_new(); the Tunnel may be freed in it. fd >= 0: what is read and
 * written there is the server's; the handler's. Else `failure` (proxy-refused, no-memory) is. */
typedef void (*TunnelHandler)(int fd, Failure *failure, void *userdata);

/* Takes fd, which is connected to the proxy and non-blocking, on errors, too. The rest is copied.
 * -EINVAL: no such host can be asked for. */
int tunnel_new(sd_event *event, int fd, const Proxy *proxy, const Secret *credentials,
               const char *host, uint16_t port, TunnelHandler handler, void *userdata,
               Tunnel **ret);
Tunnel *tunnel_free(Tunnel *t); /* silent from then on */
DEFINE_CLEANUP(Tunnel *, tunnel_free);

Failure *tunnel_failure_timeout(const Tunnel *t);
