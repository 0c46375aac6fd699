/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* A TLS server that plays a broker by a script, for what no real broker does. */

#include "tests/integration/net/harness.h"

typedef struct TlsPeer TlsPeer;

/* In the server's own process, for one connection; no Check in it. The connection is closed behind
 * it. */
typedef void (*TlsTalk)(TlsPeer *peer);

/* Blocking; the talk is over where the client has gone. Never returns 0. */
size_t tls_peer_read(TlsPeer *p, void *buffer, size_t size);
void tls_peer_write(TlsPeer *p, const void *data, size_t size);

/* One whole MQTT packet's type, e.g. 8 for SUBSCRIBE; its identifier where it is one. */
unsigned tls_peer_read_packet(TlsPeer *p, uint16_t *ret_id);

/* Reads CONNECT, answers CONNACK with that code. */
void tls_peer_accept(TlsPeer *p, uint8_t code);

/* Waits until the client closes. */
void tls_peer_wait_end(TlsPeer *p);

/* With server.pem; wants no client certificate. */
pid_t tls_talker_start(uint16_t port, TlsTalk talk);
