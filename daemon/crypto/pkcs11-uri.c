/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/crypto/pkcs11-uri.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>

#include "daemon/crypto/utf8.h"
#include "daemon/crypto/why.h"

/* RFC 7512, 2.3, pk11-res-avail without what stands for itself in RFC 3986's unreserved. The path
 * has '&' beside these, the query '/', '?' and '|'. */
#define RESERVED_AVAILABLE ":[]@!$'()*+,="

typedef struct Attribute {
        const char *name;
        size_t name_size;
        uint8_t *value; /* decoded, with a terminator behind it */
        size_t size;
} Attribute;

bool pkcs11_uri_is_one(const char *text) {
        return strncmp(text, PKCS11_URI_SCHEME, strlen(PKCS11_URI_SCHEME)) == 0;
}

Pkcs11Uri *pkcs11_uri_free(Pkcs11Uri *u) {
        if (!u)
                return NULL;
        free(u->token);
        free(u->manufacturer);
        free(u->model);
        free(u->serial);
        free(u->object);
        free(u->id);
        free(u->pin_source);
        free(u);
        return NULL;
}

/* --- values */

static bool is_unreserved(char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               (c != '\0' && strchr("-._~", c));
}

static int hex_digit(char c) {
        if (c >= '0' && c <= '9')
                return c - '0';
        if (c >= 'a' && c <= 'f')
                return c - 'a' + 10;
        if (c >= 'A' && c <= 'F')
                return c - 'A' + 10;
        return -1;
}

static int decode(Attribute *a, const char *text, size_t size, bool in_query, char **ret_why) {
        const char *more = in_query ? RESERVED_AVAILABLE "/?|" : RESERVED_AVAILABLE "&";

        a->value = malloc(size + 1);
        if (!a->value)
                return -ENOMEM;
        for (size_t i = 0; i < size; i++) {
                char c = text[i];

                if (c == '%' && size - i > 2 && hex_digit(text[i + 1]) >= 0 &&
                    hex_digit(text[i + 2]) >= 0) {
                        a->value[a->size++] =
                                (uint8_t) (hex_digit(text[i + 1]) << 4 | hex_digit(text[i + 2]));
                        i += 2;
                } else if (is_unreserved(c) || (c != '\0' && strchr(more, c)))
                        a->value[a->size++] = (uint8_t) c;
                else
                        return why(ret_why, -EINVAL,
                                   "%.*s: byte %zu of its value must be written as %%%02X (RFC "
                                   "7512, 2.3)",
                                   (int) a->name_size, a->name, i + 1, (unsigned char) c);
        }
        a->value[a->size] = '\0';
        return 0;
}

/* It is shown to people and compared with texts: no NUL, no control characters. */
static bool is_text(const Attribute *a) {
        for (size_t at = 0; at < a->size;) {
                size_t n = utf8_character(a->value + at, a->size - at);

                if (n == 0 || a->value[at] < 0x20 || a->value[at] == 0x7f ||
                    (n == 2 && a->value[at] == 0xc2 && a->value[at + 1] < 0xa0))
                        return false;
                at += n;
        }
        return true;
}

static int set_text(Attribute *a, size_t max, char **field, char **ret_why) {
        if (a->size == 0 || a->size > max || !is_text(a))
                return why(ret_why, -EINVAL, "%.*s: write 1 to %zu bytes of UTF-8 text",
                           (int) a->name_size, a->name, max);
        *field = (char *) TAKE_PTR(a->value);
        return 0;
}

static int set_id(Attribute *a, Pkcs11Uri *u, char **ret_why) {
        if (a->size == 0 || a->size > PKCS11_ID_MAX)
                return why(ret_why, -EINVAL, "id: write 1 to %zu bytes, as in id=%%01%%af",
                           PKCS11_ID_MAX);
        u->id = TAKE_PTR(a->value);
        u->id_size = a->size;
        return 0;
}

static int set_slot_id(const Attribute *a, Pkcs11Uri *u, char **ret_why) {
        unsigned long n = 0;
        size_t i;

        for (i = 0; i < a->size && a->value[i] >= '0' && a->value[i] <= '9'; i++) {
                unsigned long digit = (unsigned long) (a->value[i] - '0');

                if (n > (ULONG_MAX - digit) / 10)
                        break;
                n = n * 10 + digit;
        }
        if (a->size == 0 || i < a->size)
                return why(ret_why, -EINVAL, "slot-id: write a number");
        u->has_slot_id = true;
        u->slot_id = n;
        return 0;
}

static int set_type(const Attribute *a, char **ret_why) {
        if (a->size == strlen("private") && memcmp(a->value, "private", a->size) == 0)
                return 0;
        return why(ret_why, -EINVAL, "type: what is wanted is a private key; write type=private");
}

