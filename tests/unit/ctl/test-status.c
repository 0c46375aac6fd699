/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The exit status of fleetprovctl, and what it says when the command line is wrong. */

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/ctl/run-ctl.h"

static const struct {
        const char *line;
        int status;
        const char *says; /* on standard error */
} ends[] = {
        {"provision", 0, ""},
        {"provision -p outcome=fail", 1, "server-refused"},
        {"provision -p outcome=expire", 4, "expired"},
        {"provision -p outcome=cancelled", 6, "cancelled"},
        {"provision -p outcome=denied", 5, "access-denied"},
        {"provision -p outcome=full", 7, "queue-full"},
        /* Where the machine is slow, not even the request is answered in that time. */
        {"provision -p outcome=hang --timeout=0.2", 4, "--timeout"},
        {"provision -p outcome=slow", 0, ""},
        {"provision --id=r -p outcome=restart", 0, ""},
        {"provision nosuch", 1, "not-initialized"},
        {"provision --socket=/nonexistent/socket", 3, "no daemon"},
        {"provision --bus=unix:path=/nonexistent", 3, "no daemon"},
        {"status", 0, ""},
        {"profiles", 0, ""},
        {"list", 0, ""},
        {"reload", 1, "fleetprovd.conf:7"},
        {"show nosuch", 1, "no-such-job"},
        {"show 0123456789abcdef0123456789abcdef", 1, "no-such-job"},
        {"cancel aws/nosuch", 1, "no-such-job"},
        {"check", 1, ""},
        {"check aws --json=short", 1, ""},
        {"check azure", 0, ""},
        {"check no/profile", 2, "a profile's name"},
        {"rotate --out=x", 1, "fill it first"},
        {"rotate", 2, "--out=DIR"},
        {"rotate --out=x --if-older-than=soon", 2, "no time span"},
        {"rotate --out=x --if-expires-within=99999y", 2, "shorter span"},
        {"--help", 0, ""},
        {"--version", 0, ""},
        {"monitor --timeout=0.1", 4, ""},
};

START_TEST(exit_status_tells_how_it_ended)
{
        int status = ctl_run(ends[_i].line);

        ck_assert_msg(status == ends[_i].status, "%s: exit %d: %s", ends[_i].line, status,
                      text_err);
        ck_assert_msg(strstr(text_err, ends[_i].says) != NULL, "%s: %s", ends[_i].line, text_err);
        if (status != 0 && *ends[_i].says)
                ck_assert_msg(strncmp(text_err, "fleetprovctl: ", 14) == 0, "%s", text_err);
}
END_TEST

static const struct {
        const char *line, *names;
} usages[] = {
        {"", "verb"},
        {"frobnicate", "frobnicate"},
        {"--nonsense status", "--nonsense"},
        {"status extra", "status"},
        {"status --out=x", "--out"},
        {"list --csr=x", "--csr"},
        {"show", "show"},
        {"wait", "wait"},
        {"provision --json=yaml", "--json=yaml"},
        {"provision --timeout=soon", "--timeout=soon"},
        {"provision --timeout=0", "--timeout=0"},
        {"provision --deadline=never", "--deadline=never"},
        {"provision -p noequals", "-p noequals"},
        {"provision -p A=1 -p A=2", "-p A=2"},
        {"provision --id=a/b", "--id=a/b"},
        {"provision --id=0123456789abcdef0123456789abcdef", "--id="},
        {"provision --key-type=dsa", "--key-type=dsa"},
        {"provision --key-source=me", "--key-source=me"},
        {"provision --csr=/nonexistent", "--csr=/nonexistent"},
        {"provision --csr=/dev/null", "--csr=/dev/null"},
        {"provision --payload={", "--payload={"},
        {"provision --replace", "--replace"},
        {"provision --keep", "--keep"},
        {"provision --no-wait --out=x", "--no-wait"},
        {"provision pro/file", "pro/file"},
        {"provision a b", "provision"},
        {"create-certificate --out=x", "--csr"},
        {"create-keys", "--out"},
        {"register-thing", "--token-file"},
        {"status --bus=nowhere", "--bus=nowhere"},
        {"--socket", "--socket"},
        {"show not!a!job", "not!a!job"},
};

START_TEST(wrong_usage_is_exit_2_and_names_what)
{
        int status = ctl_run(usages[_i].line);

        ck_assert_msg(status == 2, "%s: exit %d: %s", usages[_i].line, status, text_err);
        ck_assert_msg(strstr(text_err, usages[_i].names) != NULL, "%s: %s", usages[_i].line,
                      text_err);
        ck_assert_str_eq(text_out, "");
}
END_TEST

int main(void) {
        Suite *s = suite_create("ctl: exit status");
        TCase *t = tcase_create("against a stub");
        SRunner *runner;
        int failed;

        tcase_add_checked_fixture(t, ctl_setup, ctl_teardown);
        tcase_set_timeout(t, 60);
        tcase_add_loop_test(t, exit_status_tells_how_it_ended, 0,
                            (int) (sizeof(ends) / sizeof(ends[0])));
        tcase_add_loop_test(t, wrong_usage_is_exit_2_and_names_what, 0,
                            (int) (sizeof(usages) / sizeof(usages[0])));
        suite_add_tcase(s, t);
        runner = srunner_create(s);
        srunner_run_all(runner, CK_ENV);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
