/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/crypto/key-internal.h"

#include <errno.h>

#include <wolfssl/wolfcrypt/error-crypt.h>

#include "daemon/crypto/der.h"
#include "daemon/crypto/why.h"
#include "daemon/crypto/wolfcrypt.h"

#define EC_POINT_MAX (1 + 2 * 48) /* uncompressed, P-384 */

int rsa_modulus_check(const DerItem *modulus, char **ret_why) {
        size_t bits = modulus->size * 8;

        if (modulus->size == 0)
                return why(ret_why, -EOPNOTSUPP, "It holds an RSA key without a modulus.");
        for (uint8_t first = modulus->content[0]; !(first & 0x80) && bits > 0; bits--)
                first = (uint8_t) (first << 1 | 1);
        if (bits < RSA_BITS_MIN || bits > RSA_BITS_MAX)
                return why(ret_why, -EOPNOTSUPP,
                           "It holds an RSA key of %zu bits, which is not supported; "
                           "use " KEYS_SUPPORTED ".",
                           bits);
        return 0;
}

static int read_rsa(const DerItem *bits, CryptoKey *k, char **ret_why) {
        DerReader outer = der_inside(bits), inner;
        DerItem n, e;
        int r;

        /* RSAPublicKey, RFC 8017 A.1.1 */
        if (der_enter(&outer, DER_SEQUENCE, &inner) < 0 || der_end(&outer) < 0 ||
            der_unsigned(&inner, &n) < 0 || der_unsigned(&inner, &e) < 0 || der_end(&inner) < 0)
                return why(ret_why, -EINVAL, "Its RSA public key is malformed.");
        r = rsa_modulus_check(&n, ret_why);
        if (r < 0)
                return r;
        /* An exponent of 1 would make every text its own signature; an even one has no inverse. */
        if (e.size > sizeof(uint32_t) || !(e.content[e.size - 1] & 1) ||
            (e.size == 1 && e.content[0] < 3) || !(n.content[n.size - 1] & 1))
                return why(ret_why, -EINVAL, "Its RSA public key is not a valid one.");
        r = wc_RsaPublicKeyDecodeRaw(n.content, (word32) n.size, e.content, (word32) e.size,
                                     &k->rsa);
        if (r == MEMORY_E)
                return -ENOMEM;
        if (r < 0)
                return why(ret_why, -EINVAL, "Its RSA public key is malformed.");
        return 0;
}

/* The import does not look at this. Of the steps of NIST SP 800-56A (revision 3), 5.6.2.3.3, the
 * last and by far the longest, that the point is of the curve's order, says nothing new about
 * curves without a cofactor, as all of ours are (5.6.2.3.4; SP 800-186, 3.2.1). */
int ec_point_check(CryptoKey *k) {
        int r;

        if (wc_ecc_point_is_at_infinity(&k->ec.pubkey))
                return -EBADMSG;
#ifdef USE_ECC_B_PARAM /* or wolfSSL has no such function */
        r = wc_ecc_point_is_on_curve(&k->ec.pubkey, k->ec.idx);
#else
        r = wc_ecc_check_key(&k->ec);
#endif
        if (r == MEMORY_E)
                return -ENOMEM;
        return r < 0 ? -EBADMSG : 0;
}

static int read_ec(const DerItem *bits, CryptoKey *k, char **ret_why) {
        int r = BAD_FUNC_ARG;

        if (bits->size > 0 && bits->size <= EC_POINT_MAX)
                r = wc_ecc_import_x963_ex(bits->content, (word32) bits->size, &k->ec,
                                          crypto_key_curve(k->algorithm));
        if (r == MEMORY_E)
                return -ENOMEM;
        if (r < 0)
                return why(ret_why, -EINVAL, "Its EC public key is malformed.");
        r = ec_point_check(k);
        if (r == -EBADMSG)
                return why(ret_why, -EINVAL, "Its EC public key is not on its curve.");
        return r;
}

