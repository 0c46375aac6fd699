/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Tokens, with SoftHSM behind a module that counts logins. Each test is a process and has a token
 * of its own. */

#include <check.h>
#include <errno.h>
#include <stdio.h>

#include "daemon/crypto/crypto.h"
#include "daemon/crypto/csr.h"
#include "daemon/crypto/key.h"
#include "daemon/crypto/token-key.h"
#include "tests/token/soft-token.h"
#include "tests/unit/crypto/material.h"

#define OPENSSL_VERIFY "openssl req -in %s -verify -noout 2>&1 | grep -q 'verify OK'"

static const uint8_t job[] = {0xde, 0xad, 0xbe, 0xef};

static char dir[] = "/tmp/test-token-XXXXXX";
static TokenPool *pool;

/* --- the records, in memory */

static Secret *record;
static int disk_error; /* what the disk says to a write */

static int read_record(void *userdata, const char *name, size_t max, Secret **ret) {
        if (!record)
                return -ENOENT;
        *ret = secret_copy(record);
        return *ret ? 0 : -ENOMEM;
}

static int write_record(void *userdata, const char *name, const void *data, size_t size) {
        if (disk_error < 0)
                return disk_error;
        secret_free(record);
        record = secret_new(data, size);
        return record ? 0 : -ENOMEM;
}

static int erase_record(void *userdata, const char *name) {
        int r = record ? 0 : -ENOENT;

        record = secret_free(record);
        return r;
}

static const TokenLatchStore records = {
        .read = read_record, .write = write_record, .erase = erase_record};

/* --- the stage */

static void setup(void) {
        ck_assert_int_eq(crypto_init(), 0);
        ck_assert_ptr_nonnull(mkdtemp(dir));
        soft_token_make(dir);
        ck_assert_int_eq(token_pool_new(&records, NULL, &pool), 0);
}

static void teardown(void) {
        _cleanup_free_ char *command = NULL;

        pool = token_pool_unref(pool);
        record = secret_free(record);
        ck_assert_int_ge(asprintf(&command, "rm -rf %s", dir), 0);
        ck_assert_int_eq(system(command), 0);
}

/* What a restart is to a token. */
static void restart(void) {
        token_pool_unref(pool);
        ck_assert_int_eq(token_pool_new(&records, NULL, &pool), 0);
}

static int try_open(const char *uri, Pkcs11UriUse use, const char *pin, Token **ret, char **why) {
        _cleanup_secret_ Secret *secret = pin ? secret_new(pin, strlen(pin)) : NULL;
        _cleanup_pkcs11_uri_ Pkcs11Uri *u = NULL;

        ck_assert_int_eq(pkcs11_uri_parse(uri, use, &u, NULL), 0);
        return token_open(pool, soft_token_module(), u, secret, ret, why);
}

static Token *must_open(const char *uri, Pkcs11UriUse use) {
        char *why = NULL;
        Token *t = NULL;
        int r = try_open(uri, use, SOFT_TOKEN_PIN "\n", &t, &why);

        ck_assert_msg(r == 0, "%s: %s", uri, why ? why : strerror(-r));
        return t;
}

static void must_not_open(const char *uri, const char *pin, int expected, const char *reason) {
        char *why = NULL;
        Token *t = NULL;
        int r = try_open(uri, PKCS11_URI_STORE, pin, &t, &why);

        ck_assert_msg(r == expected, "%d, not %d: %s", r, expected, why ? why : "no reason");
        expect_why(why, reason);
}

static char *material_path(const char *name) {
        char *path;

        ck_assert_int_ge(asprintf(&path, "%s/%s", getenv("CRYPTO_MATERIAL"), name), 0);
        return path;
}

static void import(const char *name, const char *object, const char *id) {
        _cleanup_free_ char *path = material_path(name);

        soft_token_import(path, object, id);
}

static Certificate *certificate_of(const char *name) {
        _cleanup_secret_ Secret *pem = material_read(name);
        Certificate *c = NULL;

        ck_assert_int_eq(certificate_parse(secret_text(pem), pem->size, &c, NULL), 0);
        return c;
}

