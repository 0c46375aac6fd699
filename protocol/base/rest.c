/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/base/rest.h"

#include <string.h>

bool rest_skip(Rest *rest, const char *prefix) {
        size_t n = strlen(prefix);

        if (rest->size < n || memcmp(rest->p, prefix, n) != 0)
                return false;
        rest->p += n;
        rest->size -= n;
        return true;
}

Rest rest_take(Rest *rest, char end) {
        const char *p = memchr(rest->p, end, rest->size);
        Rest taken = {rest->p, p ? (size_t) (p - rest->p) : rest->size};

        rest->p += taken.size;
        rest->size -= taken.size;
        if (p) {
                rest->p++;
                rest->size--;
        }
        return taken;
}

bool rest_is(const Rest *rest, const char *text) {
        return rest->size == strlen(text) && memcmp(rest->p, text, rest->size) == 0;
}
