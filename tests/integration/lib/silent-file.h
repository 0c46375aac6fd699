/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* A file whose server says nothing any more: whoever reads it, asks for its size or closes it waits
 * for ever (FUSE; a close(2) asks the server to flush). Anybody who may mount in a user namespace
 * of his own can make one. */

#include <sys/types.h>

#include "daemon/base/macro.h"

typedef struct SilentFile {
        int fd;       /* of the file, open to be read */
        pid_t server; /* it alone can let go of whoever waits: SIGKILL cannot */
        char *folder;
} SilentFile;

/* False: it cannot be had here (no root, no FUSE). What goes wrong else fails the test. */
bool silent_file_make(SilentFile *f);

/* Whoever waits is let go, with an error. Where the test dies before, that is so a minute later. */
void silent_file_end(SilentFile *f);