static TokenKey *find(const char *uri, const char *certificate) {
        _cleanup_token_ Token *t = must_open(uri, PKCS11_URI_KEY);
        _cleanup_certificate_ Certificate *c = certificate_of(certificate);
        TokenKey *k = NULL;
        char *why = NULL;
        bool mismatch;
        int r = token_key_find(t, c, &k, &mismatch, &why);

        ck_assert_msg(r == 0, "%s", why ? why : strerror(-r));
        return k;
}

/* The request is signed by the token, and OpenSSL verifies it. */
static void must_sign(TokenKey *k) {
        _cleanup_free_ char *pem = NULL;
        _cleanup_csr_ Csr *csr = NULL;
        size_t size;
        char *why = NULL;
        int r = token_key_csr(k, "device-7", &pem, &why);

        ck_assert_msg(r == 0, "%s", why ? why : strerror(-r));
        ck_assert_int_eq(openssl_judges(pem, OPENSSL_VERIFY), 0);
        r = csr_parse(pem, strlen(pem), &csr, &why);
        ck_assert_msg(r == 0, "%s", why ? why : strerror(-r));
        (void) token_key_public_der(k, &size);
        ck_assert_uint_eq(csr->spki_size, size);
        ck_assert_mem_eq(csr->spki, token_key_public_der(k, &size), size);
}

/* --- finding */

static const struct {
        const char *key, *certificate;
} pairs[] = {
        {"p256.key", "p256.pem"},
        {"p384.key", "p384.pem"},
        {"rsa2048.key", "rsa2048.pem"},
};

START_TEST(a_key_is_found_and_signs)
{
        _cleanup_token_key_ TokenKey *k = NULL;

        import(pairs[_i].key, "claim", "01");
        k = find(SOFT_TOKEN_URI ";object=claim;id=%01", pairs[_i].certificate);
        ck_assert_str_eq(token_key_uri(k), SOFT_TOKEN_URI ";id=%01;object=claim;type=private");
        must_sign(k);
        ck_assert_uint_eq(soft_token_logins(), 1);
        ck_assert_ptr_null(record);
}
END_TEST

static const struct {
        const char *uri, *certificate;
        int r;
        bool mismatch;
        const char *why;
} not_found[] = {
        {SOFT_TOKEN_URI ";object=other", "p256.pem", -ENOKEY, false, "no private key"},
        {SOFT_TOKEN_URI ";object=twin", "p256.pem", -ENOKEY, false, "several private keys"},
        {SOFT_TOKEN_URI ";object=claim", "other-p256.pem", -EKEYREJECTED, true, "does not belong"},
        {SOFT_TOKEN_URI ";object=claim", "rsa2048.pem", -EKEYREJECTED, true, "does not belong"},
};

START_TEST(what_is_no_pair_is_told_when_it_is_read)
{
        _cleanup_certificate_ Certificate *c = certificate_of(not_found[_i].certificate);
        _cleanup_token_ Token *t = NULL;
        TokenKey *k = NULL;
        char *why = NULL;
        bool mismatch;

        import("p256.key", "claim", "01");
        import("p256.key", "twin", "02");
        import("p384.key", "twin", "03");
        t = must_open(not_found[_i].uri, PKCS11_URI_KEY);
        ck_assert_int_eq(token_key_find(t, c, &k, &mismatch, &why), not_found[_i].r);
        ck_assert_int_eq(mismatch, not_found[_i].mismatch);
        ck_assert_ptr_null(k);
        expect_why(why, not_found[_i].why);
}
END_TEST

START_TEST(the_token_that_is_meant_is_found_among_others)
{
        Token *t;

        soft_token_add("another", "4321");
        token_unref(must_open(SOFT_TOKEN_URI, PKCS11_URI_STORE));
        must_not_open("pkcs11:token=third", SOFT_TOKEN_PIN, -ENODEV, "no such token");
        must_not_open("pkcs11:manufacturer=SoftHSM%20project", SOFT_TOKEN_PIN, -ENODEV,
                      "name the one by serial=");
        ck_assert_int_eq(try_open("pkcs11:token=another", PKCS11_URI_STORE, "4321", &t, NULL), 0);
        token_unref(t);
        ck_assert_uint_eq(soft_token_logins(), 2);
}
END_TEST

