/* SPDX-License-Identifier: GPL-2.0-or-later */
/* CreateCertificateFromCsr and CreateKeysAndCertificate: a certificate that is pending, and the
 * token that owns it. */

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/pem.h>

#include "tests/cloud/plugin/operation.h"

DEFINE_CLEANUP(EVP_PKEY *, EVP_PKEY_free);
DEFINE_CLEANUP(BIO *, BIO_free_all);
DEFINE_CLEANUP(X509_REQ *, X509_REQ_free);

static usec_t token_ttl(const Cloud *cloud, const Strike *strike) {
        const Fault *fault = strike->by[FAULT_TOKEN_TTL];

        return fault ? fault->number * USEC_PER_SEC : cloud->token_ttl_usec;
}

/* Signs, notes and answers. ret->body becomes the answer, without a private key. */
static void issue(Cloud *cloud, const Connection *connection, const X509_PUBKEY *key,
                  const Strike *strike, Outcome *ret) {
        _cleanup_free_ char *pem = NULL;
        _cleanup_free_ char *token = NULL;
        int r;

        r = authority_sign(cloud->authority, key, &pem, &ret->certificate);
        if (r >= 0)
                r = registry_issue(cloud->registry, &ret->certificate, &connection->certificate,
                                   token_ttl(cloud, strike), &token);
        if (r < 0) {
                outcome_reject(ret, 500, "InternalError", "the test cloud cannot issue");
                return;
        }
        ret->accepted = true;
        ret->body = json_pack("{s:s, s:s, s:s}", "certificateId", ret->certificate.hex,
                              "certificatePem", pem, "certificateOwnershipToken", token);
}

/* The public half of a key pair, or of one that nobody has. */
static X509_PUBKEY *public_key(EVP_PKEY *key, const Strike *strike) {
        _cleanup_(EVP_PKEY_freep) EVP_PKEY *stranger = NULL;
        X509_PUBKEY *public = NULL;

        if (strike->by[FAULT_FOREIGN])
                key = stranger = EVP_EC_gen("P-256");
        return key && X509_PUBKEY_set(&public, key) == 1 ? public : NULL;
}

static void issue_for_pair(Cloud *cloud, const Connection *connection, EVP_PKEY *key,
                           const Strike *strike, Outcome *ret) {
        X509_PUBKEY *public = public_key(key, strike);

        if (public)
                issue(cloud, connection, public, strike, ret);
        else
                outcome_reject(ret, 500, "InternalError", "the test cloud cannot make a key");
        X509_PUBKEY_free(public);
}

void operation_create_csr(Cloud *cloud, const Connection *connection, const json_t *request,
                          const Strike *strike, Outcome *ret) {
        _cleanup_(X509_REQ_freep) X509_REQ *csr = NULL;
        const char *pem, *why;

        pem = json_string_value(json_object_get(request, "certificateSigningRequest"));
        if (!pem) {
                outcome_reject(ret, 400, "InvalidPayload",
                               "certificateSigningRequest is missing, or no string");
                return;
        }
        csr = authority_read_request(pem, &why);
        if (!csr)
                outcome_reject(ret, 400, "InvalidCSR", why);
        else if (strike->by[FAULT_FOREIGN])
                issue_for_pair(cloud, connection, NULL, strike, ret);
        else
                issue(cloud, connection, X509_REQ_get_X509_PUBKEY(csr), strike, ret);
}

/* PKCS#1, as the service returns it. */
static json_t *key_to_json(EVP_PKEY *key) {
        _cleanup_(BIO_free_allp) BIO *bio = BIO_new(BIO_s_secmem());
        char *data;
        long n;

        if (!bio || PEM_write_bio_PrivateKey_traditional(bio, key, NULL, NULL, 0, NULL, NULL) != 1)
                return NULL;
        n = BIO_get_mem_data(bio, &data);
        return json_stringn(data, (size_t) n);
}

void operation_create_keys(Cloud *cloud, const Connection *connection, EVP_PKEY *key,
                           const Strike *strike, Outcome *ret) {
        issue_for_pair(cloud, connection, key, strike, ret);
        if (ret->accepted)
                json_object_set_new(ret->body, "privateKey", key_to_json(key));
}
