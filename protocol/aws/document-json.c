/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Decodes JSON (RFC 8259) by jansson. Its own error texts are not used: they quote the input, and
 * the input may be a private key. Its tree is wiped; for the copies that its parser makes see
 * aws_json_harden(). */
#include "protocol/aws/document.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/aws/scope.h"
#include "protocol/aws/why.h"
#include "protocol/aws/wipe.h"

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

static bool is_plain(uint8_t c) {
        return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
               c == '_' || c == '-' || c == '.';
}

/* jansson says where the second name ends, behind its quotation mark. A name is no secret; one with
 * escapes in it is not spelled out. */
static int explain_duplicate(const json_error_t *error, const uint8_t *data, size_t size,
                             char **ret_why) {
        size_t end = error->position > 0 ? (size_t) error->position - 1 : 0, begin;
        AwsShownName shown;

        if (end >= size || data[end] != '"')
                end = 0;
        begin = end;
        while (begin > 0 && is_plain(data[begin - 1]))
                begin--;
        if (begin == end || begin == 0 || data[begin - 1] != '"')
                return aws_why(ret_why, -EBADMSG, "a field is there more than once, at byte %d",
                               error->position);
        shown = aws_show_name((const char *) data + begin, end - begin);
        return aws_why(ret_why, -EBADMSG, "%s is there more than once", shown.text);
}

static int explain(const json_error_t *error, const uint8_t *data, size_t size, char **ret_why) {
        const char *what = "it is not valid JSON";

        switch ((int) json_error_code(error)) {
        case json_error_duplicate_key:
                return explain_duplicate(error, data, size, ret_why);
        case json_error_stack_overflow:
                what = "it is nested too deeply";
                break;
        case json_error_invalid_utf8:
                what = "it is not valid UTF-8";
                break;
        case json_error_null_character:
        case json_error_null_byte_in_key:
                what = "a text has a NUL in it";
                break;
        case json_error_premature_end_of_input:
                what = "it ends too early";
                break;
        case json_error_end_of_input_expected:
                what = "more follows its end";
                break;
        case json_error_numeric_overflow:
                what = "a number is too large";
                break;
        default: /* jansson's enum, not ours */
                break;
        }
        return aws_why(ret_why, -EBADMSG, "%s, at byte %d", what, error->position);
}

int aws_document_parse_json(const uint8_t *data, size_t size, AwsMap *map, char **ret_why) {
        _cleanup_(aws_json_wipep) json_t *root = NULL;
        json_error_t error;

        errno = 0;
        root = json_loadb((const char *) data, size, JSON_REJECT_DUPLICATES, &error);
        /* jansson has no sure sign of its own that memory was short: see aws_json_harden(). */
        if (errno == ENOMEM)
                return -ENOMEM;
        if (!root)
                return explain(&error, data, size, ret_why);
        if (!json_is_object(root))
                return aws_why(ret_why, -EBADMSG, "it is no JSON object");
        return read_object(root, false, map, ret_why);
}