START_TEST(a_module_that_is_none_is_named)
{
        _cleanup_pkcs11_uri_ Pkcs11Uri *u = NULL;
        Token *t = NULL;
        char *why = NULL;

        ck_assert_int_eq(pkcs11_uri_parse(SOFT_TOKEN_URI, PKCS11_URI_STORE, &u, NULL), 0);
        ck_assert_int_eq(token_open(pool, "/nowhere.so", u, NULL, &t, &why), -ELIBACC);
        expect_why(why, "/nowhere.so");
        ck_assert_int_eq(token_open(pool, "libm.so.6", u, NULL, &t, &why), -ELIBACC);
        expect_why(why, "no PKCS#11 module");
}
END_TEST

/* --- the PIN */

START_TEST(a_wrong_pin_is_tried_once_ever)
{
        must_not_open(SOFT_TOKEN_URI, "0000", -EKEYREJECTED, "refuses the PIN");
        ck_assert_uint_eq(soft_token_logins(), 1);
        for (int i = 0; i < 3; i++) {
                restart();
                must_not_open(SOFT_TOKEN_URI, "0000", -EKEYREJECTED, "refused this PIN before");
                must_not_open(SOFT_TOKEN_URI, "0000\n", -EKEYREJECTED, "refused this PIN before");
        }
        ck_assert_uint_eq(soft_token_logins(), 1);
        token_unref(must_open(SOFT_TOKEN_URI, PKCS11_URI_STORE));
        ck_assert_uint_eq(soft_token_logins(), 2);
        ck_assert_ptr_null(record);
}
END_TEST

START_TEST(no_pin_is_tried_that_could_not_be_remembered)
{
        disk_error = -ENOSPC;
        must_not_open(SOFT_TOKEN_URI, SOFT_TOKEN_PIN, -EIO, "none is tried");
        ck_assert_uint_eq(soft_token_logins(), 0);
}
END_TEST

START_TEST(a_damaged_record_lets_no_pin_in)
{
        record = secret_new("pin 1 begun 1", 13);
        must_not_open(SOFT_TOKEN_URI, SOFT_TOKEN_PIN, -EKEYREJECTED, "remove pin-");
        ck_assert_uint_eq(soft_token_logins(), 0);
}
END_TEST

static const struct {
        const char *fault, *why;
} spoken[] = {
        {"final-try", "never uses up the last try"},
        {"locked", "CKR_PIN_LOCKED"},
};

START_TEST(what_the_token_says_of_its_pin_is_heard)
{
        soft_token_fault(spoken[_i].fault);
        must_not_open(SOFT_TOKEN_URI, SOFT_TOKEN_PIN, -EKEYREJECTED, spoken[_i].why);
        ck_assert_uint_eq(soft_token_logins(), 0);
}
END_TEST

START_TEST(a_pin_that_is_missing_is_asked_for)
{
        must_not_open(SOFT_TOKEN_URI, NULL, -EKEYREJECTED, "PrivateKeyPassword=");
        ck_assert_uint_eq(soft_token_logins(), 0);
}
END_TEST

/* --- making */

static const struct {
        KeyType type;
        const char *text;
} types[] = {
        {KEY_TYPE_EC_P256, "ec-p256"},
        {KEY_TYPE_EC_P384, "ec-p384"},
        {KEY_TYPE_RSA_2048, "rsa-2048"},
};

static TokenKey *make(Token *t, KeyType type) {
        TokenKey *k = NULL;
        char *why = NULL;
        int r = token_key_make(t, type, "job-1", job, sizeof(job), &k, &why);

        ck_assert_msg(r == 0, "%s", why ? why : strerror(-r));
        return k;
}

START_TEST(a_key_is_made_once_and_found_again)
{
        _cleanup_token_key_ TokenKey *first = NULL, *again = NULL, *other = NULL;
        _cleanup_token_ Token *t = must_open(SOFT_TOKEN_URI, PKCS11_URI_STORE);
        char *why = NULL;

        first = make(t, types[_i].type);
        must_sign(first);
        ck_assert_str_eq(token_key_uri(first),
                         SOFT_TOKEN_URI ";id=%DE%AD%BE%EF;object=job-1;type=private");
        ck_assert_uint_eq(soft_token_objects(), 2);
        token_unref(t);
        restart();
        t = must_open(SOFT_TOKEN_URI, PKCS11_URI_STORE);
        again = make(t, types[_i].type);
        ck_assert(token_key_equal(first, again));
        ck_assert_uint_eq(soft_token_objects(), 2);
        /* Of another type it is another key, in its place. */
        other = make(t, types[(_i + 1) % 3].type);
        ck_assert(!token_key_equal(first, other));
        must_sign(other);
        ck_assert_uint_eq(soft_token_objects(), 2);
        ck_assert_int_eq(token_key_destroy(t, "job-1", job, sizeof(job), &why), 0);
        ck_assert_uint_eq(soft_token_objects(), 0);
        ck_assert_int_eq(token_key_destroy(t, "job-1", job, sizeof(job), &why), 0);
}
END_TEST

