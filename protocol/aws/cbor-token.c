/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/aws/cbor-token.h"

#include <cbor.h>
#include <errno.h>

#include "protocol/base/why.h"

static void set(void *userdata, CborToken token) {
        *(CborToken *) userdata = token;
}

static void on_uint8(void *userdata, uint8_t n) {
        set(userdata, (CborToken){.kind = CBOR_KIND_UNSIGNED, .number = n});
}

static void on_uint16(void *userdata, uint16_t n) {
        set(userdata, (CborToken){.kind = CBOR_KIND_UNSIGNED, .number = n});
}

static void on_uint32(void *userdata, uint32_t n) {
        set(userdata, (CborToken){.kind = CBOR_KIND_UNSIGNED, .number = n});
}

static void on_uint64(void *userdata, uint64_t n) {
        set(userdata, (CborToken){.kind = CBOR_KIND_UNSIGNED, .number = n});
}

static void on_negint8(void *userdata, uint8_t n) {
        set(userdata, (CborToken){.kind = CBOR_KIND_NEGATIVE, .number = n});
}

static void on_negint16(void *userdata, uint16_t n) {
        set(userdata, (CborToken){.kind = CBOR_KIND_NEGATIVE, .number = n});
}

static void on_negint32(void *userdata, uint32_t n) {
        set(userdata, (CborToken){.kind = CBOR_KIND_NEGATIVE, .number = n});
}

static void on_negint64(void *userdata, uint64_t n) {
        set(userdata, (CborToken){.kind = CBOR_KIND_NEGATIVE, .number = n});
}

static void on_bytes(void *userdata, cbor_data data, size_t size) {
        set(userdata, (CborToken){.kind = CBOR_KIND_BYTES, .data = data, .size = size});
}

static void on_bytes_start(void *userdata) {
        set(userdata, (CborToken){.kind = CBOR_KIND_BYTES_START});
}

static void on_text(void *userdata, cbor_data data, size_t size) {
        set(userdata, (CborToken){.kind = CBOR_KIND_TEXT, .data = data, .size = size});
}

static void on_text_start(void *userdata) {
        set(userdata, (CborToken){.kind = CBOR_KIND_TEXT_START});
}

static void on_array(void *userdata, size_t n) {
        set(userdata, (CborToken){.kind = CBOR_KIND_ARRAY, .number = n});
}

static void on_array_start(void *userdata) {
        set(userdata, (CborToken){.kind = CBOR_KIND_ARRAY_START});
}

static void on_map(void *userdata, size_t n) {
        set(userdata, (CborToken){.kind = CBOR_KIND_MAP, .number = n});
}

static void on_map_start(void *userdata) {
        set(userdata, (CborToken){.kind = CBOR_KIND_MAP_START});
}

static void on_tag(void *userdata, uint64_t n) {
        set(userdata, (CborToken){.kind = CBOR_KIND_TAG, .number = n});
}

static void on_float(void *userdata, float value) {
        set(userdata, (CborToken){.kind = CBOR_KIND_REAL, .real = (double) value});
}

static void on_double(void *userdata, double value) {
        set(userdata, (CborToken){.kind = CBOR_KIND_REAL, .real = value});
}

static void on_null(void *userdata) {
        set(userdata, (CborToken){.kind = CBOR_KIND_NULL});
}

static void on_boolean(void *userdata, bool value) {
        set(userdata, (CborToken){.kind = CBOR_KIND_BOOLEAN, .boolean = value});
}

static void on_break(void *userdata) {
        set(userdata, (CborToken){.kind = CBOR_KIND_BREAK});
}

static const struct cbor_callbacks callbacks = {
        .uint8 = on_uint8,
        .uint16 = on_uint16,
        .uint32 = on_uint32,
        .uint64 = on_uint64,
        .negint8 = on_negint8,
        .negint16 = on_negint16,
        .negint32 = on_negint32,
        .negint64 = on_negint64,
        .byte_string = on_bytes,
        .byte_string_start = on_bytes_start,
        .string = on_text,
        .string_start = on_text_start,
        .array_start = on_array,
        .indef_array_start = on_array_start,
        .map_start = on_map,
        .indef_map_start = on_map_start,
        .tag = on_tag,
        .float2 = on_float,
        .float4 = on_float,
        .float8 = on_double,
        .undefined = on_null,
        .null = on_null,
        .boolean = on_boolean,
        .indef_break = on_break,
};

int cbor_reader_next(CborReader *r, char **ret_why) {
        size_t left = r->size - r->position, at = r->position;
        struct cbor_decoder_result result;

        result = cbor_stream_decode(r->begin + r->position, left, &callbacks, &r->token);
        switch (result.status) {
        case CBOR_DECODER_NEDATA:
                return protocol_why(ret_why, -EBADMSG,
                                    "it ends too early, in what begins at byte %zu", at);
        case CBOR_DECODER_ERROR:
                return protocol_why(ret_why, -EBADMSG, "it is not valid CBOR, at byte %zu", at);
        case CBOR_DECODER_FINISHED:
                break;
        }
        r->position += result.read;
        left -= result.read;
        /* Each item needs a byte at least, each pair two. */
        if ((r->token.kind == CBOR_KIND_ARRAY && r->token.number > left) ||
            (r->token.kind == CBOR_KIND_MAP && r->token.number > left / 2))
                return protocol_why(ret_why, -EBADMSG,
                                    "it claims more items than can follow, at byte %zu", at);
        return 0;
}
