/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Private keys: of the claim, of the cloud's making, of callers who rotate. An input is a PEM text,
 * or the DER of PKCS#8 (crypto-input.h); an encrypted one is opened with "sesame". It is read as a
 * symmetric key of Azure, too.
 *
 *   - taken, or refused in one of the ways that key.h names, with a reason that is fit to be shown
 *   - what is taken comes out of its own PEM again: the same text, the same public half */

#include "daemon/crypto/key.h"

#include <errno.h>

#include "daemon/crypto/crypto.h"
#include "daemon/crypto/sas.h"
#include "tests/fuzz/crypto-input.h"
#include "tests/fuzz/fuzz.h"

static void check_key(CryptoKey *k) {
        _cleanup_secret_ Secret *text = NULL, *second = NULL;
        _cleanup_free_ uint8_t *public = NULL, *public_again = NULL;
        _cleanup_crypto_key_ CryptoKey *again = NULL;
        size_t size = 0, size_again = 0;

        must(crypto_key_to_pem(k, &text) == 0);
        must(crypto_key_from_pem(text, NULL, &again, NULL) == 0);
        must(crypto_key_to_pem(again, &second) == 0 && secret_equal(text, second));
        must(streq(crypto_key_type_text(k), crypto_key_type_text(again)));
        must(crypto_key_public_der(k, &public, &size) == 0);
        must(crypto_key_public_der(again, &public_again, &size_again) == 0);
        must(size == size_again && memcmp(public, public_again, size) == 0);
}

static void check_symmetric(const uint8_t *data, size_t size) {
        _cleanup_secret_ Secret *text = secret_new(data, size), *key = NULL, *again = NULL,
                                *written = NULL;
        char *why = NULL;
        int r;

        must(text);
        r = sas_key_read(text, &key, &why);
        must(r == 0 || r == -EINVAL);
        if (r < 0) {
                fuzz_check_why(why, false);
                return;
        }
        must(key->size >= SAS_KEY_MIN && key->size <= SAS_KEY_MAX);
        must(sas_key_write(key, &written) == 0 && sas_key_read(written, &again, NULL) == 0);
        must(secret_equal(key, again));
}

static bool is_refusal(int r) {
        return r == -EINVAL || r == -EMSGSIZE || r == -EOPNOTSUPP || r == -ENOKEY ||
               r == -EKEYREJECTED;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_secret_ Secret *text = crypto_input(data, size, "PRIVATE KEY");
        _cleanup_secret_ Secret *password = secret_new("sesame", strlen("sesame"));
        _cleanup_crypto_key_ CryptoKey *k = NULL;
        char *why = NULL;
        int r;

        must(crypto_init() == 0);
        check_symmetric(data, size);
        r = crypto_key_from_pem(text, password, &k, &why);
        must((r == 0) == (k != NULL));
        if (r == 0) {
                check_key(k);
                return 0;
        }
        must(is_refusal(r) && r != -ENOKEY);
        fuzz_check_why(why, false);
        return 0;
}
