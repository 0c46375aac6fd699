/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <errno.h>

#include "daemon/crypto/crypto.h"
#include "daemon/crypto/seal.h"

static const char aad[] = "1\0job\0owner\0private-key";

static SealKey *a_key(void) {
        SealKey *key = NULL;

        ck_assert_int_eq(seal_key_generate(&key), 0);
        return key;
}

static Secret *a_secret(void) {
        return secret_new("the quick brown fox", 19);
}

static uint8_t *sealed(const SealKey *key, size_t *ret_size) {
        _cleanup_secret_ Secret *plain = a_secret();
        uint8_t *record = NULL;

        ck_assert_int_eq(seal(key, aad, sizeof(aad), plain, &record, ret_size), 0);
        return record;
}

START_TEST(what_is_sealed_comes_back)
{
        _cleanup_seal_key_ SealKey *key = a_key();
        static const size_t sizes[] = {0, 1, 15, 16, 17, 4096, SEAL_PLAIN_MAX};
        _cleanup_secret_ Secret *plain = secret_new(NULL, sizes[_i]), *back = NULL;
        _cleanup_free_ uint8_t *record = NULL;
        size_t size = 0;

        memset(plain->data, 0xa5, plain->size);
        ck_assert_int_eq(seal(key, aad, sizeof(aad), plain, &record, &size), 0);
        ck_assert_uint_eq(size, plain->size + SEAL_OVERHEAD);
        ck_assert_int_eq(unseal(key, aad, sizeof(aad), record, size, &back), 0);
        ck_assert(secret_equal(plain, back));
}
END_TEST

START_TEST(additional_data_may_be_absent)
{
        _cleanup_seal_key_ SealKey *key = a_key();
        _cleanup_secret_ Secret *plain = a_secret(), *back = NULL;
        _cleanup_free_ uint8_t *record = NULL;
        size_t size;

        ck_assert_int_eq(seal(key, NULL, 0, plain, &record, &size), 0);
        ck_assert_int_eq(unseal(key, "x", 1, record, size, &back), -EBADMSG);
        ck_assert_int_eq(unseal(key, NULL, 0, record, size, &back), 0);
}
END_TEST

START_TEST(a_record_shows_nothing_of_the_secret)
{
        _cleanup_seal_key_ SealKey *key = a_key();
        _cleanup_free_ uint8_t *record = NULL;
        size_t size;

        record = sealed(key, &size);
        ck_assert_ptr_null(memmem(record, size, "quick", 5));
        ck_assert_ptr_null(memmem(record, size, key->key, 8));
}
END_TEST

START_TEST(the_same_secret_never_makes_the_same_record)
{
        _cleanup_seal_key_ SealKey *key = a_key();
        _cleanup_free_ uint8_t *a = NULL, *b = NULL;
        size_t a_size, b_size;

        a = sealed(key, &a_size);
        b = sealed(key, &b_size);
        ck_assert_uint_eq(a_size, b_size);
        /* the nonce, and all that depends on it */
        ck_assert_mem_eq(a, b, 9);
        ck_assert_mem_ne(a + 9, b + 9, 12);
        ck_assert_mem_ne(a + 21, b + 21, a_size - 21);
}
END_TEST

START_TEST(every_prefix_is_refused)
{
        _cleanup_seal_key_ SealKey *key = a_key();
        _cleanup_free_ uint8_t *record = NULL;
        size_t size;

        record = sealed(key, &size);
        for (size_t n = 0; n < size; n++) {
                /* an allocation of its own, so that a read behind its end is seen */
                _cleanup_free_ uint8_t *torn = malloc(n + 1);
                Secret *back = NULL;

                memcpy(torn, record, n);
                ck_assert_int_eq(unseal(key, aad, sizeof(aad), torn, n, &back), -EBADMSG);
                ck_assert_ptr_null(back);
        }
}
END_TEST

