/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Private: a payload after decoding, the same for JSON and CBOR: a map of named values, and below
 * it one more level of maps. What lies deeper is gone over and dropped: no answer has it.
 *
 * What holds of each name and text in here: UTF-8, no NUL, no name twice in its map, no more
 * entries than AWS_FIELDS_MAX. Texts may be secret; all are wiped when they are let go. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/aws/format.h"

#define AWS_FIELDS_MAX ((size_t) 256)
#define AWS_FIELD_NAME_MAX ((size_t) 256)
/* Nested arrays, maps and tags in CBOR; jansson has its own bound, 2048. */
#define AWS_DEPTH_MAX 16U

typedef enum AwsKind {
        AWS_KIND_TEXT,
        AWS_KIND_INTEGER,
        AWS_KIND_REAL,
        AWS_KIND_BOOLEAN,
        AWS_KIND_NULL,
        AWS_KIND_MAP,
        AWS_KIND_OTHER, /* lists, byte strings, tags, maps on the second level, ... */
} AwsKind;

/* "a text", "a list" */
const char *aws_kind_name(AwsKind kind);

typedef struct AwsField AwsField;

typedef struct AwsMap {
        AwsField *fields; /* in the order in which they came */
        size_t n;
} AwsMap;

struct AwsField {
        char *name;
        AwsKind kind;
        char *text;      /* of a text; a number or boolean as text */
        int64_t integer; /* of an integer; INT64_MAX stands for all above */
        AwsMap map;
};

/* Wipes and frees; takes a zeroed one. */
void aws_map_done(AwsMap *map);
AwsField *aws_map_find(const AwsMap *map, const char *name); /* NULL: not there */

/* -EBADMSG with a text in `*ret_why`, or -ENOMEM. Errors are those of aws_answer_parse(). */
int aws_document_parse(AwsFormat format, const void *data, size_t size, AwsMap *ret,
                       char **ret_why);

/* --- for the two decoders --- */

/* `map` is empty, and may be half-filled after a failure: the caller lets it go. */
int aws_document_parse_json(const uint8_t *data, size_t size, AwsMap *map, char **ret_why);
int aws_document_parse_cbor(const uint8_t *data, size_t size, AwsMap *map, char **ret_why);

/* Adds a null under this name. The pointer is good until the next is added. */
int aws_map_add(AwsMap *map, const char *name, size_t size, AwsField **ret, char **ret_why);

/* Takes `text`, of `size` bytes and a terminator, in any case. */
int aws_field_take_text(AwsField *field, char *text, size_t size, char **ret_why);
int aws_field_set_integer(AwsField *field, int64_t value);
int aws_field_set_unsigned(AwsField *field, uint64_t value);
int aws_field_set_boolean(AwsField *field, bool value);

/* With 15 significant digits, so that 1.1 stays 1.1. What is no finite number is AWS_KIND_OTHER. */
int aws_field_set_real(AwsField *field, double value);
