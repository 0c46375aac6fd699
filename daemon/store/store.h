/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Jobs on disk. A job is one append-only file of JSON lines, <id>.job: the request, then each
 * transition with the whole of what can change; the last whole line wins. It never holds a secret.
 * Secrets stand beside it, each field sealed, in <id>.secret.
 *
 * Nothing here blocks the loop: everything but open and load is done on the disk worker, in the
 * order in which it was asked for, and told when it is durable. All calls on the loop thread. What
 * is handed in is copied before the call returns.
 *
 * Each change is told once, from the loop, in the order asked for; one that could not even be begun
 * (no memory, a line too long, a queue too long) may be told before others. Only where memory is
 * too short for the change itself is it told from within the call, with -ENOMEM. */

#include <systemd/sd-event.h>

#include "daemon/crypto/seal.h"
#include "daemon/crypto/token.h"
#include "daemon/model/job.h"
#include "daemon/store/disk.h"

typedef struct Store Store;

/* error: 0 when durable, else a negative errno, and then nothing of the change is promised:
 * -ENOSPC, -EDQUOT the disk is full; -EROFS, -EIO it is ill; -EMSGSIZE the job is too large to be
 * written; -ENOENT its file is gone. The same change may be asked for again. */
typedef void (*StoreDone)(int error, void *userdata);

/* `secrets` is NULL on an error, and else the store's, valid during the call alone. */
typedef void (*StoreSecretsDone)(int error, const JobSecrets *secrets, void *userdata);

/* Makes the directory where only its last component lacks, locks it (-EBUSY: another daemon has
 * it), looks at its version, owner and mode, and gets or makes the state key. `state_key`:
 * "credential:NAME", a full path, or NULL or "" for state.key in the directory; `former`: likewise
 * one that only opens, or NULL or "" for none. Blocks.
 * crypto_init() comes before. *ret_why says for people what is wrong and the mend (NULL where
 * memory is short). */
int store_open(sd_event *event, const char *directory, const char *state_key, const char *former,
               Store **ret, char **ret_why);

/* The same, with every step on the disk shown to `hook` (see disk.h): for tests. */
int store_open_hooked(sd_event *event, const char *directory, const char *state_key,
                      const char *former, DiskHook hook, void *hook_userdata, Store **ret,
                      char **ret_why);

Store *store_free(Store *s); /* finishes and tells what was asked for */
DEFINE_CLEANUP(Store *, store_free);

/* Reads every job, in the order of their serials, and hands it over for good. A damaged file, or
 * secrets under an unknown state key, cost that one job: its files are set aside with a journal
 * entry. Secrets under a former key are sealed anew from then on, by the loop. Blocks; once, before
 * anything is asked for. */
int store_load(Store *s, void (*on_job)(Job *job, void *userdata), void *userdata);

/* For Job.serial: above all that were ever given in this directory. After store_load. */
uint64_t store_next_serial(Store *s);

/* The request becomes durable, and with it the secrets that it brought (NULL: none). On an error
 * nothing of it comes back at the next start. */
void store_create(Store *s, const Job *job, const JobSecrets *secrets, StoreDone done,
                  void *userdata);

/* The job's present state becomes durable. `secrets`: what replaces <id>.secret, written before the
 * line; NULL leaves it as it is; an empty set erases it. The line says that there are secrets when
 * they were given here, and else what job->secrets_stored and secrets_erased say. What belongs to
 * the request (owner, spec, serial) is not written again: that is store_rewrite. */
void store_update(Store *s, const Job *job, const JobSecrets *secrets, StoreDone done,
                  void *userdata);

/* The job's present state is written as store_update() writes it, and not flushed: it outlives this
 * process however that ends, and becomes durable with the job's next change, or whenever the system
 * writes it. For what no one is promised, and a next daemon should know. */
void store_note(Store *s, const Job *job, StoreDone done, void *userdata);

/* The same, and store_create(), for a job that has no secrets, and asks for what brings some right
 * after: room is made for them while the answer is on its way. */
void store_note_asking(Store *s, const Job *job, StoreDone done, void *userdata);
void store_create_asking(Store *s, const Job *job, StoreDone done, void *userdata);

/* All of the job becomes durable in place of what its file held: for one that is asked for again,
 * with other parameters or another deadline. `secrets` as in store_update, but an empty set is as
 * NULL. */
void store_rewrite(Store *s, const Job *job, const JobSecrets *secrets, StoreDone done,
                   void *userdata);

/* The job's present state becomes durable, and its secrets are gone from the disk. The line says so
 * whatever the job says. */
void store_erase_secrets(Store *s, const Job *job, StoreDone done, void *userdata);

/* The same for secrets that have served, as a token has whose thing is registered: told when the
 * line is durable. They go right after, before any later change; a crash between is mended at the
 * next start. */
void store_spend_secrets(Store *s, const Job *job, StoreDone done, void *userdata);

/* The job with all it holds is gone from the disk. No error where nothing was there. */
void store_remove(Store *s, const Job *job, StoreDone done, void *userdata);

/* Unseals what stands in <id>.secret. -ENOENT: there is none; -EBADMSG: it is not what was sealed
 * for this job (id, owner, operation and profile fingerprint are sealed with it); -ENOKEY: sealed
 * with another state key. */
void store_read_secrets(Store *s, const Job *job, StoreSecretsDone done, void *userdata);

/* The machine's uptime becomes durable, soon: what deadlines and retention count by, over reboots
 * (see uptime.h). A power cut takes what has passed since the last time, and since the last change
 * of a job for that one. Nobody is told; a failure is logged. */
void store_note_uptime(Store *s);

/* Since when the disk worker has been at one task; USEC_INFINITY where it waits. */
usec_t store_busy_since(Store *s);
size_t store_pending(const Store *s);

/* Where the records of tried PINs stand; see latches.h. */
int store_latches_new(const Store *s, const TokenLatchStore **ret, void **ret_userdata);