/* "file:/p" and "file:///p" are "/p" (RFC 8089, 2). */
static int set_pin_source(Attribute *a, Pkcs11Uri *u, char **ret_why) {
        const char *text = (const char *) a->value;

        if (a->size == 0 || a->size > PKCS11_PIN_SOURCE_MAX || !is_text(a))
                return why(ret_why, -EINVAL, "pin-source: write 1 to %zu bytes of UTF-8 text",
                           PKCS11_PIN_SOURCE_MAX);
        if (text[0] == '|')
                return why(ret_why, -EINVAL,
                           "pin-source: no program is run; name a file or credential:NAME");
        if (strncmp(text, "file:", strlen("file:")) == 0)
                text += strlen("file:");
        if (strncmp(text, "///", 3) == 0)
                text += 2;
        if (text[0] != '/' && strncmp(text, "credential:", strlen("credential:")) != 0)
                return why(ret_why, -EINVAL,
                           "pin-source: '%s' is neither an absolute path nor credential:NAME",
                           text);
        u->pin_source = strdup(text);
        return u->pin_source ? 0 : -ENOMEM;
}

/* --- attributes */

typedef enum AttributeKind {
        ATTRIBUTE_TOKEN,
        ATTRIBUTE_MANUFACTURER,
        ATTRIBUTE_MODEL,
        ATTRIBUTE_SERIAL,
        ATTRIBUTE_SLOT_ID,
        ATTRIBUTE_OBJECT,
        ATTRIBUTE_ID,
        ATTRIBUTE_TYPE,
        ATTRIBUTE_PIN_SOURCE,
        ATTRIBUTE_REFUSED,
} AttributeKind;

static const struct KnownAttribute {
        const char *name;
        bool in_query;
        AttributeKind kind;
        const char *mend; /* of those that are refused */
} known[] = {
        {"token", false, ATTRIBUTE_TOKEN, NULL},
        {"manufacturer", false, ATTRIBUTE_MANUFACTURER, NULL},
        {"model", false, ATTRIBUTE_MODEL, NULL},
        {"serial", false, ATTRIBUTE_SERIAL, NULL},
        {"slot-id", false, ATTRIBUTE_SLOT_ID, NULL},
        {"object", false, ATTRIBUTE_OBJECT, NULL},
        {"id", false, ATTRIBUTE_ID, NULL},
        {"type", false, ATTRIBUTE_TYPE, NULL},
        {"pin-source", true, ATTRIBUTE_PIN_SOURCE, NULL},
        {"pin-value", true, ATTRIBUTE_REFUSED,
         "a PIN does not stand in a configuration; name its file with PrivateKeyPassword= or "
         "pin-source"},
        {"module-name", true, ATTRIBUTE_REFUSED, "name the module with Pkcs11Module= alone"},
        {"module-path", true, ATTRIBUTE_REFUSED, "name the module with Pkcs11Module= alone"},
};

static int find_known(const Attribute *a, bool in_query, size_t *ret, char **ret_why) {
        for (size_t i = 0; i < ELEMENTSOF(known); i++) {
                if (strlen(known[i].name) != a->name_size ||
                    memcmp(known[i].name, a->name, a->name_size) != 0)
                        continue;
                if (known[i].in_query != in_query)
                        return why(ret_why, -EINVAL, "%s belongs %s the '?'", known[i].name,
                                   in_query ? "before" : "behind");
                *ret = i;
                return 0;
        }
        return why(ret_why, -EINVAL,
                   "'%.*s' is no attribute that is taken; write token, manufacturer, model, "
                   "serial, slot-id, object, id, type or, behind '?', pin-source",
                   (int) a->name_size, a->name);
}

static int take(Attribute *a, AttributeKind kind, Pkcs11Uri *u, char **ret_why) {
        switch (kind) {
        case ATTRIBUTE_TOKEN:
                return set_text(a, PKCS11_LABEL_MAX, &u->token, ret_why);
        case ATTRIBUTE_MANUFACTURER:
                return set_text(a, PKCS11_LABEL_MAX, &u->manufacturer, ret_why);
        case ATTRIBUTE_MODEL:
                return set_text(a, PKCS11_MODEL_MAX, &u->model, ret_why);
        case ATTRIBUTE_SERIAL:
                return set_text(a, PKCS11_MODEL_MAX, &u->serial, ret_why);
        case ATTRIBUTE_SLOT_ID:
                return set_slot_id(a, u, ret_why);
        case ATTRIBUTE_OBJECT:
                return set_text(a, PKCS11_OBJECT_MAX, &u->object, ret_why);
        case ATTRIBUTE_ID:
                return set_id(a, u, ret_why);
        case ATTRIBUTE_TYPE:
                return set_type(a, ret_why);
        case ATTRIBUTE_PIN_SOURCE:
                return set_pin_source(a, u, ret_why);
        case ATTRIBUTE_REFUSED:
                break;
        }
        return -EINVAL;
}

