/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/store/json-field.h"

#include <errno.h>

#include "daemon/base/log.h"

#define INFINITY_WORD "infinity"

int field_put_string(json_t *object, const char *name, const char *value) {
        _cleanup_free_ char *escaped = NULL;
        json_t *string;

        if (!value)
                return 0;
        string = json_string(value);
        if (!string) {
                escaped = log_escape(value);
                if (!escaped)
                        return -ENOMEM;
                string = json_string(escaped);
        }
        return json_object_set_new(object, name, string) < 0 ? -ENOMEM : 0;
}

int field_put_number(json_t *object, const char *name, uint64_t value) {
        if (value == 0)
                return 0;
        return json_object_set_new(object, name, json_integer((json_int_t) value)) < 0 ? -ENOMEM
                                                                                       : 0;
}

int field_put_time(json_t *object, const char *name, usec_t value) {
        if (value > INT64_MAX)
                return field_put_string(object, name, INFINITY_WORD);
        return field_put_number(object, name, value);
}

int field_put_flag(json_t *object, const char *name, bool value) {
        if (!value)
                return 0;
        return json_object_set_new(object, name, json_true()) < 0 ? -ENOMEM : 0;
}

int field_put_object(json_t *object, const char *name, json_t *value) {
        return json_object_set_new(object, name, value) < 0 ? -ENOMEM : 0;
}

int field_get_string(const json_t *object, const char *name, size_t max, char **ret) {
        const json_t *value = json_object_get(object, name);
        char *copy;

        if (!value) {
                *ret = NULL;
                return 0;
        }
        if (!json_is_string(value) || json_string_length(value) > max)
                return -EBADMSG;
        copy = strdup(json_string_value(value));
        if (!copy)
                return -ENOMEM;
        *ret = copy;
        return 0;
}

int field_get_number(const json_t *object, const char *name, uint64_t max, uint64_t *ret) {
        const json_t *value = json_object_get(object, name);

        if (!value) {
                *ret = 0;
                return 0;
        }
        if (!json_is_integer(value) || json_integer_value(value) < 0 ||
            (uint64_t) json_integer_value(value) > max)
                return -EBADMSG;
        *ret = (uint64_t) json_integer_value(value);
        return 0;
}

int field_get_time(const json_t *object, const char *name, usec_t *ret) {
        const json_t *value = json_object_get(object, name);

        if (json_is_string(value) && streq(json_string_value(value), INFINITY_WORD)) {
                *ret = USEC_INFINITY;
                return 0;
        }
        return field_get_number(object, name, INT64_MAX, ret);
}

int field_get_flag(const json_t *object, const char *name, bool *ret) {
        const json_t *value = json_object_get(object, name);

        if (value && !json_is_boolean(value))
                return -EBADMSG;
        *ret = json_is_true(value);
        return 0;
}

int field_get_word(const json_t *object, const char *name, const char **ret) {
        const json_t *value = json_object_get(object, name);

        if (!json_is_string(value))
                return -EBADMSG;
        *ret = json_string_value(value);
        return 0;
}
