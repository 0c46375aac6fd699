/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/crypto/key.h"

#include <errno.h>
#include <stdio.h>

#include <wolfssl/options.h>
#include <wolfssl/wolfcrypt/asn.h>
#include <wolfssl/wolfcrypt/asn_public.h>
#include <wolfssl/wolfcrypt/error-crypt.h>

#include "daemon/crypto/key-internal.h"
#include "daemon/crypto/pem.h"
#include "daemon/crypto/why.h"
#include "daemon/crypto/wolfcrypt.h"

#define RSA_EXPONENT 65537
#define CHALLENGE_SIZE 32

int crypto_key_new(KeyAlgorithm algorithm, CryptoKey **ret) {
        CryptoKey *k = calloc(1, sizeof(*k));
        int r;

        if (!k)
                return -ENOMEM;
        k->algorithm = algorithm;
        r = crypto_key_is_rsa(k) ? wc_InitRsaKey(&k->rsa, NULL) : wc_ecc_init(&k->ec);
        if (r < 0) {
                free(k); /* nothing is in it that its destructor could free */
                return wolfcrypt_errno(r);
        }
        *ret = k;
        return 0;
}

CryptoKey *crypto_key_free(CryptoKey *k) {
        if (!k)
                return NULL;
        if (crypto_key_is_rsa(k))
                wc_FreeRsaKey(&k->rsa);
        else
                wc_ecc_free(&k->ec);
        explicit_bzero(k, sizeof(*k));
        free(k);
        return NULL;
}

int crypto_key_curve(KeyAlgorithm algorithm) {
        return algorithm == KEY_ALGORITHM_EC_P384 ? ECC_SECP384R1 : ECC_SECP256R1;
}

void crypto_key_name(CryptoKey *k) {
        switch (k->algorithm) {
        case KEY_ALGORITHM_EC_P256:
                (void) snprintf(k->type_text, sizeof(k->type_text), "ec-p256");
                break;
        case KEY_ALGORITHM_EC_P384:
                (void) snprintf(k->type_text, sizeof(k->type_text), "ec-p384");
                break;
        case KEY_ALGORITHM_RSA:
                (void) snprintf(k->type_text, sizeof(k->type_text), "rsa-%d",
                                mp_count_bits(&k->rsa.n));
                break;
        case KEY_ALGORITHM_OTHER:
                break;
        }
}

const char *crypto_key_type_text(const CryptoKey *k) {
        return k->type_text;
}

static int generate_ec(CryptoKey *k, WC_RNG *rng) {
        int curve = crypto_key_curve(k->algorithm);

        return wc_ecc_make_key_ex(rng, wc_ecc_get_curve_size_from_id(curve), &k->ec, curve);
}

int crypto_key_generate(KeyType type, CryptoKey **ret) {
        _cleanup_crypto_key_ CryptoKey *k = NULL;
        _cleanup_rng_ WC_RNG *rng = NULL;
        KeyAlgorithm algorithm = KEY_ALGORITHM_OTHER;
        int bits = 0, r;

        switch (type) {
        case KEY_TYPE_EC_P256:
                algorithm = KEY_ALGORITHM_EC_P256;
                break;
        case KEY_TYPE_EC_P384:
                algorithm = KEY_ALGORITHM_EC_P384;
                break;
        case KEY_TYPE_RSA_2048:
                algorithm = KEY_ALGORITHM_RSA;
                bits = 2048;
                break;
        case KEY_TYPE_RSA_3072:
                algorithm = KEY_ALGORITHM_RSA;
                bits = 3072;
                break;
        case KEY_TYPE_MAX:
        case KEY_TYPE_INVALID:
                return -EINVAL;
        }
        if (algorithm == KEY_ALGORITHM_OTHER)
                return -EINVAL;
        r = crypto_key_new(algorithm, &k);
        if (r < 0)
                return r;
        r = wolfcrypt_rng(&rng);
        if (r < 0)
                return r;
        r = crypto_key_is_rsa(k) ? wc_MakeRsaKey(&k->rsa, bits, RSA_EXPONENT, rng)
                                 : generate_ec(k, rng);
        if (r < 0)
                return wolfcrypt_errno(r);
        crypto_key_name(k);
        *ret = TAKE_PTR(k);
        return 0;
}

