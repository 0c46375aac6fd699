/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/dps/field.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/base/utf8.h"
#include "protocol/base/why.h"

const char *dps_kind_name(const json_t *value) {
        switch (json_typeof(value)) {
        case JSON_OBJECT:
                return "an object";
        case JSON_ARRAY:
                return "a list";
        case JSON_STRING:
                return "a text";
        case JSON_INTEGER:
        case JSON_REAL:
                return "a number";
        case JSON_TRUE:
        case JSON_FALSE:
                return "a boolean";
        case JSON_NULL:
                break;
        }
        return "null";
}

static int copy(const char *text, size_t size, char **ret) {
        char *s = malloc(size + 1);

        if (!s)
                return -ENOMEM;
        memcpy(s, text, size);
        s[size] = '\0';
        *ret = s;
        return 0;
}

int dps_field_text(const json_t *object, const char *name, size_t max, char **ret) {
        const json_t *value = json_object_get(object, name);

        if (!json_is_string(value) || json_string_length(value) == 0)
                return 0;
        return copy(json_string_value(value),
                    protocol_utf8_cut(json_string_value(value), json_string_length(value), max),
                    ret);
}

int dps_field_name(const json_t *object, const char *name, size_t max, char **ret, char **ret_why) {
        const json_t *value = json_object_get(object, name);
        const char *text;
        size_t size;

        if (!value || json_is_null(value))
                return 0;
        if (!json_is_string(value))
                return protocol_why(ret_why, -EBADMSG, "%s must be a text, and is %s", name,
                                    dps_kind_name(value));
        text = json_string_value(value);
        size = json_string_length(value);
        if (size == 0)
                return protocol_why(ret_why, -EBADMSG, "%s is empty", name);
        if (size > max)
                return protocol_why(ret_why, -EBADMSG, "%s has %zu bytes, and %zu are allowed",
                                    name, size, max);
        for (size_t i = 0; i < size; i++)
                if ((unsigned char) text[i] < ' ' || text[i] == '\x7f')
                        return protocol_why(ret_why, -EBADMSG, "%s has a control character in it",
                                            name);
        return copy(text, size, ret);
}
