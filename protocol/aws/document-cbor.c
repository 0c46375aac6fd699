/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Decodes CBOR (RFC 8949): maps and texts in their definite and indefinite forms, since the service
 * sends both. Texts go straight from the payload to where they stay. */
#include "protocol/aws/document.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/aws/cbor-token.h"
#include "protocol/base/scope.h"
#include "protocol/base/why.h"

static int read_map(CborReader *r, bool nested, AwsMap *map, char **ret_why);

/* The pieces of a text of indefinite length. Where `buffer` is NULL they are only counted. */
static int read_pieces(CborReader *r, char *buffer, size_t *ret_size, char **ret_why) {
        size_t size = 0;

        for (;;) {
                int k;

                k = cbor_reader_next(r, ret_why);
                if (k < 0)
                        return k;
                if (r->token.kind == CBOR_KIND_BREAK)
                        break;
                if (r->token.kind != CBOR_KIND_TEXT)
                        return protocol_why(ret_why, -EBADMSG,
                                            "a text has a piece that is none, before byte %zu",
                                            r->position);
                if (buffer && r->token.size > 0)
                        memcpy(buffer + size, r->token.data, r->token.size);
                size += r->token.size;
        }
        *ret_size = size;
        return 0;
}

/* The text that the token begins, with a terminator. It may be secret. */
static int read_text(CborReader *r, char **ret, size_t *ret_size, char **ret_why) {
        size_t size = r->token.size;
        char *text;
        int k;

        if (r->token.kind == CBOR_KIND_TEXT_START) {
                /* Measured first: a buffer that grows leaves pieces of a secret behind. */
                CborReader ahead = *r;

                k = read_pieces(&ahead, NULL, &size, ret_why);
                if (k < 0)
                        return k;
        }
        text = malloc(size + 1);
        if (!text)
                return -ENOMEM;
        if (r->token.kind == CBOR_KIND_TEXT_START)
                (void) read_pieces(r, text, &size, NULL); /* went well a moment ago */
        else if (size > 0)
                memcpy(text, r->token.data, size);
        text[size] = '\0';
        *ret = text;
        *ret_size = size;
        return 0;
}

/* Reads the next item, and says whether it ends what has `left` items to go; `indefinite`: a break
 * does. */
static int next_or_end(CborReader *r, bool indefinite, uint64_t left, bool *ret_end,
                       char **ret_why) {
        int k;

        if (!indefinite && left == 0) {
                *ret_end = true;
                return 0;
        }
        k = cbor_reader_next(r, ret_why);
        if (k < 0)
                return k;
        if (r->token.kind == CBOR_KIND_BREAK && !indefinite)
                return protocol_why(ret_why, -EBADMSG,
                                    "there is a break with nothing to end, at byte %zu",
                                    r->position - 1);
        *ret_end = r->token.kind == CBOR_KIND_BREAK;
        return 0;
}

static int skip_item(CborReader *r, unsigned depth, char **ret_why);

/* Goes over the items that follow. A definite map's pairs are counted as items. */
static int skip_items(CborReader *r, bool indefinite, uint64_t n, unsigned depth, char **ret_why) {
        if (depth >= AWS_DEPTH_MAX)
                return protocol_why(ret_why, -EBADMSG, "it is nested more than %u deep",
                                    AWS_DEPTH_MAX);
        for (;;) {
                bool end = false;
                int k;

                k = next_or_end(r, indefinite, n, &end, ret_why);
                if (k < 0 || end)
                        return k;
                if (!indefinite)
                        n--;
                k = skip_item(r, depth + 1, ret_why);
                if (k < 0)
                        return k;
        }
}

/* Goes over the rest of the item that the token begins. What is dropped is not looked into. */
static int skip_item(CborReader *r, unsigned depth, char **ret_why) {
        switch (r->token.kind) {
        case CBOR_KIND_ARRAY:
                return skip_items(r, false, r->token.number, depth, ret_why);
        case CBOR_KIND_MAP:
                return skip_items(r, false, 2 * r->token.number, depth, ret_why);
        case CBOR_KIND_TAG:
                return skip_items(r, false, 1, depth, ret_why);
        case CBOR_KIND_ARRAY_START:
        case CBOR_KIND_MAP_START:
        case CBOR_KIND_BYTES_START:
        case CBOR_KIND_TEXT_START:
                return skip_items(r, true, 0, depth, ret_why);
        case CBOR_KIND_UNSIGNED:
        case CBOR_KIND_NEGATIVE:
        case CBOR_KIND_BYTES:
        case CBOR_KIND_TEXT:
        case CBOR_KIND_REAL:
        case CBOR_KIND_BOOLEAN:
        case CBOR_KIND_NULL:
        case CBOR_KIND_BREAK:
                break;
        }
        return 0;
}

