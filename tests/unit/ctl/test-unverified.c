/* SPDX-License-Identifier: GPL-2.0-or-later */

/* A job whose certificate was not let in: what fleetprovctl says of it, and brings. */

#include <check.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/ctl/run-ctl.h"

static json_t *parse(void) {
        json_error_t error;
        json_t *o = json_loads(text_out, JSON_REJECT_DUPLICATES, &error);

        ck_assert_msg(o != NULL, "%s in: %s", error.text, text_out);
        return o;
}

static const char *member(const json_t *o, const char *name) {
        const char *s = json_string_value(json_object_get(o, name));

        ck_assert_msg(s != NULL, "no string %s", name);
        return s;
}

static void said(const char *text) {
        ck_assert_msg(strstr(text_err, text) != NULL, "no \"%s\" in: %s", text, text_err);
}

START_TEST(provision_fails_and_says_what_to_do)
{
        ck_assert_int_eq(ctl_run("provision --id=k -p outcome=unverified --out=id"), 1);
        said("verify-failed");
        said("is not let in: CONNACK 7 (verify-failed); cause: credentials-refused\n");
        said("in verify");
        said("provision with --id=k once more");
        said("fleetprovctl result ");
        ck_assert_int_ne(access("id/current", F_OK), 0); /* it is no success */

        /* Without a key nothing tries the same one again. */
        ck_assert_int_eq(ctl_run("provision -p outcome=unverified"), 1);
        said("a further provision makes others");
}
END_TEST

START_TEST(json_has_error_and_identity)
{
        static const char *const lines[] = {"provision --id=k -p outcome=unverified --json=short",
                                            "wait k --json=short", "show k --json=short",
                                            "result k --json=short"};
        static const int statuses[] = {1, 1, 0, 1};
        json_t *o, *error;

        for (size_t i = 0; i < 4; i++) {
                ck_assert_int_eq(ctl_run(lines[i]), statuses[i]);
                o = parse();
                ck_assert_str_eq(member(o, "state"), "failed");
                ck_assert_str_eq(member(o, "thingName"), "thing-1");
                ck_assert_ptr_nonnull(strstr(member(o, "certificatePem"), "BEGIN CERTIFICATE"));
                error = json_object_get(o, "error");
                ck_assert_str_eq(member(error, "code"), "verify-failed");
                ck_assert_str_eq(member(json_object_get(error, "cause"), "code"),
                                 "credentials-refused");
                ck_assert_ptr_null(json_object_get(o, "leftCertificates"));
                json_decref(o);
        }
}
END_TEST

START_TEST(show_has_the_identity_and_where_its_key_is)
{
        ck_assert_int_eq(ctl_run("provision --id=k -p outcome=unverified"), 1);
        ck_assert_int_eq(ctl_run("show k"), 0);
        ck_assert_ptr_nonnull(strstr(text_out, "verify-failed"));
        ck_assert_ptr_nonnull(strstr(text_out, "thing-1"));
        ck_assert_ptr_nonnull(strstr(text_out, "with the daemon; fetch them"));
        ck_assert_ptr_nonnull(strstr(text_out, "because: credentials-refused\n"));
}
END_TEST

/* It is written, and stays with the daemon, which may be asked to try it once more. */
START_TEST(result_is_written_and_not_acknowledged)
{
        json_t *o;

        ck_assert_int_eq(ctl_run("provision --id=k -p outcome=unverified"), 1);
        for (int i = 0; i < 2; i++) {
                ck_assert_int_eq(ctl_run("result k --out=id --json=short"), 1);
                said("are written as they are, and kept");
                said("provision with --id=k once more");
                ck_assert_int_eq(access("id/private-key.pem", R_OK), 0);
                ck_assert_int_eq(access("id/certificate.pem", R_OK), 0);
                o = parse();
                ck_assert_ptr_nonnull(json_object_get(o, "files"));
                json_decref(o);
        }
        o = json_load_file("id/configuration.json", 0, NULL);
        ck_assert_str_eq(member(json_object_get(o, "error"), "code"), "verify-failed");
        json_decref(o);
}
END_TEST

START_TEST(other_failures_have_nothing_to_fetch)
{
        ck_assert_int_eq(ctl_run("provision --id=k -p outcome=fail"), 1);
        ck_assert_ptr_null(strstr(text_err, "are kept"));
        ck_assert_int_eq(ctl_run("result k --out=id"), 1);
        ck_assert_int_ne(access("id/private-key.pem", F_OK), 0);
        ck_assert_int_eq(ctl_run("show k --json=short"), 0);
        ck_assert_ptr_null(strstr(text_out, "thingName"));
}
END_TEST

int main(void) {
        Suite *s = suite_create("ctl: unverified");
        TCase *t = tcase_create("against a stub");
        SRunner *runner;
        int failed;

        tcase_add_checked_fixture(t, ctl_setup, ctl_teardown);
        tcase_set_timeout(t, 60);
        tcase_add_test(t, provision_fails_and_says_what_to_do);
        tcase_add_test(t, json_has_error_and_identity);
        tcase_add_test(t, show_has_the_identity_and_where_its_key_is);
        tcase_add_test(t, result_is_written_and_not_acknowledged);
        tcase_add_test(t, other_failures_have_nothing_to_fetch);
        suite_add_tcase(s, t);
        runner = srunner_create(s);
        srunner_run_all(runner, CK_ENV);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
