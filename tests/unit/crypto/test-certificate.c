/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <errno.h>
#include <stdio.h>

#include "daemon/crypto/certificate.h"
#include "daemon/crypto/crypto.h"
#include "tests/unit/crypto/material.h"

static Certificate *certificate_of(const char *name) {
        _cleanup_secret_ Secret *pem = material_read(name);
        Certificate *c = NULL;
        char *why = NULL;
        int r = certificate_parse(secret_text(pem), pem->size, &c, &why);

        ck_assert_msg(r == 0, "%s: %d, %s", name, r, why ? why : "no reason");
        ck_assert_ptr_null(why);
        return c;
}

static char *file_name(const char *stem, const char *ending) {
        char *name = NULL;

        ck_assert_int_ge(asprintf(&name, "%s.%s", stem, ending), 0);
        return name;
}

static const char *const described[] = {"p256", "p384",    "rsa2048",         "rsa3072", "rsa4096",
                                        "p521", "ed25519", "p256-compressed", "ca",      "names"};

START_TEST(it_says_what_openssl_says)
{
        const char *stem = described[_i];
        _cleanup_free_ char *pem = file_name(stem, "pem"),
                            *subject_file = file_name(stem, "subject"),
                            *print_file = file_name(stem, "fingerprint"),
                            *serial_file = file_name(stem, "serial"),
                            *spki_file = file_name(stem, "spki");
        _cleanup_certificate_ Certificate *c = certificate_of(pem);
        _cleanup_free_ char *subject = material_line(subject_file),
                            *print = material_line(print_file),
                            *serial = material_line(serial_file);
        _cleanup_secret_ Secret *spki = material_read(spki_file);
        const char *digits = serial;

        while (strncmp(digits, "00", 2) == 0)
                digits += 2;
        if (!streq(stem, "names")) /* see the test below */
                ck_assert_str_eq(c->subject, subject);
        ck_assert_str_eq(c->fingerprint, print);
        ck_assert_uint_eq(strlen(c->fingerprint), CERTIFICATE_FINGERPRINT_LENGTH);
        ck_assert_str_eq(c->serial, digits);
        ck_assert_uint_eq(c->spki_size, spki->size);
        ck_assert_mem_eq(c->spki, spki->data, spki->size);
        ck_assert_uint_eq(c->chain_count, 1);
        ck_assert(c->not_after - c->not_before == 3650 * USEC_PER_DAY);
}
END_TEST

START_TEST(a_subject_is_shown_after_rfc_4514)
{
        _cleanup_certificate_ Certificate *names = certificate_of("names.pem");
        _cleanup_certificate_ Certificate *none = certificate_of("no-subject.pem");

        ck_assert_str_eq(names->subject, "serialNumber=0042+CN=Gerät-7,O=\\ x#\\;\\<\\+\\>\\\\\\ ,"
                                         "OU=Line 7\\, hall \\\"A\\\",DC=org");
        ck_assert_str_eq(none->subject, "");
}
END_TEST

START_TEST(common_name_is_what_stands_there)
{
        static const struct {
                const char *file, *name;
        } files[] = {{"p256.pem", "device-7"},
                     {"names.pem", "Ger\xc3\xa4t-7"},
                     {"no-subject.pem", NULL}};

        for (size_t i = 0; i < ELEMENTSOF(files); i++) {
                _cleanup_certificate_ Certificate *c = certificate_of(files[i].file);

                ck_assert_pstr_eq(c->common_name, files[i].name);
        }
}
END_TEST

START_TEST(dates_are_read)
{
        /* as `date -ud … +%s` says */
        static const struct {
                const char *file;
                usec_t not_before, not_after;
        } dated[] = {
                {"ancient.pem", 0, 0},
                {"usual.pem", 1709210096, 2524607999},
                {"eternal.pem", 2524608000, 253402300799},
        };
        _cleanup_certificate_ Certificate *c = certificate_of(dated[_i].file);

        ck_assert_uint_eq(c->not_before, dated[_i].not_before * USEC_PER_SEC);
        ck_assert_uint_eq(c->not_after, dated[_i].not_after * USEC_PER_SEC);
}
END_TEST

START_TEST(a_ca_is_told_from_a_leaf)
{
        _cleanup_certificate_ Certificate *ca = certificate_of("ca.pem");
        _cleanup_certificate_ Certificate *leaf = certificate_of("p256.pem");
        _cleanup_certificate_ Certificate *plain = certificate_of("usage.pem");
        _cleanup_certificate_ Certificate *version_1 = certificate_of("version-1.pem");

        ck_assert(ca->is_ca);
        ck_assert(!leaf->is_ca);
        ck_assert(!plain->is_ca);
        ck_assert(version_1->is_ca);
}
END_TEST

