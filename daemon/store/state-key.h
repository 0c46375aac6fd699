/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The key that seals the secrets: a systemd credential, which can be bound to a TPM, or a file
 * beside them, which protects from a reader of the secrets alone and from no stolen disk.
 *
 * keys[0] seals. The others only open: where a credential has taken over, state.key still reads
 * what it had sealed. A key is made once, in a directory that holds nothing sealed; where there is
 * something and the key is gone, a new one would only hide that, and nothing starts. */

#include "daemon/crypto/seal.h"
#include "daemon/store/disk.h"

#define STATE_KEYS_MAX 2U
#define STATE_KEY_FILE_MAX ((size_t) 4096)

typedef struct StateKeys {
        SealKey *keys[STATE_KEYS_MAX];
        size_t n;
} StateKeys;

void state_keys_done(StateKeys *k);

/* `source`: "credential:NAME" (below $CREDENTIALS_DIRECTORY), an absolute path, or NULL or "" for
 * state.key in the directory. `sealed`: whether the directory holds secrets already. *ret_why says
 * for people what is wrong and the mend. -ENOKEY: the key is gone; -EPERM: others may read or write
 * it; -EINVAL: it is too short, or misnamed. */
int state_keys_load(const Disk *d, const char *source, bool sealed, StateKeys *ret, char **ret_why);
