/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/cloud/plugin/authority.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include "daemon/base/macro.h"

#define CERTIFICATE_FILE "device-ca.pem"
#define KEY_FILE "device-ca.key"

#define SUBJECT "AWS IoT Certificate"
#define NOT_AFTER "20491231235959Z"

/* The service dates certificates back a little, for devices whose clock is slow. */
#define NOT_BEFORE_SLACK_SEC 120

/* RFC 5280, 4.1.2.2: at most 20 octets, and positive. */
#define SERIAL_LENGTH 20

#define RSA_BITS_MIN 2048
#define RSA_BITS_MAX 4096

/* The extensions that are the same in every certificate. */
#define EXTENSIONS 3

struct Authority {
        X509 *certificate;
        EVP_PKEY *key;
        EVP_MD *sha256; /* fetched once: OpenSSL 3 looks up EVP_sha256() anew at each use */
        X509_EXTENSION *extensions[EXTENSIONS];
};

DEFINE_CLEANUP(X509 *, X509_free);
DEFINE_CLEANUP(BIO *, BIO_free_all);
DEFINE_CLEANUP(X509_REQ *, X509_REQ_free);

static FILE *open_file(const char *name, int *ret_errno) {
        FILE *file = fopen(name, "re");

        *ret_errno = file ? 0 : -errno;
        return file;
}

static bool prepare(Authority *authority) {
        static const struct {
                int nid;
                const char *value;
        } constants[EXTENSIONS] = {
                {NID_authority_key_identifier, "keyid"},
                {NID_basic_constraints, "critical,CA:FALSE"},
                {NID_key_usage, "critical,digitalSignature"},
        };
        X509V3_CTX context;

        X509V3_set_ctx(&context, authority->certificate, NULL, NULL, NULL, 0);
        for (size_t i = 0; i < EXTENSIONS; i++) {
                authority->extensions[i] =
                        X509V3_EXT_conf_nid(NULL, &context, constants[i].nid, constants[i].value);
                if (!authority->extensions[i])
                        return false;
        }
        authority->sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
        return authority->sha256;
}

int authority_new(Authority **ret) {
        Authority *authority = calloc(1, sizeof(*authority));
        FILE *file;
        int r;

        if (!authority)
                return -ENOMEM;
        file = open_file(CERTIFICATE_FILE, &r);
        if (file) {
                authority->certificate = PEM_read_X509(file, NULL, NULL, NULL);
                fclose(file);
                file = open_file(KEY_FILE, &r);
        }
        if (file) {
                authority->key = PEM_read_PrivateKey(file, NULL, NULL, NULL);
                fclose(file);
        }
        if (!authority->certificate || !authority->key || !prepare(authority)) {
                authority_free(authority);
                return r < 0 ? r : -EBADMSG;
        }
        *ret = authority;
        return 0;
}

Authority *authority_free(Authority *authority) {
        if (!authority)
                return NULL;
        for (size_t i = 0; i < EXTENSIONS; i++)
                X509_EXTENSION_free(authority->extensions[i]);
        EVP_MD_free(authority->sha256);
        X509_free(authority->certificate);
        EVP_PKEY_free(authority->key);
        free(authority);
        return NULL;
}

int fingerprint_of(const X509 *certificate, Fingerprint *ret) {
        unsigned char digest[EVP_MAX_MD_SIZE];
        unsigned n = 0;

        if (X509_digest(certificate, EVP_sha256(), digest, &n) != 1 || n * 2 != FINGERPRINT_LENGTH)
                return -EIO;
        for (unsigned i = 0; i < n; i++)
                snprintf(ret->hex + 2 * i, 3, "%02x", digest[i]);
        return 0;
}

static bool curve_is_served(EVP_PKEY *key) {
        char name[sizeof("prime256v1") + 16];
        size_t n = 0;

        if (EVP_PKEY_get_group_name(key, name, sizeof(name), &n) != 1)
                return false;
        return streq(name, SN_X9_62_prime256v1) || streq(name, SN_secp384r1);
}

static const char *key_complaint(EVP_PKEY *key) {
        int bits = EVP_PKEY_get_bits(key);

        switch (EVP_PKEY_get_base_id(key)) {
        case EVP_PKEY_RSA:
                return bits >= RSA_BITS_MIN && bits <= RSA_BITS_MAX
                               ? NULL
                               : "CSR key is RSA of another size than 2048 to 4096 bits";
        case EVP_PKEY_EC:
                return curve_is_served(key) ? NULL
                                            : "CSR key is on another curve than P-256, P-384";
        default:
                return "CSR key is neither RSA nor EC";
        }
}

