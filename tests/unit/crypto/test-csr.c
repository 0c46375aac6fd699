/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <errno.h>
#include <stdio.h>

#include "daemon/crypto/crypto.h"
#include "daemon/crypto/csr.h"
#include "daemon/crypto/pem.h"
#include "tests/unit/crypto/material.h"

#define OPENSSL_VERIFY "openssl req -in %s -verify -noout 2>&1 | grep -q 'verify OK'"

static CryptoKey *key_of(const char *name) {
        _cleanup_secret_ Secret *pem = material_read(name);
        CryptoKey *key = NULL;

        ck_assert_int_eq(crypto_key_from_pem(pem, NULL, &key, NULL), 0);
        return key;
}

/* Fails unless the text is refused with r for that reason. */
static void expect_refused(const char *pem, size_t size, int expected, const char *reason) {
        /* an allocation of its own, so that a read behind its end is seen */
        _cleanup_free_ char *exact = malloc(size + (size == 0));
        Csr *csr = NULL;
        char *why = NULL;
        int r;

        memcpy(exact, pem, size);
        r = csr_parse(exact, size, &csr, &why);
        ck_assert_msg(r == expected, "%d, not %d: %s", r, expected, why ? why : "no reason");
        ck_assert_ptr_null(csr);
        expect_why(why, reason);
}

static const char *const our_keys[] = {"p256.key",    "p384.key",    "rsa2048.key",
                                       "rsa3072.key", "rsa4096.key", "p256.sec1-no-public"};

START_TEST(openssl_verifies_our_request)
{
        _cleanup_crypto_key_ CryptoKey *key = key_of(our_keys[_i]);
        _cleanup_free_ char *pem = NULL;

        ck_assert_int_eq(csr_make(key, "device-7", &pem), 0);
        ck_assert_int_eq(openssl_judges(pem, OPENSSL_VERIFY), 0);
        ck_assert_int_eq(
                openssl_judges(pem, "openssl req -in %s -noout -text | grep -q 'Version: 1 (0x0)'"),
                0);
        ck_assert_int_eq(
                openssl_judges(pem,
                               "test \"$(openssl req -in %s -noout -subject -nameopt RFC2253)\""
                               " = subject=CN=device-7"),
                0);
}
END_TEST

START_TEST(our_own_parser_takes_our_request)
{
        _cleanup_crypto_key_ CryptoKey *key = key_of(our_keys[_i]);
        _cleanup_csr_ Csr *csr = NULL;
        _cleanup_free_ char *pem = NULL;
        _cleanup_free_ uint8_t *spki = NULL;
        char *why = NULL;
        size_t size;

        ck_assert_int_eq(csr_make(key, "device-7", &pem), 0);
        ck_assert_msg(csr_parse(pem, strlen(pem), &csr, &why) == 0, "%s", why);
        ck_assert_str_eq(csr->key_type, crypto_key_type_text(key));
        ck_assert_int_eq(crypto_key_public_der(key, &spki, &size), 0);
        ck_assert_uint_eq(csr->spki_size, size);
        ck_assert_mem_eq(csr->spki, spki, size);
}
END_TEST

START_TEST(a_generated_key_makes_a_request)
{
        _cleanup_crypto_key_ CryptoKey *key = NULL;
        _cleanup_free_ char *pem = NULL;

        ck_assert_int_eq(crypto_key_generate((KeyType) _i, &key), 0);
        ck_assert_int_eq(csr_make(key, "x", &pem), 0);
        ck_assert_int_eq(openssl_judges(pem, OPENSSL_VERIFY), 0);
}
END_TEST

typedef struct Name {
        const char *given;
        const char *made; /* NULL: refused */
} Name;

#define TEN "0123456789"
#define SIXTY TEN TEN TEN TEN TEN TEN

static const Name names[] = {
        {"x", "x"},
        {"a,b=c+d \"e\"", "a\\,b=c\\+d \\\"e\\\""},
        {SIXTY "abc", SIXTY "abc"},
        {SIXTY "abcd", SIXTY "abc"},
        {SIXTY SIXTY, SIXTY "012"},
        {SIXTY "ab\xc3\xa4", SIXTY "ab"},        /* U+00E4 does not fit any more */
        {SIXTY "a\xc3\xa4z", SIXTY "a\xc3\xa4"}, /* and here it just does */
        {"", NULL},
        {"a\nb", NULL},
        {"a\x7f", NULL},
        {"\xff", NULL},
        {SIXTY SIXTY "\xff", NULL},
        {"\xc3", NULL},
        {"\xc0\xaf", NULL},
};