START_TEST(a_key_does_not_leave_its_token)
{
        _cleanup_free_ char *command = NULL;
        _cleanup_token_key_ TokenKey *k = NULL;
        _cleanup_token_ Token *t = must_open(SOFT_TOKEN_URI, PKCS11_URI_STORE);

        k = make(t, KEY_TYPE_EC_P256);
        /* CKA_SENSITIVE yes and CKA_EXTRACTABLE no, as SoftHSM has them on its disk. */
        ck_assert_int_ge(
                asprintf(&command,
                         "cd %s/tokens/* && for f in *-*.object; do softhsm2-dump-file $f; "
                         "done >dump; grep -A2 CKA_EXTRACTABLE dump | grep -q FALSE && "
                         "grep -A2 CKA_SENSITIVE dump | grep -q TRUE",
                         dir),
                0);
        ck_assert_int_eq(system(command), 0);
}
END_TEST

/* --- sessions that are lost */

START_TEST(a_lost_session_is_opened_anew)
{
        _cleanup_token_key_ TokenKey *k = NULL;

        import("p256.key", "claim", "01");
        k = find(SOFT_TOKEN_URI ";object=claim", "p256.pem");
        soft_token_fault("session-lost");
        must_sign(k);
        ck_assert_uint_eq(soft_token_logins(), 2);
        must_sign(k);
        ck_assert_uint_eq(soft_token_logins(), 2);
}
END_TEST

START_TEST(a_token_that_comes_back_is_found_again)
{
        _cleanup_token_key_ TokenKey *k = NULL;
        uint8_t signature[TOKEN_SIGNATURE_MAX], digest[32] = {1};
        size_t size = sizeof(signature);
        char *why = NULL;

        import("p256.key", "claim", "01");
        k = find(SOFT_TOKEN_URI ";object=claim", "p256.pem");
        soft_token_fault("removed");
        ck_assert_int_eq(
                token_key_sign(k, TOKEN_SIGN_ECDSA, digest, sizeof(digest), signature, &size, &why),
                -ENODEV);
        expect_why(why, "no such token");
        ck_assert_uint_eq(soft_token_logins(), 1);
        soft_token_fault(NULL);
        must_sign(k);
        ck_assert_uint_eq(soft_token_logins(), 2);
}
END_TEST

static void add_tests(TCase *c) {
        tcase_add_loop_test(c, a_key_is_found_and_signs, 0, ELEMENTSOF(pairs));
        tcase_add_loop_test(c, what_is_no_pair_is_told_when_it_is_read, 0, ELEMENTSOF(not_found));
        tcase_add_test(c, the_token_that_is_meant_is_found_among_others);
        tcase_add_test(c, a_module_that_is_none_is_named);
        tcase_add_test(c, a_wrong_pin_is_tried_once_ever);
        tcase_add_test(c, no_pin_is_tried_that_could_not_be_remembered);
        tcase_add_test(c, a_damaged_record_lets_no_pin_in);
        tcase_add_loop_test(c, what_the_token_says_of_its_pin_is_heard, 0, ELEMENTSOF(spoken));
        tcase_add_test(c, a_pin_that_is_missing_is_asked_for);
        tcase_add_loop_test(c, a_key_is_made_once_and_found_again, 0, ELEMENTSOF(types));
        tcase_add_test(c, a_key_does_not_leave_its_token);
        tcase_add_test(c, a_lost_session_is_opened_anew);
        tcase_add_test(c, a_token_that_comes_back_is_found_again);
}

int main(void) {
        Suite *suite = suite_create("crypto/token");
        TCase *c = tcase_create("token");
        SRunner *runner;
        int failed;

        tcase_add_checked_fixture(c, setup, teardown);
        tcase_set_timeout(c, 60);
        add_tests(c);
        suite_add_tcase(suite, c);
        runner = srunner_create(suite);
        srunner_run_all(runner, CK_NORMAL);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
