/* SPDX-License-Identifier: GPL-2.0-or-later */

/* What a client writes to the daemon's socket, as the gate cuts it into the handshake and messages.
 * An input is such a stream; the upper bits of a message's flags, which D-Bus does not use, say how
 * many descriptors come with it.
 *
 *   - the frame always wants a byte, and never one beyond the end of a message
 *   - the handshake ends with the first line that is BEGIN, wherever reads are cut
 *   - no message passes that is longer than IPC_MESSAGE_MAX, or with too many descriptors
 *   - descriptors come through with the messages that may bring them, and with no others */

#include <errno.h>

#include "daemon/front/gate-frame.h"
#include "protocol/ipc/limits.h"
#include "tests/fuzz/fuzz.h"

/* How many bytes the handshake takes, by a plain search; 0: it has no end. */
static size_t handshake_size(const uint8_t *data, size_t size) {
        const uint8_t *line = data + 1, *end = data + size;

        if (size == 0 || data[0] != 0)
                return 0;
        for (;;) {
                const uint8_t *line_end;

                if (end - line >= 7 && memcmp(line, "BEGIN\r\n", 7) == 0)
                        return (size_t) (line - data) + 7;
                line_end = line < end ? memmem(line, (size_t) (end - line), "\r\n", 2) : NULL;
                if (!line_end)
                        return 0;
                line = line_end + 2;
        }
}

static size_t message_size(const uint8_t *data, size_t left) {
        uint32_t body, fields;

        if (left < GATE_HEADER_SIZE)
                return 0;
        memcpy(&body, data + 4, sizeof(body));
        memcpy(&fields, data + 12, sizeof(fields));
        if (data[0] == 'B') {
                body = __builtin_bswap32(body);
                fields = __builtin_bswap32(fields);
        }
        return GATE_HEADER_SIZE + ((size_t) fields + 7) / 8 * 8 + body;
}

/* Feeds at most `step` bytes at once; gives the place where each message began to `on_start`. */
static int feed_all(const uint8_t *data, size_t size, size_t step, size_t *ret_at,
                    size_t *ret_handshake) {
        size_t message = 0, fds = 0;
        GateFrame f;
        int r = 0;

        gate_frame_init(&f);
        *ret_handshake = 0;
        for (*ret_at = 0; *ret_at < size && r >= 0;) {
                size_t want = gate_frame_want(&f), left = size - *ret_at, n, n_fds;
                bool handshake = gate_frame_is_handshake(&f);
                bool start = f.state == GATE_FRAME_START;

                must(want > 0);
                if (start)
                        message = *ret_at;
                n = want < step ? want : step;
                n = n < left ? n : left;
                n_fds = start && left > 2 ? data[*ret_at + 2] >> 5 : 0;
                r = gate_frame_feed(&f, data + *ret_at, n, n_fds);
                if (r < 0)
                        break;
                must(n_fds <= IPC_MESSAGE_FDS_MAX);
                *ret_at += n;
                if (handshake && !gate_frame_is_handshake(&f))
                        *ret_handshake = *ret_at;
                fds = start ? n_fds : fds;
                must(!f.lets_fds_pass || fds > 0);
                if (!handshake && f.state == GATE_FRAME_START)
                        must(fds == 0 || f.lets_fds_pass);
                if (!handshake && f.state == GATE_FRAME_START)
                        must(*ret_at - message == message_size(data + message, size - message) &&
                             *ret_at - message <= IPC_MESSAGE_MAX);
        }
        must(gate_frame_is_unfinished(&f) || gate_frame_want(&f) == GATE_HEADER_SIZE);
        return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        size_t at, at_slow, handshake, handshake_slow, expected;
        int r, r_slow;

        r = feed_all(data, size, SIZE_MAX, &at, &handshake);
        r_slow = feed_all(data, size, 1, &at_slow, &handshake_slow);
        must(r == 0 || r == -EBADMSG || r == -EMSGSIZE || r == -E2BIG);
        must((r < 0) == (r_slow < 0) && handshake == handshake_slow);
        must(r < 0 || at == at_slow);
        expected = handshake_size(data, size);
        must(handshake == (expected <= GATE_SASL_MAX ? expected : 0));
        return 0;
}
