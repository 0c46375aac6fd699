/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/base/json.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#include "protocol/base/scope.h"
#include "protocol/base/why.h"
#include "protocol/base/wipe.h"

#define DUMP_FLAGS (JSON_COMPACT | JSON_ENCODE_ANY)

static bool is_plain(uint8_t c) {
        return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
               c == '_' || c == '-' || c == '.';
}

/* jansson says where the second name ends, behind its quotation mark. A name is no secret; one with
 * escapes in it is not spelled out. */
static int explain_duplicate(const json_error_t *error, const uint8_t *data, size_t size,
                             char **ret_why) {
        size_t end = error->position > 0 ? (size_t) error->position - 1 : 0, begin;
        ProtocolShownName shown;

        if (end >= size || data[end] != '"')
                end = 0;
        begin = end;
        while (begin > 0 && is_plain(data[begin - 1]))
                begin--;
        if (begin == end || begin == 0 || data[begin - 1] != '"')
                return protocol_why(ret_why, -EBADMSG,
                                    "a field is there more than once, at byte %d", error->position);
        shown = protocol_show_name((const char *) data + begin, end - begin);
        return protocol_why(ret_why, -EBADMSG, "%s is there more than once", shown.text);
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
        return protocol_why(ret_why, -EBADMSG, "%s, at byte %d", what, error->position);
}

static int parse(const void *data, size_t size, size_t flags, json_t **ret, char **ret_why) {
        json_error_t error;
        json_t *root;

        errno = 0;
        root = json_loadb(data, size, JSON_REJECT_DUPLICATES | flags, &error);
        /* jansson has no sure sign of its own that memory was short: see protocol_json_harden(). */
        if (errno == ENOMEM) {
                protocol_json_wipep(&root);
                return -ENOMEM;
        }
        if (!root)
                return explain(&error, data, size, ret_why);
        *ret = root;
        return 0;
}

int protocol_json_parse_object(const void *data, size_t size, json_t **ret, char **ret_why) {
        json_t *root;
        int r;

        r = parse(data, size, 0, &root, ret_why);
        if (r < 0)
                return r;
        if (!json_is_object(root)) {
                protocol_json_wipep(&root);
                return protocol_why(ret_why, -EBADMSG, "it is no JSON object");
        }
        *ret = root;
        return 0;
}

int protocol_json_parse_value(const void *data, size_t size, json_t **ret, char **ret_why) {
        return parse(data, size, JSON_DECODE_ANY, ret, ret_why);
}

int protocol_json_write(const json_t *json, size_t max, char **ret, size_t *ret_size) {
        size_t size = json_dumpb(json, NULL, 0, DUMP_FLAGS);
        char *text;

        if (size == 0)
                return -ENOMEM;
        if (size > max)
                return -E2BIG;
        text = malloc(size + 1);
        if (!text)
                return -ENOMEM;
        if (json_dumpb(json, text, size, DUMP_FLAGS) != size) {
                protocol_wipe_free(text);
                return -ENOMEM;
        }
        text[size] = '\0';
        *ret = text;
        *ret_size = size;
        return 0;
}
