/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Values that stand in files of their own: parameters, credentials, the state key. */

#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/config/config-profile.h"
#include "daemon/config/config-value.h"
#include "protocol/ipc/limits.h"
#include "tests/unit/config/fixture.h"
#include "tests/unit/config/suite.h"

START_TEST(a_parameter_comes_from_a_file_without_its_line_end)
{
        const char *serial = fixture_write("serial", "SN %m # 1\r\n");
        const char *plain = fixture_write("plain", "no end");
        _cleanup_free_ char *more = NULL;
        _cleanup_config_ Config *c = NULL;
        const Parameters *p;

        ck_assert_int_ge(
                asprintf(&more, "Parameter.A=@%s\nDefaultParameter.B=@%s\n", serial, plain), 0);
        c = fixture_load(fixture_profile(more));
        p = &c->profiles[0]->fixed_parameters;
        ck_assert_str_eq(parameters_get(p, "A"), "SN %m # 1");
        ck_assert_str_eq(parameters_get(&c->profiles[0]->default_parameters, "B"), "no end");
}
END_TEST

START_TEST(a_file_of_several_lines_or_of_bytes_is_no_parameter)
{
        static const char *const contents[] = {"a\nb\n", "a\xff", "a\x01"};

        for (size_t i = 0; i < ELEMENTSOF(contents); i++) {
                const char *path = fixture_write("value", contents[i]);
                _cleanup_free_ char *more = NULL, *why = NULL;

                ck_assert_int_ge(asprintf(&more, "Parameter.A=@%s\n", path), 0);
                why = fixture_refused(fixture_profile(more));
                assert_contains(why, "Parameter.A=: ");
                assert_contains(why, path);
        }
}
END_TEST

START_TEST(a_file_longer_than_a_value_is_no_parameter)
{
        char content[IPC_PARAMETER_VALUE_MAX + 3];
        _cleanup_free_ char *more = NULL, *why = NULL;
        const char *path;

        memset(content, 'v', sizeof(content));
        path = fixture_write_bytes("value", content, sizeof(content), 0644);
        ck_assert_int_ge(asprintf(&more, "Parameter.A=@%s\n", path), 0);
        why = fixture_refused(fixture_profile(more));
        assert_contains(why, path);
        fixture_write_bytes("value", content, sizeof(content) - 2, 0644);
        free(why);
        why = fixture_refused(fixture_profile(more));
        assert_contains(why, "more than 4096 bytes");
}
END_TEST

START_TEST(parameters_are_bounded_together)
{
        _cleanup_free_ char *content = NULL, *why = NULL;
        size_t size = 0;
        FILE *f = open_memstream(&content, &size);

        ck_assert_ptr_nonnull(f);
        for (size_t i = 0; i <= IPC_PARAMETERS_MAX; i++)
                fprintf(f, "Parameter.P%zu=v\n", i);
        fclose(f);
        why = fixture_refused(fixture_profile(content));
        assert_contains(why, "Parameter.P64=: too much");
}
END_TEST

START_TEST(credentials_become_paths)
{
        const char *folder = fixture_path("credentials");
        _cleanup_config_ Config *c = NULL;
        _cleanup_free_ char *expected = NULL;

        fixture_write_bytes("credentials/state-key", "0123456789abcdef", 16, 0400);
        fixture_write("credentials/serial", "SN1\n");
        setenv("CREDENTIALS_DIRECTORY", folder, 1);
        c = fixture_load("[Profile a]\nProvider=aws-iot\nEndpoint=h\nCertificate=credential:c\n"
                         "PrivateKey=credential:k\nParameter.A=credential:serial\n");
        ck_assert_int_ge(asprintf(&expected, "%s/k", folder), 0);
        ck_assert_str_eq(c->profiles[0]->private_key, expected);
        ck_assert_str_eq(parameters_get(&c->profiles[0]->fixed_parameters, "A"), "SN1");
        free(expected);
        ck_assert_int_ge(asprintf(&expected, "%s/state-key", folder), 0);
        ck_assert_str_eq(c->state_key, expected);
}
END_TEST

START_TEST(a_state_key_credential_that_is_not_there_is_none)
{
        _cleanup_config_ Config *with_folder = NULL, *without_folder = NULL;

        without_folder = fixture_load("[Daemon]\nStateKey=credential:state-key\n");
        ck_assert_ptr_null(without_folder->state_key);
        setenv("CREDENTIALS_DIRECTORY", fixture_path("."), 1);
        with_folder = fixture_load("[Daemon]\nStateKey=credential:state-key\n");
        ck_assert_ptr_null(with_folder->state_key);
}
END_TEST

/* Nobody who names a key of his own gets one that is made beside the secrets. */
START_TEST(another_credential_that_is_not_there_is_asked_for)
{
        static const char content[] = "[Daemon]\nStateKey=credential:tpm\n"
                                      "FormerStateKey=credential:state-key\n";
        _cleanup_config_ Config *with_folder = NULL, *without_folder = NULL;

        without_folder = fixture_load(content);
        ck_assert_str_eq(without_folder->state_key, "credential:tpm");
        ck_assert_str_eq(without_folder->former_state_key, "credential:state-key");
        setenv("CREDENTIALS_DIRECTORY", fixture_path("."), 1);
        with_folder = fixture_load(content);
        ck_assert_str_eq(with_folder->state_key, fixture_path("./tpm"));
        ck_assert_str_eq(with_folder->former_state_key, fixture_path("./state-key"));
}
END_TEST

START_TEST(a_state_key_that_others_read_is_refused)
{
        const char *path = fixture_write_bytes("key", "0123456789abcdef", 16, 0644);
        _cleanup_free_ char *content = NULL, *why = NULL;
        _cleanup_config_ Config *c = NULL;

        ck_assert_int_ge(asprintf(&content, "[Daemon]\nStateKey=%s\n", path), 0);
        why = fixture_refused(content);
        assert_contains(why, ":2: [Daemon] StateKey=: the state key ");
        assert_contains(why, "chmod o= ");
        ck_assert_int_eq(chmod(path, 0600), 0);
        c = fixture_load(content);
        ck_assert_str_eq(c->state_key, path);
}
END_TEST

int main(void) {
        TCase *t = tcase_create("beside");

        tcase_add_checked_fixture(t, fixture_setup, fixture_teardown);
        tcase_add_test(t, a_parameter_comes_from_a_file_without_its_line_end);
        tcase_add_test(t, a_file_of_several_lines_or_of_bytes_is_no_parameter);
        tcase_add_test(t, a_file_longer_than_a_value_is_no_parameter);
        tcase_add_test(t, parameters_are_bounded_together);
        tcase_add_test(t, credentials_become_paths);
        tcase_add_test(t, a_state_key_credential_that_is_not_there_is_none);
        tcase_add_test(t, another_credential_that_is_not_there_is_asked_for);
        tcase_add_test(t, a_state_key_that_others_read_is_refused);
        return suite_run("values in files of their own", t);
}