/* One "name=value". `seen` has a bit for each that came before. */
static int read_attribute(const char *text, size_t size, bool in_query, unsigned *seen,
                          Pkcs11Uri *u, char **ret_why) {
        const char *equals = memchr(text, '=', size);
        Attribute a = {.name = text, .name_size = equals ? (size_t) (equals - text) : size};
        size_t which = 0;
        int r;

        for (size_t i = 0; i < a.name_size; i++)
                if (!is_unreserved(a.name[i]))
                        return why(ret_why, -EINVAL,
                                   "an attribute's name is of letters, digits, '-' and '_'");
        if (!equals)
                return why(ret_why, -EINVAL,
                           "'%.*s' has no value; write NAME=VALUE, with '%c' between them",
                           (int) size, text, in_query ? '&' : ';');
        r = find_known(&a, in_query, &which, ret_why);
        if (r < 0)
                return r;
        if (known[which].mend)
                return why(ret_why, -EINVAL, "%s: %s", known[which].name, known[which].mend);
        if (*seen & 1U << which)
                return why(ret_why, -EINVAL, "%s stands there twice", known[which].name);
        *seen |= 1U << which;
        r = decode(&a, equals + 1, size - a.name_size - 1, in_query, ret_why);
        if (r >= 0)
                r = take(&a, known[which].kind, u, ret_why);
        free(a.value);
        return r;
}

static int read_list(const char *text, size_t size, bool in_query, unsigned *seen, Pkcs11Uri *u,
                     char **ret_why) {
        const char separator = in_query ? '&' : ';', *end = text + size;

        while (text < end) {
                const char *next = memchr(text, separator, (size_t) (end - text));
                size_t n = (size_t) ((next ? next : end) - text);
                int r = read_attribute(text, n, in_query, seen, u, ret_why);

                if (r < 0)
                        return r;
                text += n + (next != NULL);
        }
        return 0;
}

static int check_use(const Pkcs11Uri *u, Pkcs11UriUse use, char **ret_why) {
        if (!u->token && !u->serial && !u->manufacturer && !u->model && !u->has_slot_id)
                return why(ret_why, -EINVAL,
                           "it names no token; write token=LABEL, or serial=NUMBER");
        if (use == PKCS11_URI_KEY && !u->object && !u->id)
                return why(ret_why, -EINVAL,
                           "it names no key in the token; write object=LABEL or id=%%..");
        if (use == PKCS11_URI_STORE && (u->object || u->id))
                return why(ret_why, -EINVAL,
                           "each key that is made gets a label and an id of its own; take object "
                           "and id out");
        return 0;
}

int pkcs11_uri_parse(const char *text, Pkcs11UriUse use, Pkcs11Uri **ret, char **ret_why) {
        _cleanup_pkcs11_uri_ Pkcs11Uri *u = NULL;
        const char *path, *query;
        unsigned seen = 0;
        int r;

        if (!pkcs11_uri_is_one(text))
                return why(ret_why, -EINVAL, "a PKCS#11 URI begins with " PKCS11_URI_SCHEME);
        if (strlen(text) > PKCS11_URI_MAX)
                return why(ret_why, -EINVAL, "a PKCS#11 URI of more than %zu bytes is refused",
                           PKCS11_URI_MAX);
        u = calloc(1, sizeof(*u));
        if (!u)
                return -ENOMEM;
        path = text + strlen(PKCS11_URI_SCHEME);
        query = strchr(path, '?');
        r = read_list(path, query ? (size_t) (query - path) : strlen(path), false, &seen, u,
                      ret_why);
        if (r >= 0 && query)
                r = read_list(query + 1, strlen(query + 1), true, &seen, u, ret_why);
        if (r >= 0)
                r = check_use(u, use, ret_why);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(u);
        return 0;
}

/* --- text */

static void write_value(FILE *out, bool *first, const char *name, const void *data, size_t size,
                        bool all_encoded) {
        const uint8_t *bytes = data;

        fprintf(out, "%s%s=", *first ? "" : ";", name);
        *first = false;
        for (size_t i = 0; i < size; i++)
                if (!all_encoded && is_unreserved((char) bytes[i]))
                        fputc(bytes[i], out);
                else
                        fprintf(out, "%%%02X", bytes[i]);
}

static void write_text(FILE *out, bool *first, const char *name, const char *text) {
        if (text)
                write_value(out, first, name, text, strlen(text), false);
}

int pkcs11_uri_format(const Pkcs11Uri *u, char **ret) {
        _cleanup_free_ char *text = NULL;
        bool first = true, bad;
        size_t size;
        FILE *out;

        out = open_memstream(&text, &size);
        if (!out)
                return -ENOMEM;
        fputs(PKCS11_URI_SCHEME, out);
        write_text(out, &first, "model", u->model);
        write_text(out, &first, "manufacturer", u->manufacturer);
        write_text(out, &first, "serial", u->serial);
        write_text(out, &first, "token", u->token);
        if (u->has_slot_id)
                fprintf(out, "%sslot-id=%lu", first ? "" : ";", u->slot_id);
        first = first && !u->has_slot_id;
        if (u->id)
                write_value(out, &first, "id", u->id, u->id_size, true);
        write_text(out, &first, "object", u->object);
        if (u->id || u->object)
                write_text(out, &first, "type", "private");
        bad = ferror(out) != 0;
        if (fclose(out) != 0 || bad)
                return -ENOMEM;
        *ret = TAKE_PTR(text);
        return 0;
}
