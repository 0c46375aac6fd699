/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* A TLS handshake from its first byte to its last assertion. On the loop; but where the key of our
 * certificate is in a token, each step is taken on the thread of the tokens: a signature takes a
 * token half a second, and one that is broken never answers. The Tls belongs to that thread for the
 * time of a step, and to nobody else; a step that hangs keeps it, and its descriptor. Loop thread.
 */

#include <systemd/sd-event.h>

#include "daemon/base/worker.h"
#include "daemon/net/tls.h"

typedef struct Handshake Handshake;

/* Once, never from within handshake_new(); the Handshake may be freed in it. `tls` (over `fd`) and
 * `fd` are the handler's, or, with tls NULL, `failure` is. */
typedef void (*HandshakeHandler)(Tls *tls, int fd, Failure *failure, void *userdata);

/* Takes tls and fd, on errors, too. `tokens`: the worker whose thread signs; NULL: nobody's. */
int handshake_new(sd_event *event, Worker *tokens, Tls *tls, int fd, HandshakeHandler handler,
                  void *userdata, Handshake **ret);
Handshake *handshake_free(Handshake *h); /* silent from then on */

/* It is the token that has not answered, or who came before at the token. */
bool handshake_waits_for_token(const Handshake *h);
