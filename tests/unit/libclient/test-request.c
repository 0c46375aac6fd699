/* SPDX-License-Identifier: GPL-2.0-or-later */

/* What a request refuses before any daemon is asked. */

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libclient/fleetprov-client.h"

static fleetprov_request *request;

static void setup(void) {
        ck_assert_int_eq(fleetprov_request_new(&request, FLEETPROV_OPERATION_PROVISION, NULL), 0);
}

static void teardown(void) {
        request = fleetprov_request_free(request);
}

static char *text(size_t n) {
        char *s = malloc(n + 1);

        memset(s, 'x', n);
        s[n] = '\0';
        return s;
}

START_TEST(profile_names_are_checked)
{
        fleetprov_request *r = NULL;

        ck_assert_int_eq(fleetprov_request_new(&r, FLEETPROV_OPERATION_PROVISION, "a/b"), -EINVAL);
        ck_assert_int_eq(fleetprov_request_new(&r, FLEETPROV_OPERATION_PROVISION, ""), -EINVAL);
        ck_assert_int_eq(fleetprov_request_new(&r, 5, "aws"), -EINVAL);
        ck_assert_int_eq(fleetprov_request_new(&r, -1, "aws"), -EINVAL);
        ck_assert_ptr_null(r);
}
END_TEST

START_TEST(key_that_looks_like_a_job_id_is_refused)
{
        ck_assert_int_eq(fleetprov_request_set_key(request, "0123456789abcdef0123456789abcdef"),
                         -EINVAL);
        ck_assert_int_eq(fleetprov_request_set_key(request, "a/b"), -EINVAL);
        ck_assert_int_eq(fleetprov_request_set_key(request, "device@1:2.3-4_5"), 0);
        ck_assert_int_eq(fleetprov_request_set_key(request, NULL), 0);
}
END_TEST

START_TEST(parameters_have_bounds)
{
        char *long_name = text(129), *long_value = text(4097), *value = text(4096);
        char name[16];

        ck_assert_int_eq(fleetprov_request_add_parameter(request, long_name, "v"), -E2BIG);
        ck_assert_int_eq(fleetprov_request_add_parameter(request, "n", long_value), -E2BIG);
        ck_assert_int_eq(fleetprov_request_add_parameter(request, "", "v"), -EINVAL);
        ck_assert_int_eq(fleetprov_request_add_parameter(request, "n", ""), 0);
        ck_assert_int_eq(fleetprov_request_add_parameter(request, "n", "again"), -EEXIST);
        for (int i = 0; i < 7; i++) {
                snprintf(name, sizeof(name), "big-%d", i);
                ck_assert_int_eq(fleetprov_request_add_parameter(request, name, value), 0);
        }
        ck_assert_int_eq(fleetprov_request_add_parameter(request, "one-more", value), -E2BIG);
        for (int i = 8; i < 64; i++) {
                snprintf(name, sizeof(name), "small-%d", i);
                ck_assert_int_eq(fleetprov_request_add_parameter(request, name, "v"), 0);
        }
        ck_assert_int_eq(fleetprov_request_add_parameter(request, "65th", "v"), -E2BIG);
        free(long_name);
        free(long_value);
        free(value);
}
END_TEST

START_TEST(words_and_sizes_are_checked)
{
        char *big = text(8193), *secret = text(65537);

        ck_assert_int_eq(fleetprov_request_set_csr(request, big), -E2BIG);
        ck_assert_int_eq(fleetprov_request_set_csr(request, ""), -EINVAL);
        ck_assert_int_eq(fleetprov_request_set_key_type(request, "rsa-1024"), -EINVAL);
        ck_assert_int_eq(fleetprov_request_set_key_type(request, "rsa-3072"), 0);
        ck_assert_int_eq(fleetprov_request_set_key_source(request, "caller"), -EINVAL);
        ck_assert_int_eq(fleetprov_request_set_key_source(request, "cloud"), 0);
        ck_assert_int_eq(fleetprov_request_set_deadline(request, 0), -EINVAL);
        ck_assert_int_eq(fleetprov_request_set_ownership_token(request, secret, 65537), -E2BIG);
        ck_assert_int_eq(fleetprov_request_set_ownership_token(request, secret, 65536), 0);
        ck_assert_int_eq(fleetprov_request_set_ownership_token(request, "", 0), -EINVAL);
        ck_assert_int_eq(fleetprov_request_set_certificate(request, secret), -E2BIG);
        ck_assert_int_eq(fleetprov_request_set_certificate(request, ""), -EINVAL);
        ck_assert_int_eq(fleetprov_request_set_certificate(request, "a"), 0);
        ck_assert_int_eq(fleetprov_request_set_private_key(request, secret, 65537), -E2BIG);
        ck_assert_int_eq(fleetprov_request_set_private_key(request, "", 0), -EINVAL);
        ck_assert_int_eq(fleetprov_request_set_private_key(request, secret, 65536), 0);
        free(big);
        free(secret);
}
END_TEST

START_TEST(every_word_has_a_name)
{
        for (int i = FLEETPROV_BAD_PARAMETER; i <= FLEETPROV_STORAGE; i++)
                ck_assert_ptr_nonnull(fleetprov_code_to_string(i));
        ck_assert_ptr_null(fleetprov_code_to_string(FLEETPROV_OK));
        ck_assert_ptr_null(fleetprov_code_to_string(FLEETPROV_STORAGE + 1));
        ck_assert_ptr_null(fleetprov_code_to_string(-1));
        ck_assert_str_eq(fleetprov_code_to_string(FLEETPROV_TLS_TRUST), "tls-trust");
        ck_assert_str_eq(fleetprov_code_to_string(FLEETPROV_VERIFY_FAILED), "verify-failed");
        ck_assert_str_eq(fleetprov_state_to_string(FLEETPROV_STATE_EXPIRED), "expired");
        ck_assert_ptr_null(fleetprov_state_to_string(FLEETPROV_STATE_UNKNOWN));
        ck_assert(!fleetprov_state_is_final(FLEETPROV_STATE_UNKNOWN));
}
END_TEST

START_TEST(nothing_is_freed_and_read_without_harm)
{
        ck_assert_ptr_null(fleetprov_client_free(NULL));
        ck_assert_ptr_null(fleetprov_request_free(NULL));
        ck_assert_ptr_null(fleetprov_event_free(NULL));
        ck_assert_ptr_null(fleetprov_job_free(NULL));
        ck_assert_ptr_null(fleetprov_result_free(NULL));
        ck_assert_ptr_null(fleetprov_secret_free(NULL));
        ck_assert_ptr_null(fleetprov_error_free(NULL));
        ck_assert_ptr_null(fleetprov_status_free(NULL));
        ck_assert_ptr_null(fleetprov_job_get_key(NULL));
        ck_assert_str_eq(fleetprov_error_get_message(NULL), "out of memory");
}
END_TEST

int main(void) {
        Suite *s = suite_create("libclient: request");
        TCase *t = tcase_create("bounds");
        SRunner *runner;
        int failed;

        tcase_add_checked_fixture(t, setup, teardown);
        tcase_add_test(t, profile_names_are_checked);
        tcase_add_test(t, key_that_looks_like_a_job_id_is_refused);
        tcase_add_test(t, parameters_have_bounds);
        tcase_add_test(t, words_and_sizes_are_checked);
        tcase_add_test(t, every_word_has_a_name);
        tcase_add_test(t, nothing_is_freed_and_read_without_harm);
        suite_add_tcase(s, t);
        runner = srunner_create(s);
        srunner_run_all(runner, CK_ENV);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
