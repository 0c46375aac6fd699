/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/model/proxy.h"

#include <check.h>
#include <stdlib.h>

#define TEN "0123456789"
#define HUNDRED TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN
#define MOST HUNDRED HUNDRED TEN TEN TEN TEN TEN "01234" /* 255 */

static Secret *text(const char *s) {
        return secret_new(s, strlen(s));
}

START_TEST(address_with_colons_has_brackets)
{
        char host[] = "proxy", address[] = "2001:db8::1";
        const Proxy name = {.kind = PROXY_HTTP, .host = host, .port = 3128};
        const Proxy ipv6 = {.kind = PROXY_SOCKS5, .host = address, .port = 1080};
        _cleanup_free_ char *a = proxy_text(&name), *b = proxy_text(&ipv6);

        ck_assert_str_eq(a, "http://proxy:3128");
        ck_assert_str_eq(b, "socks5://[2001:db8::1]:1080");
}
END_TEST

START_TEST(copy_is_equal_until_something_differs)
{
        Proxy a = {.kind = PROXY_HTTP, .host = strdup("proxy"), .port = 1}, b = {};

        a.credentials = text("user:password");
        a.credentials_file = strdup("/file");
        ck_assert_int_eq(proxy_copy(&a, &b), 0);
        ck_assert(proxy_equal(&a, &b));
        b.port++;
        ck_assert(!proxy_equal(&a, &b));
        b.port--;
        b.kind = PROXY_SOCKS5;
        ck_assert(!proxy_equal(&a, &b));
        b.kind = PROXY_HTTP;
        b.credentials->data[0]++;
        ck_assert(!proxy_equal(&a, &b));
        b.credentials = secret_free(b.credentials);
        ck_assert(!proxy_equal(&a, &b));
        b.credentials = secret_copy(a.credentials);
        ck_assert(proxy_equal(&a, &b));
        ck_assert_int_eq(free_and_strdup(&b.credentials_file, NULL), 0);
        ck_assert(!proxy_equal(&a, &b));
        ck_assert_int_eq(free_and_strdup(&b.credentials_file, "/file"), 0);
        ck_assert_int_eq(free_and_strdup(&b.host, "other"), 0);
        ck_assert(!proxy_equal(&a, &b));
        proxy_done(&a);
        proxy_done(&b);
}
END_TEST

static const struct {
        const char *text, *credentials; /* NULL: refused */
        size_t user;
} files[] = {
        {"user:password\n", "user:password", 4},
        {"user:password", "user:password", 4},
        {"user:password\r\n", "user:password", 4},
        {"user:pass:word", "user:pass:word", 4},
        {"u:p", "u:p", 1},
        {"u ser: pass ", "u ser: pass ", 5},
        {"\xc3\xa4:\xe4", "\xc3\xa4:\xe4", 2},
        {MOST ":" MOST "\n", MOST ":" MOST, 255},
        {MOST "x:p", NULL, 0},
        {"u:" MOST "x", NULL, 0},
        {"", NULL, 0},
        {"\n", NULL, 0},
        {"user", NULL, 0},
        {":password", NULL, 0},
        {"user:\n", NULL, 0},
        {"user:password\n\n", NULL, 0},
        {"user:password\nother:password\n", NULL, 0},
        {"user:pass\tword", NULL, 0},
        {"user:pass\x7fword", NULL, 0},
};

START_TEST(credentials_are_one_line_of_user_and_password)
{
        _cleanup_secret_ Secret *file = text(files[_i].text), *credentials = NULL;
        const char *why = NULL;
        int r = proxy_credentials_read(file, &credentials, &why);

        if (!files[_i].credentials) {
                ck_assert_int_eq(r, -EINVAL);
                ck_assert_ptr_nonnull(why);
                ck_assert_ptr_null(credentials);
                return;
        }
        ck_assert_msg(r == 0, "%s: %s", files[_i].text, why);
        ck_assert_str_eq(secret_text(credentials), files[_i].credentials);
        ck_assert_uint_eq(proxy_credentials_user_size(credentials), files[_i].user);
}
END_TEST

START_TEST(byte_of_zero_is_no_end)
{
        static const uint8_t bytes[] = "user:pass\0word";

        ck_assert_ptr_nonnull(proxy_credentials_check(bytes, sizeof(bytes) - 1));
}
END_TEST

int main(void) {
        Suite *suite = suite_create("model: proxy");
        TCase *tc = tcase_create("proxy");
        SRunner *runner = srunner_create(suite);
        int failed;

        tcase_add_test(tc, address_with_colons_has_brackets);
        tcase_add_test(tc, copy_is_equal_until_something_differs);
        tcase_add_loop_test(tc, credentials_are_one_line_of_user_and_password, 0,
                            ELEMENTSOF(files));
        tcase_add_test(tc, byte_of_zero_is_no_end);
        suite_add_tcase(suite, tc);
        srunner_run_all(runner, CK_ENV);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
