/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Bytes that are wiped when they are let go: keys, tokens, passwords. A terminator stands behind
 * the last byte, so that a secret that is text can be read as text. */

#include "daemon/base/macro.h"

typedef struct Secret {
        size_t size; /* without the terminator */
        uint8_t data[];
} Secret;

/* NULL where memory is short. `data` may be NULL: zeroes, to be filled in. */
Secret *secret_new(const void *data, size_t size);
Secret *secret_copy(const Secret *s); /* NULL for NULL, too */
Secret *secret_free(Secret *s);       /* wipes; gives NULL */
DEFINE_CLEANUP(Secret *, secret_free);
#define _cleanup_secret_ _cleanup_(secret_freep)

static inline const char *secret_text(const Secret *s) {
        return (const char *) s->data;
}

/* In constant time; false where the sizes differ. */
bool secret_equal(const Secret *a, const Secret *b);

/* Wipes and frees a string that was secret; gives NULL. */
char *secret_string_free(char *s);
DEFINE_CLEANUP(char *, secret_string_free);

/* Puts the bytes into a fresh memfd sealed against writing, growing, shrinking and unsealing.
 * Returns the descriptor (close-on-exec), or -errno. */
int secret_to_memfd(const Secret *s, const char *name);

/* Takes the bytes out of a memfd that is sealed against writing, growing and shrinking. Does not
 * close fd. -EBADF: no sealed memfd (a pipe, an O_PATH descriptor, a file, an unsealed memfd);
 * -EMSGSIZE: more than `max` bytes; -ENODATA: empty. */
int secret_from_memfd(int fd, size_t max, Secret **ret);

/* Reads a whole file of at most `max` bytes. -EFBIG: longer than that; else errno of open, read. */
int secret_from_file(int dir_fd, const char *path, size_t max, Secret **ret);
