/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The opening handshake of a WebSocket for MQTT, the client's half (RFC 6455, 4.1; MQTT 3.1.1, 6):
 * a GET, and what its answer must be. PURE, but for the random key. */

#include "daemon/model/failure.h"
#include "daemon/net/http-answer.h"

/* 28 characters: base64 of a SHA-1 sum. */
#define WEBSOCKET_ACCEPT_SIZE 28U

typedef struct WebsocketOpening {
        char *request; /* to be sent as it is */
        char accept[WEBSOCKET_ACCEPT_SIZE + 1];
        char *path;
        HttpAnswer answer;
} WebsocketOpening;

/* `host` without brackets. -ENOMEM, -EIO. */
int websocket_opening_begin(WebsocketOpening *o, const char *host, uint16_t port, const char *path);
void websocket_opening_done(WebsocketOpening *o);

/* The answer, byte by byte; what comes after the last one is frames. 1: the WebSocket stands. 0: go
 * on. -EPROTO: it does not, and *ret_failure says why (NULL: no memory): server-refused with the
 * HTTP status as status_code, or bad-response. */
int websocket_opening_feed(WebsocketOpening *o, uint8_t byte, const char *endpoint,
                           Failure **ret_failure);
