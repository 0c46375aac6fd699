/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/cloud/launch/pki.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include "daemon/base/macro.h"
#include "tests/cloud/launch/place.h"

#define DAY_SEC (24 * 60 * 60)
#define VALID_SEC (3650L * DAY_SEC)

/* Bytes of a serial number; RFC 5280 has 20 at most. */
#define SERIAL_LENGTH 16

DEFINE_CLEANUP(BIO *, BIO_free_all);

void pair_clear(Pair *pair) {
        X509_free(pair->certificate);
        EVP_PKEY_free(pair->key);
        *pair = (Pair){};
}

static bool add_extension(X509 *certificate, X509 *issuer, int nid, const char *value) {
        X509_EXTENSION *extension;
        X509V3_CTX context;
        bool ok;

        X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
        extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
        ok = extension && X509_add_ext(certificate, extension, -1) == 1;
        X509_EXTENSION_free(extension);
        return ok;
}

static bool add_extensions(PairKind kind, X509 *certificate, X509 *issuer, const char *names) {
        bool authority = kind == PAIR_AUTHORITY;
        bool ok = add_extension(certificate, issuer, NID_subject_key_identifier, "hash") &&
                  add_extension(certificate, issuer, NID_basic_constraints,
                                authority ? "critical,CA:TRUE" : "critical,CA:FALSE") &&
                  add_extension(certificate, issuer, NID_key_usage,
                                authority ? "critical,keyCertSign,cRLSign"
                                          : "critical,digitalSignature");

        if (ok && !authority)
                ok = add_extension(certificate, issuer, NID_authority_key_identifier, "keyid") &&
                     add_extension(certificate, issuer, NID_ext_key_usage,
                                   kind == PAIR_SERVER ? "serverAuth" : "clientAuth");
        if (ok && names)
                ok = add_extension(certificate, issuer, NID_subject_alt_name, names);
        return ok;
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

int pair_make(PairKind kind, EVP_PKEY *key, const char *common_name, const char *alternative_names,
              const Pair *issuer, Pair *ret) {
        X509 *certificate = X509_new();
        X509 *signer = issuer ? issuer->certificate : certificate;
        X509_NAME *name;

        if (!certificate || !key)
                goto fail;
        name = X509_get_subject_name(certificate);
        if (X509_set_version(certificate, X509_VERSION_3) != 1 || !set_serial(certificate) ||
            X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
                                       (const unsigned char *) common_name, -1, -1, 0) != 1 ||
            X509_set_issuer_name(certificate, X509_get_subject_name(signer)) != 1 ||
            !X509_gmtime_adj(X509_getm_notBefore(certificate), -DAY_SEC) ||
            !X509_gmtime_adj(X509_getm_notAfter(certificate), VALID_SEC) ||
            X509_set_pubkey(certificate, key) != 1 ||
            !add_extensions(kind, certificate, signer, alternative_names) ||
            X509_sign(certificate, issuer ? issuer->key : key, EVP_sha256()) == 0)
                goto fail;
        *ret = (Pair){.certificate = certificate, .key = key};
        return 0;

fail:
        X509_free(certificate);
        return -EIO;
}

static FILE *open_file(int dir_fd, const char *name, const char *suffix) {
        _cleanup_free_ char *path = NULL;
        FILE *file;
        int fd;

        if (asprintf(&path, "%s.%s", name, suffix) < 0)
                return NULL;
        fd = openat(dir_fd, path, O_RDONLY | O_CLOEXEC);
        file = fd < 0 ? NULL : fdopen(fd, "r");
        if (!file)
                close_fd(fd);
        return file;
}

int pair_read(int dir_fd, const char *name, Pair *ret) {
        Pair pair = {};
        FILE *file;

        file = open_file(dir_fd, name, "pem");
        if (file) {
                pair.certificate = PEM_read_X509(file, NULL, NULL, NULL);
                fclose(file);
        }
        file = open_file(dir_fd, name, "key");
        if (file) {
                pair.key = PEM_read_PrivateKey(file, NULL, NULL, NULL);
                fclose(file);
        }
        if (!pair.certificate || !pair.key) {
                pair_clear(&pair);
                return -ENOENT;
        }
        *ret = pair;
        return 0;
}

static int write_bio(int dir_fd, const char *name, const char *suffix, mode_t mode, BIO *bio) {
        _cleanup_free_ char *path = NULL;
        char *data;
        long n;

        if (asprintf(&path, "%s.%s", name, suffix) < 0)
                return -ENOMEM;
        n = BIO_get_mem_data(bio, &data);
        return place_write(dir_fd, path, mode, data, (size_t) n);
}

int pair_write(int dir_fd, const char *name, const Pair *pair) {
        _cleanup_(BIO_free_allp) BIO *certificate = BIO_new(BIO_s_mem());
        _cleanup_(BIO_free_allp) BIO *key = BIO_new(BIO_s_secmem());
        int r;

        if (!certificate || !key || PEM_write_bio_X509(certificate, pair->certificate) != 1 ||
            PEM_write_bio_PKCS8PrivateKey(key, pair->key, NULL, NULL, 0, NULL, NULL) != 1)
                return -ENOMEM;
        r = write_bio(dir_fd, name, "key", 0600, key);
        if (r < 0)
                return r;
        return write_bio(dir_fd, name, "pem", 0644, certificate);
}

char *certificate_to_pem(X509 *certificate) {
        _cleanup_(BIO_free_allp) BIO *bio = BIO_new(BIO_s_mem());
        char *data;
        long n;

        if (!bio || PEM_write_bio_X509(bio, certificate) != 1)
                return NULL;
        n = BIO_get_mem_data(bio, &data);
        return strndup(data, (size_t) n);
}
