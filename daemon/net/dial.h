/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* A TCP connection to host and port: the name's addresses are tried in turn, IPv6 and IPv4
 * alternating, each a little after the one before (RFC 8305), and the first that answers wins.
 * Loop thread. The time for all of it is the caller's to watch. */

#include <systemd/sd-event.h>

#include "daemon/base/worker.h"
#include "daemon/model/failure.h"

/* RFC 8305, 8: recommended 250 ms. */
#define DIAL_NEXT_ADDRESS_USEC (250 * USEC_PER_MSEC)

/* What one address may take; a black hole must not hold a slot for the kernel's two minutes. */
#define DIAL_ADDRESS_USEC (20 * USEC_PER_SEC)

typedef struct Dial Dial;

typedef struct DialParameters {
        const char *host; /* a name, or an address without brackets */
        uint16_t port;
        bool is_proxy;            /* for messages: it is no server that we look for */
        usec_t user_timeout_usec; /* TCP_USER_TIMEOUT: how long sent bytes may stay unacknowledged
                                   */
} DialParameters;

/* Once, never from within dial_new(); the Dial may be freed in it. fd >= 0: connected,
 * non-blocking, TCP_NODELAY, the handler's; else `failure` (name-resolution, connect-failed) is the
 * handler's. */
typedef void (*DialHandler)(int fd, Failure *failure, void *userdata);

int dial_new(sd_event *event, Worker *names, const DialParameters *p, DialHandler handler,
             void *userdata, Dial **ret);
Dial *dial_free(Dial *d); /* silent from then on */
DEFINE_CLEANUP(Dial *, dial_free);

/* For the one who watches the time: name-resolution or connect-failed, with what is known so far.
 */
Failure *dial_failure_timeout(const Dial *d);