START_TEST(the_first_of_a_chain_is_the_leaf)
{
        _cleanup_certificate_ Certificate *chain = certificate_of("chain.pem");
        _cleanup_certificate_ Certificate *leaf = certificate_of("p256.pem");

        ck_assert_uint_eq(chain->chain_count, 2);
        ck_assert_str_eq(chain->fingerprint, leaf->fingerprint);
}
END_TEST

START_TEST(text_and_keys_beside_it_are_passed_over)
{
        _cleanup_secret_ Secret *key = material_read("p256.key"), *pem = material_read("p256.pem");
        _cleanup_certificate_ Certificate *c = NULL;
        _cleanup_(secret_string_freep) char *both = NULL;

        ck_assert_int_ge(asprintf(&both, "subject: a device\n%s# comment\n%s", secret_text(key),
                                  secret_text(pem)),
                         0);
        ck_assert_int_eq(certificate_parse(both, strlen(both), &c, NULL), 0);
        ck_assert_uint_eq(c->chain_count, 1);
}
END_TEST

typedef struct Carries {
        const char *certificate;
        const char *spki;
        bool expected;
} Carries;

static const Carries carries[] = {
        {"p256.pem", "p256.spki", true},
        {"rsa2048.pem", "rsa2048.spki", true},
        {"ed25519.pem", "ed25519.spki", true},
        /* the same point, written in two ways */
        {"p256-compressed.pem", "p256.spki", true},
        {"p256.pem", "p256-compressed.spki", true},
        {"p256.pem", "other-p256.spki", false},
        {"rsa2048.pem", "other-rsa2048.spki", false},
        {"rsa2048.pem", "rsa3072.spki", false},
        {"p256.pem", "p384.spki", false},
        {"p256.pem", "rsa2048.spki", false},
        {"p256.pem", "p521.spki", false},
        {"ed25519.pem", "p256.spki", false},
        {"p256.pem", "p256.pem", false}, /* no SubjectPublicKeyInfo at all */
};

START_TEST(a_certificate_carries_one_key)
{
        _cleanup_certificate_ Certificate *c = certificate_of(carries[_i].certificate);
        _cleanup_secret_ Secret *spki = material_read(carries[_i].spki);

        ck_assert(certificate_carries_key(c, spki->data, spki->size) == carries[_i].expected);
        ck_assert(!certificate_carries_key(c, spki->data, spki->size - 1));
        ck_assert(!certificate_carries_key(c, spki->data, 0));
}
END_TEST

START_TEST(each_changed_bit_of_a_key_is_seen)
{
        _cleanup_certificate_ Certificate *c = certificate_of("p256.pem");
        _cleanup_secret_ Secret *spki = material_read("p256.spki");

        for (size_t bit = 0; bit < 8 * spki->size; bit++) {
                spki->data[bit / 8] ^= (uint8_t) (1U << bit % 8);
                ck_assert_msg(!certificate_carries_key(c, spki->data, spki->size), "bit %zu", bit);
                spki->data[bit / 8] ^= (uint8_t) (1U << bit % 8);
        }
}
END_TEST

START_TEST(every_torn_certificate_is_refused)
{
        static const char *const files[] = {"p256.pem", "rsa2048.pem"};
        _cleanup_secret_ Secret *pem = material_read(files[_i]);

        for (size_t n = 0; n < pem->size - 1; n++) {
                _cleanup_free_ char *torn = malloc(n + 1);
                Certificate *c = NULL;
                char *why = NULL;

                memcpy(torn, pem->data, n);
                ck_assert_int_eq(certificate_parse(torn, n, &c, &why), -EINVAL);
                ck_assert_ptr_null(c);
                expect_why(why, "ertificate");
        }
}
END_TEST

START_TEST(a_damaged_certificate_never_crashes)
{
        static const char *const files[] = {"names.pem", "ca.pem"};
        _cleanup_secret_ Secret *pem = material_read(files[_i]);

        for (size_t at = 0; at < pem->size; at++)
                for (unsigned digit = 0; digit < 4; digit++) {
                        _cleanup_certificate_ Certificate *c = NULL;
                        _cleanup_free_ char *why = NULL;
                        uint8_t was = pem->data[at];

                        pem->data[at] = (uint8_t) "A/z="[digit];
                        if (certificate_parse(secret_text(pem), pem->size, &c, &why) < 0)
                                ck_assert_ptr_nonnull(why);
                        pem->data[at] = was;
                }
}
END_TEST

START_TEST(a_broken_link_of_a_chain_is_named)
{
        _cleanup_secret_ Secret *chain = material_read("chain.pem");
        char *second = strstr((char *) chain->data + 1, "-----BEGIN"), *why = NULL;
        Certificate *c = NULL;

        ck_assert_ptr_nonnull(second);
        second[60] = '*';
        ck_assert_int_eq(certificate_parse(secret_text(chain), chain->size, &c, &why), -EINVAL);
        ck_assert_ptr_null(c);
        expect_why(why, "Certificate 2 ");
}
END_TEST