int public_key_read(const uint8_t *spki, size_t size, CryptoKey **ret, char **ret_why) {
        _cleanup_crypto_key_ CryptoKey *k = NULL;
        DerReader outer = der_reader(spki, size), inner;
        KeyAlgorithm algorithm;
        const char *name;
        DerItem bits;
        int r;

        if (der_enter(&outer, DER_SEQUENCE, &inner) < 0 || der_end(&outer) < 0 ||
            key_algorithm_read(&inner, &algorithm, &name) < 0 || der_bits(&inner, &bits) < 0 ||
            der_end(&inner) < 0)
                return why(ret_why, -EINVAL, "Its public key is malformed.");
        if (algorithm == KEY_ALGORITHM_OTHER)
                return why(ret_why, -EOPNOTSUPP,
                           "Its key is of a kind that is not supported (%s); use " KEYS_SUPPORTED
                           ".",
                           name);
        r = crypto_key_new(algorithm, &k);
        if (r < 0)
                return r;
        r = crypto_key_is_rsa(k) ? read_rsa(&bits, k, ret_why) : read_ec(&bits, k, ret_why);
        if (r < 0)
                return r;
        crypto_key_name(k);
        *ret = TAKE_PTR(k);
        return 0;
}

int public_key_verify(CryptoKey *k, enum wc_HashType hash, const uint8_t *data, size_t size,
                      const uint8_t *signature, size_t signature_size) {
        word32 handle_size;
        void *handle = crypto_key_handle(k, &handle_size);
        int r;

        if (size > UINT32_MAX || signature_size > KEY_SIGNATURE_MAX)
                return -EBADMSG;
        r = wc_SignatureVerify(hash, crypto_key_signature_type(k), data, (word32) size, signature,
                               (word32) signature_size, handle, handle_size);
        if (r == MEMORY_E)
                return -ENOMEM;
        return r == 0 ? 0 : -EBADMSG;
}

static bool ec_equal(CryptoKey *a, CryptoKey *b) {
        uint8_t a_point[EC_POINT_MAX], b_point[EC_POINT_MAX];
        word32 a_size = sizeof(a_point), b_size = sizeof(b_point);

        return wc_ecc_export_x963(&a->ec, a_point, &a_size) == 0 &&
               wc_ecc_export_x963(&b->ec, b_point, &b_size) == 0 && a_size == b_size &&
               memcmp(a_point, b_point, a_size) == 0;
}

static bool rsa_equal(CryptoKey *a, CryptoKey *b) {
        _cleanup_free_ uint8_t *buffer = malloc(4 * KEY_SIGNATURE_MAX);
        word32 a_e_size = KEY_SIGNATURE_MAX, a_n_size = KEY_SIGNATURE_MAX;
        word32 b_e_size = KEY_SIGNATURE_MAX, b_n_size = KEY_SIGNATURE_MAX;
        uint8_t *a_e, *a_n, *b_e, *b_n;

        if (!buffer)
                return false;
        a_e = buffer;
        a_n = a_e + KEY_SIGNATURE_MAX;
        b_e = a_n + KEY_SIGNATURE_MAX;
        b_n = b_e + KEY_SIGNATURE_MAX;
        return wc_RsaFlattenPublicKey(&a->rsa, a_e, &a_e_size, a_n, &a_n_size) == 0 &&
               wc_RsaFlattenPublicKey(&b->rsa, b_e, &b_e_size, b_n, &b_n_size) == 0 &&
               a_e_size == b_e_size && a_n_size == b_n_size && memcmp(a_e, b_e, a_e_size) == 0 &&
               memcmp(a_n, b_n, a_n_size) == 0;
}

bool public_key_equal(CryptoKey *a, CryptoKey *b) {
        if (a->algorithm != b->algorithm)
                return false;
        return crypto_key_is_rsa(a) ? rsa_equal(a, b) : ec_equal(a, b);
}
