/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "daemon/crypto/certificate.h"
#include "daemon/crypto/crypto.h"
#include "daemon/crypto/key.h"
#include "tests/unit/crypto/material.h"

static CryptoKey *key_of(const char *name) {
        _cleanup_secret_ Secret *pem = material_read(name);
        CryptoKey *key = NULL;
        char *why = NULL;
        int r = crypto_key_from_pem(pem, NULL, &key, &why);

        ck_assert_msg(r == 0, "%s: %d, %s", name, r, why ? why : "no reason");
        ck_assert_ptr_null(why);
        return key;
}

static Certificate *certificate_of(const char *name) {
        _cleanup_secret_ Secret *pem = material_read(name);
        Certificate *c = NULL;

        ck_assert_int_eq(certificate_parse(secret_text(pem), pem->size, &c, NULL), 0);
        return c;
}

typedef struct Readable {
        const char *file;
        const char *type;
        const char *spki; /* as OpenSSL writes the public half */
} Readable;

static const Readable readable[] = {
        {"p256.key", "ec-p256", "p256.spki"},
        {"p256.sec1", "ec-p256", "p256.spki"},
        {"p256.sec1-no-public", "ec-p256", "p256.spki"},
        {"p256.sec1-compressed", "ec-p256", "p256.spki"},
        {"p256.sec1-with-parameters", "ec-p256", "p256.spki"},
        {"p384.key", "ec-p384", "p384.spki"},
        {"p384.sec1", "ec-p384", "p384.spki"},
        {"rsa2048.key", "rsa-2048", "rsa2048.spki"},
        {"rsa2048.pkcs1", "rsa-2048", "rsa2048.spki"},
        {"rsa3072.key", "rsa-3072", "rsa3072.spki"},
        {"rsa3072.pkcs1", "rsa-3072", "rsa3072.spki"},
        {"rsa4096.key", "rsa-4096", "rsa4096.spki"},
        {"rsa4096.pkcs1", "rsa-4096", "rsa4096.spki"},
};

START_TEST(a_key_of_openssl_is_read)
{
        const Readable *t = &readable[_i];
        _cleanup_crypto_key_ CryptoKey *key = key_of(t->file);
        _cleanup_secret_ Secret *expected = material_read(t->spki);
        _cleanup_free_ uint8_t *spki = NULL;
        size_t size = 0;

        ck_assert_str_eq(crypto_key_type_text(key), t->type);
        ck_assert_int_eq(crypto_key_public_der(key, &spki, &size), 0);
        ck_assert_uint_eq(size, expected->size);
        ck_assert_mem_eq(spki, expected->data, size);
}
END_TEST

START_TEST(openssl_reads_what_we_write)
{
        const Readable *t = &readable[_i];
        _cleanup_crypto_key_ CryptoKey *key = key_of(t->file), *again = NULL;
        _cleanup_secret_ Secret *pem = NULL;

        ck_assert_int_eq(crypto_key_to_pem(key, &pem), 0);
        ck_assert_int_eq(strncmp(secret_text(pem), "-----BEGIN PRIVATE KEY-----\n", 28), 0);
        ck_assert_uint_eq(strlen(secret_text(pem)), pem->size);
        ck_assert_int_eq(openssl_judges(secret_text(pem),
                                        "openssl pkey -in %s -check -noout >/dev/null 2>&1"),
                         0);
        ck_assert_int_eq(crypto_key_from_pem(pem, NULL, &again, NULL), 0);
        ck_assert_str_eq(crypto_key_type_text(again), t->type);
}
END_TEST

typedef struct Encrypted {
        const char *file;
        const char *certificate;
} Encrypted;

static const Encrypted encrypted[] = {
        {"p256.encrypted", "p256.pem"},       {"p384.encrypted", "p384.pem"},
        {"rsa2048.encrypted", "rsa2048.pem"}, {"p256.encrypted-aes128", "p256.pem"},
        {"p256.encrypted-des3", "p256.pem"},
};

START_TEST(an_encrypted_key_opens_with_its_password)
{
        _cleanup_secret_ Secret *pem = material_read(encrypted[_i].file);
        _cleanup_secret_ Secret *password = secret_new("sesame\n", 7);
        _cleanup_certificate_ Certificate *c = certificate_of(encrypted[_i].certificate);
        _cleanup_crypto_key_ CryptoKey *key = NULL;
        char *why = NULL;

        ck_assert_msg(crypto_key_from_pem(pem, password, &key, &why) == 0, "%s: %s",
                      encrypted[_i].file, why);
        ck_assert_int_eq(crypto_key_matches_certificate(key, c, NULL), 0);
}
END_TEST

