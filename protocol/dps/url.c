/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/dps/url.h"

#include <stdlib.h>
#include <string.h>

#define ENCODED_SIZE 3 /* "%2F" */

static bool is_unreserved(char c) {
        return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
               c == '-' || c == '.' || c == '_' || c == '~';
}

char *dps_url_encode(const char *text) {
        static const char digits[] = "0123456789ABCDEF";
        char *encoded = calloc(strlen(text) + 1, ENCODED_SIZE), *out = encoded;

        if (!encoded)
                return NULL;
        for (const char *p = text; *p; p++) {
                unsigned char c = (unsigned char) *p;

                if (is_unreserved(*p)) {
                        *out++ = *p;
                        continue;
                }
                *out++ = '%';
                *out++ = digits[c >> 4];
                *out++ = digits[c & 15];
        }
        return encoded;
}

static int digit_value(char c) {
        if (c >= '0' && c <= '9')
                return c - '0';
        if (c >= 'A' && c <= 'F')
                return c - 'A' + 10;
        if (c >= 'a' && c <= 'f')
                return c - 'a' + 10;
        return -1;
}

bool dps_url_decode(const char *text, size_t size, char *ret, size_t room) {
        size_t n = 0;

        for (size_t i = 0; i < size; i++) {
                char c = text[i];

                if (c == '%') {
                        int high, low;

                        if (size - i < ENCODED_SIZE)
                                return false;
                        high = digit_value(text[i + 1]);
                        low = digit_value(text[i + 2]);
                        if (high < 0 || low < 0)
                                return false;
                        c = (char) (high * 16 + low);
                        i += ENCODED_SIZE - 1;
                }
                if (c == '\0' || n + 1 >= room)
                        return false;
                ret[n++] = c;
        }
        if (room == 0)
                return false;
        ret[n] = '\0';
        return true;
}
