/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/cloud/plugin/codec.h"

#include <string.h>

#include "tests/cloud/plugin/cbor.h"

json_t *codec_decode(Format format, const void *payload, size_t n, const char **ret_why) {
        json_t *value = NULL;

        switch (format) {
        case FORMAT_JSON:
                value = json_loadb(payload, n, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, NULL);
                if (!value)
                        *ret_why = "is not JSON";
                break;
        case FORMAT_CBOR:
                value = cbor_to_json(payload, n, ret_why);
                break;
        case FORMAT_MAX:
                break;
        }
        return value;
}

/* Strings become numbers, numbers strings, objects arrays. */
static json_t *with_wrong_types(const json_t *body) {
        json_t *mutable = (json_t *) (uintptr_t) body; /* jansson's iterators are not const */
        json_t *wrong = json_object();
        const char *key;
        json_t *value;

        json_object_foreach(mutable, key, value)
                json_object_set_new(wrong, key,
                                    json_is_string(value)   ? json_integer(42)
                                    : json_is_object(value) ? json_array()
                                                            : json_string("forty-two"));
        return wrong;
}

static void add_filler(json_t *body, size_t n) {
        char *filler = malloc(n + 1);

        if (!filler)
                return;
        memset(filler, 'x', n);
        filler[n] = '\0';
        json_object_set_new(body, "filler", json_stringn(filler, n));
        free(filler);
}

static void add_unknown_fields(json_t *body) {
        json_object_set_new(body, "aFieldOfTheFuture",
                            json_pack("{s:[i,b,n,f], s:{s:s}}", "list", -7, 1, 0.5, "object",
                                      "text", "\xc3\xbc"));
        json_object_set_new(body, "anotherOne", json_null());
}

static json_t *spoil_body(const json_t *body, const Strike *strike) {
        json_t *spoiled;

        if (strike->by[FAULT_WRONG_TYPES])
                spoiled = with_wrong_types(body);
        else
                spoiled = json_copy((json_t *) (uintptr_t) body);
        if (spoiled && strike->by[FAULT_EXTRA_FIELDS])
                add_unknown_fields(spoiled);
        if (spoiled && strike->by[FAULT_OVERSIZE])
                add_filler(spoiled, strike->by[FAULT_OVERSIZE]->number);
        return spoiled;
}

static void *encode_json(const json_t *body, bool other_form, size_t *ret_n) {
        char *text =
                json_dumps(body, other_form ? JSON_INDENT(3) | JSON_ENSURE_ASCII : JSON_COMPACT);

        if (text)
                *ret_n = strlen(text);
        return text;
}

/* Cut, or begun with a byte that neither format begins with: a CBOR break, and no UTF-8. */
static void spoil_bytes(uint8_t *bytes, size_t *n, const Strike *strike) {
        const Fault *cut = strike->by[FAULT_TRUNCATED];

        if (strike->by[FAULT_MALFORMED] && *n > 0)
                bytes[0] = 0xff;
        if (cut && cut->value)
                *n = *n < cut->number ? *n : cut->number;
        else if (cut)
                *n /= 2;
}

void *codec_encode(Format format, const json_t *body, const Strike *strike, size_t *ret_n) {
        bool other_form = strike->by[FAULT_INDEFINITE];
        json_t *spoiled = spoil_body(body, strike);
        void *bytes = NULL;

        if (!spoiled)
                return NULL;
        switch (format) {
        case FORMAT_JSON:
                bytes = encode_json(spoiled, other_form, ret_n);
                break;
        case FORMAT_CBOR:
                bytes = cbor_from_json(spoiled, other_form, ret_n);
                break;
        case FORMAT_MAX:
                break;
        }
        json_decref(spoiled);
        if (bytes)
                spoil_bytes(bytes, ret_n, strike);
        return bytes;
}
