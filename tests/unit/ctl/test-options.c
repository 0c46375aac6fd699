/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The command line's small parts: times, options, what is escaped. */

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "libclient/ctl/complain.h"
#include "libclient/ctl/options.h"
#include "libclient/ctl/time-text.h"
#include "libclient/ctl/verbs.h"

static const struct {
        const char *text;
        int r;
        usec_t usec;
} times[] = {
        {"1", 0, 1000000},
        {"0.5", 0, 500000},
        {"250ms", 0, 250000},
        {"2min", 0, 120000000},
        {"1h", 0, 3600000000U},
        {"1d", 0, 86400000000U},
        {"3s", 0, 3000000},
        {"0", 0, 0},
        {"infinity", 0, USEC_INFINITY},
        {"", -EINVAL, 0},
        {"-1", -EINVAL, 0},
        {"1x", -EINVAL, 0},
        {"0x10", -EINVAL, 0},
        {"nan", -EINVAL, 0},
        {" 1", -EINVAL, 0},
        {"1 s", -EINVAL, 0},
        {"1e20", -ERANGE, 0},
};

START_TEST(times_are_read)
{
        usec_t usec = 0;

        ck_assert_int_eq(parse_seconds(times[_i].text, &usec), times[_i].r);
        ck_assert_uint_eq(usec, times[_i].usec);
}
END_TEST

START_TEST(options_stand_anywhere)
{
        char words[][16] = {"ctl", "provision", "-p", "A=1=2", "aws", "--json=short", "--id", "k"};
        char *argv[ELEMENTSOF(words) + 1] = {0};
        Options o;
        int first;

        for (size_t i = 0; i < ELEMENTSOF(words); i++)
                argv[i] = words[i];
        ck_assert_int_eq(options_parse(&o, 8, argv, &first), 0);
        ck_assert_int_eq(first, 6);
        ck_assert_str_eq(argv[6], "provision");
        ck_assert_str_eq(argv[7], "aws");
        ck_assert_str_eq(o.parameters[0], "A=1=2");
        ck_assert_int_eq(o.json, JSON_SHORT);
        ck_assert_str_eq(o.id, "k");
        ck_assert_uint_eq(o.given, OPTION_PARAMETER | OPTION_ID);
        options_done(&o);
}
END_TEST

START_TEST(relative_socket_becomes_a_full_path)
{
        char words[][16] = {"ctl", "--socket=a.sock"};
        char *argv[] = {words[0], words[1], NULL};
        Options o;
        int first;

        ck_assert_int_eq(options_parse(&o, 2, argv, &first), 0);
        ck_assert_int_eq(o.address[0], '/');
        ck_assert_ptr_nonnull(strstr(o.address, "/a.sock"));
        options_done(&o);
}
END_TEST

static const struct {
        const char *text, *one_line;
} escapes[] = {
        {"plain", "plain"},
        {"a\nb", "a b"},
        {"\x1b[31mred", "\\x1b[31mred"},
        {"bell\a\x7f", "bell\\x07\\x7f"},
        {"\xc2\x9b"
         "31m",
         "\\xc2\\x9b31m"}, /* a C1 control, which terminals obey */
        {"\xe2\x80\xae"
         "txt",
         "\\xe2\\x80\\xaetxt"}, /* turns the writing direction */
        {"gr\xc3\xbc\xc3\x9f"
         "e",
         "gr\xc3\xbc\xc3\x9f"
         "e"},
        {"\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80"},
        {"\xff\xc3", "\\xff\\xc3"},
        {"\xc0\xaf", "\\xc0\\xaf"}, /* not the shortest form */
};

START_TEST(what_a_terminal_would_obey_is_escaped)
{
        char *s = escape_text(escapes[_i].text, true);

        ck_assert_str_eq(s, escapes[_i].one_line);
        free(s);
}
END_TEST

START_TEST(times_are_written)
{
        char *s = time_rfc3339(1700000000123456U);

        ck_assert_str_eq(s, "2023-11-14T22:13:20.123Z");
        free(s);
        ck_assert_ptr_null(time_rfc3339(0));
        ck_assert_ptr_null(time_end(0, 1));
        ck_assert_ptr_null(time_rfc3339(UINT64_MAX));
        s = time_span(65 * USEC_PER_SEC);
        ck_assert_str_eq(s, "1min 5s");
        free(s);
}
END_TEST

static const struct {
        uint64_t left;
        const char *begins, *ends;
} time_ends[] = {
        {TIME_END_NEAR_USEC + 1, "expires 20", "0"},
        {TIME_END_NEAR_USEC, "expires 20", ", in 30 days"},
        {USEC_PER_DAY - 1, "expires 20", ", in 0 days"},
        {0, "expired 20", "0"},
};

START_TEST(end_that_is_near_or_past_is_told)
{
        const uint64_t end = 1800000000ULL * USEC_PER_SEC;
        const size_t i = (size_t) _i;
        char *text = time_end(end, end - time_ends[i].left);

        ck_assert_msg(strncmp(text, time_ends[i].begins, strlen(time_ends[i].begins)) == 0, "%s",
                      text);
        ck_assert_str_eq(text + strlen(text) - strlen(time_ends[i].ends), time_ends[i].ends);
        free(text);
}
END_TEST

START_TEST(every_verb_of_the_contract_is_there)
{
        static const char *const names[] = {
                "status",      "profiles",       "provision", "create-certificate",
                "create-keys", "register-thing", "rotate",    "list",
                "show",        "wait",           "result",    "cancel",
                "release",     "monitor",        "reload",    "check",
        };

        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                ck_assert_msg(verb_find(names[i]) != NULL, "%s", names[i]);
        ck_assert_ptr_null(verb_find("frobnicate"));
}
END_TEST

int main(void) {
        Suite *s = suite_create("ctl: command line");
        TCase *t = tcase_create("parts");
        SRunner *runner;
        int failed;

        tcase_add_loop_test(t, times_are_read, 0, (int) ELEMENTSOF(times));
        tcase_add_loop_test(t, end_that_is_near_or_past_is_told, 0, 4);
        tcase_add_test(t, options_stand_anywhere);
        tcase_add_test(t, relative_socket_becomes_a_full_path);
        tcase_add_loop_test(t, what_a_terminal_would_obey_is_escaped, 0, (int) ELEMENTSOF(escapes));
        tcase_add_test(t, times_are_written);
        tcase_add_test(t, every_verb_of_the_contract_is_there);
        suite_add_tcase(s, t);
        runner = srunner_create(s);
        srunner_run_all(runner, CK_ENV);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
