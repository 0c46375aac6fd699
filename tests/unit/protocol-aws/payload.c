/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/protocol-aws/payload.h"

#include <cbor.h>
#include <check.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROOM ((size_t) 512 * 1024)

typedef struct Writer {
        uint8_t *data;
        size_t size;
        bool indefinite;
} Writer;

void payload_done(Payload *p) {
        free(p->data);
        *p = (Payload){};
}

Payload payload_from_bytes(AwsFormat format, const void *data, size_t size) {
        Payload p = {.format = format, .data = malloc(size > 0 ? size : 1), .size = size};

        ck_assert_ptr_nonnull(p.data);
        if (size > 0)
                memcpy(p.data, data, size);
        return p;
}

Payload payload_from_text(AwsFormat format, const char *text) {
        return payload_from_bytes(format, text, strlen(text));
}

Payload payload_from_hex(const char *hex) {
        uint8_t *bytes = malloc(strlen(hex) + 1);
        size_t n = 0;
        Payload p;

        ck_assert_ptr_nonnull(bytes);
        while (*hex) {
                unsigned byte;

                if (*hex == ' ') {
                        hex++;
                        continue;
                }
                ck_assert_int_eq(sscanf(hex, "%2x", &byte), 1);
                bytes[n++] = (uint8_t) byte;
                hex += 2;
        }
        p = payload_from_bytes(AWS_FORMAT_CBOR, bytes, n);
        free(bytes);
        return p;
}

static void put_piece(Writer *w, const char *text, size_t size) {
        w->size += cbor_encode_string_start(size, w->data + w->size, 9);
        memcpy(w->data + w->size, text, size);
        w->size += size;
}

static void put_break(Writer *w) {
        if (w->indefinite)
                w->size += cbor_encode_break(w->data + w->size, 1);
}

static void put_text(Writer *w, const char *text, size_t size) {
        if (!w->indefinite) {
                put_piece(w, text, size);
                return;
        }
        w->size += cbor_encode_indef_string_start(w->data + w->size, 1);
        put_piece(w, text, size / 2);
        put_piece(w, text + size / 2, size - size / 2);
        put_break(w);
}

static void put_value(Writer *w, json_t *value);

static void put_object(Writer *w, json_t *object) {
        const char *name;
        json_t *value;

        w->size += w->indefinite
                           ? cbor_encode_indef_map_start(w->data + w->size, 1)
                           : cbor_encode_map_start(json_object_size(object), w->data + w->size, 9);
        json_object_foreach(object, name, value) {
                put_text(w, name, strlen(name));
                put_value(w, value);
        }
        put_break(w);
}

static void put_array(Writer *w, json_t *array) {
        json_t *value;
        size_t i;

        w->size += w->indefinite
                           ? cbor_encode_indef_array_start(w->data + w->size, 1)
                           : cbor_encode_array_start(json_array_size(array), w->data + w->size, 9);
        json_array_foreach(array, i, value)
                put_value(w, value);
        put_break(w);
}

static void put_integer(Writer *w, json_int_t n) {
        w->size += n >= 0 ? cbor_encode_uint((uint64_t) n, w->data + w->size, 9)
                          : cbor_encode_negint((uint64_t) (-1 - n), w->data + w->size, 9);
}

static void put_value(Writer *w, json_t *value) {
        switch (json_typeof(value)) {
        case JSON_OBJECT:
                put_object(w, value);
                break;
        case JSON_ARRAY:
                put_array(w, value);
                break;
        case JSON_STRING:
                put_text(w, json_string_value(value), json_string_length(value));
                break;
        case JSON_INTEGER:
                put_integer(w, json_integer_value(value));
                break;
        case JSON_REAL:
                w->size += cbor_encode_double(json_real_value(value), w->data + w->size, 9);
                break;
        case JSON_TRUE:
        case JSON_FALSE:
                w->size += cbor_encode_bool(json_is_true(value), w->data + w->size, 1);
                break;
        case JSON_NULL:
                w->size += cbor_encode_null(w->data + w->size, 1);
                break;
        }
}

Payload payload_from_json(Encoding encoding, const char *json) {
        Writer w = {.indefinite = encoding == ENCODING_CBOR_INDEFINITE};
        json_error_t error;
        json_t *root;
        Payload p;

        if (encoding == ENCODING_JSON)
                return payload_from_text(AWS_FORMAT_JSON, json);
        root = json_loads(json, JSON_DECODE_ANY, &error);
        ck_assert_msg(root, "%s in %s", error.text, json);
        w.data = malloc(ROOM);
        ck_assert_ptr_nonnull(w.data);
        put_value(&w, root);
        ck_assert_uint_lt(w.size, ROOM);
        p = payload_from_bytes(AWS_FORMAT_CBOR, w.data, w.size);
        json_decref(root);
        free(w.data);
        return p;
}

char *repeat(char c, size_t n) {
        char *s = malloc(n + 1);

        ck_assert_ptr_nonnull(s);
        memset(s, c, n);
        s[n] = '\0';
        return s;
}
