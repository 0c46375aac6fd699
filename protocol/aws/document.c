/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/aws/document.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/base/scope.h"
#include "protocol/base/utf8.h"
#include "protocol/base/why.h"
#include "protocol/base/wipe.h"

const char *aws_kind_name(AwsKind kind) {
        switch (kind) {
        case AWS_KIND_TEXT:
                return "a text";
        case AWS_KIND_INTEGER:
                return "an integer";
        case AWS_KIND_REAL:
                return "a fraction";
        case AWS_KIND_BOOLEAN:
                return "a boolean";
        case AWS_KIND_NULL:
                return "null";
        case AWS_KIND_MAP:
                return "an object";
        case AWS_KIND_OTHER:
                break;
        }
        return "neither text nor number";
}

static void field_done(AwsField *field) {
        free(field->name);
        protocol_wipe_free(field->text);
        aws_map_done(&field->map);
}

void aws_map_done(AwsMap *map) {
        for (size_t i = 0; i < map->n; i++)
                field_done(&map->fields[i]);
        free(map->fields);
        *map = (AwsMap){};
}

AwsField *aws_map_find(const AwsMap *map, const char *name) {
        for (size_t i = 0; i < map->n; i++)
                if (strcmp(map->fields[i].name, name) == 0)
                        return &map->fields[i];
        return NULL;
}

static int check_name(const AwsMap *map, const char *name, size_t size, char **ret_why) {
        ProtocolShownName shown = protocol_show_name(name, size);

        if (size > AWS_FIELD_NAME_MAX)
                return protocol_why(ret_why, -EBADMSG, "field name %s is longer than %zu bytes",
                                    shown.text, AWS_FIELD_NAME_MAX);
        if (memchr(name, '\0', size))
                return protocol_why(ret_why, -EBADMSG, "field name %s has a NUL in it", shown.text);
        if (!protocol_utf8_is_valid(name, size))
                return protocol_why(ret_why, -EBADMSG, "field name %s is not valid UTF-8",
                                    shown.text);
        for (size_t i = 0; i < map->n; i++)
                if (strlen(map->fields[i].name) == size &&
                    memcmp(map->fields[i].name, name, size) == 0)
                        return protocol_why(ret_why, -EBADMSG, "%s is there more than once",
                                            shown.text);
        if (map->n >= AWS_FIELDS_MAX)
                return protocol_why(ret_why, -EBADMSG, "an object has more than %zu fields",
                                    AWS_FIELDS_MAX);
        return 0;
}

int aws_map_add(AwsMap *map, const char *name, size_t size, AwsField **ret, char **ret_why) {
        _cleanup_(protocol_freep) char *copy = NULL;
        AwsField *fields;
        int r;

        r = check_name(map, name, size, ret_why);
        if (r < 0)
                return r;
        copy = malloc(size + 1);
        if (!copy)
                return -ENOMEM;
        memcpy(copy, name, size);
        copy[size] = '\0';
        /* What moves here are pointers, not the secrets themselves. */
        fields = reallocarray(map->fields, map->n + 1, sizeof(*fields));
        if (!fields)
                return -ENOMEM;
        map->fields = fields;
        fields[map->n] = (AwsField){.name = TAKE_PTR(copy), .kind = AWS_KIND_NULL};
        *ret = &fields[map->n++];
        return 0;
}

int aws_field_take_text(AwsField *field, char *text, size_t size, char **ret_why) {
        ProtocolShownName shown = protocol_show_name(field->name, strlen(field->name));

        field->kind = AWS_KIND_TEXT;
        field->text = text;
        if (memchr(text, '\0', size))
                return protocol_why(ret_why, -EBADMSG, "%s has a NUL in it", shown.text);
        if (!protocol_utf8_is_valid(text, size))
                return protocol_why(ret_why, -EBADMSG, "%s is not valid UTF-8", shown.text);
        return 0;
}

static int set_scalar(AwsField *field, AwsKind kind, char *text) {
        if (!text)
                return -ENOMEM;
        field->kind = kind;
        field->text = text;
        return 0;
}

int aws_field_set_integer(AwsField *field, int64_t value) {
        char text[sizeof("-9223372036854775808")];

        snprintf(text, sizeof(text), "%" PRId64, value);
        field->integer = value;
        return set_scalar(field, AWS_KIND_INTEGER, strdup(text));
}

int aws_field_set_unsigned(AwsField *field, uint64_t value) {
        char text[sizeof("18446744073709551615")];

        snprintf(text, sizeof(text), "%" PRIu64, value);
        field->integer = value > INT64_MAX ? INT64_MAX : (int64_t) value;
        return set_scalar(field, AWS_KIND_INTEGER, strdup(text));
}

int aws_field_set_boolean(AwsField *field, bool value) {
        return set_scalar(field, AWS_KIND_BOOLEAN, strdup(value ? "true" : "false"));
}

int aws_field_set_real(AwsField *field, double value) {
        /* By jansson: printf would write the decimal point of the locale. */
        _cleanup_(protocol_json_wipep) json_t *json = NULL;
        size_t flags = JSON_ENCODE_ANY | JSON_REAL_PRECISION(15), size;
        char *text;

        if (!__builtin_isfinite(value)) {
                field->kind = AWS_KIND_OTHER;
                return 0;
        }
        json = json_real(value);
        size = json ? json_dumpb(json, NULL, 0, flags) : 0;
        text = size > 0 ? calloc(1, size + 1) : NULL;
        if (text)
                (void) json_dumpb(json, text, size, flags);
        return set_scalar(field, AWS_KIND_REAL, text);
}

int aws_document_parse(AwsFormat format, const void *data, size_t size, AwsMap *ret,
                       char **ret_why) {
        _cleanup_(aws_map_done) AwsMap map = {};
        int r = -EINVAL;

        if (size == 0)
                return protocol_why(ret_why, -EBADMSG, "it is empty");
        if (size > AWS_PAYLOAD_MAX)
                return protocol_why(ret_why, -EBADMSG, "it has %zu bytes, and %zu are allowed",
                                    size, AWS_PAYLOAD_MAX);
        switch (format) {
        case AWS_FORMAT_JSON:
                r = aws_document_parse_json(data, size, &map, ret_why);
                break;
        case AWS_FORMAT_CBOR:
                r = aws_document_parse_cbor(data, size, &map, ret_why);
                break;
        case AWS_FORMAT_MAX:
        case AWS_FORMAT_INVALID:
                return protocol_why(ret_why, -EINVAL, "no such payload format");
        }
        if (r < 0)
                return r;
        *ret = map;
        map = (AwsMap){};
        return 0;
}
