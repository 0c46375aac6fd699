/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/provider/key-maker.h"

#include <errno.h>

#include "daemon/crypto/csr.h"
#include "daemon/crypto/key.h"
#include "tests/unit/provider/fixture.h"

static MadeKey made;
static unsigned told;

static void on_made(MadeKey *key, void *userdata) {
        ck_assert_ptr_eq(userdata, &told);
        told++;
        made = *key;
        *key = (MadeKey){}; /* taken */
}

static KeyOrder *order(KeyType type, const char *name) {
        const KeyWish wish = {.type = type, .common_name = name};
        KeyOrder *o = NULL;

        told = 0;
        ck_assert_int_eq(key_order_new(fixture.crypto, &wish, on_made, &told, &o), 0);
        ck_assert_ptr_nonnull(o);
        return o;
}

START_TEST(a_key_comes_with_its_request)
{
        static const KeyType types[] = {KEY_TYPE_EC_P256, KEY_TYPE_EC_P384, KEY_TYPE_RSA_2048};
        _cleanup_crypto_key_ CryptoKey *key = NULL;
        _cleanup_csr_ Csr *csr = NULL;

        (void) order(types[_i], "device-7");
        worker_drain(fixture.crypto);
        ck_assert_uint_eq(told, 1);
        ck_assert_int_eq(made.error, 0);
        ck_assert_int_eq(crypto_key_from_pem(made.key, NULL, &key, NULL), 0);
        ck_assert_str_eq(crypto_key_type_text(key), key_type_to_string(types[_i]));
        ck_assert_int_eq(csr_parse(made.csr, strlen(made.csr), &csr, NULL), 0);
        ck_assert_uint_eq(csr->spki_size, made.spki_size);
        ck_assert_mem_eq(csr->spki, made.spki, made.spki_size);
        made_key_done(&made);
        ck_assert_ptr_null(made.key);
}
END_TEST

START_TEST(what_cannot_be_made_is_an_error_and_nothing_else)
{
        (void) order(KEY_TYPE_INVALID, "device-7");
        worker_drain(fixture.crypto);
        ck_assert_int_eq(made.error, -EINVAL);
        ck_assert_ptr_null(made.key);
        (void) order(KEY_TYPE_EC_P256, ""); /* no name for the request */
        worker_drain(fixture.crypto);
        ck_assert_uint_eq(told, 1);
        ck_assert_int_eq(made.error, -EINVAL);
        made_key_done(&made);
}
END_TEST

START_TEST(who_forgets_his_order_is_not_told)
{
        ck_assert_ptr_null(key_order_forget(order(KEY_TYPE_EC_P256, "device-7")));
        worker_drain(fixture.crypto);
        ck_assert_uint_eq(told, 0);
        ck_assert_ptr_null(key_order_forget(NULL));
}
END_TEST

START_TEST(an_order_that_was_not_carried_out_is_let_go)
{
        for (unsigned i = 0; i < 3; i++)
                (void) order(KEY_TYPE_EC_P256, "device-7");
        fixture.crypto = worker_free(fixture.crypto);
        ck_assert_uint_eq(told, 0);
}
END_TEST

START_TEST(too_many_orders_are_refused)
{
        const KeyWish wish = {.type = KEY_TYPE_RSA_2048, .common_name = "n"};
        KeyOrder *o = NULL;
        int r = 0;

        for (unsigned i = 0; i < 100 && r == 0; i++)
                r = key_order_new(fixture.crypto, &wish, NULL, NULL, &o);
        ck_assert_int_eq(r, -EAGAIN);
}
END_TEST

static void add_tests(TCase *c) {
        tcase_add_loop_test(c, a_key_comes_with_its_request, 0, 3);
        tcase_add_test(c, what_cannot_be_made_is_an_error_and_nothing_else);
        tcase_add_test(c, who_forgets_his_order_is_not_told);
        tcase_add_test(c, an_order_that_was_not_carried_out_is_let_go);
        tcase_add_test(c, too_many_orders_are_refused);
}

int main(void) {
        return fixture_main("provider/key-maker", add_tests);
}