/* PKCS#8 around PKCS#1. */
static int rsa_to_pkcs8(CryptoKey *k, uint8_t *out, word32 *size) {
        _cleanup_secret_ Secret *inner = NULL;
        int n, r;

        inner = secret_new(NULL, KEY_DER_MAX);
        if (!inner)
                return MEMORY_E;
        n = wc_RsaKeyToDer(&k->rsa, inner->data, (word32) inner->size);
        if (n < 0)
                return n;
        r = wc_CreatePKCS8Key(out, size, inner->data, (word32) n, RSAk, NULL, 0);
        if (r < 0)
                return r;
        *size = (word32) r;
        return 0;
}

int crypto_key_to_pem(CryptoKey *k, Secret **ret) {
        _cleanup_secret_ Secret *der = NULL;
        word32 size = KEY_DER_MAX;
        int r;

        der = secret_new(NULL, KEY_DER_MAX);
        if (!der)
                return -ENOMEM;
        r = crypto_key_is_rsa(k) ? rsa_to_pkcs8(k, der->data, &size)
                                 : wc_EccKeyToPKCS8(&k->ec, der->data, &size);
        if (r < 0)
                return wolfcrypt_errno(r);
        return pem_encode("PRIVATE KEY", der->data, size, ret);
}

int crypto_key_public_der(CryptoKey *k, uint8_t **ret, size_t *ret_size) {
        _cleanup_free_ uint8_t *der = malloc(KEY_DER_MAX);
        int n;

        if (!der)
                return -ENOMEM;
        n = crypto_key_is_rsa(k) ? wc_RsaKeyToPublicDer_ex(&k->rsa, der, KEY_DER_MAX, 1)
                                 : wc_EccPublicKeyToDer(&k->ec, der, KEY_DER_MAX, 1);
        if (n < 0)
                return wolfcrypt_errno(n);
        *ret = TAKE_PTR(der);
        *ret_size = (size_t) n;
        return 0;
}

int crypto_key_matches_certificate(CryptoKey *k, const Certificate *certificate, char **ret_why) {
        _cleanup_crypto_key_ CryptoKey *public = NULL;
        _cleanup_rng_ WC_RNG *rng = NULL;
        _cleanup_free_ uint8_t *signature = NULL;
        uint8_t challenge[CHALLENGE_SIZE];
        word32 size = KEY_SIGNATURE_MAX, handle_size;
        void *handle = crypto_key_handle(k, &handle_size);
        int r;

        r = public_key_read(certificate->spki, certificate->spki_size, &public, NULL);
        if (r == -EINVAL || r == -EOPNOTSUPP)
                return why(ret_why, -EKEYREJECTED,
                           "The certificate does not belong to the private key: the key is %s, the "
                           "certificate's is of a kind that is not supported.",
                           k->type_text);
        if (r < 0)
                return r;
        if (!streq(public->type_text, k->type_text))
                return why(ret_why, -EKEYREJECTED,
                           "The certificate does not belong to the private key: the key is %s, the "
                           "certificate's is %s.",
                           k->type_text, public->type_text);
        signature = malloc(KEY_SIGNATURE_MAX);
        if (!signature)
                return -ENOMEM;
        r = wolfcrypt_rng(&rng);
        if (r < 0)
                return r;
        r = wc_RNG_GenerateBlock(rng, challenge, sizeof(challenge));
        if (r < 0)
                return wolfcrypt_errno(r);
        r = wc_SignatureGenerate(WC_HASH_TYPE_SHA256, crypto_key_signature_type(k), challenge,
                                 sizeof(challenge), signature, &size, handle, handle_size, rng);
        if (r == MEMORY_E)
                return -ENOMEM;
        /* A key that cannot sign is damaged: that is no fault of the machine. */
        if (r == 0)
                r = public_key_verify(public, WC_HASH_TYPE_SHA256, challenge, sizeof(challenge),
                                      signature, size);
        if (r == -ENOMEM)
                return r;
        if (r < 0)
                return why(ret_why, -EKEYREJECTED,
                           "The certificate does not belong to the private key, although both are "
                           "%s; give the two that were made together.",
                           k->type_text);
        return 0;
}
