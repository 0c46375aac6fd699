/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* What stands in another process's memory: all of it that is there and can be read, of every
 * mapping, page by page. What goes wrong here fails the test. */

#include <stdbool.h>
#include <sys/types.h>

#include "tests/integration/lib/pieces.h"

/* False where this user may not look. */
bool memory_can_be_read(pid_t pid);

/* Where the first piece is, for people ("[heap] at 0x…: PEM"), the caller's to free; NULL: none of
 * them is anywhere. */
char *memory_find(pid_t pid, const Pieces *pieces);