X509_REQ *authority_read_request(const char *pem, const char **ret_why) {
        _cleanup_(BIO_free_allp) BIO *bio = BIO_new_mem_buf(pem, -1);
        _cleanup_(X509_REQ_freep) X509_REQ *request = NULL;
        const char *complaint;
        EVP_PKEY *key;

        request = bio ? PEM_read_bio_X509_REQ(bio, NULL, NULL, NULL) : NULL;
        key = request ? X509_REQ_get0_pubkey(request) : NULL;
        if (!key) {
                *ret_why = "CSR is not a PEM encoded PKCS#10 request";
                return NULL;
        }
        complaint = key_complaint(key);
        if (!complaint && X509_REQ_verify(request, key) != 1)
                complaint = "CSR signature is wrong";
        if (complaint) {
                *ret_why = complaint;
                return NULL;
        }
        return TAKE_PTR(request);
}

static bool set_serial(X509 *certificate) {
        unsigned char bytes[SERIAL_LENGTH];
        BIGNUM *number;
        bool ok;

        if (RAND_bytes(bytes, sizeof(bytes)) != 1)
                return false;
        bytes[0] = (unsigned char) ((bytes[0] & 0x7f) | 0x40);
        number = BN_bin2bn(bytes, sizeof(bytes), NULL);
        ok = number && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate));
        BN_free(number);
        return ok;
}

static bool set_names_and_dates(Authority *authority, X509 *certificate) {
        X509_NAME *name = X509_get_subject_name(certificate);

        return X509_set_version(certificate, X509_VERSION_3) == 1 && set_serial(certificate) &&
               X509_set_issuer_name(certificate, X509_get_subject_name(authority->certificate)) ==
                       1 &&
               X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *) SUBJECT,
                                          -1, -1, 0) == 1 &&
               X509_gmtime_adj(X509_getm_notBefore(certificate), -NOT_BEFORE_SLACK_SEC) &&
               ASN1_TIME_set_string(X509_getm_notAfter(certificate), NOT_AFTER) == 1;
}

/* Copies algorithm and bits. X509_set_pubkey() would have OpenSSL 3 decode and encode the key
 * again, which costs more than the signature. */
static bool set_public_key(X509 *certificate, const X509_PUBKEY *key) {
        X509_PUBKEY *own = X509_get_X509_PUBKEY(certificate);
        const unsigned char *bits;
        ASN1_OBJECT *algorithm;
        const void *parameter;
        ASN1_TYPE *copy;
        X509_ALGOR *algor;
        unsigned char *bits_copy;
        int type, n;
        void *value = NULL;

        if (X509_PUBKEY_get0_param(&algorithm, &bits, &n, &algor, key) != 1)
                return false;
        X509_ALGOR_get0(NULL, &type, &parameter, algor);
        copy = ASN1_TYPE_new();
        if (copy && parameter && ASN1_TYPE_set1(copy, type, parameter) == 1) {
                value = copy->value.ptr;
                copy->value.ptr = NULL;
                copy->type = V_ASN1_UNDEF;
        }
        ASN1_TYPE_free(copy);
        bits_copy = OPENSSL_memdup(bits, (size_t) n);
        return bits_copy && (value || !parameter) &&
               X509_PUBKEY_set0_param(own, OBJ_dup(algorithm), type, value, bits_copy, n) == 1;
}

/* RFC 5280, 4.2.1.2: SHA-1 over the key's bits. */
static bool add_subject_key_id(X509 *certificate) {
        ASN1_OCTET_STRING *id = ASN1_OCTET_STRING_new();
        unsigned char digest[EVP_MAX_MD_SIZE];
        unsigned n = 0;
        bool ok;

        ok = id && X509_pubkey_digest(certificate, EVP_sha1(), digest, &n) == 1 &&
             ASN1_OCTET_STRING_set(id, digest, (int) n) == 1 &&
             X509_add1_ext_i2d(certificate, NID_subject_key_identifier, id, 0, 0) == 1;
        ASN1_OCTET_STRING_free(id);
        return ok;
}

static bool add_extensions(Authority *authority, X509 *certificate) {
        for (size_t i = 0; i < EXTENSIONS; i++)
                if (X509_add_ext(certificate, authority->extensions[i], -1) != 1)
                        return false;
        return add_subject_key_id(certificate);
}

static char *to_pem(X509 *certificate) {
        _cleanup_(BIO_free_allp) BIO *bio = BIO_new(BIO_s_mem());
        char *data;
        long n;

        if (!bio || PEM_write_bio_X509(bio, certificate) != 1)
                return NULL;
        n = BIO_get_mem_data(bio, &data);
        return strndup(data, (size_t) n);
}

int authority_sign(Authority *authority, const X509_PUBKEY *key, char **ret_pem,
                   Fingerprint *ret_id) {
        _cleanup_(X509_freep) X509 *certificate = X509_new();
        Fingerprint id;
        char *pem;
        int r;

        if (!certificate)
                return -ENOMEM;
        if (!set_names_and_dates(authority, certificate) || !set_public_key(certificate, key) ||
            !add_extensions(authority, certificate) ||
            X509_sign(certificate, authority->key, authority->sha256) == 0)
                return -EIO;
        r = fingerprint_of(certificate, &id);
        if (r < 0)
                return r;
        pem = to_pem(certificate);
        if (!pem)
                return -ENOMEM;
        *ret_pem = pem;
        *ret_id = id;
        return 0;
}
