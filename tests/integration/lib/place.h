/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* A temporary folder of a test, which everybody may pass and nobody else read, with files in it.
 * What goes wrong here fails the test. */

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "daemon/base/macro.h"

typedef struct Place {
        char *dir;
        char **texts; /* that place_text() gave */
        size_t n_texts;
} Place;

void place_make(Place *p);
void place_remove(Place *p); /* with all that is in it */

/* A text that lives as long as the place. */
const char *place_text(Place *p, const char *format, ...) _printf_(2, 3);

/* DIR/name, likewise. */
const char *place_path(Place *p, const char *name);

/* Replaces the file by one of this content; its path. */
const char *place_write(Place *p, const char *name, mode_t mode, const char *content);

/* A link of that name, or a copy that everybody may read and run, in place of any before; its path.
 * For who cannot take the target's own: one with a space in it, or below a folder that is closed.
 */
const char *place_link(Place *p, const char *name, const char *target);
const char *place_copy(Place *p, const char *name, const char *source);

/* NAME.pem and NAME.key: a certificate for that host which no authority has signed, good for so
 * many days. */
void place_self_signed(Place *p, const char *name, const char *host, const char *days);

/* The whole file, with a terminator behind it that does not count. The caller frees it; NULL where
 * it is not there. */
char *file_read(const char *path, size_t *ret_size);
bool file_has(const char *path, const char *text);
bool file_exists(const char *path);

/* How many lines of the file hold `text`, and `text2` unless that is NULL. */
size_t file_count_lines(const char *path, const char *text, const char *text2);

/* Whether some file below the folder holds these bytes; its path is the caller's to free. */
char *folder_find_bytes(const char *folder, const void *bytes, size_t size);

/* How many files of the folder have names that end so. */
size_t folder_count(const char *folder, const char *end);
