/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Moves bytes between the MQTT library's leg and the server's TLS, both ways, and counts MQTT
 * packets on the way in. What it reads from the leg at once goes out as one TLS record: the library
 * writes a packet at once. Buffers exist while something is in them, and are wiped. A side that
 * does not take its bytes stops the other one. Loop thread. */

#include <systemd/sd-event.h>

#include "daemon/net/wire.h"

typedef struct Pump Pump;

typedef enum PumpEnd {
        PUMP_SERVER_ENDED, /* or sent what we do not take; all that came before has been passed on,
                              and the library sees its leg end */
        PUMP_LEG_ENDED,    /* the library closed its end */
} PumpEnd;

/* Once, never from within pump_*() but pump_attach(); takes `failure`. The Pump may not be freed in
 * it. */
typedef void (*PumpHandler)(PumpEnd end, Failure *failure, void *userdata);

/* Takes wire and its descriptor, on errors, too. It listens to the server from now on: TLS 1.3
 * tells that it refuses a client certificate after its handshake has succeeded (RFC 8446, 4.4.2.4).
 * `endpoint` is for messages. */
int pump_new(sd_event *event, Wire *wire, int wire_fd, const char *endpoint, size_t packet_max,
             PumpHandler handler, void *userdata, Pump **ret);

/* Takes the library's leg; non-blocking. -ENOTCONN: the server has gone. */
int pump_attach(Pump *p, int leg_fd);

/* From now on the server is believed to be gone (connection-lost) once nothing has come from it for
 * so long. */
int pump_watch(Pump *p, usec_t silence_max_usec);

/* The library has sent the first byte, so it will see and tell how the connection ends. */
bool pump_is_open(const Pump *p);

/* Ends both sides, silently. polite: says DISCONNECT to the server, where that fits between two
 * packets. Nothing happens the second time. */
void pump_close(Pump *p, bool polite);

Pump *pump_free(Pump *p);
DEFINE_CLEANUP(Pump *, pump_free);
