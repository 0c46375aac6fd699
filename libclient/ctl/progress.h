/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* One line on standard error while a job is waited for, if that is a terminal; erased at the end.
 */

#include "libclient/ctl/ctl.h"

typedef struct Progress {
        bool shown; /* a line stands there */
        usec_t since;
} Progress;

void progress_begin(Progress *p);

/* `note` (may be NULL) says why it waits. */
void progress_show(Progress *p, const char *what, const char *state, const char *phase,
                   const char *note);
void progress_erase(Progress *p);
