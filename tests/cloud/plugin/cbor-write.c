/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The writing half. Lengths take the shortest form, as RFC 8949 section 4.2.1 asks of deterministic
 * writers; with indefinite=true each container and string is opened, filled and broken instead. */

#include <stdio.h>
#include <string.h>

#include "daemon/base/macro.h"
#include "tests/cloud/plugin/cbor.h"

#define MAP_OF_ANY_LENGTH 0xbf
#define ARRAY_OF_ANY_LENGTH 0x9f
#define TEXT_OF_ANY_LENGTH 0x7f
#define BREAK 0xff

typedef struct Writer {
        FILE *out;
        bool indefinite;
} Writer;

static void put(Writer *w, uint8_t byte) {
        putc_unlocked(byte, w->out);
}

static void put_head(Writer *w, unsigned major, uint64_t value) {
        unsigned width = value < 24            ? 0
                         : value <= UINT8_MAX  ? 1
                         : value <= UINT16_MAX ? 2
                         : value <= UINT32_MAX ? 4
                                               : 8;
        unsigned info = width == 0   ? (unsigned) value
                        : width == 1 ? 24
                        : width == 2 ? 25
                        : width == 4 ? 26
                                     : 27;

        put(w, (uint8_t) (major << 5 | info));
        for (unsigned i = width; i > 0; i--)
                put(w, (uint8_t) (value >> (8 * (i - 1))));
}

static void put_text(Writer *w, const char *text, size_t n) {
        size_t half = n / 2;

        /* A part must not end inside a character (RFC 8949, 3.2.3): only ASCII is halved. */
        for (size_t i = 0; w->indefinite && i < n; i++)
                if ((unsigned char) text[i] > 0x7f)
                        half = 0;
        if (w->indefinite) {
                put(w, TEXT_OF_ANY_LENGTH);
                if (half > 0) {
                        put_head(w, 3, half);
                        fwrite(text, 1, half, w->out);
                }
        } else
                half = 0;
        put_head(w, 3, n - half);
        fwrite(text + half, 1, n - half, w->out);
        if (w->indefinite)
                put(w, BREAK);
}

static void put_double(Writer *w, double value) {
        uint64_t bits;

        memcpy(&bits, &value, sizeof(bits));
        put(w, 0xfb);
        for (unsigned i = 8; i > 0; i--)
                put(w, (uint8_t) (bits >> (8 * (i - 1))));
}

static void put_integer(Writer *w, json_int_t value) {
        if (value >= 0)
                put_head(w, 0, (uint64_t) value);
        else
                put_head(w, 1, (uint64_t) (-1 - value));
}

static void put_value(Writer *w, const json_t *value);

static void put_map(Writer *w, const json_t *map) {
        void *i;
        json_t *o = json_incref((json_t *) (uintptr_t) map); /* jansson's iterators are not const */

        if (w->indefinite)
                put(w, MAP_OF_ANY_LENGTH);
        else
                put_head(w, 5, json_object_size(map));
        for (i = json_object_iter(o); i; i = json_object_iter_next(o, i)) {
                put_text(w, json_object_iter_key(i), strlen(json_object_iter_key(i)));
                put_value(w, json_object_iter_value(i));
        }
        if (w->indefinite)
                put(w, BREAK);
        json_decref(o);
}

static void put_array(Writer *w, const json_t *array) {
        if (w->indefinite)
                put(w, ARRAY_OF_ANY_LENGTH);
        else
                put_head(w, 4, json_array_size(array));
        for (size_t i = 0; i < json_array_size(array); i++)
                put_value(w, json_array_get(array, i));
        if (w->indefinite)
                put(w, BREAK);
}

static void put_value(Writer *w, const json_t *value) {
        switch (json_typeof(value)) {
        case JSON_OBJECT:
                put_map(w, value);
                break;
        case JSON_ARRAY:
                put_array(w, value);
                break;
        case JSON_STRING:
                put_text(w, json_string_value(value), json_string_length(value));
                break;
        case JSON_INTEGER:
                put_integer(w, json_integer_value(value));
                break;
        case JSON_REAL:
                put_double(w, json_real_value(value));
                break;
        case JSON_TRUE:
                put(w, 0xf5);
                break;
        case JSON_FALSE:
                put(w, 0xf4);
                break;
        case JSON_NULL:
                put(w, 0xf6);
                break;
        }
}

uint8_t *cbor_from_json(const json_t *value, bool indefinite, size_t *ret_n) {
        char *bytes = NULL;
        size_t n = 0;
        Writer w = {.out = open_memstream(&bytes, &n), .indefinite = indefinite};

        if (!w.out)
                return NULL;
        put_value(&w, value);
        if (fclose(w.out) != 0) {
                free(bytes);
                return NULL;
        }
        *ret_n = n;
        return (uint8_t *) bytes;
}
