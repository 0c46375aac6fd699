/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/front/gate-frame.h"

#include <assert.h>
#include <errno.h>

#include "protocol/ipc/limits.h"

#define BEGIN_LINE "BEGIN\r\n"
#define BEGIN_SIZE (sizeof(BEGIN_LINE) - 1)
#define MESSAGE_METHOD_CALL 1

/* The header is a multiple of eight bytes long. */
static uint64_t padded(uint64_t size) {
        return (size + 7) & ~UINT64_C(7);
}

size_t gate_frame_want(const GateFrame *f) {
        switch (f->state) {
        case GATE_FRAME_NUL:
                return 1;
        case GATE_FRAME_LINE:
                /* The handshake ends with a line of its own: so many bytes it takes at least. */
                if (!f->mismatched)
                        return BEGIN_SIZE - f->matched;
                return (f->carriage_return ? 1 : 2) + BEGIN_SIZE;
        case GATE_FRAME_START:
        case GATE_FRAME_HEADER:
                return GATE_HEADER_SIZE - f->got;
        case GATE_FRAME_FIELDS:
                return padded(f->fields_size) - f->fields_got;
        case GATE_FRAME_BODY:
                return (size_t) f->left;
        }
        return 1;
}

/* True when the handshake is over. */
static bool feed_line_byte(GateFrame *f, uint8_t byte) {
        if (!f->mismatched) {
                if (byte == (uint8_t) BEGIN_LINE[f->matched]) {
                        f->matched++;
                        return f->matched == BEGIN_SIZE;
                }
                f->mismatched = true;
                /* "BEGI\r": the line that is none of ours may end right here. */
        }
        if (byte == '\n' && f->carriage_return) {
                f->mismatched = f->carriage_return = false;
                f->matched = 0;
        } else
                f->carriage_return = byte == '\r';
        return false;
}

static int feed_line(GateFrame *f, const uint8_t *data, size_t n) {
        for (size_t i = 0; i < n; i++) {
                if (++f->sasl_size > GATE_SASL_MAX)
                        return -EMSGSIZE;
                if (feed_line_byte(f, data[i])) {
                        assert(i == n - 1); /* or more than gate_frame_want() was fed */
                        f->state = GATE_FRAME_START;
                }
        }
        return 0;
}

static uint32_t read_u32(const uint8_t *p, bool little_endian) {
        if (little_endian)
                return (uint32_t) p[0] | (uint32_t) p[1] << 8 | (uint32_t) p[2] << 16 |
                       (uint32_t) p[3] << 24;
        return (uint32_t) p[3] | (uint32_t) p[2] << 8 | (uint32_t) p[1] << 16 |
               (uint32_t) p[0] << 24;
}

static void begin_message(GateFrame *f) {
        f->state = GATE_FRAME_START;
        f->got = 0;
        f->n_fds = 0;
        f->size = f->left = 0;
        f->fields_size = f->fields_got = 0;
}

static void begin_body(GateFrame *f) {
        if (f->left > 0)
                f->state = GATE_FRAME_BODY;
        else
                begin_message(f);
}

/* Descriptors wait until it is known what for. */
static int begin_fields(GateFrame *f, uint64_t size) {
        const uint8_t *h = f->header;

        if (h[1] != MESSAGE_METHOD_CALL || read_u32(h + 8, h[0] == 'l') == 0 || size == 0 ||
            padded(size) > GATE_FIELDS_MAX)
                return -EBADMSG;
        f->fields_size = (size_t) size;
        f->state = GATE_FRAME_FIELDS;
        return 0;
}

static int feed_fields(GateFrame *f, const uint8_t *data, size_t n) {
        memcpy(f->fields + f->fields_got, data, n);
        f->fields_got += n;
        f->left -= n;
        if (f->fields_got < padded(f->fields_size))
                return 0;
        for (size_t i = f->fields_size; i < f->fields_got; i++)
                if (f->fields[i] != 0)
                        return -EBADMSG;
        if (gate_fields_check(f->fields, f->fields_size, f->header[0] == 'l', f->n_fds) < 0)
                return -EBADMSG;
        f->lets_fds_pass = true;
        begin_body(f);
        return 0;
}

/* byte order, type, flags, version, u32 body size, u32 serial, u32 size of the header fields */
static int read_header(GateFrame *f) {
        const uint8_t *h = f->header;
        uint64_t body, fields;

        if ((h[0] != 'l' && h[0] != 'B') || h[1] == 0 || h[3] != 1)
                return -EBADMSG;
        body = read_u32(h + 4, h[0] == 'l');
        fields = read_u32(h + 12, h[0] == 'l');
        f->size = GATE_HEADER_SIZE + padded(fields) + body;
        if (f->size > IPC_MESSAGE_MAX)
                return -EMSGSIZE;
        f->left = f->size - GATE_HEADER_SIZE;
        if (f->n_fds > 0)
                return begin_fields(f, fields);
        begin_body(f);
        return 0;
}

int gate_frame_feed(GateFrame *f, const uint8_t *data, size_t n, size_t n_fds) {
        assert(n > 0 && n <= gate_frame_want(f));

        switch (f->state) {
        case GATE_FRAME_NUL:
                if (n_fds > 0)
                        return -E2BIG;
                if (data[0] != 0)
                        return -EBADMSG;
                f->state = GATE_FRAME_LINE;
                f->sasl_size = 1;
                return 0;
        case GATE_FRAME_LINE:
                return n_fds > 0 ? -E2BIG : feed_line(f, data, n);
        case GATE_FRAME_START:
        case GATE_FRAME_HEADER:
                f->n_fds += n_fds;
                if (f->n_fds > IPC_MESSAGE_FDS_MAX)
                        return -E2BIG;
                f->state = GATE_FRAME_HEADER;
                f->lets_fds_pass = false;
                memcpy(f->header + f->got, data, n);
                f->got += n;
                return f->got == GATE_HEADER_SIZE ? read_header(f) : 0;
        case GATE_FRAME_FIELDS:
                return n_fds > 0 ? -E2BIG : feed_fields(f, data, n);
        case GATE_FRAME_BODY:
                if (n_fds > 0)
                        return -E2BIG;
                f->left -= n;
                if (f->left == 0)
                        begin_message(f);
                return 0;
        }
        return -EBADMSG;
}