static int set_text(CborReader *r, AwsField *field, char **ret_why) {
        size_t size;
        char *text;
        int k;

        k = read_text(r, &text, &size, ret_why);
        if (k < 0)
                return k;
        return aws_field_take_text(field, text, size, ret_why);
}

/* The value that the token begins. */
static int read_value(CborReader *r, bool nested, AwsField *field, char **ret_why) {
        switch (r->token.kind) {
        case CBOR_KIND_TEXT:
        case CBOR_KIND_TEXT_START:
                return set_text(r, field, ret_why);
        case CBOR_KIND_UNSIGNED:
                return aws_field_set_unsigned(field, r->token.number);
        case CBOR_KIND_NEGATIVE:
                /* Below INT64_MIN: no C type holds it, and nobody needs it. */
                if (r->token.number > INT64_MAX)
                        break;
                return aws_field_set_integer(field, -1 - (int64_t) r->token.number);
        case CBOR_KIND_REAL:
                return aws_field_set_real(field, r->token.real);
        case CBOR_KIND_BOOLEAN:
                return aws_field_set_boolean(field, r->token.boolean);
        case CBOR_KIND_NULL:
                return 0;
        case CBOR_KIND_MAP:
        case CBOR_KIND_MAP_START:
                if (!nested) {
                        field->kind = AWS_KIND_MAP;
                        return read_map(r, true, &field->map, ret_why);
                }
                break;
        case CBOR_KIND_ARRAY:
        case CBOR_KIND_ARRAY_START:
        case CBOR_KIND_BYTES:
        case CBOR_KIND_BYTES_START:
        case CBOR_KIND_TAG:
        case CBOR_KIND_BREAK: /* refused before it comes here */
                break;
        }
        field->kind = AWS_KIND_OTHER;
        return skip_item(r, nested ? 2 : 1, ret_why);
}

/* A pair: the token begins its name. */
static int read_pair(CborReader *r, bool nested, AwsMap *map, char **ret_why) {
        _cleanup_(protocol_freep) char *name = NULL;
        AwsField *field;
        size_t size;
        bool end = false;
        int k;

        if (r->token.kind != CBOR_KIND_TEXT && r->token.kind != CBOR_KIND_TEXT_START)
                return protocol_why(ret_why, -EBADMSG, "a field name is no text, before byte %zu",
                                    r->position);
        k = read_text(r, &name, &size, ret_why);
        if (k < 0)
                return k;
        k = aws_map_add(map, name, size, &field, ret_why);
        if (k < 0)
                return k;
        k = next_or_end(r, false, 1, &end, ret_why); /* a break is no value */
        if (k < 0)
                return k;
        return read_value(r, nested, field, ret_why);
}

/* The map that the token begins. */
static int read_map(CborReader *r, bool nested, AwsMap *map, char **ret_why) {
        bool indefinite = r->token.kind == CBOR_KIND_MAP_START;
        uint64_t left = r->token.number;

        for (;;) {
                bool end = false;
                int k;

                k = next_or_end(r, indefinite, left, &end, ret_why);
                if (k < 0 || end)
                        return k;
                if (!indefinite)
                        left--;
                k = read_pair(r, nested, map, ret_why);
                if (k < 0)
                        return k;
        }
}

int aws_document_parse_cbor(const uint8_t *data, size_t size, AwsMap *map, char **ret_why) {
        CborReader r = {.begin = data, .size = size};
        int k;

        k = cbor_reader_next(&r, ret_why);
        if (k < 0)
                return k;
        if (r.token.kind != CBOR_KIND_MAP && r.token.kind != CBOR_KIND_MAP_START)
                return protocol_why(ret_why, -EBADMSG, "it is no CBOR map");
        k = read_map(&r, false, map, ret_why);
        if (k < 0)
                return k;
        if (r.position < size)
                return protocol_why(ret_why, -EBADMSG, "more follows its end, at byte %zu",
                                    r.position);
        return 0;
}