START_TEST(the_common_name_is_text_of_a_bounded_length)
{
        _cleanup_crypto_key_ CryptoKey *key = key_of("p256.key");
        _cleanup_free_ char *pem = NULL, *command = NULL;
        int r = csr_make(key, names[_i].given, &pem);

        if (!names[_i].made) {
                ck_assert_int_eq(r, -EINVAL);
                ck_assert_ptr_null(pem);
                return;
        }
        ck_assert_int_eq(r, 0);
        ck_assert_int_ge(asprintf(&command,
                                  "openssl req -in %%s -noout -subject -nameopt esc_2253,utf8,"
                                  "sep_comma_plus,sname | grep -Fxq 'subject=CN=%s'",
                                  names[_i].made),
                         0);
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        ck_assert_int_eq(openssl_judges(pem, command), 0);
}
END_TEST

typedef struct Taken {
        const char *file;
        const char *key_type;
        const char *spki; /* NULL: not compared */
} Taken;

static const Taken taken[] = {
        {"p256.csr", "ec-p256", "p256.spki"},
        {"p256-sha512.csr", "ec-p256", "p256.spki"},
        {"p256-new.csr", "ec-p256", "p256.spki"},
        {"p256-extensions.csr", "ec-p256", "p256.spki"},
        {"p256-compressed.csr", "ec-p256", "p256-compressed.spki"},
        {"p384.csr", "ec-p384", "p384.spki"},
        {"p384-sha384.csr", "ec-p384", "p384.spki"},
        {"rsa2048.csr", "rsa-2048", "rsa2048.spki"},
        {"rsa2048-sha384.csr", "rsa-2048", "rsa2048.spki"},
        {"rsa2048-sha512.csr", "rsa-2048", "rsa2048.spki"},
        {"rsa3072.csr", "rsa-3072", "rsa3072.spki"},
        {"rsa4096.csr", "rsa-4096", "rsa4096.spki"},
};

START_TEST(a_request_of_openssl_is_taken)
{
        _cleanup_secret_ Secret *pem = material_read(taken[_i].file);
        _cleanup_secret_ Secret *spki = material_read(taken[_i].spki);
        _cleanup_csr_ Csr *csr = NULL;
        char *why = NULL;

        ck_assert_msg(csr_parse(secret_text(pem), pem->size, &csr, &why) == 0, "%s", why);
        ck_assert_str_eq(csr->key_type, taken[_i].key_type);
        ck_assert_uint_eq(csr->spki_size, spki->size);
        ck_assert_mem_eq(csr->spki, spki->data, spki->size);
}
END_TEST

/* As a job has it that was taken, after a restart too. */
START_TEST(its_key_is_had_again_by_itself)
{
        _cleanup_secret_ Secret *pem = material_read(taken[_i].file);
        _cleanup_secret_ Secret *spki = material_read(taken[_i].spki);
        _cleanup_free_ uint8_t *key = NULL;
        size_t size = 0;

        ck_assert_int_eq(csr_public_key(secret_text(pem), pem->size / 2, &key, &size), -EINVAL);
        ck_assert_ptr_null(key);
        ck_assert_int_eq(csr_public_key(secret_text(pem), pem->size, &key, &size), 0);
        ck_assert_uint_eq(size, spki->size);
        ck_assert_mem_eq(key, spki->data, spki->size);
}
END_TEST

typedef struct Refused {
        const char *file;
        int r;
        const char *why;
} Refused;

static const Refused refused[] = {
        {"p256-sha1.csr", -EOPNOTSUPP, "ECDSA with SHA-1"},
        {"p256-sha224.csr", -EOPNOTSUPP, "ECDSA with SHA-224"},
        {"rsa2048-sha1.csr", -EOPNOTSUPP, "RSA with SHA-1"},
        {"rsa2048-md5.csr", -EOPNOTSUPP, "RSA with MD5"},
        {"rsa2048-pss.csr", -EOPNOTSUPP, "RSASSA-PSS"},
        {"p521.csr", -EOPNOTSUPP, "P-521"},
        {"secp256k1.csr", -EOPNOTSUPP, "secp256k1"},
        {"p256-explicit.csr", -EOPNOTSUPP, "explicit parameters"},
        {"ed25519.csr", -EOPNOTSUPP, "Ed25519"},
        {"rsa1024.csr", -EOPNOTSUPP, "1024 bits"},
        {"p256.pem", -EINVAL, "another PEM block"},
        {"p256.key", -EINVAL, "another PEM block"},
        {"p256.spki", -EINVAL, "no certificate request in PEM"},
};

