/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Signing in a token, and again where the session was lost: a token that was taken out and put back
 * is found anew, without anybody's help. */

#include <errno.h>

#include <wolfssl/options.h>
#include <wolfssl/wolfcrypt/ecc.h>
#include <wolfssl/wolfcrypt/hash.h>

#include "daemon/crypto/token-object.h"
#include "daemon/crypto/why.h"

#define P256_SIZE ((size_t) 32)
#define P384_SIZE ((size_t) 48)
#define SESSIONS_MAX 2U /* a lost one, and a new one */

static CkRsaPkcsPssParams pss_of(size_t digest_size) {
        if (digest_size == WC_SHA512_DIGEST_SIZE)
                return (CkRsaPkcsPssParams){CKM_SHA512, CKG_MGF1_SHA512, digest_size};
        if (digest_size == WC_SHA384_DIGEST_SIZE)
                return (CkRsaPkcsPssParams){CKM_SHA384, CKG_MGF1_SHA384, digest_size};
        return (CkRsaPkcsPssParams){CKM_SHA256, CKG_MGF1_SHA256, digest_size};
}

/* The token gives both numbers, one behind the other. */
static CK_RV sign_ecdsa(TokenSession *s, KeyAlgorithm algorithm, const void *data, size_t data_size,
                        uint8_t *signature, size_t *size) {
        const size_t half = algorithm == KEY_ALGORITHM_EC_P384 ? P384_SIZE : P256_SIZE;
        uint8_t raw[2 * P384_SIZE], digest[WC_MAX_DIGEST_SIZE];
        CK_ULONG raw_size = sizeof(raw);
        word32 der_size = (word32) *size;
        CK_RV rv;

        /* FIPS 186-4, 6.4: the leftmost bits of a digest that is longer than the order. */
        data_size = data_size > half ? half : data_size;
        memcpy(digest, data, data_size);
        rv = s->module->f->C_Sign(s->handle, digest, data_size, raw, &raw_size);
        if (rv != CKR_OK)
                return rv;
        if (raw_size != 2 * half || wc_ecc_rs_raw_to_sig(raw, (word32) half, raw + half,
                                                         (word32) half, signature, &der_size) < 0)
                return CKR_SIGNATURE_INVALID;
        *size = der_size;
        return CKR_OK;
}

static CK_RV sign_rsa(TokenSession *s, const void *data, size_t data_size, uint8_t *signature,
                      size_t *size) {
        uint8_t copy[TOKEN_SIGNATURE_MAX]; /* the interface takes no const */
        CK_ULONG n = *size;
        CK_RV rv;

        if (data_size > sizeof(copy))
                return CKR_ARGUMENTS_BAD;
        memcpy(copy, data, data_size);
        rv = s->module->f->C_Sign(s->handle, copy, data_size, signature, &n);
        if (rv == CKR_OK)
                *size = n;
        return rv;
}

CK_RV token_key_sign_with(TokenSession *s, CK_OBJECT_HANDLE key, TokenSignature how,
                          KeyAlgorithm algorithm, const void *data, size_t data_size,
                          uint8_t *signature, size_t *size) {
        CkRsaPkcsPssParams pss = pss_of(data_size);
        CK_MECHANISM mechanism = {};
        CK_RV rv;

        switch (how) {
        case TOKEN_SIGN_ECDSA:
                mechanism.mechanism = CKM_ECDSA;
                break;
        case TOKEN_SIGN_RSA_PKCS1:
                mechanism.mechanism = CKM_RSA_PKCS;
                break;
        case TOKEN_SIGN_RSA_PSS:
                mechanism = (CK_MECHANISM){CKM_RSA_PKCS_PSS, &pss, sizeof(pss)};
                break;
        }
        rv = s->module->f->C_SignInit(s->handle, &mechanism, key);
        if (rv != CKR_OK)
                return rv;
        if (how == TOKEN_SIGN_ECDSA)
                return sign_ecdsa(s, algorithm, data, data_size, signature, size);
        return sign_rsa(s, data, data_size, signature, size);
}

static int why_not_signed(CK_RV rv, TokenSignature how, char **ret_why) {
        if (rv == CKR_MECHANISM_INVALID && how == TOKEN_SIGN_RSA_PSS)
                return why(
                        ret_why, -EIO,
                        "the token cannot sign by RSA-PSS, which TLS 1.3 demands; use an EC key, "
                        "or set CipherList= to suites of TLS 1.2");
        return token_error_why(rv, "cannot sign", ret_why);
}

/* 0; -EAGAIN: the session was lost, and is forgotten. */
static int sign_once(TokenKey *k, TokenSignature how, const void *data, size_t data_size,
                     uint8_t *signature, size_t *size, char **ret_why) {
        CK_OBJECT_HANDLE key = CK_INVALID_HANDLE;
        TokenSession *s;
        size_t found = 0;
        CK_RV rv;
        int r;

        r = token_session(k->token, false, &s, ret_why);
        if (r < 0)
                return r;
        rv = token_object_find_key(s, CKO_PRIVATE_KEY, k->object, &key, &found);
        if (rv == CKR_OK && found == 0)
                return why(ret_why, -ENOKEY, "the key %s is not in the token any more", k->uri);
        if (rv == CKR_OK)
                rv = token_key_sign_with(s, key, how, k->algorithm, data, data_size, signature,
                                         size);
        if (rv == CKR_OK)
                return 0;
        r = why_not_signed(rv, how, ret_why);
        if (!token_error_is_loss(rv))
                return r;
        token_session_drop(k->token->pool, s);
        return r == -ENOMEM ? r : -EAGAIN;
}

int token_key_sign(TokenKey *k, TokenSignature how, const void *data, size_t data_size,
                   uint8_t *signature, size_t *size, char **ret_why) {
        _cleanup_free_ char *why_lost = NULL;
        int r = -EAGAIN;

        for (unsigned i = 0; i < SESSIONS_MAX && r == -EAGAIN; i++) {
                free(TAKE_PTR(why_lost));
                r = sign_once(k, how, data, data_size, signature, size, &why_lost);
        }
        if (r < 0 && ret_why)
                *ret_why = TAKE_PTR(why_lost);
        return r == -EAGAIN ? -EIO : r;
}
