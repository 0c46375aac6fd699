/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/crypto/sas.h"

#include <check.h>
#include <errno.h>

#include "daemon/crypto/crypto.h"

/* Published: "How to use symmetric key attestation with DPS", deriving a device key. */
#define GROUP_KEY                                  \
        "8isrFI1sGsIlvvFSSFRiMfCNzv21fjbE/+ah/lSh" \
        "3lF8e2YG1Te7w1KpZhJFFXJrqYKi9yegxkqIChbqOS9Egw=="
#define ID "sn-007-888-abc-mac-a1-b2-c3-d4-e5-f6"
#define DEVICE_KEY "Jsm0lyGpjaVYVP2g3FnmnmG9dI/9qU24wNoykUmermc="
/* By Python's hmac and base64, with the key above. */
#define SIGNED "0ne00000000%2Fregistrations%2F" ID "\n1700000000"
#define SIGNATURE "UcaBdA4L3Se7NlFQZcBFRndkqyymINWtRUmVT5QYWng="

/* Digits of so many bytes: all zero but for the last group. */
#define A16 "AAAAAAAAAAAAAAAA" /* 12 bytes */
#define A64 A16 A16 A16 A16    /* 48 bytes */

static Secret *text_of(const char *s) {
        Secret *text = secret_new(s, strlen(s));

        ck_assert_ptr_nonnull(text);
        return text;
}

static Secret *key_of(const char *s) {
        _cleanup_secret_ Secret *text = text_of(s);
        Secret *key = NULL;

        ck_assert_int_eq(sas_key_read(text, &key, NULL), 0);
        return key;
}

START_TEST(device_key_of_the_published_vector_comes_out)
{
        _cleanup_secret_ Secret *group = key_of(GROUP_KEY), *key = NULL, *text = NULL;

        ck_assert_uint_eq(group->size, SAS_KEY_MAX);
        ck_assert_int_eq(sas_key_derive(group, ID, &key), 0);
        ck_assert_uint_eq(key->size, 32);
        ck_assert_int_eq(sas_key_write(key, &text), 0);
        ck_assert_uint_eq(text->size, strlen(DEVICE_KEY));
        ck_assert_str_eq(secret_text(text), DEVICE_KEY);
}
END_TEST

START_TEST(signature_is_that_of_others)
{
        _cleanup_secret_ Secret *key = key_of(DEVICE_KEY), *signature = NULL;

        ck_assert_int_eq(sas_sign(key, SIGNED, &signature), 0);
        ck_assert_str_eq(secret_text(signature), SIGNATURE);
        ck_assert_uint_eq(signature->size, strlen(SIGNATURE));
}
END_TEST

static const struct {
        const char *text;
        size_t size;
} good[] = {
        {A16 "AAAAAA==", 16},
        {A16 "AAAAAAA=", 17},
        {A16 "AAAAAAAA", 18},
        {A64 A16 "AAAAAA==", 64},
        {" \t" A16 "AAAAAAA+\r\n\n", 18},
        {A16 "AAAAAA+/\n", 18},
};

START_TEST(key_is_read)
{
        _cleanup_secret_ Secret *key = key_of(good[_i].text), *text = NULL;
        const char *begin = good[_i].text + strspn(good[_i].text, " \t\r\n");

        ck_assert_uint_eq(key->size, good[_i].size);
        ck_assert_int_eq(sas_key_write(key, &text), 0);
        ck_assert_int_eq(strncmp(secret_text(text), begin, text->size), 0);
}
END_TEST

#define NO_BASE64                                                                         \
        "The symmetric key is no base64: copy the whole key, its '=' included, from the " \
        "enrolment"

static const struct {
        const char *text, *why;
} bad[] = {
        {"", "The symmetric key is empty: copy it from the enrolment"},
        {"\n", "The symmetric key is empty: copy it from the enrolment"},
        {A16 "AAAA", "The symmetric key has 15 bytes before base64, and must have 16 to 64"},
        {A64 A16 "AAAAAAA=",
         "The symmetric key has 65 bytes before base64, and must have 16 to 64"},
        {A64 A64 "A", "The symmetric key has 129 characters, and a key of 64 bytes in base64 has "
                      "88: copy the key alone from the enrolment"},
        {A16 "AAAAAAA", NO_BASE64},
        {A16 "AAAAA===", NO_BASE64},
        {A16 "AA==AAAA", NO_BASE64},
        {A16 "=AAAAAAA", NO_BASE64},
        {A16 "AAAA\nAAAA", NO_BASE64},
        {A16 "\nAAAAAAA", NO_BASE64},
        {A16 "AAAA AAA", NO_BASE64},
        {A16 "AAAA-_AA", NO_BASE64},
        {A16 "AAAAAAA\xc3", NO_BASE64},
        {"the key of the device is not here", NO_BASE64},
        {"====", NO_BASE64},
};

START_TEST(what_is_no_key_is_refused_with_the_mend)
{
        _cleanup_secret_ Secret *text = text_of(bad[_i].text);
        Secret *key = NULL;
        char *why = NULL;

        ck_assert_int_eq(sas_key_read(text, &key, &why), -EINVAL);
        ck_assert_str_eq(why, bad[_i].why);
        ck_assert_ptr_null(key);
        free(why);
        ck_assert_int_eq(sas_key_read(text, &key, NULL), -EINVAL);
}
END_TEST

START_TEST(nul_in_a_key_is_no_digit)
{
        _cleanup_secret_ Secret *text = secret_new(A16 "AAAA\0AAA", 24);
        Secret *key = NULL;

        ck_assert_int_eq(sas_key_read(text, &key, NULL), -EINVAL);
        text->data[0] = '\0';
        ck_assert_int_eq(sas_key_read(text, &key, NULL), -EINVAL);
        text->data[0] = 'A';
        text->data[23] = '\0';
        ck_assert_int_eq(sas_key_read(text, &key, NULL), -EINVAL);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("crypto/sas");
        TCase *c = tcase_create("sas");
        SRunner *runner;
        int failed;

        if (crypto_init() < 0)
                return EXIT_FAILURE;
        tcase_add_test(c, device_key_of_the_published_vector_comes_out);
        tcase_add_test(c, signature_is_that_of_others);
        tcase_add_loop_test(c, key_is_read, 0, ELEMENTSOF(good));
        tcase_add_loop_test(c, what_is_no_key_is_refused_with_the_mend, 0, ELEMENTSOF(bad));
        tcase_add_test(c, nul_in_a_key_is_no_digit);
        suite_add_tcase(suite, c);
        runner = srunner_create(suite);
        srunner_run_all(runner, CK_NORMAL);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
