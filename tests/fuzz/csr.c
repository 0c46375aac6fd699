/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Certificate signing requests, as any caller may bring them. An input is a PEM text, or a
 * request's DER (crypto-input.h).
 *
 *   - taken, or refused in one of the four ways that csr.h names, with a reason fit to be shown
 *   - the key of what is taken can be read, is of a kind that is served, and is called so */

#include "daemon/crypto/csr.h"

#include <errno.h>

#include "daemon/crypto/crypto.h"
#include "daemon/crypto/key-internal.h"
#include "tests/fuzz/crypto-input.h"
#include "tests/fuzz/fuzz.h"

static void check_csr(const Csr *csr) {
        static const char *const types[] = {"ec-p256", "ec-p384", "rsa-"};
        _cleanup_crypto_key_ CryptoKey *key = NULL;
        bool known = false;

        must(public_key_read(csr->spki, csr->spki_size, &key, NULL) == 0);
        must(streq(csr->key_type, crypto_key_type_text(key)));
        for (size_t i = 0; i < ELEMENTSOF(types); i++)
                known |= strncmp(csr->key_type, types[i], strlen(types[i])) == 0;
        must(known);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_secret_ Secret *text = crypto_input(data, size, "CERTIFICATE REQUEST");
        _cleanup_csr_ Csr *csr = NULL;
        char *why = NULL;
        int r;

        must(crypto_init() == 0);
        r = csr_parse(secret_text(text), text->size, &csr, &why);
        must(r == 0 || r == -EMSGSIZE || r == -EOPNOTSUPP || r == -EBADMSG || r == -EINVAL);
        must((r == 0) == (csr != NULL));
        if (r < 0)
                fuzz_check_why(why, false);
        else
                check_csr(csr);
        return 0;
}