START_TEST(something_behind_the_record_is_refused)
{
        _cleanup_seal_key_ SealKey *key = a_key();
        _cleanup_free_ uint8_t *record = NULL, *longer = NULL;
        Secret *back = NULL;
        size_t size;

        record = sealed(key, &size);
        longer = calloc(1, size + 1);
        memcpy(longer, record, size);
        ck_assert_int_eq(unseal(key, aad, sizeof(aad), longer, size + 1, &back), -EBADMSG);
        ck_assert_ptr_null(back);
}
END_TEST

START_TEST(each_flipped_bit_is_refused)
{
        _cleanup_seal_key_ SealKey *key = a_key();
        _cleanup_free_ uint8_t *record = NULL;
        size_t size;

        record = sealed(key, &size);
        for (size_t bit = 0; bit < 8 * size; bit++) {
                bool in_key_id = bit / 8 >= 1 && bit / 8 < 9;
                Secret *back = NULL;

                record[bit / 8] ^= (uint8_t) (1U << bit % 8);
                ck_assert_int_eq(unseal(key, aad, sizeof(aad), record, size, &back),
                                 in_key_id ? -ENOKEY : -EBADMSG);
                ck_assert_ptr_null(back);
                record[bit / 8] ^= (uint8_t) (1U << bit % 8);
        }
}
END_TEST

START_TEST(a_record_does_not_open_in_another_place)
{
        _cleanup_seal_key_ SealKey *key = a_key();
        _cleanup_free_ uint8_t *record = NULL;
        char other[sizeof(aad)];
        Secret *back = NULL;
        size_t size;

        record = sealed(key, &size);
        memcpy(other, aad, sizeof(aad));
        for (size_t i = 0; i < sizeof(other); i++) {
                other[i] ^= 1;
                ck_assert_int_eq(unseal(key, other, sizeof(other), record, size, &back), -EBADMSG);
                other[i] ^= 1;
        }
        ck_assert_int_eq(unseal(key, aad, sizeof(aad) - 1, record, size, &back), -EBADMSG);
        ck_assert_int_eq(unseal(key, NULL, 0, record, size, &back), -EBADMSG);
        ck_assert_ptr_null(back);
}
END_TEST

START_TEST(another_key_is_named_not_tried)
{
        _cleanup_seal_key_ SealKey *key = a_key(), *other = a_key();
        _cleanup_free_ uint8_t *record = NULL;
        char id[SEAL_KEY_ID_LENGTH + 1];
        Secret *back = NULL;
        size_t size;

        record = sealed(key, &size);
        ck_assert_str_ne(key->id, other->id);
        ck_assert_int_eq(unseal(other, aad, sizeof(aad), record, size, &back), -ENOKEY);
        ck_assert_ptr_null(back);
        ck_assert_int_eq(seal_record_key_id(record, size, id), 0);
        ck_assert_str_eq(id, key->id);
}
END_TEST

START_TEST(a_forged_key_id_opens_nothing)
{
        _cleanup_seal_key_ SealKey *key = a_key(), *other = a_key();
        _cleanup_free_ uint8_t *record = NULL, *foreign = NULL;
        Secret *back = NULL;
        size_t size, foreign_size;

        record = sealed(key, &size);
        foreign = sealed(other, &foreign_size);
        memcpy(record + 1, foreign + 1, 8);
        ck_assert_int_eq(unseal(other, aad, sizeof(aad), record, size, &back), -EBADMSG);
        ck_assert_ptr_null(back);
}
END_TEST

START_TEST(a_key_of_32_bytes_is_taken_as_it_is)
{
        /* the id as `(printf 'fleetprovd state key'; printf '0123456789abcdef0123456789abcdef') |
         * sha256sum | cut -c1-16` says */
        _cleanup_secret_ Secret *secret = secret_new("0123456789abcdef0123456789abcdef", 32);
        _cleanup_secret_ Secret *back = NULL;
        _cleanup_seal_key_ SealKey *key = NULL;

        ck_assert_int_eq(seal_key_from_secret(secret, &key), 0);
        ck_assert_mem_eq(key->key, secret->data, 32);
        ck_assert_str_eq(key->id, "06fc6bd2c6355a80");
        ck_assert_int_eq(seal_key_to_secret(key, &back), 0);
        ck_assert(secret_equal(secret, back));
}
END_TEST

