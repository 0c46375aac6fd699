/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/crypto/distinguished-name.h"

#include <errno.h>
#include <stdio.h>

#include "daemon/crypto/utf8.h"

#define RDNS_MAX ((size_t) 64) /* parts of a name */
#define OID_MAX ((size_t) 32)  /* bytes */
#define ARC_MAX ((size_t) 9)   /* bytes of one number: 63 bits */

typedef struct AttributeName {
        uint8_t oid[10];
        size_t size;
        const char *name;
} AttributeName;

/* RFC 4514, 3, and two more of X.520 that device certificates carry. */
static const AttributeName names[] = {
        {{0x55, 4, 3}, 3, "CN"},
        {{0x55, 4, 7}, 3, "L"},
        {{0x55, 4, 8}, 3, "ST"},
        {{0x55, 4, 10}, 3, "O"},
        {{0x55, 4, 11}, 3, "OU"},
        {{0x55, 4, 6}, 3, "C"},
        {{0x55, 4, 9}, 3, "STREET"},
        {{0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 1, 25}, 10, "DC"},
        {{0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 1, 1}, 10, "UID"},
        {{0x55, 4, 5}, 3, "serialNumber"},
        {{0x55, 4, 46}, 3, "dnQualifier"},
};

static void write_hex(FILE *out, const uint8_t *data, size_t size) {
        fputc('#', out);
        for (size_t i = 0; i < size; i++)
                fprintf(out, "%02x", data[i]);
}

/* Whether it is of a sane length, is not cut off, and none of its arcs overflows 64 bits. */
static bool oid_is_plain(const DerItem *oid) {
        size_t run = 0;

        for (size_t i = 0; i < oid->size; i++) {
                run = oid->content[i] & 0x80 ? run + 1 : 0;
                if (run >= ARC_MAX)
                        return false;
        }
        return run == 0 && oid->size <= OID_MAX;
}

/* Dotted decimal; one that is not plain is shown by its bytes instead. */
static void write_oid(FILE *out, const DerItem *oid) {
        uint64_t arc = 0;
        bool first = true;

        if (!oid_is_plain(oid)) {
                write_hex(out, oid->content, oid->size);
                return;
        }
        for (size_t i = 0; i < oid->size; i++) {
                arc = arc << 7 | (oid->content[i] & 0x7f);
                if (oid->content[i] & 0x80)
                        continue;
                if (first) {
                        uint64_t top = arc < 80 ? arc / 40 : 2;

                        fprintf(out, "%llu.%llu", (unsigned long long) top,
                                (unsigned long long) (arc - 40 * top));
                } else
                        fprintf(out, ".%llu", (unsigned long long) arc);
                first = false;
                arc = 0;
        }
}

static bool is_text(const DerItem *value) {
        switch (value->tag) {
        case DER_UTF8_STRING:
        case DER_PRINTABLE_STRING:
        case DER_IA5_STRING:
        case DER_NUMERIC_STRING:
        case DER_VISIBLE_STRING:
                break;
        default:
                return false;
        }
        for (size_t at = 0; at < value->size;) {
                size_t n = utf8_character(value->content + at, value->size - at);

                if (n == 0 || (n > 1 && value->tag != DER_UTF8_STRING))
                        return false;
                at += n;
        }
        return true;
}

/* RFC 4514, 2.4. Control characters are escaped as well, those of Latin-1 (0xc2 0x80 to 0xc2 0x9f)
 * included: a terminal obeys them. */
static void write_text(FILE *out, const uint8_t *text, size_t size) {
        for (size_t i = 0; i < size; i++) {
                uint8_t c = text[i];
                bool c1 = c == 0xc2 && i + 1 < size && text[i + 1] < 0xa0;

                if (c1) {
                        fprintf(out, "\\%02x\\%02x", c, text[i + 1]);
                        i++;
                } else if (c < 0x20 || c == 0x7f)
                        fprintf(out, "\\%02x", c);
                else if (strchr("\"+,;<>\\", c) || (i == 0 && (c == ' ' || c == '#')) ||
                         (i == size - 1 && c == ' '))
                        fprintf(out, "\\%c", c);
                else
                        fputc(c, out);
        }
}