START_TEST(a_request_we_do_not_take_is_refused_by_name)
{
        _cleanup_secret_ Secret *pem = material_read(refused[_i].file);

        expect_refused(secret_text(pem), pem->size, refused[_i].r, refused[_i].why);
}
END_TEST

START_TEST(only_the_block_may_be_there)
{
        _cleanup_secret_ Secret *pem = material_read("p256.csr");
        const char *text = secret_text(pem);
        _cleanup_csr_ Csr *csr = NULL;
        static const struct {
                const char *before, *behind, *why;
        } around[] = {
                {"hello\n", "", "before or behind"},
                {"", "hello\n", "before or behind"},
                {"", "\x01", "before or behind"},
                {"", "-----BEGIN X-----\n-----END X-----\n", "more than one"},
                {"", "-----BEGIN CERTIFICATE REQUEST-----\n", "more than one"},
                {"-----BEGIN X-----\n-----END X-----\n", "", "another PEM block"},
                {NULL, NULL, "more than one"}, /* twice the same */
        };

        for (size_t i = 0; i < ELEMENTSOF(around); i++) {
                _cleanup_free_ char *all = NULL;

                ck_assert_int_ge(asprintf(&all, "%s%s%s",
                                          around[i].before ? around[i].before : text, text,
                                          around[i].behind ? around[i].behind : ""),
                                 0);
                expect_refused(all, strlen(all), -EINVAL, around[i].why);
        }
        /* a NUL is text, too */
        expect_refused(text, pem->size + 1, -EINVAL, "before or behind");
        for (size_t i = 0; i < 2; i++) {
                _cleanup_free_ char *all = NULL;
                _cleanup_csr_ Csr *ours = NULL;

                ck_assert_int_ge(
                        asprintf(&all, "%s%s%s", i ? "\r\n \n" : "", text, i ? "\n\n" : ""), 0);
                ck_assert_int_eq(csr_parse(all, strlen(all), &ours, NULL), 0);
        }
        /* and its own last line end may be missing */
        ck_assert_int_eq(csr_parse(text, pem->size - 1, &csr, NULL), 0);
}
END_TEST

START_TEST(windows_line_ends_are_taken)
{
        _cleanup_secret_ Secret *pem = material_read("p256.csr");
        _cleanup_free_ char *text = calloc(1, 2 * pem->size);
        _cleanup_csr_ Csr *csr = NULL;
        size_t n = 0;

        for (size_t i = 0; i < pem->size; i++) {
                if (pem->data[i] == '\n')
                        text[n++] = '\r';
                text[n++] = (char) pem->data[i];
        }
        ck_assert_int_eq(csr_parse(text, n, &csr, NULL), 0);
}
END_TEST

START_TEST(every_torn_request_is_refused)
{
        _cleanup_secret_ Secret *pem = material_read(_i ? "rsa2048.csr" : "p256.csr");

        for (size_t n = 0; n < pem->size - 1; n++)
                expect_refused(secret_text(pem), n, -EINVAL, "certificate request");
}
END_TEST

/* Whatever digit is changed: never taken as it is, except that the last digit before the padding
 * has bits that mean nothing. */
START_TEST(every_changed_digit_is_refused)
{
        _cleanup_secret_ Secret *pem = material_read(_i ? "rsa2048.csr" : "p256.csr");
        size_t start = strlen("-----BEGIN CERTIFICATE REQUEST-----\n");
        const char *end = strstr(secret_text(pem), "\n-----END");
        size_t last = (size_t) (end - secret_text(pem)) - 1;

        while (pem->data[last] == '=')
                last--;
        for (size_t at = start; at < last; at++) {
                _cleanup_free_ char *why = NULL;
                uint8_t was = pem->data[at];
                Csr *csr = NULL;

                if (was == '\n')
                        continue;
                pem->data[at] = was == 'A' ? 'B' : 'A';
                ck_assert_msg(csr_parse(secret_text(pem), pem->size, &csr, &why) < 0, "at %zu", at);
                ck_assert_ptr_nonnull(why);
                ck_assert_ptr_null(csr);
                pem->data[at] = was;
        }
}
END_TEST

