/* SPDX-License-Identifier: GPL-2.0-or-later */

/* How many lines a cause may have, and what is told of the others. */

#include <check.h>
#include <stdio.h>

#include "daemon/base/log-limit.h"

#define START ((usec_t) 1000)
#define END (START + LOG_LIMIT_WINDOW_USEC)

static LogLimit limit;

static void use_up(const char *cause, usec_t now) {
        for (unsigned i = 0; i < LOG_LIMIT_LINES; i++)
                ck_assert(log_limit_take(&limit, cause, now));
        ck_assert(!log_limit_take(&limit, cause, now));
}

static void setup(void) {
        limit = (LogLimit){};
}

START_TEST(cause_has_so_many_lines_in_a_window)
{
        use_up("a", START);
        ck_assert(!log_limit_take(&limit, "a", END - 1));
}
END_TEST

START_TEST(causes_do_not_share)
{
        use_up("a", START);
        ck_assert(log_limit_take(&limit, "b", START));
        ck_assert(log_limit_take(&limit, "", START));
}
END_TEST

START_TEST(window_that_is_over_begins_anew)
{
        for (unsigned i = 0; i < LOG_LIMIT_LINES; i++)
                ck_assert(log_limit_take(&limit, "a", START));
        use_up("a", END);
}
END_TEST

START_TEST(what_is_left_out_is_told_once_when_its_window_ends)
{
        const char *cause = NULL;

        ck_assert_uint_eq(log_limit_due(&limit), USEC_INFINITY);
        use_up("a", START);
        ck_assert(!log_limit_take(&limit, "a", START + 5));
        ck_assert_uint_eq(log_limit_due(&limit), END);
        ck_assert_uint_eq(log_limit_left_out(&limit, END - 1, &cause), 0);
        ck_assert_uint_eq(log_limit_left_out(&limit, END, &cause), 2);
        ck_assert_str_eq(cause, "a");
        ck_assert_uint_eq(log_limit_left_out(&limit, END, &cause), 0);
        ck_assert_uint_eq(log_limit_due(&limit), USEC_INFINITY);
        use_up("a", END);
}
END_TEST

START_TEST(nothing_is_forgotten_by_who_comes_after_the_window)
{
        const char *cause = NULL;

        use_up("a", START);
        ck_assert(!log_limit_take(&limit, "a", END + 1));
        ck_assert_uint_eq(log_limit_left_out(&limit, END + 1, &cause), 2);
        ck_assert(log_limit_take(&limit, "a", END + 1));
}
END_TEST

START_TEST(too_many_causes_share_one)
{
        const char *cause = NULL;
        char text[16];

        for (unsigned i = 0; i < LOG_LIMIT_CAUSES_MAX; i++) {
                (void) snprintf(text, sizeof(text), "cause %u", i);
                ck_assert(log_limit_take(&limit, text, START));
        }
        /* Each is a cause of its own, and together they have what one has. */
        for (unsigned i = 0; i < 1000; i++) {
                (void) snprintf(text, sizeof(text), "more %u", i);
                ck_assert(log_limit_take(&limit, text, START) == (i < LOG_LIMIT_LINES));
        }
        ck_assert(log_limit_take(&limit, "cause 0", START));
        ck_assert_uint_eq(log_limit_left_out(&limit, END, &cause), 1000 - LOG_LIMIT_LINES);
        ck_assert_str_eq(cause, "others");
        /* And those that were told apart make room. */
        use_up("more 1", END);
}
END_TEST

START_TEST(long_causes_are_cut_off_and_stay_one)
{
        _cleanup_free_ char *text = malloc(2 * LOG_LIMIT_CAUSE_SIZE);

        ck_assert_ptr_nonnull(text);
        memset(text, 'x', 2 * LOG_LIMIT_CAUSE_SIZE);
        text[2 * LOG_LIMIT_CAUSE_SIZE - 1] = '\0';
        use_up(text, START);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("base: log limit");
        TCase *tc = tcase_create("log limit");
        SRunner *runner = srunner_create(suite);
        int failed;

        tcase_add_checked_fixture(tc, setup, NULL);
        tcase_add_test(tc, cause_has_so_many_lines_in_a_window);
        tcase_add_test(tc, causes_do_not_share);
        tcase_add_test(tc, window_that_is_over_begins_anew);
        tcase_add_test(tc, what_is_left_out_is_told_once_when_its_window_ends);
        tcase_add_test(tc, nothing_is_forgotten_by_who_comes_after_the_window);
        tcase_add_test(tc, too_many_causes_share_one);
        tcase_add_test(tc, long_causes_are_cut_off_and_stay_one);
        suite_add_tcase(suite, tc);
        srunner_run_all(runner, CK_ENV);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
