/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* A job's secrets on disk, each field sealed on its own:
 *
 *     8  "FPSECRET"
 *     1  version, 1
 *     1  which fields there are, a bit each
 *   for each, from the lowest bit:
 *     4  size, little endian
 *     n  a record of daemon/crypto/seal.h
 *
 * Sealed with each field, unseen: version, job id, owner's door and uid, operation, profile and
 * its fingerprint, which fields there are, and which one this is; each with its length before it,
 * so that no two sets of them read alike. A field put into another job's file, or under another
 * owner, does not open; nor does one whose sisters were taken away. */

#include "daemon/model/job.h"
#include "daemon/store/disk.h"
#include "daemon/store/state-key.h"

#define SECRET_FILE_FIELDS 4U
#define SECRET_FILE_MAX ((size_t) 10 + SECRET_FILE_FIELDS * (4 + IPC_SECRET_MAX + SEAL_OVERHEAD))

/* Whose secrets they are, as it is sealed with them: a copy, to be handed to the disk's thread. */
typedef struct SecretContext {
        uint8_t *data;
        size_t size;
} SecretContext;

int secret_context_make(const Job *job, SecretContext *ret);
int secret_context_copy(const SecretContext *c, SecretContext *ret);
void secret_context_done(SecretContext *c);

/* -EMSGSIZE: a secret is longer than IPC_SECRET_MAX. */
int secret_file_seal(const StateKeys *keys, const SecretContext *context, const JobSecrets *secrets,
                     uint8_t **ret, size_t *ret_size);

/* -EBADMSG: not what was sealed for this job; -ENOKEY: sealed with a key that we do not have.
 * Nothing is given unless all of it opens. */
int secret_file_unseal(const StateKeys *keys, const SecretContext *context, const uint8_t *data,
                       size_t size, JobSecrets *ret);

/* Whether it was overwritten to be unlinked then: it begins with zeros. */
bool secret_file_is_erased(const uint8_t *data, size_t size);

/* Whether all of it is sealed with the key that seals now. */
bool secret_file_is_current(const StateKeys *keys, const uint8_t *data, size_t size);

/* Whether we have the keys it names: 0, -ENOKEY, or -EBADMSG where it does not read. Opens nothing.
 * *ret_key_id: the key that lacks. */
int secret_file_check(const StateKeys *keys, const uint8_t *data, size_t size,
                      char ret_key_id[static SEAL_KEY_ID_LENGTH + 1]);
