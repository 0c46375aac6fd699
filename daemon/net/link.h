/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* A TLS connection to a server, from its name to the last assertion: dial, then handshake, on the
 * loop. What is spoken over it is not its business. Loop thread. */

#include <systemd/sd-event.h>

#include "daemon/net/idle-worker.h"
#include "daemon/net/tls.h"

typedef struct Link Link;

/* Once, never from within leg_new(); the Link may be freed in it. `tls` (over `fd`) and `fd` are
 * the handler's, or, with tls NULL, `failure` is. */
typedef void (*LinkHandler)(Tls *tls, int fd, Failure *failure, void *userdata);

typedef struct LinkParameters {
        TlsParameters tls; /* copied; the secrets are wiped when they have been used */
        usec_t user_timeout_usec;
} LinkParameters;

int leg_new(sd_event *event, IdleWorker *names, const LinkParameters *p, LinkHandler handler,
            void *userdata, Link **ret);
Link *leg_free(Link *l); /* silent from then on */
DEFINE_CLEANUP(Link *, leg_free);

/* For the one who watches the time: what phase it is in (name-resolution, connect-failed,
 * tls-failed), and what is known so far. */
Failure *leg_failure_timeout(const Link *l);
