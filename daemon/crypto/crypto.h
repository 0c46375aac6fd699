/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* What concerns all of the folder. Everything below daemon/crypto is synchronous and bound to no
 * thread; an object belongs to one thread at a time. The slow ones (making a key: RSA-3072 takes
 * seconds) run on a worker. The only global state is wolfSSL's own.
 *
 * `char **ret_why` of a function here: on failure a sentence for people that says what is wrong and
 * how to mend it, to be freed by the caller (NULL where memory is short; untouched on success). The
 * argument itself may be NULL. It never holds a byte of a secret. */

#include "daemon/base/macro.h"

/* Once, before any other call here and before the first thread: wolfSSL's first initialization is
 * not thread-safe. -EIO where wolfSSL refuses, e.g. its self-test failed. */
int crypto_init(void);

/* Gives back what wolfSSL caches for the calling thread, up to 3 MB of point tables after work on
 * elliptic curves (FP_ECC), and the freed heap of the process. To be called on the thread that did
 * the work, when it has nothing to do. */
void crypto_trim(void);
