/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The reading half: a recursive descent over RFC 8949's initial bytes. Depth and size are bounded,
 * and nothing is allocated from a length that the input has not got. */

#include <string.h>

#include "daemon/base/macro.h"
#include "tests/cloud/plugin/cbor.h"

#define DEPTH_MAX 8
#define BREAK 0xff

typedef enum Major {
        MAJOR_UNSIGNED,
        MAJOR_NEGATIVE,
        MAJOR_BYTES,
        MAJOR_TEXT,
        MAJOR_ARRAY,
        MAJOR_MAP,
        MAJOR_TAG,
        MAJOR_SIMPLE,
} Major;

typedef struct Reader {
        const uint8_t *at;
        const uint8_t *end;
        const char *why;
} Reader;

typedef struct Head {
        Major major;
        bool indefinite;
        bool eight_bytes; /* of major 7: a double */
        uint64_t value;
} Head;

static json_t *read_value(Reader *r, unsigned depth);

static json_t *fail(Reader *r, const char *why) {
        if (!r->why)
                r->why = why;
        return NULL;
}

static bool at_break(Reader *r) {
        if (r->at >= r->end || *r->at != BREAK)
                return false;
        r->at++;
        return true;
}

static bool read_head(Reader *r, Head *ret) {
        uint8_t first, info;
        size_t width;

        if (r->at >= r->end)
                return fail(r, "ends inside a value"), false;
        first = *r->at++;
        info = first & 0x1f;
        *ret = (Head){.major = (Major) (first >> 5)};
        if (info < 24) {
                ret->value = info;
                return true;
        }
        if (info == 31) {
                ret->indefinite = true;
                return true;
        }
        if (info > 27)
                return fail(r, "has a reserved length"), false;
        width = (size_t) 1 << (info - 24);
        ret->eight_bytes = width == sizeof(ret->value);
        if ((size_t) (r->end - r->at) < width)
                return fail(r, "ends inside a length"), false;
        for (size_t i = 0; i < width; i++)
                ret->value = ret->value << 8 | *r->at++;
        return true;
}

static bool take_chunk(Reader *r, const Head *head, char **text, size_t *n) {
        char *longer;

        if (head->value > (uint64_t) (r->end - r->at))
                return fail(r, "ends inside a string"), false;
        longer = realloc(*text, *n + head->value + 1);
        if (!longer)
                return fail(r, "is too large"), false;
        *text = longer;
        memcpy(longer + *n, r->at, head->value);
        r->at += head->value;
        *n += head->value;
        longer[*n] = '\0';
        return true;
}

static bool read_text(Reader *r, const Head *head, char **ret, size_t *ret_n) {
        _cleanup_free_ char *text = NULL;
        size_t n = 0;
        Head chunk;

        if (!head->indefinite) {
                if (!take_chunk(r, head, &text, &n))
                        return false;
        } else {
                text = calloc(1, 1);
                if (!text)
                        return fail(r, "is too large"), false;
                while (!at_break(r)) {
                        if (!read_head(r, &chunk))
                                return false;
                        if (chunk.major != MAJOR_TEXT || chunk.indefinite)
                                return fail(r, "has a string of other parts than text"), false;
                        if (!take_chunk(r, &chunk, &text, &n))
                                return false;
                }
        }
        *ret = TAKE_PTR(text);
        *ret_n = n;
        return true;
}

static json_t *read_string(Reader *r, const Head *head) {
        _cleanup_free_ char *text = NULL;
        json_t *value;
        size_t n;

        if (!read_text(r, head, &text, &n))
                return NULL;
        value = json_stringn(text, n);
        return value ? value : fail(r, "has a string that is not UTF-8");
}

static json_t *read_array(Reader *r, const Head *head, unsigned depth) {
        json_t *array = json_array();

        for (uint64_t i = 0; head->indefinite ? !at_break(r) : i < head->value; i++) {
                json_t *item = read_value(r, depth + 1);

                if (!item || json_array_append_new(array, item) < 0) {
                        json_decref(array);
                        return NULL;
                }
        }
        return array;
}

static bool read_pair(Reader *r, json_t *map, unsigned depth) {
        _cleanup_free_ char *key = NULL;
        json_t *value;
        size_t n;
        Head head;

        if (!read_head(r, &head))
                return false;
        if (head.major != MAJOR_TEXT)
                return fail(r, "has a key that is no text"), false;
        if (!read_text(r, &head, &key, &n))
                return false;
        if (strlen(key) != n)
                return fail(r, "has a NUL in a key"), false;
        if (json_object_get(map, key))
                return fail(r, "has a key twice"), false;
        value = read_value(r, depth + 1);
        if (!value)
                return false;
        if (json_object_set_new(map, key, value) < 0)
                return fail(r, "has a key that is not UTF-8"), false;
        return true;
}

static json_t *read_map(Reader *r, const Head *head, unsigned depth) {
        json_t *map = json_object();

        for (uint64_t i = 0; head->indefinite ? !at_break(r) : i < head->value; i++)
                if (!read_pair(r, map, depth)) {
                        json_decref(map);
                        return NULL;
                }
        return map;
}

static json_t *read_simple(Reader *r, const Head *head) {
        double number;

        if (head->eight_bytes) {
                memcpy(&number, &head->value, sizeof(number));
                return json_real(number);
        }
        if (!head->indefinite)
                switch (head->value) {
                case 20:
                        return json_false();
                case 21:
                        return json_true();
                case 22:
                        return json_null();
                default:
                        break;
                }
        return fail(r, "has a value of no JSON kind");
}

static json_t *read_value(Reader *r, unsigned depth) {
        Head head;

        if (depth > DEPTH_MAX)
                return fail(r, "is nested too deeply");
        if (!read_head(r, &head))
                return NULL;
        if (head.indefinite && head.major != MAJOR_TEXT && head.major != MAJOR_ARRAY &&
            head.major != MAJOR_MAP)
                return fail(r, "has an indefinite length where none can be");

        switch (head.major) {
        case MAJOR_UNSIGNED:
                return head.value <= INT64_MAX ? json_integer((json_int_t) head.value)
                                               : fail(r, "has a number out of range");
        case MAJOR_NEGATIVE:
                return head.value <= INT64_MAX ? json_integer(-1 - (json_int_t) head.value)
                                               : fail(r, "has a number out of range");
        case MAJOR_TEXT:
                return read_string(r, &head);
        case MAJOR_ARRAY:
                return read_array(r, &head, depth);
        case MAJOR_MAP:
                return read_map(r, &head, depth);
        case MAJOR_SIMPLE:
                return read_simple(r, &head);
        case MAJOR_BYTES:
        case MAJOR_TAG:
                break;
        }
        return fail(r, "has a value of no JSON kind");
}

json_t *cbor_to_json(const uint8_t *bytes, size_t n, const char **ret_why) {
        Reader r = {.at = bytes, .end = bytes + n};
        json_t *value = read_value(&r, 0);

        if (value && r.at != r.end) {
                json_decref(value);
                value = fail(&r, "has bytes after its end");
        }
        if (!value)
                *ret_why = r.why ? r.why : "is too large";
        return value;
}
