/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Inside daemon/crypto only: a key as wolfCrypt holds it, with or without its private half. */

#include <wolfssl/options.h>
#include <wolfssl/wolfcrypt/ecc.h>
#include <wolfssl/wolfcrypt/rsa.h>
#include <wolfssl/wolfcrypt/signature.h>

#include "daemon/crypto/algorithm.h"
#include "daemon/crypto/key.h"

#define RSA_BITS_MIN 2048U
#define RSA_BITS_MAX 4096U
#define KEY_DER_MAX ((size_t) 4096) /* of the longest key we take: RSA-4096 is below 2400 bytes */
#define KEY_SIGNATURE_MAX ((size_t) RSA_BITS_MAX / 8)
#define KEYS_SUPPORTED "P-256, P-384 and RSA of 2048 to 4096 bits"

struct CryptoKey {
        KeyAlgorithm algorithm; /* never KEY_ALGORITHM_OTHER */
        union {
                ecc_key ec;
                RsaKey rsa;
        };
        char type_text[sizeof("rsa-4096")];
};

/* An empty key of that algorithm, to be filled by wolfCrypt. */
int crypto_key_new(KeyAlgorithm algorithm, CryptoKey **ret);

static inline bool crypto_key_is_rsa(const CryptoKey *k) {
        return k->algorithm == KEY_ALGORITHM_RSA;
}

/* The curve, in wolfCrypt's numbers; EC keys only. */
int crypto_key_curve(KeyAlgorithm algorithm);

/* Names the key by its type, once its size is known. */
void crypto_key_name(CryptoKey *k);

/* Whether an RSA modulus has a length that we take; says so otherwise, with -EOPNOTSUPP. */
int rsa_modulus_check(const DerItem *modulus, char **ret_why);

/* The public half alone, from SubjectPublicKeyInfo (RFC 5280); checked to be on the curve. -EINVAL:
 * unreadable; -EOPNOTSUPP: a kind of key that we do not take. */
int public_key_read(const uint8_t *spki, size_t size, CryptoKey **ret, char **ret_why);

/* 0; -EBADMSG: the signature is not this key's. */
int public_key_verify(CryptoKey *k, enum wc_HashType hash, const uint8_t *data, size_t size,
                      const uint8_t *signature, size_t signature_size);

/* Whether the public point is one of the key's curve; EC keys only. -EBADMSG: it is not. */
int ec_point_check(CryptoKey *k);

bool public_key_equal(CryptoKey *a, CryptoKey *b);

static inline enum wc_SignatureType crypto_key_signature_type(const CryptoKey *k) {
        return crypto_key_is_rsa(k) ? WC_SIGNATURE_TYPE_RSA_W_ENC : WC_SIGNATURE_TYPE_ECC;
}

/* What wc_Signature* asks for: the key, and its size to tell the types apart. */
static inline void *crypto_key_handle(CryptoKey *k, word32 *ret_size) {
        *ret_size = (word32) (crypto_key_is_rsa(k) ? sizeof(k->rsa) : sizeof(k->ec));
        return crypto_key_is_rsa(k) ? (void *) &k->rsa : (void *) &k->ec;
}
