/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/net/websocket-frame.h"

#include <errno.h>

#define FINAL 0x80U
#define RESERVED 0x70U
#define OPCODE 0x0fU
#define CONTROL 0x08U
#define MASKED 0x80U
#define LENGTH 0x7fU
#define LENGTH_16 126U
#define LENGTH_64 127U

static WebsocketOpcode opcode_of(const WebsocketReader *r) {
        return (WebsocketOpcode) (r->header[0] & OPCODE);
}

static bool is_control(const WebsocketReader *r) {
        return r->header[0] & CONTROL;
}

/* Of this frame's header, as far as it is known. */
static size_t header_size(const WebsocketReader *r) {
        unsigned length = r->n_header < 2 ? 0 : r->header[1] & LENGTH;

        return 2 + (length == LENGTH_16 ? 2U : length == LENGTH_64 ? 8U : 0U);
}

/* 5.2 and 5.4. No extension was agreed to, a server masks nothing, and a message begins with its
 * opcode and goes on as a continuation. */
static bool is_fit(const WebsocketReader *r) {
        unsigned length = r->header[1] & LENGTH;

        if ((r->header[0] & RESERVED) || (r->header[1] & MASKED))
                return false;
        switch (opcode_of(r)) {
        case WEBSOCKET_CONTINUATION:
                return r->in_message;
        case WEBSOCKET_BINARY:
                return !r->in_message;
        case WEBSOCKET_CLOSE:
                return (r->header[0] & FINAL) && length <= WEBSOCKET_CONTROL_MAX && length != 1;
        case WEBSOCKET_PING:
        case WEBSOCKET_PONG:
                return (r->header[0] & FINAL) && length <= WEBSOCKET_CONTROL_MAX;
        case WEBSOCKET_TEXT: /* MQTT 3.1.1, 6.0: binary alone */
                break;
        }
        return false;
}

static void on_frame_end(WebsocketReader *r) {
        r->in_frame = false;
        r->n_header = 0;
        switch (opcode_of(r)) {
        case WEBSOCKET_CLOSE:
                r->closed = true;
                if (r->n_control >= 2)
                        r->close_code = (uint16_t) (r->control[0] << 8 | r->control[1]);
                return;
        case WEBSOCKET_PING: /* the last one of several is enough (5.5.3) */
                r->pinged = true;
                memcpy(r->pong, r->control, r->n_control);
                r->n_pong = r->n_control;
                return;
        case WEBSOCKET_CONTINUATION:
        case WEBSOCKET_BINARY:
                r->in_message = !(r->header[0] & FINAL);
                return;
        case WEBSOCKET_TEXT:
        case WEBSOCKET_PONG:
                return;
        }
}

static int on_header_end(WebsocketReader *r) {
        size_t size = header_size(r);

        r->left = size == 2 ? r->header[1] & LENGTH : 0;
        for (size_t i = 2; i < size; i++)
                r->left = r->left << 8 | r->header[i];
        if (r->left > INT64_MAX) /* 5.2: its first bit is 0 */
                return -EBADMSG;
        r->in_frame = true;
        r->n_control = 0;
        if (r->left == 0)
                on_frame_end(r);
        return 0;
}

static int take_header_byte(WebsocketReader *r, uint8_t byte) {
        r->header[r->n_header++] = byte;
        if (r->n_header == 2 && !is_fit(r))
                return -EBADMSG;
        return r->n_header >= 2 && r->n_header == header_size(r) ? on_header_end(r) : 0;
}

int websocket_reader_feed(WebsocketReader *r, uint8_t *data, size_t size, size_t *ret_size) {
        uint8_t *const front = data, *to = data;

        while (size > 0 && r->error == 0 && !r->closed) {
                size_t n;

                if (!r->in_frame) {
                        r->error = take_header_byte(r, *data++);
                        size--;
                        continue;
                }
                n = size < r->left ? size : (size_t) r->left;
                if (is_control(r)) {
                        memcpy(r->control + r->n_control, data, n);
                        r->n_control += n;
                } else {
                        memmove(to, data, n);
                        to += n;
                }
                data += n;
                size -= n;
                r->left -= n;
                if (r->left == 0)
                        on_frame_end(r);
        }
        *ret_size = (size_t) (to - front);
        return r->error;
}

size_t websocket_frame_make(WebsocketOpcode opcode, const uint8_t mask[static WEBSOCKET_MASK_SIZE],
                            const void *data, size_t size, uint8_t *to) {
        const uint8_t *bytes = data;
        size_t n = 2, length = 0;

        to[0] = (uint8_t) (FINAL | opcode);
        if (size < LENGTH_16)
                to[1] = (uint8_t) (MASKED | size);
        else if (size <= UINT16_MAX)
                to[1] = MASKED | LENGTH_16, length = 2;
        else
                to[1] = MASKED | LENGTH_64, length = 8;
        for (; length > 0; length--)
                to[n++] = (uint8_t) ((uint64_t) size >> 8 * (length - 1));
        memcpy(to + n, mask, WEBSOCKET_MASK_SIZE);
        n += WEBSOCKET_MASK_SIZE;
        for (size_t i = 0; i < size; i++)
                to[n + i] = bytes[i] ^ mask[i % WEBSOCKET_MASK_SIZE];
        return n + size;
}
