/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/crypto/base64.h"

#include <errno.h>

#include <wolfssl/options.h>
#include <wolfssl/wolfcrypt/coding.h>

#include "daemon/crypto/wolfcrypt.h"

int base64_encode(const void *bytes, size_t size, Secret **ret) {
        _cleanup_secret_ Secret *text = NULL;
        word32 n = (word32) ((size + 2) / 3 * 4);
        int r;

        text = secret_new(NULL, n);
        if (!text)
                return -ENOMEM;
        /* It counts a terminator, and there is room for one. */
        n++;
        r = Base64_Encode_NoNl(bytes, (word32) size, text->data, &n);
        if (r < 0)
                return wolfcrypt_errno(r);
        text->size = n;
        text->data[n] = '\0';
        *ret = TAKE_PTR(text);
        return 0;
}
