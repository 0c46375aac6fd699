/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* A WebSocket on each listener, beside MQTT as it is: a connection whose first byte is a 'G' begins
 * with a GET, and no MQTT packet begins so. The broker's own WebSocket listener shows no client
 * certificate to plugins, and is no part of every build of it. The plugin stands before OpenSSL's
 * SSL_read(), takes frames off there, and puts them on where wire.c writes. The paths are those of
 * the two services; a line in the broker's log tells of each. All belongs to the broker's one
 * thread. */

#include <openssl/ssl.h>

typedef int (*SslWrite)(SSL *ssl, const void *buf, int num);

/* What `next` (OpenSSL's own) does, in a frame where the connection is a WebSocket. */
int websocket_write(SslWrite next, SSL *ssl, const void *buf, int num);
