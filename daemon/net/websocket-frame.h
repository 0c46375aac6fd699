/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* WebSocket frames (RFC 6455, 5), the client's half: what comes is taken out of its frames, what
 * goes is put into one, masked. MQTT is a stream in binary messages, whose bounds mean nothing
 * (MQTT 3.1.1, 6), so nothing is gathered: a payload of any length passes as it comes. PURE. */

#include "daemon/base/macro.h"

/* 5.5: a control frame's payload. */
#define WEBSOCKET_CONTROL_MAX ((size_t) 125)

/* 5.2: two bytes, a length, and a mask. */
#define WEBSOCKET_HEADER_MAX ((size_t) 14)
#define WEBSOCKET_MASK_SIZE 4U

typedef enum WebsocketOpcode {
        WEBSOCKET_CONTINUATION = 0x0,
        WEBSOCKET_TEXT = 0x1,
        WEBSOCKET_BINARY = 0x2,
        WEBSOCKET_CLOSE = 0x8,
        WEBSOCKET_PING = 0x9,
        WEBSOCKET_PONG = 0xa,
} WebsocketOpcode;

#define WEBSOCKET_CODE_NORMAL 1000U
#define WEBSOCKET_CODE_GOING_AWAY 1001U

typedef struct WebsocketReader {
        uint8_t header[WEBSOCKET_HEADER_MAX];
        size_t n_header;
        uint64_t left; /* payload of this frame that is still to come */
        bool in_frame, in_message;
        uint8_t control[WEBSOCKET_CONTROL_MAX]; /* payload of this control frame */
        size_t n_control;

        /* What is to be told. */
        bool pinged; /* `pong` is to be sent back; who has sent it takes this away */
        uint8_t pong[WEBSOCKET_CONTROL_MAX];
        size_t n_pong;
        bool closed;         /* what follows a Close is nothing */
        uint16_t close_code; /* 0: none was given */
        int error;
} WebsocketReader;

/* Takes all of `data`, and moves the payload that was in it to its front: *ret_size bytes.
 * -EBADMSG: that breaks the protocol, or is no binary message; what came before is *ret_size bytes
 * still. After an error it stays so. */
int websocket_reader_feed(WebsocketReader *r, uint8_t *data, size_t size, size_t *ret_size);

/* Puts one whole frame at `to`, which has room for WEBSOCKET_HEADER_MAX + size bytes; its size. */
size_t websocket_frame_make(WebsocketOpcode opcode, const uint8_t mask[static WEBSOCKET_MASK_SIZE],
                            const void *data, size_t size, uint8_t *to);
