/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The example of the manual page gets an identity, and says why when it gets none. */

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "tests/unit/libclient/stub.h"

static Stub stub;

static int run_example(const char *arguments, char *to, size_t size) {
        char command[512];
        size_t n;
        FILE *f;
        int r;

        snprintf(command, sizeof(command), "'" EXAMPLE "' %s 2>&1", arguments);
        f = popen(command, "r");
        ck_assert_ptr_nonnull(f);
        n = fread(to, 1, size - 1, f);
        to[n] = '\0';
        r = pclose(f);
        ck_assert(WIFEXITED(r));
        return WEXITSTATUS(r);
}

START_TEST(example_gets_an_identity)
{
        char arguments[256], text[1024];

        stub_start(&stub);
        snprintf(arguments, sizeof(arguments), "4711 %s", stub.path);
        ck_assert_int_eq(run_example(arguments, text, sizeof(text)), 0);
        ck_assert_msg(strncmp(text, "thing-1: ", 9) == 0, "%s", text);
        ck_assert_ptr_nonnull(strstr(text, "BEGIN CERTIFICATE"));
        ck_assert_ptr_null(strstr(text, "PRIVATE KEY"));
        stub_stop(&stub);
}
END_TEST

START_TEST(example_without_a_daemon_fails_and_says_so)
{
        char text[1024];

        ck_assert_int_eq(run_example("4711 /nonexistent/socket", text, sizeof(text)), 1);
        ck_assert_ptr_nonnull(strstr(text, "no identity"));
}
END_TEST

int main(void) {
        Suite *s = suite_create("libclient: example");
        TCase *t = tcase_create("run");
        SRunner *runner;
        int failed;

        tcase_set_timeout(t, 60);
        tcase_add_test(t, example_gets_an_identity);
        tcase_add_test(t, example_without_a_daemon_fails_and_says_so);
        suite_add_tcase(s, t);
        runner = srunner_create(s);
        srunner_run_all(runner, CK_ENV);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
