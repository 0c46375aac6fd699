/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/base/why.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int protocol_why(char **ret_why, int r, const char *format, ...) {
        va_list ap;
        char *text;

        if (!ret_why)
                return r;
        va_start(ap, format);
        if (vasprintf(&text, format, ap) < 0)
                text = NULL;
        va_end(ap);
        *ret_why = text;
        return r;
}

ProtocolShownName protocol_show_name(const char *name, size_t size) {
        ProtocolShownName shown = {};
        size_t n = size < PROTOCOL_SHOWN_NAME_MAX ? size : PROTOCOL_SHOWN_NAME_MAX;

        for (size_t i = 0; i < n; i++)
                shown.text[i] = name[i] >= ' ' && name[i] <= '~' ? name[i] : '?';
        if (size > n)
                memcpy(shown.text + n, "...", sizeof("..."));
        return shown;
}
