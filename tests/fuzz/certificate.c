/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Certificates: claims, those that the cloud made, roots. An input is a PEM text, or a
 * certificate's DER (crypto-input.h).
 *
 *   - taken, or -EINVAL or -EMSGSIZE with a reason that is fit to be shown
 *   - what is shown of one is printable, its numbers are of their form, and it carries its own key
 *   - a bundle of roots has as many certificates as a chain of the same text */

#include "daemon/crypto/certificate.h"

#include <errno.h>

#include "daemon/crypto/crypto.h"
#include "daemon/crypto/key-internal.h"
#include "tests/fuzz/crypto-input.h"
#include "tests/fuzz/fuzz.h"

static bool is_hex(const char *s) {
        return s[strspn(s, "0123456789abcdef")] == '\0';
}

static void check_certificate(const Certificate *c) {
        _cleanup_crypto_key_ CryptoKey *key = NULL;
        DerReader reader = der_reader(c->spki, c->spki_size);
        DerReader inside;
        char *why = NULL;
        int r;

        must(c->subject && fuzz_is_printable(c->subject));
        must(c->serial && is_hex(c->serial) && strlen(c->serial) <= 2 * CERTIFICATE_SERIAL_MAX);
        must(is_hex(c->fingerprint) && strlen(c->fingerprint) == CERTIFICATE_FINGERPRINT_LENGTH);
        must(c->chain_count > 0 && c->chain_count <= CERTIFICATE_CHAIN_MAX);
        must(der_enter(&reader, DER_SEQUENCE, &inside) == 0 && der_end(&reader) == 0);
        must(certificate_carries_key(c, c->spki, c->spki_size));
        r = public_key_read(c->spki, c->spki_size, &key, &why);
        must(r == 0 || r == -EINVAL || r == -EOPNOTSUPP);
        if (r < 0)
                fuzz_check_why(why, false);
        else
                must(public_key_equal(key, key) && *crypto_key_type_text(key));
}

static void check_bundle(const Secret *text, const Certificate *c) {
        char *why = NULL;
        size_t count = 0;
        int r;

        r = certificate_check_bundle(secret_text(text), text->size, &count, &why);
        must(r == 0 || r == -EINVAL || r == -EMSGSIZE);
        if (r < 0) {
                fuzz_check_why(why, false);
                return;
        }
        must(count > 0);
        if (c)
                must(c->is_ca && c->chain_count == count);
        else
                must(count > CERTIFICATE_CHAIN_MAX || text->size > CERTIFICATE_PEM_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_secret_ Secret *text = crypto_input(data, size, "CERTIFICATE");
        _cleanup_certificate_ Certificate *c = NULL;
        char *why = NULL;
        int r;

        must(crypto_init() == 0);
        crypto_input_walk(data, size);
        crypto_input_check_pem(text);
        r = certificate_parse(secret_text(text), text->size, &c, &why);
        must(r == 0 || r == -EINVAL || r == -EMSGSIZE);
        must((r == 0) == (c != NULL));
        if (r < 0)
                fuzz_check_why(why, false);
        else
                check_certificate(c);
        check_bundle(text, c);
        return 0;
}