START_TEST(an_encrypted_key_stays_shut_without_a_password)
{
        _cleanup_secret_ Secret *pem = material_read(encrypted[_i].file);
        CryptoKey *key = NULL;
        char *why = NULL;

        ck_assert_int_eq(crypto_key_from_pem(pem, NULL, &key, &why), -ENOKEY);
        ck_assert_ptr_null(key);
        expect_why(why, "PrivateKeyPassword=");
}
END_TEST

START_TEST(an_encrypted_key_stays_shut_with_wrong_passwords)
{
        _cleanup_secret_ Secret *pem = material_read(encrypted[_i].file);

        /* many, since one in 256 or so looks well padded after decryption */
        for (unsigned i = 0; i < 600; i++) {
                _cleanup_free_ char *text = NULL;
                _cleanup_secret_ Secret *password = NULL;
                CryptoKey *key = NULL;
                char *why = NULL;
                int r;

                ck_assert_int_ge(asprintf(&text, "wrong %u", i), 0);
                password = secret_new(text, strlen(text));
                r = crypto_key_from_pem(pem, password, &key, &why);
                ck_assert_msg(r == -EKEYREJECTED, "%s: %d, %s", text, r, why);
                ck_assert_ptr_null(key);
                expect_why(why, "password");
        }
}
END_TEST

typedef struct Refused {
        const char *file;
        int r;
        const char *why;
} Refused;

static const Refused refused[] = {
        {"p521.key", -EOPNOTSUPP, "P-521"},
        {"p521.sec1", -EOPNOTSUPP, "P-521"},
        {"secp256k1.key", -EOPNOTSUPP, "secp256k1"},
        {"ed25519.key", -EOPNOTSUPP, "Ed25519"},
        {"rsa1024.key", -EOPNOTSUPP, "1024 bits"},
        {"rsa1024.pkcs1", -EOPNOTSUPP, "1024 bits"},
        {"p256.sec1-explicit", -EOPNOTSUPP, "explicit parameters"},
        {"p256.encrypted-legacy", -EOPNOTSUPP, "openssl pkcs8 -topk8"},
        {"rsa2048.encrypted-legacy", -EOPNOTSUPP, "openssl pkcs8 -topk8"},
        {"p256.pem", -EINVAL, "no private key in PEM"},
        {"p256.spki", -EINVAL, "no private key in PEM"},
};

START_TEST(a_key_we_do_not_take_is_refused_by_name)
{
        _cleanup_secret_ Secret *pem = material_read(refused[_i].file);
        CryptoKey *key = NULL;
        char *why = NULL;

        ck_assert_int_eq(crypto_key_from_pem(pem, NULL, &key, &why), refused[_i].r);
        ck_assert_ptr_null(key);
        expect_why(why, refused[_i].why);
}
END_TEST

START_TEST(unsupported_encryption_is_refused_with_the_mend)
{
        static const char *const files[] = {"p256.encrypted-scrypt", "p256.encrypted-aes192",
                                            "p256.encrypted-sha512", "p256.encrypted-slow"};
        _cleanup_secret_ Secret *pem = material_read(files[_i]);
        _cleanup_secret_ Secret *password = secret_new("sesame", 6);
        CryptoKey *key = NULL;
        char *why = NULL;

        ck_assert_int_eq(crypto_key_from_pem(pem, password, &key, &why), -EOPNOTSUPP);
        expect_why(why, "openssl pkcs8 -topk8");
}
END_TEST

START_TEST(a_torn_key_is_refused)
{
        static const char *const files[] = {"p256.key", "p256.sec1", "rsa2048.pkcs1"};
        _cleanup_secret_ Secret *pem = material_read(files[_i]);

        for (size_t n = 0; n < pem->size - 1; n++) {
                _cleanup_secret_ Secret *torn = secret_new(pem->data, n);
                CryptoKey *key = NULL;
                char *why = NULL;
                int r = crypto_key_from_pem(torn, NULL, &key, &why);

                ck_assert_msg(r == -EINVAL, "%zu of %zu bytes: %d", n, pem->size, r);
                ck_assert_ptr_null(key);
                expect_why(why, "private key");
        }
}
END_TEST

