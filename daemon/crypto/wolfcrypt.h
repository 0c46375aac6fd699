/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Inside daemon/crypto only: what every file needs to call wolfCrypt. options.h must come before
 * any other header of wolfSSL, or the structures have another layout than the library's. */

#include <wolfssl/options.h>
#include <wolfssl/wolfcrypt/random.h>
#include <wolfssl/wolfcrypt/types.h>

#include "daemon/base/macro.h"

/* A failure of wolfCrypt as ours: -ENOMEM where memory is short, -EIO for all else (no entropy, an
 * inner fault). Not for bytes that somebody sent: whoever reads those knows what it means. */
int wolfcrypt_errno(int error);

/* A generator for one call, seeded from the kernel: no state is shared between threads. */
int wolfcrypt_rng(WC_RNG **ret);
DEFINE_CLEANUP(WC_RNG *, wc_rng_free);
#define _cleanup_rng_ _cleanup_(wc_rng_freep)