/* The first digit of the subject's text, so that only the signature shows it. */
START_TEST(a_changed_subject_breaks_the_signature)
{
        _cleanup_secret_ Secret *pem = material_read(_i ? "rsa2048.csr" : "p256.csr");
        size_t start = strlen("-----BEGIN CERTIFICATE REQUEST-----\n");

        /* the 30th byte of the DER is within "device-7" */
        pem->data[start + 40] = pem->data[start + 40] == 'A' ? 'B' : 'A';
        expect_refused(secret_text(pem), pem->size, -EBADMSG, "signature is wrong");
}
END_TEST

/* Such a point reveals private keys elsewhere; here it is refused before anything is computed. */
START_TEST(a_point_beside_its_curve_is_refused)
{
        _cleanup_secret_ Secret *pem = material_read("p256.csr"),
                                *spki = material_read("p256.spki");
        _cleanup_secret_ Secret *der = NULL, *bent = NULL;
        PemBlock block;
        uint8_t *point;

        ck_assert_int_eq(pem_find(secret_text(pem), secret_text(pem) + pem->size, &block), 1);
        ck_assert_int_eq(pem_decode(&block, &der), 0);
        point = memmem(der->data, der->size, spki->data + spki->size - 64, 64);
        ck_assert_ptr_nonnull(point);
        point[63] ^= 1;
        ck_assert_int_eq(pem_encode("CERTIFICATE REQUEST", der->data, der->size, &bent), 0);
        expect_refused(secret_text(bent), bent->size, -EINVAL, "not on its curve");
}
END_TEST

START_TEST(an_oversize_request_is_refused)
{
        _cleanup_secret_ Secret *pem = material_read("p256.csr");
        _cleanup_free_ char *text = malloc(IPC_CSR_MAX + 1);
        _cleanup_csr_ Csr *csr = NULL;

        memset(text, '\n', IPC_CSR_MAX + 1);
        memcpy(text, pem->data, pem->size);
        expect_refused(text, IPC_CSR_MAX + 1, -EMSGSIZE, "8192 bytes");
        ck_assert_int_eq(csr_parse(text, IPC_CSR_MAX, &csr, NULL), 0);
}
END_TEST

START_TEST(the_reason_may_be_left_out)
{
        Csr *csr = NULL;

        ck_assert_int_eq(csr_parse("x", 1, &csr, NULL), -EINVAL);
        ck_assert_int_eq(csr_parse("", 0, &csr, NULL), -EINVAL);
        ck_assert_ptr_null(csr);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("crypto/csr");
        TCase *c = tcase_create("csr");
        SRunner *runner;
        int failed;

        if (crypto_init() < 0)
                return EXIT_FAILURE;
        tcase_set_timeout(c, 300);
        tcase_add_loop_test(c, openssl_verifies_our_request, 0, ELEMENTSOF(our_keys));
        tcase_add_loop_test(c, our_own_parser_takes_our_request, 0, ELEMENTSOF(our_keys));
        tcase_add_loop_test(c, a_generated_key_makes_a_request, 0, KEY_TYPE_RSA_3072);
        tcase_add_loop_test(c, the_common_name_is_text_of_a_bounded_length, 0, ELEMENTSOF(names));
        tcase_add_loop_test(c, a_request_of_openssl_is_taken, 0, ELEMENTSOF(taken));
        tcase_add_loop_test(c, its_key_is_had_again_by_itself, 0, ELEMENTSOF(taken));
        tcase_add_loop_test(c, a_request_we_do_not_take_is_refused_by_name, 0, ELEMENTSOF(refused));
        tcase_add_test(c, only_the_block_may_be_there);
        tcase_add_test(c, windows_line_ends_are_taken);
        tcase_add_loop_test(c, every_torn_request_is_refused, 0, 2);
        tcase_add_loop_test(c, every_changed_digit_is_refused, 0, 2);
        tcase_add_loop_test(c, a_changed_subject_breaks_the_signature, 0, 2);
        tcase_add_test(c, a_point_beside_its_curve_is_refused);
        tcase_add_test(c, an_oversize_request_is_refused);
        tcase_add_test(c, the_reason_may_be_left_out);
        suite_add_tcase(suite, c);
        runner = srunner_create(suite);
        srunner_run_all(runner, CK_NORMAL);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
