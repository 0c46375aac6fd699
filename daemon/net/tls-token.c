/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Handshakes whose private key is in a token. wolfSSL asks back for the signature (its "PK
 * callbacks"), and is content with a certificate and no key then. The handshake is on the thread of
 * the tokens: see handshake.h. */

#include <errno.h>

#include "daemon/crypto/token-key.h"
#include "daemon/net/tls-internal.h"

static int sign(Tls *t, TokenSignature how, const uint8_t *data, unsigned size, uint8_t *signature,
                word32 *signature_size) {
        size_t n = *signature_size;

        t->token_why = (free(t->token_why), NULL);
        t->token_error =
                token_key_sign(t->token_key, how, data, size, signature, &n, &t->token_why);
        if (t->token_error < 0)
                return WC_HW_E;
        *signature_size = (word32) n;
        return 0;
}

static int on_ecc_sign(WOLFSSL *ssl, const unsigned char *data, unsigned size,
                       unsigned char *signature, word32 *signature_size, const unsigned char *key,
                       unsigned key_size, void *userdata) {
        return sign(userdata, TOKEN_SIGN_ECDSA, data, size, signature, signature_size);
}

static int on_rsa_sign(WOLFSSL *ssl, const unsigned char *data, unsigned size,
                       unsigned char *signature, word32 *signature_size, const unsigned char *key,
                       unsigned key_size, void *userdata) {
        return sign(userdata, TOKEN_SIGN_RSA_PKCS1, data, size, signature, signature_size);
}

static int on_rsa_pss_sign(WOLFSSL *ssl, const unsigned char *data, unsigned size,
                           unsigned char *signature, unsigned *signature_size, int hash, int mgf,
                           const unsigned char *key, unsigned key_size, void *userdata) {
        return sign(userdata, TOKEN_SIGN_RSA_PSS, data, size, signature, signature_size);
}

/* wolfSSL verifies what an RSA key of its own has signed, against faults of this machine. The token
 * answers for its own. */
static int on_rsa_check(WOLFSSL *ssl, unsigned char *signature, unsigned size, unsigned char **out,
                        const unsigned char *key, unsigned key_size, void *userdata) {
        return 0;
}

static int on_rsa_pss_check(WOLFSSL *ssl, unsigned char *signature, unsigned size,
                            unsigned char **out, int hash, int mgf, const unsigned char *key,
                            unsigned key_size, void *userdata) {
        return 0;
}

void tls_token_context(WOLFSSL_CTX *context) {
        wolfSSL_CTX_SetEccSignCb(context, on_ecc_sign);
        wolfSSL_CTX_SetRsaSignCb(context, on_rsa_sign);
        wolfSSL_CTX_SetRsaSignCheckCb(context, on_rsa_check);
        wolfSSL_CTX_SetRsaPssSignCb(context, on_rsa_pss_sign);
        wolfSSL_CTX_SetRsaPssSignCheckCb(context, on_rsa_pss_check);
}

void tls_token_use(Tls *t, TokenKey *key) {
        t->token_key = token_key_ref(key);
        wolfSSL_SetEccSignCtx(t->ssl, t);
        wolfSSL_SetRsaSignCtx(t->ssl, t);
        wolfSSL_SetRsaPssSignCtx(t->ssl, t);
}

Failure *tls_token_failure(const Tls *t) {
        if (t->token_error >= 0)
                return NULL;
        return failure_new(ERROR_NOT_INITIALIZED, "%s cannot be used: %s", t->private_key_name,
                           t->token_why ? t->token_why : strerrordesc_np(-t->token_error));
}

void tls_token_done(Tls *t) {
        t->token_key = token_key_unref(t->token_key);
        t->token_why = (free(t->token_why), NULL);
}