START_TEST(what_is_too_much_is_refused)
{
        _cleanup_secret_ Secret *pem = material_read("p256.pem");
        size_t n = CERTIFICATE_CHAIN_MAX + 1;
        _cleanup_secret_ Secret *many = secret_new(NULL, n * pem->size);
        _cleanup_secret_ Secret *large = secret_new(NULL, CERTIFICATE_PEM_MAX + 1);
        Certificate *c = NULL;
        char *why = NULL;

        for (size_t i = 0; i < n; i++)
                memcpy(many->data + i * pem->size, pem->data, pem->size);
        ck_assert_int_eq(certificate_parse(secret_text(many), many->size, &c, &why), -EMSGSIZE);
        expect_why(why, "16 certificates");
        ck_assert_int_eq(certificate_parse(secret_text(large), large->size, &c, &why), -EMSGSIZE);
        expect_why(why, "65536 bytes");
        ck_assert_int_eq(certificate_parse(secret_text(many), many->size - pem->size, &c, NULL), 0);
        ck_assert_uint_eq(c->chain_count, CERTIFICATE_CHAIN_MAX);
        certificate_free(c);
}
END_TEST

START_TEST(what_is_no_certificate_is_refused)
{
        static const char *const files[] = {"p256.key", "p256.csr", "p256.spki"};
        _cleanup_secret_ Secret *pem = material_read(files[_i]);
        Certificate *c = NULL;
        char *why = NULL;

        ck_assert_int_eq(certificate_parse(secret_text(pem), pem->size, &c, &why), -EINVAL);
        expect_why(why, "no certificate in PEM");
}
END_TEST

START_TEST(a_bundle_of_roots_is_checked)
{
        static const struct {
                const char *file, *why;
        } bundles[] = {
                {"ca.pem", NULL},
                {"p256.pem", "Certificate 1 of the trusted ones (CN=device-7,O=Example GmbH,C=DE)"},
                {"chain.pem", "Certificate 1 of the trusted ones"},
                {"p256.key", "no trusted certificate"},
        };
        _cleanup_secret_ Secret *pem = material_read(bundles[_i].file);
        size_t n = 0;
        char *why = NULL;
        int r = certificate_check_bundle(secret_text(pem), pem->size, &n, &why);

        if (bundles[_i].why) {
                ck_assert_int_eq(r, -EINVAL);
                expect_why(why, bundles[_i].why);
        } else {
                ck_assert_int_eq(r, 0);
                ck_assert_uint_eq(n, 1);
        }
}
END_TEST

START_TEST(the_bundle_of_the_system_passes)
{
        _cleanup_secret_ Secret *pem = NULL;
        size_t n = 0;
        char *why = NULL;

        /* where there is one */
        if (secret_from_file(-1, "/etc/ssl/certs/ca-certificates.crt", CERTIFICATE_BUNDLE_MAX,
                             &pem) < 0)
                return;
        ck_assert_msg(certificate_check_bundle(secret_text(pem), pem->size, &n, &why) == 0, "%s",
                      why);
        ck_assert_uint_ge(n, 50);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("crypto/certificate");
        TCase *c = tcase_create("certificate");
        SRunner *runner;
        int failed;

        if (crypto_init() < 0)
                return EXIT_FAILURE;
        tcase_set_timeout(c, 120);
        tcase_add_loop_test(c, it_says_what_openssl_says, 0, ELEMENTSOF(described));
        tcase_add_test(c, a_subject_is_shown_after_rfc_4514);
        tcase_add_test(c, common_name_is_what_stands_there);
        tcase_add_loop_test(c, dates_are_read, 0, 3);
        tcase_add_test(c, a_ca_is_told_from_a_leaf);
        tcase_add_test(c, the_first_of_a_chain_is_the_leaf);
        tcase_add_test(c, text_and_keys_beside_it_are_passed_over);
        tcase_add_loop_test(c, a_certificate_carries_one_key, 0, ELEMENTSOF(carries));
        tcase_add_test(c, each_changed_bit_of_a_key_is_seen);
        tcase_add_loop_test(c, every_torn_certificate_is_refused, 0, 2);
        tcase_add_loop_test(c, a_damaged_certificate_never_crashes, 0, 2);
        tcase_add_test(c, a_broken_link_of_a_chain_is_named);
        tcase_add_test(c, what_is_too_much_is_refused);
        tcase_add_loop_test(c, what_is_no_certificate_is_refused, 0, 3);
        tcase_add_loop_test(c, a_bundle_of_roots_is_checked, 0, 4);
        tcase_add_test(c, the_bundle_of_the_system_passes);
        suite_add_tcase(suite, c);
        runner = srunner_create(suite);
        srunner_run_all(runner, CK_NORMAL);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
