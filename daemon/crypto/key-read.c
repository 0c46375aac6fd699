/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Private keys from PEM. The frame (PKCS#8, SEC 1, PKCS#1) is read here, so that a key we do not
 * take is refused by its name; only the numbers in it go to wolfCrypt. */

#include "daemon/crypto/key.h"

#include <errno.h>

#include <wolfssl/options.h>
#include <wolfssl/wolfcrypt/asn_public.h>
#include <wolfssl/wolfcrypt/error-crypt.h>

#include "daemon/crypto/key-encrypted.h"
#include "daemon/crypto/key-internal.h"
#include "daemon/crypto/pem.h"
#include "daemon/crypto/why.h"
#include "daemon/crypto/wolfcrypt.h"

#define EC_PRIVATE_MAX ((size_t) 66)

static int malformed(char **ret_why) {
        return why(ret_why, -EINVAL,
                   "This is no readable private key: the block is cut off or damaged; copy the key "
                   "again.");
}

static int not_supported(char **ret_why, const char *name) {
        return why(ret_why, -EOPNOTSUPP,
                   "This private key is of a kind that is not supported (%s); use " KEYS_SUPPORTED
                   ".",
                   name);
}

/* The public half is always computed, never taken from the file: a wrong one there would make a
 * pair that signs for another certificate than it shows. */
static int make_ec(const DerItem *private, CryptoKey *k, char **ret_why) {
        _cleanup_rng_ WC_RNG *rng = NULL;
        int r;

        if (private->size == 0 || private->size > EC_PRIVATE_MAX)
                return malformed(ret_why);
        r = wolfcrypt_rng(&rng);
        if (r < 0)
                return r;
        r = wc_ecc_import_private_key_ex(private->content, (word32) private->size, NULL, 0, &k->ec,
                                         crypto_key_curve(k->algorithm));
        if (r >= 0)
                r = wc_ecc_make_pub_ex(&k->ec, NULL, rng);
        if (r >= 0)
                r = wc_ecc_check_key(&k->ec);
        if (r == MEMORY_E)
                return -ENOMEM;
        return r < 0 ? malformed(ret_why) : 0;
}

/* ECPrivateKey of RFC 5915. PKCS#8 names the curve outside, SEC 1 files inside: `outer` is the one
 * that is known already, or KEY_ALGORITHM_OTHER. */
static int read_ec(DerReader *reader, KeyAlgorithm outer, CryptoKey **ret, char **ret_why) {
        _cleanup_crypto_key_ CryptoKey *k = NULL;
        KeyAlgorithm algorithm = outer;
        DerItem version, private, parameters, public;
        const char *name = "elliptic curve without a name";
        DerReader inner;
        int r;

        if (der_enter(reader, DER_SEQUENCE, &inner) < 0 || der_unsigned(&inner, &version) < 0 ||
            !der_content_equal(&version, (const uint8_t[]){1}, 1) ||
            der_expect(&inner, DER_OCTET_STRING, &private) < 0)
                return malformed(ret_why);
        r = der_optional(&inner, DER_CONTEXT(0), &parameters);
        if (r < 0 || der_optional(&inner, DER_CONTEXT(1), &public) < 0 || der_end(&inner) < 0)
                return malformed(ret_why);
        if (r > 0) {
                DerReader curve = der_inside(&parameters);

                if (key_algorithm_read_curve(&curve, &algorithm, &name) < 0)
                        return malformed(ret_why);
                if (outer != KEY_ALGORITHM_OTHER && algorithm != outer)
                        return malformed(ret_why);
        }
        if (algorithm == KEY_ALGORITHM_OTHER)
                return not_supported(ret_why, name);
        r = crypto_key_new(algorithm, &k);
        if (r < 0)
                return r;
        r = make_ec(&private, k, ret_why);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(k);
        return 0;
}

/* RSAPrivateKey of RFC 8017, A.1.2. */
static int read_rsa(DerReader *reader, CryptoKey **ret, char **ret_why) {
        _cleanup_crypto_key_ CryptoKey *k = NULL;
        DerReader inner;
        DerItem whole, version, modulus;
        word32 at = 0;
        int r;

        if (der_expect(reader, DER_SEQUENCE, &whole) < 0)
                return malformed(ret_why);
        inner = der_inside(&whole);
        if (der_unsigned(&inner, &version) < 0 || der_unsigned(&inner, &modulus) < 0)
                return malformed(ret_why);
        if (!der_content_equal(&version, (const uint8_t[]){0}, 1))
                return not_supported(ret_why, "RSA of more than two primes");
        r = rsa_modulus_check(&modulus, ret_why);
        if (r < 0)
                return r;
        r = crypto_key_new(KEY_ALGORITHM_RSA, &k);
        if (r < 0)
                return r;
        r = wc_RsaPrivateKeyDecode(whole.whole, &at, &k->rsa, (word32) whole.whole_size);
        if (r == MEMORY_E)
                return -ENOMEM;
        if (r < 0 || at != whole.whole_size)
                return malformed(ret_why);
        *ret = TAKE_PTR(k);
        return 0;
}

/* PrivateKeyInfo of RFC 5208, OneAsymmetricKey of RFC 5958. */
static int read_pkcs8(DerReader *reader, CryptoKey **ret, char **ret_why) {
        KeyAlgorithm algorithm;
        DerReader outer, inner;
        DerItem version, private;
        const char *name;
        int r;

        if (der_enter(reader, DER_SEQUENCE, &outer) < 0 || der_unsigned(&outer, &version) < 0 ||
            key_algorithm_read(&outer, &algorithm, &name) < 0 ||
            der_expect(&outer, DER_OCTET_STRING, &private) < 0)
                return malformed(ret_why);
        if (algorithm == KEY_ALGORITHM_OTHER)
                return not_supported(ret_why, name);
        inner = der_inside(&private);
        r = algorithm == KEY_ALGORITHM_RSA ? read_rsa(&inner, ret, ret_why)
                                           : read_ec(&inner, algorithm, ret, ret_why);
        if (r < 0)
                return r;
        if (der_end(&inner) < 0) {
                *ret = crypto_key_free(*ret);
                return malformed(ret_why);
        }
        return 0;
}

static bool is_key_label(const PemBlock *block) {
        return pem_has_label(block, "PRIVATE KEY") || pem_has_label(block, "EC PRIVATE KEY") ||
               pem_has_label(block, "RSA PRIVATE KEY") ||
               pem_has_label(block, "ENCRYPTED PRIVATE KEY") ||
               pem_has_label(block, "DSA PRIVATE KEY") ||
               pem_has_label(block, "OPENSSH PRIVATE KEY");
}

/* The one block of a text that is a key; certificates and EC PARAMETERS beside it are nothing to
 * us. */
static int find_key(const Secret *pem, PemBlock *ret, char **ret_why) {
        const char *at = secret_text(pem), *end = at + pem->size;
        PemBlock block;
        bool found = false;
        int r;

        while ((r = pem_find(at, end, &block)) > 0) {
                at = block.end;
                if (!is_key_label(&block))
                        continue;
                if (found)
                        return why(ret_why, -EINVAL,
                                   "There is more than one private key in this text; leave one.");
                *ret = block;
                found = true;
        }
        if (r < 0)
                return malformed(ret_why);
        if (!found)
                return why(ret_why, -EINVAL,
                           "This is no private key in PEM: there is no \"-----BEGIN PRIVATE "
                           "KEY-----\" in it.");
        return 0;
}

static int read_block(const PemBlock *block, Secret *der, const Secret *password, CryptoKey **ret,
                      char **ret_why) {
        _cleanup_crypto_key_ CryptoKey *k = NULL;
        bool encrypted = pem_has_label(block, "ENCRYPTED PRIVATE KEY");
        DerReader reader;
        int r;

        if (encrypted) {
                r = encrypted_key_open(der, password, ret_why);
                if (r < 0)
                        return r;
        }
        reader = der_reader(der->data, der->size);
        if (pem_has_label(block, "EC PRIVATE KEY"))
                r = read_ec(&reader, KEY_ALGORITHM_OTHER, &k, ret_why);
        else if (pem_has_label(block, "RSA PRIVATE KEY"))
                r = read_rsa(&reader, &k, ret_why);
        else
                r = read_pkcs8(&reader, &k, ret_why);
        if (encrypted && r == -EINVAL) {
                /* One wrong password in some hundred leaves a text that is well padded. */
                if (ret_why)
                        free(*ret_why);
                return encrypted_key_why_rejected(ret_why);
        }
        if (r < 0)
                return r;
        if (!encrypted && der_end(&reader) < 0)
                return malformed(ret_why);
        crypto_key_name(k);
        *ret = TAKE_PTR(k);
        return 0;
}

int crypto_key_from_pem(const Secret *pem, const Secret *password, CryptoKey **ret,
                        char **ret_why) {
        _cleanup_secret_ Secret *der = NULL;
        PemBlock block;
        int r;

        if (pem->size > CRYPTO_KEY_PEM_MAX)
                return why(ret_why, -EMSGSIZE, "A private key of more than %zu bytes is refused.",
                           CRYPTO_KEY_PEM_MAX);
        r = find_key(pem, &block, ret_why);
        if (r < 0)
                return r;
        if (pem_has_label(&block, "DSA PRIVATE KEY"))
                return not_supported(ret_why, "DSA");
        if (pem_has_label(&block, "OPENSSH PRIVATE KEY"))
                return not_supported(ret_why, "OpenSSH's own format");
        if (pem_is_legacy_encrypted(&block))
                return why(ret_why, -EOPNOTSUPP,
                           "This private key is encrypted in OpenSSL's old way, which is not "
                           "supported; convert it with: openssl pkcs8 -topk8 -v2 aes-256-cbc");
        r = pem_decode(&block, &der);
        if (r == -EINVAL)
                return malformed(ret_why);
        if (r < 0)
                return r;
        return read_block(&block, der, password, ret, ret_why);
}
