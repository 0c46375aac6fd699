/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The form of a file: what is one line, one key, one comment; and what is refused since libeconf
 * would read it otherwise than a person does. */

#include <check.h>
#include <stdio.h>

#include "daemon/config/config-scan.h"
#include "protocol/ipc/limits.h"
#include "tests/unit/config/fixture.h"
#include "tests/unit/config/suite.h"

START_TEST(comments_and_blank_lines_change_nothing)
{
        _cleanup_config_ Config *c = fixture_load("# one\n\n[Daemon] # two\n  # three\n \t \n"
                                                  "MaxJobs = 7   # four # five\n\t\n"
                                                  "StateKey=\n  # six\nBus=none");

        ck_assert_uint_eq(c->max_jobs, 7);
        ck_assert_str_eq(c->bus, "none");
        ck_assert_ptr_null(c->state_key);
}
END_TEST

START_TEST(an_empty_value_swallows_no_line)
{
        _cleanup_config_ Config *c = fixture_load("[Daemon]\nDefaultProfile=\n\nMaxJobs=\n"
                                                  "MaxJobsPerUser=9\nRetainSec=   # c\nBus=none\n");

        ck_assert_ptr_null(c->default_profile);
        ck_assert_uint_eq(c->max_jobs, CONFIG_MAX_JOBS_DEFAULT);
        ck_assert_uint_eq(c->max_jobs_per_user, 9);
        ck_assert_uint_eq(c->retain_usec, CONFIG_RETAIN_DEFAULT);
}
END_TEST

START_TEST(carriage_returns_are_part_of_the_line_end)
{
        _cleanup_config_ Config *c =
                fixture_load("[Daemon]\r\nMaxJobs=7\r\n\r\n# c\r\nBus=none\r\n");

        ck_assert_uint_eq(c->max_jobs, 7);
        ck_assert_str_eq(c->bus, "none");
}
END_TEST

START_TEST(a_section_may_stand_twice)
{
        _cleanup_config_ Config *c =
                fixture_load("[Daemon]\nMaxJobs=7\n[Daemon]\nMaxJobsPerUser=8\n");

        ck_assert_uint_eq(c->max_jobs, 7);
        ck_assert_uint_eq(c->max_jobs_per_user, 8);
}
END_TEST

START_TEST(quotes_keep_blanks_and_an_empty_text)
{
        _cleanup_config_ Config *c = fixture_load(
                fixture_profile("Parameter.A=\"  a b \"\nParameter.B=\"\"\nParameter.C=a\"b\n"
                                "Parameter.D=\nParameter.E=x=y;z\nParameter.F={\"a\":\"b\"}\n"));
        const Parameters *p = &c->profiles[0]->fixed_parameters;

        ck_assert_str_eq(parameters_get(p, "A"), "  a b ");
        ck_assert_str_eq(parameters_get(p, "B"), "");
        ck_assert_str_eq(parameters_get(p, "C"), "a\"b");
        ck_assert_ptr_null(parameters_get(p, "D"));
        ck_assert_str_eq(parameters_get(p, "E"), "x=y;z");
        ck_assert_str_eq(parameters_get(p, "F"), "{\"a\":\"b\"}");
}
END_TEST

START_TEST(what_could_be_read_in_two_ways_is_refused_with_its_line)
{
        static const struct {
                const char *content;
                const char *line; /* with the colon behind it */
                const char *reason;
        } rows[] = {
                {"[Daemon]\nMaxJobs=7\nMaxJobs=8\n",
                 ":3: ", "set twice in this file, first in line 2"},
                {"[Daemon]\nMaxJobs=7\n[Daemon]\nMaxJobs=7\n", ":4: ", "set twice"},
                {"[Daemon]\nMaxJobs\n", ":2: ", "no '='"},
                {"[Daemon]\nBus=\nMaxJobs\n", ":3: ", "no '='"},
                {"[Daemon]\nMaxJobs=7\n  8\n", ":3: ", "begins with a blank"},
                {"[Daemon]\nMaxJobs=7\n\tBus=none\n", ":3: ", "begins with a blank"},
                {"[Daemon]\nBus=\n  MaxJobs=7\n", ":3: ", "begins with a blank"},
                {"[Daemon]\nMaxJobs=7#8\n", ":2: ", "a '#' stands within the value"},
                {"[Daemon]\nBus=\"a # b\"\n", ":2: ", "no single match"},
                {"[Daemon]\nBus=\"none\n", ":2: ", "no single match"},
                {"[Daemon]\nBus=\"a\" \"b\"\n", ":2: ", "no single match"},
                {"[Daemon]\nBus=\"\n", ":2: ", "no single match"},
                {"[Daemon]\n; MaxJobs=7\n", ":2: ", "begins with '#', not with ';'"},
                {"[Daemon]\n=7\n", ":2: ", "no name of a key"},
                {"[Daemon]\nMax Jobs=7\n", ":2: ", "no name of a key"},
                {"[Daemon]\n\"MaxJobs\"=7\n", ":2: ", "no name of a key"},
                {"MaxJobs=7\n[Daemon]\n", ":1: ", "before the first section"},
                {"[Daemon\nMaxJobs=7\n", ":1: ", "lacks its ']'"},
                /* what is shown of it is cut within the last character */
                {"[Profile aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\xc3\xa9\n",
                 ":1: ", "aaa?' lacks its ']'"},
                {"[Daemon] MaxJobs=7\n", ":1: ", "text behind ']'"},
                {"[]\n", ":1: ", "no section"},
                {"[Dae[mon]\n", ":1: ", "no section"},
                {"[Daemon]\nBus=no\rne\n", ":2: ", "\\x0d in column 7"},
                {"[Daemon]\nBus=no\x1bne\n", ":2: ", "\\x1b in column 7"},
                {"[Daemon]\nBus=n\xff\n", ":2: ", "no printable UTF-8"},
                {"\xef\xbb\xbf[Daemon]\n", ":1: ", "byte order mark"},
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_free_ char *why = fixture_refused(rows[i].content);

                assert_contains(why, rows[i].line);
                assert_contains(why, rows[i].reason);
        }
}
END_TEST

