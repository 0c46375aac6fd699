/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Stands between a client's socket and sd-bus, on the way in: it passes bytes and descriptors on,
 * message by message, and ends the connection when a message is too long, brings too many
 * descriptors, or is not finished in IPC_MESSAGE_COMPLETE_USEC. (The way out needs no gate: sd-bus
 * writes to the client's socket itself.)
 *
 * A descriptor that is no memory file, and so no secret, goes no further: an empty one takes its
 * place, which is refused where a secret is wanted (closer.h says why).
 *
 * Its memory is flat: one buffer of GATE_BUFFER bytes, and only while the reader behind it does not
 * keep up. It reads no further while `may_read` says no: a client that asks and does not read its
 * answers is held up instead of filling our memory. Loop thread only. */

#include <systemd/sd-event.h>

#include "daemon/front/closer.h"
#include "daemon/front/gate-frame.h"

typedef struct Gate Gate;

#define GATE_BUFFER ((size_t) 16 * 1024)

/* Called before each read; without one, it always reads. */
typedef bool (*GateMayRead)(void *userdata, bool in_handshake);

/* Takes client_fd in any case. ret_fd: the end that sd-bus reads from; it sees the end of the
 * stream when the client is gone or was thrown out. */
int gate_new(sd_event *event, int64_t priority, int client_fd, Gate **ret, int *ret_fd);
Gate *gate_free(Gate *g);
DEFINE_CLEANUP(Gate *, gate_free);

void gate_set_may_read(Gate *g, GateMayRead may_read, void *userdata);

/* Closes what clients send and is no memory file; outlives the gate. Without one it is closed at
 * once, which may hang. */
void gate_set_closer(Gate *g, Closer *closer);

/* What `may_read` looks at has changed for the better. */
void gate_resume(Gate *g);
