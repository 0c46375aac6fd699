/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/cloud/selftest/exchange.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "daemon/base/macro.h"
#include "tests/cloud/plugin/cbor.h"

void exchange_subscribe(Client *client, Format format, const char *template_name) {
        for (Operation operation = 0; operation <= OPERATION_REGISTER; operation++)
                for (int accepted = 0; accepted < 2; accepted++) {
                        Topic topic = {.operation = operation, .format = format};
                        _cleanup_free_ char *name = NULL;

                        if (operation == OPERATION_REGISTER)
                                snprintf(topic.template_name, sizeof(topic.template_name), "%s",
                                         template_name);
                        name = topic_answer(&topic, accepted);
                        ck_assert_int_eq(client_subscribe(client, name, 0), 0);
                }
}

static void *encode(Format format, const json_t *body, size_t *ret_n) {
        char *text;

        if (format == FORMAT_CBOR)
                return cbor_from_json(body, false, ret_n);
        text = json_dumps(body, 0);
        *ret_n = strlen(text);
        return text;
}

void exchange_publish(Client *client, Topic topic, json_t *body) {
        _cleanup_free_ char *answer = topic_answer(&topic, true);
        _cleanup_free_ void *payload = NULL;
        size_t n = 0;

        if (body)
                payload = encode(topic.format, body, &n);
        *strrchr(answer, '/') = '\0'; /* the request's topic is the answer's without its end */
        client_publish(client, answer, payload, n, 0, false);
        json_decref(body);
}

json_t *exchange_receive(Client *client, Topic *ret_topic) {
        const char *why;
        Message message;
        json_t *body;

        if (!client_receive(client, &message))
                return NULL;
        ck_assert(topic_parse(message.topic, ret_topic));
        if (ret_topic->format == FORMAT_CBOR)
                body = cbor_to_json(message.payload, message.n, &why);
        else
                body = json_loadb(message.payload, message.n, 0, NULL);
        message_clear(&message);
        return body;
}

json_t *exchange_request(Client *client, Topic topic, json_t *body, Topic *ret_topic) {
        exchange_publish(client, topic, body);
        return exchange_receive(client, ret_topic);
}

EVP_PKEY *exchange_make_key(const char *type) {
        if (streq(type, "ec-p256"))
                return EVP_EC_gen("P-256");
        if (streq(type, "ec-p384"))
                return EVP_EC_gen("P-384");
        if (streq(type, "ec-p521"))
                return EVP_EC_gen("P-521");
        if (streq(type, "rsa-1024"))
                return EVP_RSA_gen(1024);
        return EVP_RSA_gen(2048);
}

json_t *exchange_csr(EVP_PKEY *key, bool wrong) {
        EVP_PKEY *signer = wrong ? EVP_EC_gen("P-256") : key;
        X509_REQ *request = X509_REQ_new();
        BIO *bio = BIO_new(BIO_s_mem());
        json_t *body;
        char *data;
        long n;

        X509_NAME_add_entry_by_txt(X509_REQ_get_subject_name(request), "CN", MBSTRING_ASC,
                                   (const unsigned char *) "device", -1, -1, 0);
        X509_REQ_set_pubkey(request, key);
        ck_assert_int_gt(X509_REQ_sign(request, signer, EVP_sha256()), 0);
        ck_assert_int_eq(PEM_write_bio_X509_REQ(bio, request), 1);
        n = BIO_get_mem_data(bio, &data);
        body = json_pack("{s:s%}", "certificateSigningRequest", data, (size_t) n);
        BIO_free_all(bio);
        X509_REQ_free(request);
        if (wrong)
                EVP_PKEY_free(signer);
        return body;
}

json_t *exchange_registration(const json_t *created, const char *serial) {
        return json_pack("{s:O, s:{s:s}}", "certificateOwnershipToken",
                         json_object_get(created, "certificateOwnershipToken"), "parameters",
                         "SerialNumber", serial);
}

static X509 *certificate_of(const json_t *created) {
        const char *pem = json_string_value(json_object_get(created, "certificatePem"));
        BIO *bio;
        X509 *certificate;

        ck_assert_ptr_nonnull(pem);
        bio = BIO_new_mem_buf(pem, -1);
        certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL);
        BIO_free_all(bio);
        ck_assert_ptr_nonnull(certificate);
        return certificate;
}

bool exchange_certificate_fits(const json_t *created, EVP_PKEY *key) {
        const char *id = json_string_value(json_object_get(created, "certificateId"));
        X509 *certificate = certificate_of(created);
        unsigned char digest[EVP_MAX_MD_SIZE];
        char hex[3];
        unsigned n;
        bool fits;

        ck_assert_int_eq(X509_digest(certificate, EVP_sha256(), digest, &n), 1);
        ck_assert_uint_eq(strlen(id), 2 * n);
        for (unsigned i = 0; i < n; i++) {
                snprintf(hex, sizeof(hex), "%02x", digest[i]);
                ck_assert_mem_eq(id + 2 * i, hex, 2);
        }
        fits = EVP_PKEY_eq(X509_get0_pubkey(certificate), key) == 1;
        X509_free(certificate);
        return fits;
}

void exchange_save(const CloudProcess *cloud, const char *name, const json_t *created,
                   EVP_PKEY *key) {
        _cleanup_free_ char *path = NULL, *key_path = NULL;
        FILE *file;

        ck_assert_int_ge(asprintf(&path, "%s/%s.pem", cloud->dir, name), 0);
        ck_assert_int_ge(asprintf(&key_path, "%s/%s.key", cloud->dir, name), 0);
        file = fopen(path, "w");
        fputs(json_string_value(json_object_get(created, "certificatePem")), file);
        ck_assert_int_eq(fclose(file), 0);
        file = fopen(key_path, "w");
        ck_assert_int_eq(PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL), 1);
        ck_assert_int_eq(fclose(file), 0);
}
