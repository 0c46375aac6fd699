/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/front/submit-header.h"

#include <check.h>

#include "protocol/ipc/names.h"

#define FIXED 16U

static void put(SubmitHeader *h, const void *data, size_t size) {
        ck_assert_uint_le(h->size + size, sizeof(h->data));
        memcpy(h->data + h->size, data, size);
        h->size += size;
}

static void pad(SubmitHeader *h, size_t alignment) {
        while (h->size % alignment != 0)
                put(h, "", 1);
}

static void put_u32(SubmitHeader *h, uint32_t value) {
        put(h, &value, sizeof(value)); /* the tests run on little endian, or not at all */
}

static void begin_field(SubmitHeader *h, uint8_t code, char type) {
        const char signature[] = {(char) code, 1, type, 0};

        pad(h, 8);
        put(h, signature, sizeof(signature));
}

static void put_text(SubmitHeader *h, uint8_t code, char type, const char *value) {
        uint8_t n = (uint8_t) strlen(value);

        begin_field(h, code, type);
        if (type == 'g')
                put(h, &n, 1);
        else
                put_u32(h, n);
        put(h, value, n + 1U);
}

static void end_fields(SubmitHeader *h) {
        uint32_t size = (uint32_t) (h->size - FIXED);

        memcpy(h->data + 12, &size, sizeof(size));
        h->fields_size = size;
        pad(h, 8);
}

static void begin(SubmitHeader *h, uint32_t n_fds, uint32_t body_size) {
        put(h, "l\1\0\1", 4);
        put_u32(h, body_size);
        put_u32(h, 1);
        put_u32(h, 0);
        put_text(h, 1, 'o', IPC_MANAGER_PATH);
        put_text(h, 2, 's', IPC_MANAGER_INTERFACE);
        put_text(h, 3, 's', "Submit");
        put_text(h, 8, 'g', "ssa{sv}");
        begin_field(h, 9, 'u');
        put_u32(h, n_fds);
}

SubmitHeader submit_header_make(uint32_t n_fds, uint32_t body_size) {
        SubmitHeader h = {};

        begin(&h, n_fds, body_size);
        end_fields(&h);
        return h;
}

SubmitHeader submit_header_with(uint32_t n_fds, uint8_t code, const char *value) {
        SubmitHeader h = {};

        begin(&h, n_fds, 0);
        put_text(&h, code, 's', value);
        end_fields(&h);
        return h;
}