START_TEST(a_damaged_key_never_crashes)
{
        static const char *const files[] = {"p256.key", "p256.sec1"};
        _cleanup_secret_ Secret *pem = material_read(files[_i]);

        for (size_t at = 0; at < pem->size; at++) {
                _cleanup_secret_ Secret *damaged = secret_copy(pem);
                _cleanup_crypto_key_ CryptoKey *key = NULL;
                _cleanup_free_ char *why = NULL;

                damaged->data[at] = damaged->data[at] == 'A' ? 'z' : 'A';
                if (crypto_key_from_pem(damaged, NULL, &key, &why) < 0)
                        ck_assert_ptr_nonnull(why);
        }
}
END_TEST

START_TEST(two_keys_in_one_text_are_refused)
{
        _cleanup_secret_ Secret *one = material_read("p256.key"), *two = material_read("p384.key");
        _cleanup_secret_ Secret *both = secret_new(NULL, one->size + two->size);
        CryptoKey *key = NULL;
        char *why = NULL;

        memcpy(both->data, one->data, one->size);
        memcpy(both->data + one->size, two->data, two->size);
        ck_assert_int_eq(crypto_key_from_pem(both, NULL, &key, &why), -EINVAL);
        expect_why(why, "more than one");
}
END_TEST

START_TEST(an_oversize_key_is_refused)
{
        _cleanup_secret_ Secret *pem = secret_new(NULL, CRYPTO_KEY_PEM_MAX + 1);
        CryptoKey *key = NULL;
        char *why = NULL;

        memset(pem->data, '\n', pem->size);
        ck_assert_int_eq(crypto_key_from_pem(pem, NULL, &key, &why), -EMSGSIZE);
        expect_why(why, "16384");
}
END_TEST

/* A SEC 1 file whose public half is another key's: what counts is the private half. */
START_TEST(a_wrong_public_half_in_the_file_is_ignored)
{
        _cleanup_secret_ Secret *pem = material_read("p256.key"), *other = NULL;
        _cleanup_certificate_ Certificate *c = certificate_of("p256.pem");
        _cleanup_crypto_key_ CryptoKey *key = NULL;
        _cleanup_free_ uint8_t *spki = NULL;
        size_t size;
        char *last;

        /* the point ends the PKCS#8 block: change a digit in its last line */
        other = secret_copy(pem);
        last = memmem(other->data, other->size, "\n-----END", 9);
        ck_assert_ptr_nonnull(last);
        last[-8] = last[-8] == 'A' ? 'B' : 'A';
        ck_assert_int_eq(crypto_key_from_pem(other, NULL, &key, NULL), 0);
        ck_assert_int_eq(crypto_key_public_der(key, &spki, &size), 0);
        ck_assert(certificate_carries_key(c, spki, size));
        ck_assert_int_eq(crypto_key_matches_certificate(key, c, NULL), 0);
}
END_TEST

typedef struct Pair {
        const char *key;
        const char *certificate;
        const char *why; /* NULL: they belong together */
} Pair;

static const Pair pairs[] = {
        {"p256.key", "p256.pem", NULL},
        {"p256.key", "p256-compressed.pem", NULL},
        {"p384.key", "p384.pem", NULL},
        {"rsa2048.key", "rsa2048.pem", NULL},
        {"rsa4096.key", "rsa4096.pem", NULL},
        {"p256.key", "other-p256.pem", "although both are ec-p256"},
        {"other-p256.key", "p256.pem", "although both are ec-p256"},
        {"rsa2048.key", "other-rsa2048.pem", "although both are rsa-2048"},
        {"p256.key", "p384.pem", "the key is ec-p256, the certificate's is ec-p384"},
        {"p256.key", "rsa2048.pem", "the certificate's is rsa-2048"},
        {"rsa2048.key", "p256.pem", "the certificate's is ec-p256"},
        {"rsa2048.key", "rsa3072.pem", "the certificate's is rsa-3072"},
        {"p256.key", "ed25519.pem", "not supported"},
};

START_TEST(a_key_matches_its_own_certificate_alone)
{
        const Pair *t = &pairs[_i];
        _cleanup_crypto_key_ CryptoKey *key = key_of(t->key);
        _cleanup_certificate_ Certificate *c = certificate_of(t->certificate);
        char *why = NULL;
        int r = crypto_key_matches_certificate(key, c, &why);

        if (t->why) {
                ck_assert_int_eq(r, -EKEYREJECTED);
                expect_why(why, t->why);
        } else {
                ck_assert_msg(r == 0, "%s", why);
                ck_assert_ptr_null(why);
        }
}
END_TEST

