/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Sealing of secrets at rest: AES-256-GCM under the state key.
 *
 * A record, byte by byte:
 *     1  version, 1
 *     8  id of the key: the first 8 bytes of SHA-256("fleetprovd state key" || key)
 *    12  nonce: 96 random bits, never a counter, which a restored backup would repeat
 *     n  ciphertext, as long as the secret
 *    16  tag
 * Authenticated beside the secret: version, key id, and the caller's additional data (job id,
 * owner, operation, field ...), so that a record moved to another place does not open there.
 *
 * Random nonces bound one key to 2^32 records (NIST SP 800-38D, 8.3): far beyond what a device
 * writes in its life. */

#include "daemon/base/macro.h"
#include "daemon/base/secret.h"

#define SEAL_KEY_SIZE ((size_t) 32)
#define SEAL_KEY_ID_LENGTH ((size_t) 16)  /* hex digits, lower case */
#define SEAL_SECRET_MIN ((size_t) 16)     /* of a credential that becomes a key */
#define SEAL_PLAIN_MAX ((size_t) 1 << 20) /* of one secret */
#define SEAL_AAD_MAX ((size_t) 64 * 1024) /* of the additional data */
#define SEAL_OVERHEAD                                                              \
        ((size_t) (1 + 8 + 12 + 16)) /* a record is longer than its secret by this \
                                      */

typedef struct SealKey {
        uint8_t key[SEAL_KEY_SIZE];
        char id[SEAL_KEY_ID_LENGTH + 1]; /* no secret: may be shown and logged */
} SealKey;

/* A credential of exactly 32 bytes is the key; any other of at least SEAL_SECRET_MIN bytes is
 * stretched by HKDF-SHA-256 (RFC 5869). It must be random: this is no password hash. -EINVAL: too
 * short. */
int seal_key_from_secret(const Secret *secret, SealKey **ret);

int seal_key_generate(SealKey **ret);

/* The 32 bytes, to be written down; seal_key_from_secret reads them back. */
int seal_key_to_secret(const SealKey *key, Secret **ret);

SealKey *seal_key_free(SealKey *key); /* wipes; gives NULL */
DEFINE_CLEANUP(SealKey *, seal_key_free);
#define _cleanup_seal_key_ _cleanup_(seal_key_freep)

/* `aad` may be NULL where aad_size is 0. The record is the caller's, freed by free(). -EMSGSIZE:
 * the secret or the additional data is too long. */
int seal(const SealKey *key, const void *aad, size_t aad_size, const Secret *plain, uint8_t **ret,
         size_t *ret_size);

/* -EBADMSG: torn, damaged, of a later version, or sealed with other additional data. -ENOKEY:
 * sealed with another key (seal_record_key_id says which). */
int unseal(const SealKey *key, const void *aad, size_t aad_size, const void *record, size_t size,
           Secret **ret);

/* Which key a record names; nothing is authenticated by this. -EBADMSG: this is no record. */
int seal_record_key_id(const void *record, size_t size, char ret_id[static SEAL_KEY_ID_LENGTH + 1]);
