/* SPDX-License-Identifier: GPL-2.0-or-later */

/* What a server says of and in a WebSocket. The first byte of an input says whether the rest is its
 * answer to the opening handshake, in which '~' stands for the one right Sec-WebSocket-Accept, or
 * frames, and in how large pieces these come.
 *
 *   - an answer is taken only with the right Accept, and ends where it ends
 *   - wherever reads are cut, the payload is the same, and so is the end
 *   - there is never more payload than bytes
 *   - what we would answer to a ping is a frame that a server takes */

#include <errno.h>

#include "daemon/net/websocket-frame.h"
#include "daemon/net/websocket-opening.h"
#include "tests/fuzz/fuzz.h"

#define OPENING 0x80U
#define STEP 0x7fU

static void check_opening(const uint8_t *data, size_t size) {
        _cleanup_failure_ Failure *f = NULL;
        bool said_accept = false;
        WebsocketOpening o;
        int r = 0;

        must(websocket_opening_begin(&o, "h", 443, "/mqtt") == 0);
        for (size_t i = 0; i < size && r == 0; i++) {
                if (data[i] != '~') {
                        r = websocket_opening_feed(&o, data[i], "h:443", &f);
                        continue;
                }
                said_accept = true;
                for (const char *p = o.accept; *p && r == 0; p++)
                        r = websocket_opening_feed(&o, (uint8_t) *p, "h:443", &f);
        }
        must(r == 0 || r == 1 || r == -EPROTO);
        must(r != 1 || said_accept);
        must((r == -EPROTO) == (f != NULL));
        if (f) {
                must(f->code == ERROR_SERVER_REFUSED || f->code == ERROR_BAD_RESPONSE);
                must((f->code == ERROR_SERVER_REFUSED) == (f->status_code != 0));
                must(fuzz_is_printable(f->message));
        }
        websocket_opening_done(&o);
}

typedef struct Reading {
        WebsocketReader reader;
        uint8_t *payload;
        size_t size;
} Reading;

static Reading read_frames(const uint8_t *data, size_t size, size_t step) {
        Reading reading = {.payload = malloc(size + 1)};
        uint8_t *bytes = malloc(size + 1);

        must(bytes && reading.payload);
        for (size_t at = 0, n, taken; at < size; at += n) {
                n = size - at < step ? size - at : step;
                memcpy(bytes, data + at, n);
                (void) websocket_reader_feed(&reading.reader, bytes, n, &taken);
                must(taken <= n);
                memcpy(reading.payload + reading.size, bytes, taken);
                reading.size += taken;
        }
        free(bytes);
        return reading;
}

static void check_pong(const WebsocketReader *r) {
        static const uint8_t mask[WEBSOCKET_MASK_SIZE] = {1, 2, 3, 4};
        uint8_t frame[WEBSOCKET_HEADER_MAX + WEBSOCKET_CONTROL_MAX];
        size_t n;

        must(r->n_pong <= WEBSOCKET_CONTROL_MAX);
        n = websocket_frame_make(WEBSOCKET_PONG, mask, r->pong, r->n_pong, frame);
        must(n == 2 + sizeof(mask) + r->n_pong);
        must(frame[0] == (0x80 | WEBSOCKET_PONG) && frame[1] == (0x80 | r->n_pong));
}

static void check_frames(const uint8_t *data, size_t size, size_t step) {
        Reading whole = read_frames(data, size, SIZE_MAX), slow = read_frames(data, size, step);

        must(whole.size == slow.size && memcmp(whole.payload, slow.payload, slow.size) == 0);
        must(whole.reader.error == slow.reader.error);
        must(whole.reader.closed == slow.reader.closed);
        must(whole.reader.close_code == slow.reader.close_code);
        must(whole.reader.pinged == slow.reader.pinged);
        must(whole.reader.n_pong == slow.reader.n_pong);
        if (whole.reader.pinged)
                check_pong(&whole.reader);
        free(whole.payload);
        free(slow.payload);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        if (size == 0)
                return 0;
        if (data[0] & OPENING)
                check_opening(data + 1, size - 1);
        else
                check_frames(data + 1, size - 1, 1 + (data[0] & STEP));
        return 0;
}
