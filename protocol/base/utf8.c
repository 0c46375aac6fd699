/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/base/utf8.h"

#include <stdint.h>

static bool is_continuation(uint8_t c) {
        return (c & 0xC0U) == 0x80U;
}

/* Bytes of the character that begins here; 0: none does. RFC 3629, section 4: only the second byte
 * has ranges of its own. */
static size_t character_size(const uint8_t *p, size_t left) {
        uint8_t low = 0x80, high = 0xBF;
        size_t n;

        if (p[0] < 0x80)
                return 1;
        if (p[0] >= 0xC2 && p[0] <= 0xDF)
                n = 2;
        else if (p[0] >= 0xE0 && p[0] <= 0xEF)
                n = 3;
        else if (p[0] >= 0xF0 && p[0] <= 0xF4)
                n = 4;
        else
                return 0;
        if (p[0] == 0xE0)
                low = 0xA0;
        else if (p[0] == 0xED)
                high = 0x9F;
        else if (p[0] == 0xF0)
                low = 0x90;
        else if (p[0] == 0xF4)
                high = 0x8F;

        if (left < n || p[1] < low || p[1] > high)
                return 0;
        for (size_t i = 2; i < n; i++)
                if (!is_continuation(p[i]))
                        return 0;
        return n;
}

bool protocol_utf8_is_valid(const char *s, size_t size) {
        const uint8_t *p = (const uint8_t *) s;

        for (size_t i = 0; i < size;) {
                size_t n = character_size(p + i, size - i);

                if (n == 0)
                        return false;
                i += n;
        }
        return true;
}

size_t protocol_utf8_cut(const char *s, size_t size, size_t max) {
        if (size <= max)
                return size;
        while (max > 0 && is_continuation((uint8_t) s[max]))
                max--;
        return max;
}
