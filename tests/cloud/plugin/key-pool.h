/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* RSA-2048 keys made ahead, for CreateKeysAndCertificate: making one takes some 100 ms, and the
 * broker has one thread. A thread of low priority keeps the pool full and wakes the broker after
 * each key. */

#include <openssl/evp.h>

typedef struct KeyPool KeyPool;

/* Negative errno on failure. */
int key_pool_new(KeyPool **ret);

/* Ends the thread; waits for the key it is at. */
KeyPool *key_pool_free(KeyPool *pool);

/* A key that nobody has got yet, or NULL when none is ready. Never blocks on the making of one.
 * Free with EVP_PKEY_free(). */
EVP_PKEY *key_pool_take(KeyPool *pool);