START_TEST(a_nul_byte_is_refused_and_nothing_behind_it_is_lost)
{
        static const char content[] = "[Daemon]\nMaxJobs=7\0MaxJobs=8\n";
        const char *path = fixture_write_bytes("t.conf", content, sizeof(content) - 1, 0644);
        _cleanup_free_ char *why = NULL;
        Config *c = NULL;

        ck_assert_int_eq(config_load(path, &c, &why), -EINVAL);
        assert_contains(why, ":2: ");
        assert_contains(why, "\\x00 in column 10");
}
END_TEST

/* A line of `size` bytes: Parameter.A=vvv…, in a whole profile. */
static char *long_line(size_t size) {
        char *line = malloc(size + 2);

        ck_assert_ptr_nonnull(line);
        memset(line, 'v', size);
        memcpy(line, "Parameter.A=", strlen("Parameter.A="));
        memcpy(line + size, "\n", 2);
        return line;
}

START_TEST(a_long_line_is_read_whole_or_refused)
{
        const size_t size = IPC_PARAMETER_VALUE_MAX + strlen("Parameter.A=");
        _cleanup_free_ char *fits = long_line(size);
        _cleanup_free_ char *longer = long_line(size + 1);
        _cleanup_free_ char *longest = long_line(CONFIG_LINE_MAX);
        _cleanup_free_ char *too_long = long_line(CONFIG_LINE_MAX + 1);
        _cleanup_config_ Config *c = fixture_load(fixture_profile(fits));
        _cleanup_free_ char *why_longer = fixture_refused(fixture_profile(longer));
        _cleanup_free_ char *why_longest = fixture_refused(fixture_profile(longest));
        _cleanup_free_ char *why_too_long = fixture_refused(fixture_profile(too_long));

        ck_assert_uint_eq(strlen(parameters_get(&c->profiles[0]->fixed_parameters, "A")),
                          IPC_PARAMETER_VALUE_MAX);
        assert_contains(why_longer, ":6: [Profile aws] Parameter.A=: ");
        assert_contains(why_longest, ":6: [Profile aws] Parameter.A=: ");
        assert_contains(why_too_long, ":6: ");
        assert_contains(why_too_long, "the line has 8001 bytes");
}
END_TEST

START_TEST(a_file_of_more_than_a_megabyte_is_refused)
{
        _cleanup_free_ char *content = malloc(CONFIG_FILE_MAX + 1);
        _cleanup_free_ char *why = NULL;
        const char *path;
        Config *c = NULL;

        ck_assert_ptr_nonnull(content);
        memset(content, '\n', CONFIG_FILE_MAX + 1);
        path = fixture_write_bytes("t.conf", content, CONFIG_FILE_MAX + 1, 0644);
        ck_assert_int_eq(config_load(path, &c, &why), -EINVAL);
        assert_contains(why, path);
        assert_contains(why, "longer than 1048576 bytes");
}
END_TEST

START_TEST(too_many_keys_are_refused)
{
        _cleanup_free_ char *content = NULL;
        _cleanup_free_ char *why = NULL;
        size_t size = 0;
        FILE *f = open_memstream(&content, &size);

        ck_assert_ptr_nonnull(f);
        fputs("[Daemon]\n", f);
        for (size_t i = 0; i <= CONFIG_ENTRIES_MAX; i++)
                fprintf(f, "K%zu=\n", i);
        fclose(f);
        why = fixture_refused(content);
        assert_contains(why, ":4098: ");
        assert_contains(why, "more than 4096 keys");
}
END_TEST

int main(void) {
        TCase *t = tcase_create("form");

        tcase_add_checked_fixture(t, fixture_setup, fixture_teardown);
        tcase_add_test(t, comments_and_blank_lines_change_nothing);
        tcase_add_test(t, an_empty_value_swallows_no_line);
        tcase_add_test(t, carriage_returns_are_part_of_the_line_end);
        tcase_add_test(t, a_section_may_stand_twice);
        tcase_add_test(t, quotes_keep_blanks_and_an_empty_text);
        tcase_add_test(t, what_could_be_read_in_two_ways_is_refused_with_its_line);
        tcase_add_test(t, a_nul_byte_is_refused_and_nothing_behind_it_is_lost);
        tcase_add_test(t, a_long_line_is_read_whole_or_refused);
        tcase_add_test(t, a_file_of_more_than_a_megabyte_is_refused);
        tcase_add_test(t, too_many_keys_are_refused);
        return suite_run("configuration form", t);
}
