/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Daemons whose profile has its keys made in a token (KeyStore=). */

#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/sha.h>
#include <openssl/x509.h>

#include "tests/integration/lib/stage.h"
#include "tests/token/soft-token.h"
#include "tests/token/token-user.h"

/* The lines of a profile; the PIN stands in a file of the daemon's folder. */
static inline const char *keystore_lines(const char *more) {
        return place_text(&d.place, "Pkcs11Module=%s\nKeyStore=%s?pin-source=%s\n%s",
                          soft_token_module(), SOFT_TOKEN_URI, place_path(&d.place, "pin"), more);
}

static inline void keystore_make_token(void) {
        daemon_make(&d);
        soft_token_make(place_text(&d.place, "%s", d.place.dir));
        place_write(&d.place, "pin", 0600, SOFT_TOKEN_PIN "\n");
}

static inline void keystore_configure(const char *more) {
        daemon_configure(&d, cloud_profile(&cloud, "aws", keystore_lines(more)));
}

/* Token, daemon and application. */
static inline void keystore_start(const char *more) {
        keystore_make_token();
        keystore_configure(more);
        daemon_start(&d);
        client = agent_open(d.socket);
}

/* The hex digits of CKA_ID in the result's URI. */
static inline const char *keystore_id_of(const fleetprov_result *result) {
        const char *uri = fleetprov_result_get_private_key_uri(result);
        const char *at = uri ? strstr(uri, ";id=") : NULL;
        char id[33] = "";

        ck_assert_msg(at != NULL, "no URI with an id: %s", uri ? uri : "(none)");
        at += strlen(";id=");
        for (size_t i = 0; i < 16; i++) {
                ck_assert_int_eq(at[3 * i], '%');
                (void) snprintf(id + 2 * i, 3, "%.2s", at + 3 * i + 1);
        }
        for (char *p = id; *p; p++)
                *p = (char) (*p >= 'A' && *p <= 'F' ? *p - 'A' + 'a' : *p);
        return place_text(&d.place, "%s", id);
}

static inline bool keystore_verifies(X509 *certificate, bool rsa, const uint8_t digest[32],
                                     const uint8_t *signature, size_t size) {
        EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(X509_get0_pubkey(certificate), NULL);
        uint8_t *der = NULL;
        int r;

        ck_assert_int_eq(EVP_PKEY_verify_init(context), 1);
        ck_assert_int_eq(EVP_PKEY_CTX_set_signature_md(context, EVP_sha256()), 1);
        if (rsa)
                r = EVP_PKEY_verify(context, signature, size, digest, 32);
        else {
                ECDSA_SIG *s = ECDSA_SIG_new();
                int n;

                ECDSA_SIG_set0(s, BN_bin2bn(signature, (int) size / 2, NULL),
                               BN_bin2bn(signature + size / 2, (int) size / 2, NULL));
                n = i2d_ECDSA_SIG(s, &der);
                r = EVP_PKEY_verify(context, der, (size_t) n, digest, 32);
                ECDSA_SIG_free(s);
                OPENSSL_free(der);
        }
        EVP_PKEY_CTX_free(context);
        return r == 1;
}

/* The certificate's key is the one of the URI, in the token, and does not leave it. */
static inline void keystore_assert_pair(const fleetprov_result *result) {
        const char *id = keystore_id_of(result);
        BIO *in = BIO_new_mem_buf(fleetprov_result_get_certificate_pem(result), -1);
        X509 *certificate = PEM_read_bio_X509(in, NULL, NULL, NULL);
        bool rsa = EVP_PKEY_get_base_id(X509_get0_pubkey(certificate)) == EVP_PKEY_RSA;
        uint8_t digest[32], signature[512];
        size_t size;

        (void) SHA256((const uint8_t *) id, strlen(id), digest);
        size = token_user_sign(id, rsa, digest, signature);
        ck_assert_msg(keystore_verifies(certificate, rsa, digest, signature, size),
                      "the certificate carries another key");
        token_user_expect_guarded(id);
        X509_free(certificate);
        BIO_free(in);
}

/* … and it is all that is to be had of it. */
static inline void keystore_assert_result(const fleetprov_result *result, const char *serial) {
        _cleanup_free_ char *state = NULL;

        ck_assert_str_eq(fleetprov_result_get_thing_name(result),
                         place_text(&d.place, "thing-%s", serial));
        ck_assert_int_eq(fleetprov_result_has_secret(result, FLEETPROV_SECRET_PRIVATE_KEY), 0);
        ck_assert_int_eq(fleetprov_result_has_secret(result, FLEETPROV_SECRET_OWNERSHIP_TOKEN), 0);
        ck_assert_int_eq(fleetprov_result_get_secrets_erased(result), 0);
        keystore_assert_pair(result);
        state = cloud_certificate_state(&cloud, fleetprov_result_get_certificate_id(result));
        ck_assert_str_eq(state, "ACTIVE");
}
