/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Writes one result into DIR and puts it in force. */

#include <sys/types.h>

#include "libclient/ctl/out-dir.h"

#define OUT_CERTIFICATE "certificate.pem"
#define OUT_PRIVATE_KEY "private-key.pem"
#define OUT_PRIVATE_KEY_URI "private-key.uri"
#define OUT_TOKEN "ownership-token"
#define OUT_SYMMETRIC_KEY "symmetric-key"
#define OUT_CONFIGURATION "configuration.json"

/* All names that a result may have; ends with NULL. */
extern const char *const out_names[];

typedef struct OutFile {
        const char *name; /* one of out_names */
        const void *data;
        size_t size;
        bool secret; /* 0600 */
} OutFile;

/* Tries that DIR can be written: makes the directory that out_store() will fill, and a file of the
 * size of a result in it. Before anything is asked of a cloud. */
int out_stage(Out *out);

/* Writes the files, syncs them, and makes them current. `id` is the job's. A result of the same job
 * is replaced without becoming `previous`. */
int out_store(Out *out, const char *id, const OutFile *files, size_t n_files);

/* 1 where `current` has this file, else 0. */
int out_has(const Out *out, const char *name);

/* 1 where `current` has this file with these bytes, else 0. */
int out_has_content(const Out *out, const char *name, const void *data, size_t size);

/* What `current` has under this name, with a terminator behind it that does not count; the caller
 * frees it, and wipes it if it is a secret. -ENOENT; -EFBIG above `max` bytes; -ENODATA where it is
 * empty. */
int out_read(const Out *out, const char *name, size_t max, char **ret, size_t *ret_size);
