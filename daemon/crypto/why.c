/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/crypto/why.h"

#include <stdarg.h>
#include <stdio.h>

int why(char **ret_why, int r, const char *format, ...) {
        va_list ap;

        if (!ret_why)
                return r;
        va_start(ap, format);
        if (vasprintf(ret_why, format, ap) < 0)
                *ret_why = NULL;
        va_end(ap);
        return r;
}
