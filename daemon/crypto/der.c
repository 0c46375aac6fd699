/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/crypto/der.h"

#include <errno.h>

#define TAG_NUMBER_MASK 0x1f /* all set: a tag of several bytes, which nothing here has */
#define LENGTH_LONG 0x80
#define LENGTH_BYTES_MAX 4U /* far beyond what any caller lets in */

/* Reads a length, X.690 8.1.3 with the restrictions of 10.1: definite and shortest. */
static int read_length(DerReader *r, size_t *ret) {
        size_t n, length = 0;

        if (r->size == 0)
                return -EBADMSG;
        n = *r->data++;
        r->size--;
        if (n < LENGTH_LONG) {
                *ret = n;
                return 0;
        }
        n &= ~(size_t) LENGTH_LONG;
        if (n == 0 || n > LENGTH_BYTES_MAX || n > r->size || *r->data == 0)
                return -EBADMSG;
        for (; n > 0; n--) {
                length = length << 8 | *r->data++;
                r->size--;
        }
        if (length < LENGTH_LONG)
                return -EBADMSG;
        *ret = length;
        return 0;
}

int der_next(DerReader *reader, DerItem *ret) {
        DerReader r = *reader;
        size_t length;
        uint8_t tag;

        if (r.size == 0)
                return -EBADMSG;
        tag = *r.data++;
        r.size--;
        if ((tag & TAG_NUMBER_MASK) == TAG_NUMBER_MASK)
                return -EBADMSG;
        if (read_length(&r, &length) < 0 || length > r.size)
                return -EBADMSG;
        *ret = (DerItem){
                .tag = tag,
                .content = r.data,
                .size = length,
                .whole = reader->data,
                .whole_size = (size_t) (r.data - reader->data) + length,
        };
        *reader = der_reader(r.data + length, r.size - length);
        return 0;
}

int der_expect(DerReader *reader, uint8_t tag, DerItem *ret) {
        DerReader r = *reader;
        DerItem item;

        if (der_next(&r, &item) < 0 || item.tag != tag)
                return -EBADMSG;
        *ret = item;
        *reader = r;
        return 0;
}

int der_enter(DerReader *reader, uint8_t tag, DerReader *ret) {
        DerItem item;
        int r;

        r = der_expect(reader, tag, &item);
        if (r < 0)
                return r;
        *ret = der_inside(&item);
        return 0;
}

int der_optional(DerReader *reader, uint8_t tag, DerItem *ret) {
        int r;

        if (reader->size == 0 || *reader->data != tag)
                return 0;
        r = der_next(reader, ret);
        return r < 0 ? r : 1;
}

int der_end(const DerReader *reader) {
        return reader->size == 0 ? 0 : -EBADMSG;
}

int der_unsigned(DerReader *reader, DerItem *ret) {
        DerReader r = *reader;
        DerItem item;

        if (der_expect(&r, DER_INTEGER, &item) < 0 || item.size == 0 || item.content[0] & 0x80)
                return -EBADMSG;
        if (item.size > 1 && item.content[0] == 0) {
                if (!(item.content[1] & 0x80))
                        return -EBADMSG; /* one byte longer than need be */
                item.content++;
                item.size--;
        }
        *ret = item;
        *reader = r;
        return 0;
}

int der_bits(DerReader *reader, DerItem *ret) {
        DerReader r = *reader;
        DerItem item;

        if (der_expect(&r, DER_BIT_STRING, &item) < 0 || item.size == 0 || item.content[0] != 0)
                return -EBADMSG;
        item.content++;
        item.size--;
        *ret = item;
        *reader = r;
        return 0;
}
