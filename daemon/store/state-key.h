/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The key that seals the secrets: a systemd credential, which can be bound to a TPM, or a file
 * beside them, which protects from a reader of the secrets alone and from no stolen disk.
 *
 * keys[0] seals. The others only open, until all that they had sealed is sealed anew (reseal.h):
 * the one of FormerStateKey=, state.key where another one has taken over, and state.key.former,
 * which is how a key of the directory itself is replaced. A key is made where there is nothing
 * sealed, or a former key is named; where there is something and the key is gone, a new one would
 * only hide that, and nothing starts. */

#include "daemon/crypto/seal.h"
#include "daemon/store/disk.h"

#define STATE_KEYS_MAX 4U
#define STATE_KEY_FILE_MAX ((size_t) 4096)

typedef struct StateKeys {
        SealKey *keys[STATE_KEYS_MAX];
        const char *names[STATE_KEYS_MAX]; /* where each is from, for people */
        size_t n;
} StateKeys;

void state_keys_done(StateKeys *k);

/* `source`: "credential:NAME" (below $CREDENTIALS_DIRECTORY), an absolute path, or NULL or "" for
 * state.key in the directory. `former`: likewise, NULL or "" for none. `sealed`: whether the
 * directory holds secrets already. *ret_why says for people what is wrong and the mend. -ENOKEY:
 * the key is gone; -EPERM: others may read or write it; -EINVAL: it is too short, or misnamed. */
int state_keys_load(const Disk *d, const char *source, const char *former, bool sealed,
                    StateKeys *ret, char **ret_why);
