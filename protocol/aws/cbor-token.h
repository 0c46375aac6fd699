/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Private: CBOR (RFC 8949) item by item, by libcbor's stream decoder. That one allocates nothing
 * and keeps nothing: cbor_load() instead takes an array's claimed length at its word (five bytes,
 * 9a 04 00 00 00, touch 512 MiB), and its tree would hold further copies of the secrets.
 *
 * What a head claims is checked here: no text beyond the bytes that are there, no more items than
 * the rest could hold. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum CborKind {
        CBOR_KIND_UNSIGNED,
        CBOR_KIND_NEGATIVE,
        CBOR_KIND_BYTES,
        CBOR_KIND_BYTES_START, /* pieces follow, until a break */
        CBOR_KIND_TEXT,
        CBOR_KIND_TEXT_START, /* likewise */
        CBOR_KIND_ARRAY,
        CBOR_KIND_ARRAY_START, /* items follow, until a break */
        CBOR_KIND_MAP,
        CBOR_KIND_MAP_START, /* likewise, in pairs */
        CBOR_KIND_TAG,       /* one item follows */
        CBOR_KIND_REAL,
        CBOR_KIND_BOOLEAN,
        CBOR_KIND_NULL, /* and undefined */
        CBOR_KIND_BREAK,
} CborKind;

typedef struct CborToken {
        CborKind kind;
        uint64_t number; /* of unsigned; of negative: -1 - number; items of an array, pairs of a map
                          */
        double real;
        bool boolean;
        const uint8_t *data; /* of bytes and text: into the payload */
        size_t size;
} CborToken;

typedef struct CborReader {
        const uint8_t *begin;
        size_t size;
        size_t position;
        CborToken token; /* the item just read */
} CborReader;

/* Reads one head, with its bytes where it is a definite string. -EBADMSG with a text. */
int cbor_reader_next(CborReader *r, char **ret_why);
