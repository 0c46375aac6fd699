/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Payloads for the tests of protocol/aws: one JSON text, in every encoding that the service may
 * choose. Each stands in a block of its own size, so that ASan sees a read beyond it. */

#include <stddef.h>
#include <stdint.h>

#include "protocol/aws/format.h"

typedef enum Encoding {
        ENCODING_JSON,
        ENCODING_CBOR,            /* definite lengths */
        ENCODING_CBOR_INDEFINITE, /* maps and lists end by a break, texts come in two pieces */
        ENCODING_MAX,
} Encoding;

typedef struct Payload {
        AwsFormat format;
        uint8_t *data;
        size_t size;
} Payload;

void payload_done(Payload *p);

/* The JSON must parse: what is broken on purpose is made with the functions below. */
Payload payload_from_json(Encoding encoding, const char *json);
Payload payload_from_text(AwsFormat format, const char *text);
Payload payload_from_bytes(AwsFormat format, const void *data, size_t size);
Payload payload_from_hex(const char *hex); /* CBOR; blanks are skipped */

/* `n` times this byte as a C string; free() it. */
char *repeat(char c, size_t n);
