/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Where messages begin and end in what a D-Bus client sends, read from as few bytes as possible:
 * first the SASL lines up to BEGIN, then messages by their fixed 16 bytes (D-Bus specification,
 * "Authentication Protocol" and "Message Format"). Pure: bytes go in, a verdict comes out; nothing
 * is kept but those 16 bytes and, of a message with descriptors, the header's fields.
 *
 * Why it is needed: sd-bus takes messages of up to 128 MiB, and collects descriptors without a
 * bound while a message is unfinished. Why it says how much to read: the kernel glues writes
 * together and hands over their descriptors with the first read that touches them, so only a reader
 * that never crosses the end of a message knows whose they are. */

#include "daemon/front/gate-fields.h"

#define GATE_HEADER_SIZE ((size_t) 16)
#define GATE_SASL_MAX ((size_t) 2048) /* the whole handshake of one client; usual is below 100 */

typedef enum GateFrameState {
        GATE_FRAME_NUL,   /* before the NUL byte that opens every connection */
        GATE_FRAME_LINE,  /* in the SASL lines */
        GATE_FRAME_START, /* between two messages */
        GATE_FRAME_HEADER,
        GATE_FRAME_FIELDS, /* of a message with descriptors */
        GATE_FRAME_BODY,   /* and the fields of all others */
} GateFrameState;

typedef struct GateFrame {
        GateFrameState state;
        size_t sasl_size;                 /* of the handshake so far */
        size_t matched;                   /* of "BEGIN\r\n" in the present line */
        bool mismatched;                  /* the present line is another one */
        bool carriage_return;             /* and its last byte was one */
        uint8_t header[GATE_HEADER_SIZE]; /* the first `got` bytes of the message */
        size_t got;
        uint64_t size; /* of the message, known from GATE_FRAME_FIELDS on */
        uint64_t left;
        size_t n_fds; /* that came with this message */
        uint8_t fields[GATE_FIELDS_MAX];
        size_t fields_size; /* without the padding behind them */
        size_t fields_got;
        bool lets_fds_pass; /* of the last message begun: it is one that may bring them */
} GateFrame;

static inline void gate_frame_init(GateFrame *f) {
        *f = (GateFrame){.state = GATE_FRAME_NUL};
}

/* How many bytes may be read next: at least one, and never beyond the end of this message. */
size_t gate_frame_want(const GateFrame *f);

/* Takes the next n bytes, at most gate_frame_want(), and the number of descriptors that came with
 * them. After an error the connection is beyond repair:
 *   -EBADMSG   no D-Bus, or descriptors with what does not take any (gate-fields.h)
 *   -EMSGSIZE  a message above IPC_MESSAGE_MAX, or a handshake above GATE_SASL_MAX
 *   -E2BIG     more than IPC_MESSAGE_FDS_MAX descriptors with one message, or any in the handshake
 *              or behind the first 16 bytes of a message: all libraries send them with the first
 */
int gate_frame_feed(GateFrame *f, const uint8_t *data, size_t n, size_t n_fds);

static inline bool gate_frame_is_handshake(const GateFrame *f) {
        return f->state == GATE_FRAME_NUL || f->state == GATE_FRAME_LINE;
}

/* Whether something was begun that must come to its end soon: a message, or the handshake. */
static inline bool gate_frame_is_unfinished(const GateFrame *f) {
        return f->state != GATE_FRAME_START;
}
