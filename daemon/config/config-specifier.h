/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* %H, %m and %% in the few values that have them: parameters, registration id, client id, payload
 * (systemd.unit(5), "Specifiers"). Pure: who the host is comes in. */

#include "daemon/base/macro.h"

typedef struct Specifiers {
        char *host_name;  /* %H; NULL: there is none */
        char *machine_id; /* %m: 32 hex digits; NULL: there is none */
} Specifiers;

void specifiers_done(Specifiers *s);

/* What holds on this machine. A missing machine id is no error here: it is one where %m is used. */
int specifiers_get(Specifiers *ret);

/* -EINVAL with *ret_why (the reason alone): an unknown specifier, a '%' at the end, or one that
 * this machine has no value for. */
int specifiers_expand(const Specifiers *s, const char *text, char **ret, char **ret_why);
