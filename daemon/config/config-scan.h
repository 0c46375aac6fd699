/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The form of a configuration file, checked line by line before libeconf reads its values. Pure.
 *
 * libeconf 0.5 is lenient where a mistyped line then silently changes what another one says: the
 * first of two equal keys wins; a line without '=' and an indented line continue the value above
 * it, even across an empty value; a '#' anywhere begins a comment; a line longer than its buffer is
 * read with line breaks in it. So everything on which a person and libeconf could differ is refused
 * here with the line and the mend, and libeconf gets a text without comments, blank ends and
 * carriage returns in which every line still has its number. */

#include "daemon/config/config-tree.h"

#define CONFIG_FILE_MAX ((size_t) 1024 * 1024)
#define CONFIG_LINE_MAX                                                          \
        ((size_t) 8000) /* below stdio's buffer, which libeconf reads lines with \
                         */
#define CONFIG_ENTRIES_MAX ((size_t) 4096) /* keys in one file */
#define CONFIG_NAME_MAX ((size_t) 256)     /* of a section or a key */

/* Adds the file's sections and keys to the (empty) tree, values left NULL, and gives the text for
 * libeconf. `text` needs no terminator. -EINVAL with *ret_why; -ENOMEM. */
int config_scan(const char *text, size_t size, const char *file, ConfigTree *t, char **ret_clean,
                char **ret_why);
