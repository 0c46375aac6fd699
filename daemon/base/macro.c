/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>

#include "daemon/base/macro.h"

int free_and_strdup(char **p, const char *s) {
        char *copy = NULL;

        if (s) {
                copy = strdup(s);
                if (!copy)
                        return -ENOMEM;
        }
        free(*p);
        *p = copy;
        return 0;
}
