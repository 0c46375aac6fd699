/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/front/gate-fields.h"

#include <errno.h>

#include "protocol/ipc/names.h"

#define ALIGNMENT 8U          /* of each field, a struct */
#define OWN_NAME_PREFIX ":1." /* the daemon's own unique name, for who has asked for it */
#define OWN_NAME_MAX 16U

/* D-Bus specification, "Header Fields" */
typedef enum FieldCode {
        FIELD_PATH = 1,
        FIELD_INTERFACE = 2,
        FIELD_MEMBER = 3,
        FIELD_DESTINATION = 6,
        FIELD_SIGNATURE = 8,
        FIELD_UNIX_FDS = 9,
} FieldCode;

typedef struct Fields {
        const uint8_t *data;
        size_t size;
        size_t at;
        bool little_endian;
        unsigned seen; /* a bit for each code */
} Fields;

static bool take(Fields *f, void *ret, size_t n) {
        if (f->size - f->at < n)
                return false;
        memcpy(ret, f->data + f->at, n);
        f->at += n;
        return true;
}

static bool take_u32(Fields *f, uint32_t *ret) {
        uint8_t b[sizeof(uint32_t)];

        if (!take(f, b, sizeof(b)))
                return false;
        *ret = f->little_endian ? (uint32_t) b[0] | (uint32_t) b[1] << 8 | (uint32_t) b[2] << 16 |
                                          (uint32_t) b[3] << 24
                                : (uint32_t) b[3] | (uint32_t) b[2] << 8 | (uint32_t) b[1] << 16 |
                                          (uint32_t) b[0] << 24;
        return true;
}

/* A text of that many bytes, with its terminator. */
static const char *take_text(Fields *f, size_t n) {
        const char *text = (const char *) f->data + f->at;

        if (f->size - f->at <= n || strnlen(text, n + 1) != n)
                return NULL;
        f->at += n + 1;
        return text;
}

static const char *take_string(Fields *f) {
        uint32_t n;

        return take_u32(f, &n) ? take_text(f, n) : NULL;
}

static const char *take_signature(Fields *f) {
        uint8_t n;

        return take(f, &n, sizeof(n)) ? take_text(f, n) : NULL;
}

static bool is(const char *text, const char *expected) {
        return text && streq(text, expected);
}

static bool is_our_name(const char *text) {
        size_t prefix = strlen(OWN_NAME_PREFIX);

        if (is(text, IPC_BUS_NAME))
                return true;
        return text && strncmp(text, OWN_NAME_PREFIX, prefix) == 0 && text[prefix] != '\0' &&
               strlen(text) <= OWN_NAME_MAX &&
               text[prefix + strspn(text + prefix, "0123456789")] == '\0';
}

/* A struct of code and variant. */
static bool take_field(Fields *f, size_t n_fds) {
        const char *type;
        uint32_t number;
        uint8_t code;

        if (!take(f, &code, sizeof(code)) || code > FIELD_UNIX_FDS || (f->seen & 1U << code))
                return false;
        f->seen |= 1U << code;
        type = take_signature(f);
        switch (code) {
        case FIELD_PATH:
                return is(type, "o") && is(take_string(f), IPC_MANAGER_PATH);
        case FIELD_INTERFACE:
                return is(type, "s") && is(take_string(f), IPC_MANAGER_INTERFACE);
        case FIELD_MEMBER:
                return is(type, "s") && is(take_string(f), "Submit");
        case FIELD_DESTINATION:
                return is(type, "s") && is_our_name(take_string(f));
        case FIELD_SIGNATURE:
                return is(type, "g") && is(take_signature(f), "ssa{sv}");
        case FIELD_UNIX_FDS:
                return is(type, "u") && take_u32(f, &number) && number == n_fds;
        default:
                return false;
        }
}

/* Up to the next field, which there must be. */
static bool take_padding(Fields *f) {
        for (; f->at % ALIGNMENT != 0 && f->at < f->size; f->at++)
                if (f->data[f->at] != 0)
                        return false;
        return f->at < f->size;
}

int gate_fields_check(const uint8_t *fields, size_t size, bool little_endian, size_t n_fds) {
        const unsigned needed = 1U << FIELD_PATH | 1U << FIELD_MEMBER | 1U << FIELD_SIGNATURE |
                                1U << FIELD_UNIX_FDS;
        Fields f = {.data = fields, .size = size, .little_endian = little_endian};

        do {
                if (!take_padding(&f) || !take_field(&f, n_fds))
                        return -EBADMSG;
        } while (f.at < f.size);
        return (f.seen & needed) == needed ? 0 : -EBADMSG;
}