static int read_attribute(DerReader *reader, DerItem *ret_oid, DerItem *ret_value) {
        DerReader inner;

        if (der_enter(reader, DER_SEQUENCE, &inner) < 0 ||
            der_expect(&inner, DER_OID, ret_oid) < 0 || ret_oid->size == 0 ||
            der_next(&inner, ret_value) < 0 || der_end(&inner) < 0)
                return -EBADMSG;
        return 0;
}

/* AttributeTypeAndValue */
static int write_attribute(FILE *out, DerReader *reader) {
        DerItem oid, value;
        const char *name = NULL;

        if (read_attribute(reader, &oid, &value) < 0)
                return -EBADMSG;
        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                if (der_content_equal(&oid, names[i].oid, names[i].size))
                        name = names[i].name;
        if (name)
                fputs(name, out);
        else
                write_oid(out, &oid);
        fputc('=', out);
        if (name && is_text(&value))
                write_text(out, value.content, value.size);
        else
                write_hex(out, value.whole, value.whole_size);
        return 0;
}

/* RelativeDistinguishedName: a set of attributes, in the certificate's order. */
static int write_rdn(FILE *out, const DerItem *rdn) {
        DerReader reader = der_inside(rdn);
        bool first = true;

        if (der_end(&reader) == 0)
                return -EBADMSG;
        while (der_end(&reader) < 0) {
                if (!first)
                        fputc('+', out);
                first = false;
                if (write_attribute(out, &reader) < 0)
                        return -EBADMSG;
        }
        return 0;
}

static int write_name(FILE *out, const DerItem *name) {
        DerItem rdns[RDNS_MAX];
        DerReader reader = der_inside(name);
        size_t n = 0;

        while (der_end(&reader) < 0) {
                if (n == RDNS_MAX || der_expect(&reader, DER_SET, &rdns[n]) < 0)
                        return -EBADMSG;
                n++;
        }
        for (size_t i = n; i > 0; i--) {
                if (i < n)
                        fputc(',', out);
                if (write_rdn(out, &rdns[i - 1]) < 0)
                        return -EBADMSG;
        }
        return 0;
}

int distinguished_name_to_text(const DerItem *name, char **ret) {
        char *text = NULL;
        size_t size = 0;
        FILE *out;
        int r;

        out = open_memstream(&text, &size);
        if (!out)
                return -ENOMEM;
        r = write_name(out, name);
        if (ferror(out) && r == 0)
                r = -ENOMEM;
        if (fclose(out) != 0 && r == 0)
                r = -ENOMEM;
        if (r < 0) {
                free(text);
                return r;
        }
        *ret = text;
        return 0;
}

/* Those of one RelativeDistinguishedName. */
static int find_common_name(const DerItem *rdn, DerItem *ret, bool *ret_found) {
        static const uint8_t common_name[] = {0x55, 4, 3};
        DerReader reader = der_inside(rdn);

        while (der_end(&reader) < 0) {
                DerItem oid, value;

                if (read_attribute(&reader, &oid, &value) < 0)
                        return -EBADMSG;
                if (!der_content_equal(&oid, common_name, sizeof(common_name)))
                        continue;
                *ret = value;
                *ret_found = true;
        }
        return 0;
}

int distinguished_name_common_name(const DerItem *name, char **ret) {
        DerReader reader = der_inside(name);
        bool found = false;
        DerItem value = {}, rdn;
        char *text;

        while (der_end(&reader) < 0) /* the most specific one comes last */
                if (der_expect(&reader, DER_SET, &rdn) < 0 ||
                    find_common_name(&rdn, &value, &found) < 0)
                        return -EBADMSG;
        if (!found || !is_text(&value) || memchr(value.content, '\0', value.size)) {
                *ret = NULL;
                return 0;
        }
        text = strndup((const char *) value.content, value.size);
        if (!text)
                return -ENOMEM;
        *ret = text;
        return 0;
}
