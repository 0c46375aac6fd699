/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "libclient/macro.h"

/* Reads a FILE of the command line; "-" is standard input. Gives text with a terminator that does
 * not count in *ret_size, to be freed (and wiped by the caller where it is secret). Complains, by
 * the option's name, and returns a negative errno; more than `max` bytes is -EFBIG. */
int read_file(const char *option, const char *path, size_t max, char **ret, size_t *ret_size);