START_TEST(a_key_is_made)
{
        static const char *const names[] = {"ec-p256", "ec-p384", "rsa-2048", "rsa-3072"};
        _cleanup_crypto_key_ CryptoKey *key = NULL, *back = NULL;
        _cleanup_secret_ Secret *pem = NULL;

        ck_assert_int_eq(crypto_key_generate((KeyType) _i, &key), 0);
        ck_assert_str_eq(crypto_key_type_text(key), names[_i]);
        ck_assert_str_eq(key_type_to_string((KeyType) _i), names[_i]);
        ck_assert_int_eq(crypto_key_to_pem(key, &pem), 0);
        ck_assert_int_eq(openssl_judges(secret_text(pem),
                                        "openssl pkey -in %s -check -noout >/dev/null 2>&1"),
                         0);
        ck_assert_int_eq(crypto_key_from_pem(pem, NULL, &back, NULL), 0);
        crypto_trim();
}
END_TEST

START_TEST(no_two_keys_are_alike)
{
        _cleanup_crypto_key_ CryptoKey *a = NULL, *b = NULL;
        _cleanup_secret_ Secret *a_pem = NULL, *b_pem = NULL;

        ck_assert_int_eq(crypto_key_generate(KEY_TYPE_EC_P256, &a), 0);
        ck_assert_int_eq(crypto_key_generate(KEY_TYPE_EC_P256, &b), 0);
        ck_assert_int_eq(crypto_key_to_pem(a, &a_pem), 0);
        ck_assert_int_eq(crypto_key_to_pem(b, &b_pem), 0);
        ck_assert(!secret_equal(a_pem, b_pem));
}
END_TEST

START_TEST(an_unknown_type_is_not_made)
{
        CryptoKey *key = NULL;

        ck_assert_int_eq(crypto_key_generate(KEY_TYPE_MAX, &key), -EINVAL);
        ck_assert_int_eq(crypto_key_generate(KEY_TYPE_INVALID, &key), -EINVAL);
        ck_assert_int_eq(crypto_key_generate((KeyType) 77, &key), -EINVAL);
        ck_assert_ptr_null(key);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("crypto/key");
        TCase *c = tcase_create("key");
        SRunner *runner;
        int failed;

        if (crypto_init() < 0)
                return EXIT_FAILURE;
        tcase_set_timeout(c, 300); /* RSA under valgrind */
        tcase_add_loop_test(c, a_key_of_openssl_is_read, 0, ELEMENTSOF(readable));
        tcase_add_loop_test(c, openssl_reads_what_we_write, 0, ELEMENTSOF(readable));
        tcase_add_loop_test(c, an_encrypted_key_opens_with_its_password, 0, ELEMENTSOF(encrypted));
        tcase_add_loop_test(c, an_encrypted_key_stays_shut_without_a_password, 0,
                            ELEMENTSOF(encrypted));
        tcase_add_loop_test(c, an_encrypted_key_stays_shut_with_wrong_passwords, 0, 3);
        tcase_add_loop_test(c, a_key_we_do_not_take_is_refused_by_name, 0, ELEMENTSOF(refused));
        tcase_add_loop_test(c, unsupported_encryption_is_refused_with_the_mend, 0, 4);
        tcase_add_loop_test(c, a_torn_key_is_refused, 0, 3);
        tcase_add_loop_test(c, a_damaged_key_never_crashes, 0, 2);
        tcase_add_test(c, two_keys_in_one_text_are_refused);
        tcase_add_test(c, an_oversize_key_is_refused);
        tcase_add_test(c, a_wrong_public_half_in_the_file_is_ignored);
        tcase_add_loop_test(c, a_key_matches_its_own_certificate_alone, 0, ELEMENTSOF(pairs));
        tcase_add_loop_test(c, a_key_is_made, 0, KEY_TYPE_MAX);
        tcase_add_test(c, no_two_keys_are_alike);
        tcase_add_test(c, an_unknown_type_is_not_made);
        suite_add_tcase(suite, c);
        runner = srunner_create(suite);
        srunner_run_all(runner, CK_NORMAL);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
