/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/integration/lib/identity.h"

#include <check.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <unistd.h>

static char *text_of(BIO *bio) {
        char *data, *copy;
        long n = BIO_get_mem_data(bio, &data);

        ck_assert_int_gt(n, 0);
        copy = strndup(data, (size_t) n);
        ck_assert_ptr_nonnull(copy);
        BIO_free(bio);
        return copy;
}

static void name_it(X509_NAME *subject, const char *common_name) {
        ck_assert_int_eq(X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8,
                                                    (const unsigned char *) common_name, -1, -1, 0),
                         1);
}

static char *key_text(EVP_PKEY *key) {
        BIO *out = BIO_new(BIO_s_mem());

        ck_assert_int_eq(PEM_write_bio_PrivateKey(out, key, NULL, NULL, 0, NULL, NULL), 1);
        return text_of(out);
}

void identity_make_csr(char **ret_key, char **ret_csr) {
        identity_make_csr_for(NULL, ret_key, ret_csr);
}

void identity_make_csr_for(const char *common_name, char **ret_key, char **ret_csr) {
        EVP_PKEY *key = EVP_EC_gen("P-256");
        X509_REQ *request = X509_REQ_new();
        BIO *csr_out = BIO_new(BIO_s_mem());

        ck_assert_ptr_nonnull(key);
        ck_assert_int_eq(X509_REQ_set_pubkey(request, key), 1);
        if (common_name)
                name_it(X509_REQ_get_subject_name(request), common_name);
        ck_assert_int_gt(X509_REQ_sign(request, key, EVP_sha256()), 0);
        ck_assert_int_eq(PEM_write_bio_X509_REQ(csr_out, request), 1);
        X509_REQ_free(request);
        *ret_key = key_text(key);
        *ret_csr = text_of(csr_out);
        EVP_PKEY_free(key);
}

static void *read_pem(Cloud *c, const char *name,
                      void *(*parse)(BIO *bio, void **object, pem_password_cb *cb, void *u)) {
        BIO *in = BIO_new_file(place_path(&c->place, name), "r");
        void *object;

        ck_assert_msg(in != NULL, "%s cannot be read", name);
        object = parse(in, NULL, NULL, NULL);
        ck_assert_ptr_nonnull(object);
        BIO_free(in);
        return object;
}

static void *parse_certificate(BIO *bio, void **object, pem_password_cb *cb, void *u) {
        return PEM_read_bio_X509(bio, NULL, cb, u);
}

static void *parse_key(BIO *bio, void **object, pem_password_cb *cb, void *u) {
        return PEM_read_bio_PrivateKey(bio, NULL, cb, u);
}

void identity_make_device(Cloud *c, const char *common_name, char **ret_key,
                          char **ret_certificate) {
        X509 *issuer = read_pem(c, "cloud/claim-ca.pem", parse_certificate), *x = X509_new();
        EVP_PKEY *issuer_key = read_pem(c, "cloud/claim-ca.key", parse_key);
        EVP_PKEY *key = EVP_EC_gen("P-256");
        BIO *out = BIO_new(BIO_s_mem());

        ck_assert_int_eq(X509_set_version(x, X509_VERSION_3), 1);
        ck_assert_int_eq(ASN1_INTEGER_set(X509_get_serialNumber(x), (long) getpid() << 8), 1);
        ck_assert_ptr_nonnull(X509_gmtime_adj(X509_getm_notBefore(x), -3600));
        ck_assert_ptr_nonnull(X509_gmtime_adj(X509_getm_notAfter(x), 24 * 3600));
        ck_assert_int_eq(X509_set_issuer_name(x, X509_get_subject_name(issuer)), 1);
        name_it(X509_get_subject_name(x), common_name);
        ck_assert_int_eq(X509_set_pubkey(x, key), 1);
        ck_assert_int_gt(X509_sign(x, issuer_key, EVP_sha256()), 0);
        ck_assert_int_eq(PEM_write_bio_X509(out, x), 1);
        *ret_certificate = text_of(out);
        *ret_key = key_text(key);
        EVP_PKEY_free(key);
        EVP_PKEY_free(issuer_key);
        X509_free(x);
        X509_free(issuer);
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
