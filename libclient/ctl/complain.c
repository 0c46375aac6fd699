/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "libclient/ctl/complain.h"

#include <stdarg.h>
#include <stdio.h>

/* The length of the UTF-8 sequence at s; 0 where there is none that is whole and minimal. */
static size_t utf8_length(const unsigned char *s, uint32_t *ret) {
        static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
        size_t n;
        uint32_t c;

        if (s[0] < 0x80) {
                *ret = s[0];
                return 1;
        }
        if ((s[0] & 0xe0) == 0xc0) {
                n = 2;
                c = s[0] & 0x1fU;
        } else if ((s[0] & 0xf0) == 0xe0) {
                n = 3;
                c = s[0] & 0x0fU;
        } else if ((s[0] & 0xf8) == 0xf0) {
                n = 4;
                c = s[0] & 0x07U;
        } else
                return 0;
        for (size_t i = 1; i < n; i++) {
                if ((s[i] & 0xc0) != 0x80)
                        return 0;
                c = c << 6 | (s[i] & 0x3fU);
        }
        if (c < least[n] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
                return 0;
        *ret = c;
        return n;
}

static bool is_harmful(uint32_t c) {
        return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x200e || c == 0x200f ||
               (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
}

char *escape_text(const char *s, bool one_line) {
        const unsigned char *p = (const unsigned char *) s;
        char *out = malloc(4 * strlen(s) + 1), *q = out;

        if (!out)
                return NULL;
        while (*p) {
                uint32_t c = 0;
                size_t n = utf8_length(p, &c);

                if (*p == '\n') {
                        *q++ = one_line ? ' ' : '\n';
                        p++;
                } else if (n > 0 && !is_harmful(c)) {
                        memcpy(q, p, n);
                        q += n;
                        p += n;
                } else {
                        for (n = n ? n : 1; n > 0; n--)
                                q += sprintf(q, "\\x%02x", *p++);
                }
        }
        *q = '\0';
        return out;
}

void complain(const char *format, ...) {
        _cleanup_free_ char *text = NULL, *safe = NULL;
        va_list ap;
        int r;

        va_start(ap, format);
        r = vasprintf(&text, format, ap);
        va_end(ap);
        if (r < 0) {
                text = NULL;
                fputs("fleetprovctl: out of memory\n", stderr);
                return;
        }
        safe = escape_text(text, true);
        fprintf(stderr, "fleetprovctl: %s\n", safe ? safe : "out of memory");
}

bool error_tells_cause(const fleetprov_error *e) {
        const fleetprov_error *cause = fleetprov_error_get_cause(e);

        return cause && strstr(fleetprov_error_get_message(e), fleetprov_error_get_message(cause));
}

/* A status alone says nothing that a message which names it (CONNACK 7) does not say. */
static bool holds_number(const char *text, int number) {
        _cleanup_free_ char *digits = NULL;

        if (asprintf(&digits, "%d", number) < 0) {
                digits = NULL;
                return false;
        }
        return strstr(text, digits) != NULL;
}

char *error_service_text(const fleetprov_error *e) {
        const char *code = fleetprov_error_get_service_code(e);
        const char *message = fleetprov_error_get_service_message(e);
        const char *tracking = fleetprov_error_get_tracking_id(e);
        const char *known = fleetprov_error_get_message(e);
        int status = fleetprov_error_get_status_code(e);
        char *text = NULL;
        size_t size;
        FILE *f;

        if (!code && !message && !tracking && (status == 0 || holds_number(known, status)))
                return NULL;
        if (message && strstr(known, message) && (!code || strstr(known, code)) && !tracking)
                return NULL;
        f = open_memstream(&text, &size);
        if (!f)
                return NULL;
        if (status != 0)
                fprintf(f, "%d", status);
        if (code)
                fprintf(f, "%s%s", status != 0 ? " " : "", code);
        if (message)
                fprintf(f, "%s%s", status != 0 || code ? ": " : "", message);
        if (tracking)
                fprintf(f, "%s(tracking id %s)", status != 0 || code || message ? " " : "",
                        tracking);
        fclose(f);
        return text;
}

void complain_error(const char *what, const fleetprov_error *error) {
        _cleanup_free_ char *text = NULL;
        size_t size;
        FILE *f = open_memstream(&text, &size);

        if (!f) {
                complain("%s: out of memory", what);
                return;
        }
        for (const fleetprov_error *e = error, *before = NULL; e;
             before = e, e = fleetprov_error_get_cause(e)) {
                const char *name = fleetprov_error_get_name(e);
                _cleanup_free_ char *said = NULL;

                if (before)
                        fputs("; cause: ", f);
                if (name && before && error_tells_cause(before)) {
                        fputs(name, f);
                        continue;
                }
                fputs(fleetprov_error_get_message(e), f);
                if (name && !streq(name, fleetprov_error_get_message(e)))
                        fprintf(f, " (%s)", name);
                said = error_service_text(e);
                if (said)
                        fprintf(f, "; the service said: %s", said);
        }
        if (!error)
                fputs("out of memory", f);
        fclose(f);
        complain("%s: %s", what, text ? text : "out of memory");
}
