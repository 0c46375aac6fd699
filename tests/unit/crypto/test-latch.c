/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <errno.h>
#include <stdio.h>

#include "daemon/crypto/crypto.h"
#include "daemon/crypto/pkcs11-standard.h"
#include "daemon/crypto/token-latch.h"

static Secret *right, *wrong;

static void setup(void) {
        ck_assert_int_eq(crypto_init(), 0);
        right = secret_new("1234", 4);
        wrong = secret_new("1243", 4);
        ck_assert(right && wrong);
}

static void teardown(void) {
        right = secret_free(right);
        wrong = secret_free(wrong);
}

static TokenLatchVerdict decide(const TokenLatch *l, const Secret *pin, unsigned long flags) {
        TokenLatchVerdict verdict = TOKEN_LATCH_LOCKED;

        ck_assert_int_eq(token_latch_decide(l, pin, flags, &verdict), 0);
        return verdict;
}

static void begin(TokenLatch *l, const Secret *pin) {
        ck_assert_int_eq(token_latch_begin(l, pin), 0);
        ck_assert_int_eq(l->state, TOKEN_LATCH_BEGUN);
}

START_TEST(a_pin_that_was_refused_is_never_tried_again)
{
        TokenLatch l = {};

        begin(&l, wrong);
        l.state = TOKEN_LATCH_REFUSED;
        ck_assert_int_eq(decide(&l, wrong, 0), TOKEN_LATCH_WAS_REFUSED);
        ck_assert_int_eq(decide(&l, wrong, CKF_USER_PIN_COUNT_LOW), TOKEN_LATCH_WAS_REFUSED);
        ck_assert_int_eq(decide(&l, wrong, CKF_USER_PIN_FINAL_TRY), TOKEN_LATCH_WAS_REFUSED);
}
END_TEST

START_TEST(another_pin_gets_its_try)
{
        TokenLatch l = {};

        begin(&l, wrong);
        l.state = TOKEN_LATCH_REFUSED;
        ck_assert_int_eq(decide(&l, right, CKF_USER_PIN_COUNT_LOW), TOKEN_LATCH_TRY);
        begin(&l, right);
        ck_assert_uint_eq(l.begun, 1);
        ck_assert_int_eq(decide(&l, wrong, 0), TOKEN_LATCH_TRY);
}
END_TEST

START_TEST(the_last_try_is_left_to_people)
{
        ck_assert_int_eq(decide(&(TokenLatch){}, right, CKF_USER_PIN_FINAL_TRY),
                         TOKEN_LATCH_FINAL_TRY);
        ck_assert_int_eq(
                decide(&(TokenLatch){}, right, CKF_USER_PIN_FINAL_TRY | CKF_USER_PIN_COUNT_LOW),
                TOKEN_LATCH_FINAL_TRY);
        ck_assert_int_eq(decide(&(TokenLatch){}, right, CKF_USER_PIN_LOCKED), TOKEN_LATCH_LOCKED);
        ck_assert_int_eq(decide(&(TokenLatch){}, right, CKF_USER_PIN_COUNT_LOW), TOKEN_LATCH_TRY);
}
END_TEST

START_TEST(a_try_that_was_cut_off_may_be_repeated_once)
{
        TokenLatch l = {};

        begin(&l, right);
        ck_assert_int_eq(decide(&l, right, 0), TOKEN_LATCH_TRY);
        begin(&l, right);
        ck_assert_uint_eq(l.begun, TOKEN_LATCH_BEGUN_MAX);
        ck_assert_int_eq(decide(&l, right, 0), TOKEN_LATCH_IN_DOUBT);
}
END_TEST

START_TEST(a_try_that_was_cut_off_and_wrong_is_not_repeated)
{
        TokenLatch l = {};

        begin(&l, wrong);
        ck_assert_int_eq(decide(&l, wrong, CKF_USER_PIN_COUNT_LOW), TOKEN_LATCH_IN_DOUBT);
}
END_TEST

START_TEST(a_record_is_read_as_it_was_written)
{
        char text[TOKEN_LATCH_TEXT_MAX];
        TokenLatch l = {}, read = {};

        begin(&l, wrong);
        if (_i)
                l = (TokenLatch){TOKEN_LATCH_REFUSED, 0, {1, 2, 0xff}, {0xab}};
        token_latch_write(&l, text);
        ck_assert_ptr_null(strstr(text, "1243"));
        ck_assert_int_eq(token_latch_read(text, strlen(text), &read), 0);
        ck_assert_int_eq(read.state, l.state);
        ck_assert_uint_eq(read.begun, l.begun);
        ck_assert_mem_eq(read.salt, l.salt, sizeof(l.salt));
        ck_assert_mem_eq(read.digest, l.digest, sizeof(l.digest));
        for (size_t i = 0; i < strlen(text); i++)
                ck_assert_int_eq(token_latch_read(text, i, &read), -EBADMSG);
        for (size_t i = 0; i + 1 < strlen(text); i++) {
                char c = text[i];

                text[i] = '~';
                ck_assert_int_eq(token_latch_read(text, strlen(text), &read), -EBADMSG);
                text[i] = c;
        }
}
END_TEST

START_TEST(no_two_records_of_a_pin_are_alike)
{
        TokenLatch a = {}, b = {};

        begin(&a, wrong);
        begin(&b, wrong);
        ck_assert_mem_ne(a.salt, b.salt, sizeof(a.salt));
        ck_assert_mem_ne(a.digest, b.digest, sizeof(a.digest));
}
END_TEST

int main(void) {
        Suite *suite = suite_create("crypto/latch");
        TCase *c = tcase_create("latch");
        SRunner *runner;
        int failed;

        tcase_add_checked_fixture(c, setup, teardown);
        tcase_set_timeout(c, 30);
        tcase_add_test(c, a_pin_that_was_refused_is_never_tried_again);
        tcase_add_test(c, another_pin_gets_its_try);
        tcase_add_test(c, the_last_try_is_left_to_people);
        tcase_add_test(c, a_try_that_was_cut_off_may_be_repeated_once);
        tcase_add_test(c, a_try_that_was_cut_off_and_wrong_is_not_repeated);
        tcase_add_loop_test(c, a_record_is_read_as_it_was_written, 0, 2);
        tcase_add_test(c, no_two_records_of_a_pin_are_alike);
        suite_add_tcase(suite, c);
        runner = srunner_create(suite);
        srunner_run_all(runner, CK_NORMAL);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