START_TEST(other_lengths_are_stretched)
{
        /* as `openssl kdf -keylen 32 -kdfopt digest:SHA2-256 -kdfopt key:0123456789abcdef -kdfopt
         * info:'fleetprovd state key' HKDF` says */
        static const uint8_t expected[] = {0x08, 0x39, 0x77, 0xe1, 0xa4, 0x20, 0x57, 0x45,
                                           0x58, 0x22, 0x3f, 0x5c, 0xee, 0xb9, 0xb4, 0x93,
                                           0x6b, 0x0e, 0x8f, 0x7a, 0xff, 0xaf, 0xd1, 0x30,
                                           0xbd, 0x36, 0x77, 0xe1, 0x32, 0x4d, 0xf9, 0x4c};
        _cleanup_secret_ Secret *secret = secret_new("0123456789abcdef", 16);
        _cleanup_seal_key_ SealKey *key = NULL;

        ck_assert_int_eq(seal_key_from_secret(secret, &key), 0);
        ck_assert_mem_eq(key->key, expected, sizeof(expected));
}
END_TEST

START_TEST(a_short_credential_is_refused)
{
        _cleanup_secret_ Secret *secret = secret_new("0123456789abcde", 15);
        SealKey *key = NULL;

        ck_assert_int_eq(seal_key_from_secret(secret, &key), -EINVAL);
        ck_assert_ptr_null(key);
}
END_TEST

START_TEST(what_is_too_long_is_refused)
{
        _cleanup_seal_key_ SealKey *key = a_key();
        _cleanup_secret_ Secret *secret = secret_new(NULL, SEAL_PLAIN_MAX + 1), *back = NULL;
        _cleanup_free_ uint8_t *long_aad = calloc(1, SEAL_AAD_MAX + 1), *long_record = NULL;
        uint8_t *record = NULL;
        size_t size;

        ck_assert_int_eq(seal(key, NULL, 0, secret, &record, &size), -EMSGSIZE);
        secret->size = 1;
        ck_assert_int_eq(seal(key, long_aad, SEAL_AAD_MAX + 1, secret, &record, &size), -EMSGSIZE);
        ck_assert_ptr_null(record);
        long_record = calloc(1, SEAL_PLAIN_MAX + SEAL_OVERHEAD + 1);
        long_record[0] = 1;
        ck_assert_int_eq(
                unseal(key, NULL, 0, long_record, SEAL_PLAIN_MAX + SEAL_OVERHEAD + 1, &back),
                -EBADMSG);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("crypto/seal");
        TCase *c = tcase_create("seal");
        SRunner *runner;
        int failed;

        if (crypto_init() < 0)
                return EXIT_FAILURE;
        tcase_set_timeout(c, 60);
        tcase_add_loop_test(c, what_is_sealed_comes_back, 0, 7);
        tcase_add_test(c, additional_data_may_be_absent);
        tcase_add_test(c, a_record_shows_nothing_of_the_secret);
        tcase_add_test(c, the_same_secret_never_makes_the_same_record);
        tcase_add_test(c, every_prefix_is_refused);
        tcase_add_test(c, something_behind_the_record_is_refused);
        tcase_add_test(c, each_flipped_bit_is_refused);
        tcase_add_test(c, a_record_does_not_open_in_another_place);
        tcase_add_test(c, another_key_is_named_not_tried);
        tcase_add_test(c, a_forged_key_id_opens_nothing);
        tcase_add_test(c, a_key_of_32_bytes_is_taken_as_it_is);
        tcase_add_test(c, other_lengths_are_stretched);
        tcase_add_test(c, a_short_credential_is_refused);
        tcase_add_test(c, what_is_too_long_is_refused);
        suite_add_tcase(suite, c);
        runner = srunner_create(suite);
        srunner_run_all(runner, CK_NORMAL);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
