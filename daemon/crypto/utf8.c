/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/crypto/utf8.h"

size_t utf8_character(const uint8_t *text, size_t size) {
        uint32_t code;
        size_t length;
        static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};

        if (size == 0)
                return 0;
        if (text[0] < 0x80)
                return 1;
        length = (text[0] & 0xe0) == 0xc0   ? 2
                 : (text[0] & 0xf0) == 0xe0 ? 3
                 : (text[0] & 0xf8) == 0xf0 ? 4
                                            : 0;
        if (length == 0 || length > size)
                return 0;
        code = text[0] & (0x7fU >> length);
        for (size_t i = 1; i < length; i++) {
                if ((text[i] & 0xc0) != 0x80)
                        return 0;
                code = code << 6 | (text[i] & 0x3fU);
        }
        if (code < least[length] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
                return 0;
        return length;
}
