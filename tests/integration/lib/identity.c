/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/integration/lib/identity.h"

#include <check.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

static char *text_of(BIO *bio) {
        char *data, *copy;
        long n = BIO_get_mem_data(bio, &data);

        ck_assert_int_gt(n, 0);
        copy = strndup(data, (size_t) n);
        ck_assert_ptr_nonnull(copy);
        BIO_free(bio);
        return copy;
}

void identity_make_csr(char **ret_key, char **ret_csr) {
        EVP_PKEY *key = EVP_EC_gen("P-256");
        X509_REQ *request = X509_REQ_new();
        BIO *key_out = BIO_new(BIO_s_mem()), *csr_out = BIO_new(BIO_s_mem());

        ck_assert_ptr_nonnull(key);
        ck_assert_int_eq(X509_REQ_set_pubkey(request, key), 1);
        ck_assert_int_gt(X509_REQ_sign(request, key, EVP_sha256()), 0);
        ck_assert_int_eq(PEM_write_bio_PrivateKey(key_out, key, NULL, NULL, 0, NULL, NULL), 1);
        ck_assert_int_eq(PEM_write_bio_X509_REQ(csr_out, request), 1);
        X509_REQ_free(request);
        EVP_PKEY_free(key);
        *ret_key = text_of(key_out);
        *ret_csr = text_of(csr_out);
}

static const struct {
        const char *name;
        int id, bits;
} key_types[] = {
        {"ec-p256", EVP_PKEY_EC, 256},
        {"ec-p384", EVP_PKEY_EC, 384},
        {"rsa-2048", EVP_PKEY_RSA, 2048},
        {"rsa-3072", EVP_PKEY_RSA, 3072},
};

static void assert_type(const EVP_PKEY *key, const char *name) {
        size_t i = 0;

        while (i < ELEMENTSOF(key_types) && !streq(key_types[i].name, name))
                i++;
        ck_assert_uint_lt(i, ELEMENTSOF(key_types));
        ck_assert_int_eq(EVP_PKEY_get_base_id(key), key_types[i].id);
        ck_assert_int_eq(EVP_PKEY_get_bits(key), key_types[i].bits);
}

void identity_assert_pair(const char *certificate_pem, const char *key_pem, const char *key_type) {
        BIO *certificate_in = BIO_new_mem_buf(certificate_pem, -1);
        BIO *key_in = BIO_new_mem_buf(key_pem, -1);
        X509 *certificate = PEM_read_bio_X509(certificate_in, NULL, NULL, NULL);
        EVP_PKEY *key = PEM_read_bio_PrivateKey(key_in, NULL, NULL, NULL);

        ck_assert_ptr_nonnull(certificate);
        ck_assert_ptr_nonnull(key);
        ck_assert_msg(EVP_PKEY_eq(X509_get0_pubkey(certificate), key) == 1,
                      "the certificate carries another key");
        if (key_type)
                assert_type(key, key_type);
        EVP_PKEY_free(key);
        X509_free(certificate);
        BIO_free(key_in);
        BIO_free(certificate_in);
}

void identity_assert(Cloud *c, const fleetprov_result *result, const char *serial,
                     const char *key_pem, const char *key_type) {
        const char *id = fleetprov_result_get_certificate_id(result);
        const char *thing = fleetprov_result_get_thing_name(result);
        _cleanup_free_ char *key = NULL, *state = NULL;

        ck_assert_ptr_nonnull(thing);
        ck_assert_str_eq(thing, place_text(&c->place, "thing-%s", serial));
        ck_assert_ptr_nonnull(id);
        ck_assert_int_eq(fleetprov_result_has_secret(result, FLEETPROV_SECRET_OWNERSHIP_TOKEN), 0);
        if (key_pem)
                ck_assert_int_eq(fleetprov_result_has_secret(result, FLEETPROV_SECRET_PRIVATE_KEY),
                                 0);
        else
                key_pem = key = agent_secret(result, FLEETPROV_SECRET_PRIVATE_KEY);
        identity_assert_pair(fleetprov_result_get_certificate_pem(result), key_pem, key_type);
        state = cloud_certificate_state(c, id);
        ck_assert_str_eq(state, "ACTIVE");
}

Trace identity_trace(const char *secret) {
        Trace trace = {};
        const char *body = strchr(secret, '\n');
        size_t n = strlen(secret);

        body = body ? body + 1 : secret;
        n = strcspn(body, "\n");
        ck_assert_uint_ge(n, sizeof(trace.text) - 1);
        memcpy(trace.text, body + n - (sizeof(trace.text) - 1), sizeof(trace.text) - 1);
        return trace;
}
