/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Reading DER (X.690), element by element, without copying: what is read points into the bytes that
 * were given. Only what is well-formed passes: definite, shortest lengths within the enclosing
 * element, tags of one byte. No recursion and no allocation, so nested input costs nothing. */

#include "daemon/base/macro.h"

#define DER_BOOLEAN 0x01
#define DER_INTEGER 0x02
#define DER_BIT_STRING 0x03
#define DER_OCTET_STRING 0x04
#define DER_NULL 0x05
#define DER_OID 0x06
#define DER_UTF8_STRING 0x0c
#define DER_NUMERIC_STRING 0x12
#define DER_PRINTABLE_STRING 0x13
#define DER_IA5_STRING 0x16
#define DER_UTC_TIME 0x17
#define DER_GENERALIZED_TIME 0x18
#define DER_VISIBLE_STRING 0x1a
#define DER_SEQUENCE 0x30
#define DER_SET 0x31
#define DER_CONTEXT(n) (0xa0 | (n)) /* explicitly tagged, or implicitly and constructed */

/* What has not been read yet. */
typedef struct DerReader {
        const uint8_t *data;
        size_t size;
} DerReader;

typedef struct DerItem {
        uint8_t tag;
        const uint8_t *content;
        size_t size;
        const uint8_t *whole; /* with tag and length */
        size_t whole_size;
} DerItem;

/* All return 0, or -EBADMSG where the bytes are not that; then the reader stays where it was. */
int der_next(DerReader *reader, DerItem *ret);
int der_expect(DerReader *reader, uint8_t tag, DerItem *ret);

/* The content of an element of that tag, as a reader. */
int der_enter(DerReader *reader, uint8_t tag, DerReader *ret);

/* Takes the next element if it has that tag: 1; 0 if it has another one or nothing is left. */
int der_optional(DerReader *reader, uint8_t tag, DerItem *ret);

/* -EBADMSG unless everything has been read. */
int der_end(const DerReader *reader);

/* An INTEGER of 0 or more, in its shortest form; without the sign's zero byte. */
int der_unsigned(DerReader *reader, DerItem *ret);

/* A BIT STRING of whole bytes, without its first byte. */
int der_bits(DerReader *reader, DerItem *ret);

static inline DerReader der_reader(const void *data, size_t size) {
        return (DerReader){.data = data, .size = size};
}

static inline DerReader der_inside(const DerItem *item) {
        return der_reader(item->content, item->size);
}

static inline bool der_content_equal(const DerItem *item, const void *data, size_t size) {
        return item->size == size && (size == 0 || memcmp(item->content, data, size) == 0);
}
