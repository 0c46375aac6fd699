/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/crypto/digest.h"

#include <assert.h>
#include <stdio.h>

#include <wolfssl/options.h>
#include <wolfssl/wolfcrypt/hash.h>

#include "daemon/crypto/wolfcrypt.h"

int digest_sha256_hex(const void *data, size_t size, char ret[DIGEST_SHA256_HEX + 1]) {
        uint8_t digest[WC_SHA256_DIGEST_SIZE];
        int r;

        static_assert(2 * sizeof(digest) == DIGEST_SHA256_HEX, "two digits a byte");
        r = wc_Hash(WC_HASH_TYPE_SHA256, data, (word32) size, digest, sizeof(digest));
        if (r < 0)
                return wolfcrypt_errno(r);
        for (size_t i = 0; i < sizeof(digest); i++)
                (void) snprintf(ret + 2 * i, 3, "%02x", digest[i]);
        return 0;
}
