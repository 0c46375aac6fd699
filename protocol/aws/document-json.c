/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Decodes JSON (RFC 8259). The tree of jansson is wiped; for the copies that its parser makes see
 * protocol_json_harden(). */
#include "protocol/aws/document.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/base/json.h"
#include "protocol/base/scope.h"
#include "protocol/base/wipe.h"

static int read_object(json_t *object, bool nested, AwsMap *map, char **ret_why);

static int read_text(const json_t *value, AwsField *field, char **ret_why) {
        size_t size = json_string_length(value);
        char *text = malloc(size + 1);

        if (!text)
                return -ENOMEM;
        memcpy(text, json_string_value(value), size + 1);
        return aws_field_take_text(field, text, size, ret_why);
}

static int read_value(json_t *value, bool nested, AwsField *field, char **ret_why) {
        switch (json_typeof(value)) {
        case JSON_STRING:
                return read_text(value, field, ret_why);
        case JSON_INTEGER:
                return aws_field_set_integer(field, json_integer_value(value));
        case JSON_REAL:
                return aws_field_set_real(field, json_real_value(value));
        case JSON_TRUE:
        case JSON_FALSE:
                return aws_field_set_boolean(field, json_is_true(value));
        case JSON_NULL:
                return 0;
        case JSON_OBJECT:
                if (!nested) {
                        field->kind = AWS_KIND_MAP;
                        return read_object(value, true, &field->map, ret_why);
                }
                break;
        case JSON_ARRAY:
                break;
        }
        field->kind = AWS_KIND_OTHER;
        return 0;
}

static int read_object(json_t *object, bool nested, AwsMap *map, char **ret_why) {
        const char *name;
        json_t *value;

        json_object_foreach(object, name, value) {
                AwsField *field;
                int r;

                r = aws_map_add(map, name, strlen(name), &field, ret_why);
                if (r < 0)
                        return r;
                r = read_value(value, nested, field, ret_why);
                if (r < 0)
                        return r;
        }
        return 0;
}

int aws_document_parse_json(const uint8_t *data, size_t size, AwsMap *map, char **ret_why) {
        _cleanup_(protocol_json_wipep) json_t *root = NULL;
        int r;

        r = protocol_json_parse_object(data, size, &root, ret_why);
        if (r < 0)
                return r;
        return read_object(root, false, map, ret_why);
}
