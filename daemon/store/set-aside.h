/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* A job that does not read, or whose secrets do not open, is set aside: both of its files get names
 * that say why and when, <id>.job.REASON-TIME and <id>.secret.REASON-TIME. Where the reason was
 * that the state key was not here, and it is now, both are taken back at the next start.
 *
 * The secrets are the first to go and the last to come back. So all that a crash can leave of
 * either is a job whose secrets alone stand aside; they are put back beside it at the next start,
 * and what is to become of the job is decided anew. Secrets without a job would be erased. */

#include "daemon/store/directory.h"
#include "daemon/store/state-key.h"

#define SET_ASIDE_DAMAGED "damaged"
#define SET_ASIDE_LATER_VERSION "later-version"
#define SET_ASIDE_UNKNOWN_KEY "unknown-key"

/* Renames both, as far as they are there. Durable once the directory is flushed. */
void set_aside(const Disk *d, const char *id, const char *reason);

/* Jobs that want a key that is not here. */
typedef struct MissingKey {
        size_t n_jobs;
        char id[SEAL_KEY_ID_LENGTH + 1]; /* of the key, one of them */
} MissingKey;

/* Takes back what can be, durably, and calls back for each job. Those that still want a key are
 * added to *missing. -ENOMEM, or an error of the directory itself. */
int set_aside_take_back(const Directory *directory, const StateKeys *keys,
                        int (*on_taken)(const char *id, void *userdata), void *userdata,
                        MissingKey *missing);
