/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/crypto/sas.h"

#include <errno.h>

#include <wolfssl/options.h>
#include <wolfssl/wolfcrypt/coding.h>
#include <wolfssl/wolfcrypt/error-crypt.h>
#include <wolfssl/wolfcrypt/hmac.h>

#include "daemon/crypto/base64.h"
#include "daemon/crypto/why.h"
#include "daemon/crypto/wolfcrypt.h"

#define SPACE " \t\r\n"
#define BASE64 "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

/* Whether these are whole groups of four with at most two '=' at the end: Base64_Decode() ends at
 * the first '=' without a word, goes over newlines, and leaves an incomplete group out. */
static bool is_base64(const char *text, size_t size) {
        size_t digits = size;

        if (size == 0 || size % 4 != 0)
                return false;
        if (text[size - 1] == '=')
                digits -= text[size - 2] == '=' ? 2 : 1;
        for (size_t i = 0; i < digits; i++)
                if (text[i] == '\0' || !strchr(BASE64, text[i]))
                        return false;
        return true;
}

int sas_key_read(const Secret *text, Secret **ret, char **ret_why) {
        _cleanup_secret_ Secret *key = NULL;
        const char *begin = secret_text(text);
        size_t size = text->size;
        word32 n;
        int r;

        if (size > SAS_KEY_TEXT_MAX)
                return why(ret_why, -EINVAL,
                           "The symmetric key has %zu characters, and a key of %zu bytes in base64 "
                           "has 88: copy the key alone from the enrolment",
                           size, SAS_KEY_MAX);
        for (; size > 0 && begin[0] != '\0' && strchr(SPACE, begin[0]); size--)
                begin++;
        while (size > 0 && begin[size - 1] != '\0' && strchr(SPACE, begin[size - 1]))
                size--;
        if (size == 0)
                return why(ret_why, -EINVAL,
                           "The symmetric key is empty: copy it from the enrolment");
        if (!is_base64(begin, size))
                return why(ret_why, -EINVAL,
                           "The symmetric key is no base64: copy the whole key, its '=' included, "
                           "from the enrolment");
        n = (word32) (size / 4 * 3);
        key = secret_new(NULL, n);
        if (!key)
                return -ENOMEM;
        r = Base64_Decode((const byte *) begin, (word32) size, key->data, &n);
        if (r == MEMORY_E)
                return -ENOMEM;
        if (r < 0)
                return why(ret_why, -EINVAL, "The symmetric key is no base64");
        key->size = n;
        if (n < SAS_KEY_MIN || n > SAS_KEY_MAX)
                return why(
                        ret_why, -EINVAL,
                        "The symmetric key has %zu bytes before base64, and must have %zu to %zu",
                        (size_t) n, SAS_KEY_MIN, SAS_KEY_MAX);
        *ret = TAKE_PTR(key);
        return 0;
}

int sas_key_write(const Secret *key, Secret **ret) {
        return base64_encode(key->data, key->size, ret);
}

static int hmac(const Secret *key, const char *text, Secret **ret) {
        _cleanup_secret_ Secret *digest = NULL;
        Hmac state;
        int r;

        digest = secret_new(NULL, WC_SHA256_DIGEST_SIZE);
        if (!digest)
                return -ENOMEM;
        r = wc_HmacInit(&state, NULL, INVALID_DEVID);
        if (r < 0)
                return wolfcrypt_errno(r);
        r = wc_HmacSetKey(&state, WC_SHA256, key->data, (word32) key->size);
        if (r >= 0)
                r = wc_HmacUpdate(&state, (const byte *) text, (word32) strlen(text));
        if (r >= 0)
                r = wc_HmacFinal(&state, digest->data);
        wc_HmacFree(&state);
        explicit_bzero(&state, sizeof(state)); /* it holds the key, padded */
        if (r < 0)
                return wolfcrypt_errno(r);
        *ret = TAKE_PTR(digest);
        return 0;
}

int sas_key_derive(const Secret *group_key, const char *registration_id, Secret **ret) {
        return hmac(group_key, registration_id, ret);
}

int sas_sign(const Secret *key, const char *text, Secret **ret) {
        _cleanup_secret_ Secret *digest = NULL;
        int r;

        r = hmac(key, text, &digest);
        if (r < 0)
                return r;
        return base64_encode(digest->data, digest->size, ret);
}
