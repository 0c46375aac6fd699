/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/model/tls-ciphers.h"

#include "tests/unit/net/run-suite.h"

START_TEST(ours_are_aead_with_forward_secrecy)
{
        _cleanup_free_ char *list = NULL;
        TlsCiphers c;
        Failure *f = NULL;

        ck_assert(tls_ciphers_parse(NULL, &c, &f));
        ck_assert(c.tls12 && c.tls13);
        ck_assert(tls_ciphers_contain(&c, 0x1301));
        ck_assert(tls_ciphers_contain(&c, 0xc02f));
        ck_assert(!tls_ciphers_contain(&c, 0x009c)); /* no forward secrecy */
        ck_assert(!tls_ciphers_contain(&c, 0xc027)); /* CBC */
        ck_assert(!tls_ciphers_contain(&c, 0x00a6)); /* anonymous */
        ck_assert(!tls_ciphers_contain(&c, 0x0000));
        list = tls_ciphers_to_string(&c);
        ck_assert_ptr_nonnull(strstr(list, "TLS13-AES128-GCM-SHA256:"));
}
END_TEST

static const struct {
        const char *list, *normal; /* NULL: refused */
        bool tls12, tls13;
} cases[] = {
        {"TLS_AES_128_GCM_SHA256", "TLS13-AES128-GCM-SHA256", false, true},
        {"tls_aes_128_gcm_sha256", "TLS13-AES128-GCM-SHA256", false, true},
        {"TLS13-AES128-GCM-SHA256", "TLS13-AES128-GCM-SHA256", false, true},
        {"AES128-GCM-SHA256", "AES128-GCM-SHA256", true, false},
        {"TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "ECDHE-RSA-AES128-GCM-SHA256", true, false},
        {"ECDHE-RSA-AES256-GCM-SHA384:TLS_AES_256_GCM_SHA384",
         "ECDHE-RSA-AES256-GCM-SHA384:TLS13-AES256-GCM-SHA384", true, true},
        {"AES128-GCM-SHA256, AES256-GCM-SHA384", "AES128-GCM-SHA256:AES256-GCM-SHA384", true,
         false},
        {"AES128-GCM-SHA256:AES128-GCM-SHA256", "AES128-GCM-SHA256", true, false},
        {":AES128-GCM-SHA256::", "AES128-GCM-SHA256", true, false},
        {"", NULL},
        {":", NULL},
        {"ALL", NULL},
        {"HIGH", NULL},
        {"DEFAULT", NULL},
        {"!aNULL", NULL},
        {"aNULL", NULL},
        {"eNULL", NULL},
        {"NULL-SHA256", NULL},
        {"ADH-AES128-GCM-SHA256", NULL},
        {"TLS_DH_anon_WITH_AES_128_GCM_SHA256", NULL},
        {"PSK-AES128-GCM-SHA256", NULL},
        {"RC4-SHA", NULL},
        {"DES-CBC3-SHA", NULL},
        {"TLS13-SHA256-SHA256", NULL}, /* integrity alone (RFC 9150) */
        {"AES128-GCM-SHA256:ADH-AES128-GCM-SHA256", NULL},
        {"AES128-GCM-SHA25", NULL},
        {"AES128-GCM-SHA2566", NULL},
};

START_TEST(list_of_the_user_is_taken_or_refused_by_name)
{
        _cleanup_failure_ Failure *f = NULL;
        _cleanup_free_ char *normal = NULL;
        TlsCiphers c;
        bool taken = tls_ciphers_parse(cases[_i].list, &c, &f);

        ck_assert_msg(taken == (cases[_i].normal != NULL), "%s", cases[_i].list);
        if (!taken) {
                ck_assert_int_eq(f->code, ERROR_BAD_PARAMETER);
                ck_assert_ptr_nonnull(strstr(f->message, "cipher suite"));
                return;
        }
        normal = tls_ciphers_to_string(&c);
        ck_assert_str_eq(normal, cases[_i].normal);
        ck_assert_int_eq(c.tls12, cases[_i].tls12);
        ck_assert_int_eq(c.tls13, cases[_i].tls13);
}
END_TEST

START_TEST(long_list_does_not_overflow)
{
        _cleanup_free_ char *list = calloc(1, 100000);
        _cleanup_failure_ Failure *f = NULL;
        char *out = list;
        TlsCiphers c;

        for (unsigned i = 0; i < 2000; i++)
                out = stpcpy(out, i % 2 ? "AES128-GCM-SHA256:" : "TLS_AES_128_GCM_SHA256:");
        ck_assert(tls_ciphers_parse(list, &c, &f));
        ck_assert_uint_eq(c.n, 2);
        memset(list, 'A', 99999);
        ck_assert(!tls_ciphers_parse(list, &c, &f));
        ck_assert_uint_lt(strlen(f->message), 400);
}
END_TEST

int main(void) {
        Suite *s = suite_create("tls-ciphers");
        TCase *t = tcase_create("tls-ciphers");

        tcase_add_test(t, ours_are_aead_with_forward_secrecy);
        tcase_add_loop_test(t, list_of_the_user_is_taken_or_refused_by_name, 0, ELEMENTSOF(cases));
        tcase_add_test(t, long_list_does_not_overflow);
        suite_add_tcase(s, t);
        return run_suite(s);
}
