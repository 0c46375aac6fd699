/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Jobs on disk. A job is one append-only file of JSON lines, <id>.job: the request, then each
 * transition with the whole of what can change; the last whole line wins. It never holds a secret.
 * Secrets stand beside it, each field sealed, in <id>.secret.
 *
 * Nothing here blocks the loop: everything but open and load is done on the disk worker, in the
 * order in which it was asked for, and told when it is durable. All calls on the loop thread. */

#include <systemd/sd-event.h>

#include "daemon/crypto/seal.h"
#include "daemon/model/job.h"

typedef struct Store Store;

/* error: 0 when durable, else a negative errno, and then nothing of the change is promised. */
typedef void (*StoreDone)(int error, void *userdata);
typedef void (*StoreSecretsDone)(int error, const JobSecrets *secrets, void *userdata);

/* Locks the directory (-EBUSY: another daemon has it) and looks at its version. *ret_why says for
 * people what is wrong and the mend. */
int store_open(sd_event *event, const char *directory, const char *state_key, Store **ret,
               char **ret_why);
Store *store_free(Store *s); /* finishes what was asked for */
DEFINE_CLEANUP(Store *, store_free);

/* Reads every job, in the order of their serials, and hands it over. A damaged file costs one job:
 * it is set aside with a journal entry. Blocks; at start alone. */
int store_load(Store *s, void (*on_job)(Job *job, void *userdata), void *userdata);

/* The request becomes durable, and with it the secrets that it brought (NULL: none). */
void store_create(Store *s, const Job *job, const JobSecrets *secrets, StoreDone done,
                  void *userdata);

/* The job's present state becomes durable. `secrets`: what replaces <id>.secret, written before the
 * line; NULL leaves it as it is. */
void store_update(Store *s, const Job *job, const JobSecrets *secrets, StoreDone done,
                  void *userdata);

/* The job's present state becomes durable, and its secrets are gone from the disk. */
void store_erase_secrets(Store *s, const Job *job, StoreDone done, void *userdata);

/* The job with all it holds is gone from the disk. */
void store_remove(Store *s, const Job *job, StoreDone done, void *userdata);

/* Unseals what stands in <id>.secret. -ENOENT: there is none; -EBADMSG: it is not what was sealed
 * for this job; -ENOKEY: sealed with another state key. */
void store_read_secrets(Store *s, const Job *job, StoreSecretsDone done, void *userdata);

/* Since when the disk worker has been at one task; USEC_INFINITY where it waits. */
usec_t store_busy_since(Store *s);
size_t store_pending(const Store *s);
