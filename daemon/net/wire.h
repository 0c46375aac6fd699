/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* What MQTT's bytes travel over, of the same shape as tls.h: TLS as it is, or a WebSocket in it.
 * Who reads and writes need not know which. One thread for a Wire: its Tls's. */

#include "daemon/net/tls.h"

typedef struct Wire Wire;

typedef struct WireParameters {
        const char *websocket_path; /* NULL: TLS as it is */
        const char *host;           /* without brackets */
        uint16_t port;
} WireParameters;

/* Takes tls, on errors, too. The rest is copied. */
int wire_new(Tls *tls, const WireParameters *p, Wire **ret);

/* Tells the server that we close, where that fits; wipes what was secret. */
Wire *wire_free(Wire *w);
DEFINE_CLEANUP(Wire *, wire_free);

/* To be called until TLS_DONE, before anything else: the opening handshake of the WebSocket.
 * Failures as of tls_read(), connection-lost, and those of websocket_opening_feed(). Not
 * TLS_CLOSED. */
TlsStatus wire_open(Wire *w, Failure **ret_failure);

/* As tls_read() and tls_write(). A Close of the server's is TLS_CLOSED where its code says that all
 * was well, else connection-lost with the code; what breaks the protocol is bad-response. Pings are
 * answered in passing. */
TlsStatus wire_read(Wire *w, void *buffer, size_t size, size_t *ret_size, Failure **ret_failure);
TlsStatus wire_write(Wire *w, const void *data, size_t size, Failure **ret_failure);
