/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/crypto/crypto.h"

#include <errno.h>
#include <malloc.h>

#include <wolfssl/options.h>
#include <wolfssl/ssl.h>
#include <wolfssl/wolfcrypt/ecc.h>
#include <wolfssl/wolfcrypt/error-crypt.h>

#include "daemon/crypto/wolfcrypt.h"

int crypto_init(void) {
        /* Initializes wolfCrypt, too, and is what daemon/net needs: one call for both. */
        return wolfSSL_Init() == WOLFSSL_SUCCESS ? 0 : -EIO;
}

void crypto_trim(void) {
        wc_ecc_fp_free();
        malloc_trim(0);
}

int wolfcrypt_errno(int error) {
        return error == MEMORY_E ? -ENOMEM : -EIO;
}

int wolfcrypt_rng(WC_RNG **ret) {
        WC_RNG *rng = wc_rng_new(NULL, 0, NULL);

        /* It gives no reason: memory or /dev/urandom. The latter is what an operator can mend. */
        if (!rng)
                return -EIO;
        *ret = rng;
        return 0;
}
