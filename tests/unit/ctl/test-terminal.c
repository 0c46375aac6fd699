/* SPDX-License-Identifier: GPL-2.0-or-later */

/* fleetprovctl as a person sees it: on a terminal of a given width. */

#include <check.h>
#include <errno.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/libclient/stub.h"

#define ARGUMENTS_MAX 24
#define TEXT_MAX 65536

static Stub stub;
static char text[TEXT_MAX];

static void setup(void) {
        stub_start(&stub);
        setenv("TERM", "vt100", 1);
        setenv("LC_ALL", "C.UTF-8", 1);
        unsetenv("PAGER");
        setenv("SYSTEMD_PAGER", "", 1);
        signal(SIGINT, SIG_DFL);
}

static void teardown(void) {
        stub_stop(&stub);
}

/* Reads until the other side is closed, or (if given) `until` was seen. */
static void read_until(int fd, size_t *n, const char *until) {
        while (*n < TEXT_MAX - 1) {
                struct pollfd p = {.fd = fd, .events = POLLIN};
                ssize_t k;

                ck_assert_msg(poll(&p, 1, 30000) > 0, "no more after: %s", text);
                k = read(fd, text + *n, TEXT_MAX - 1 - *n);
                /* A terminal that nobody holds open any more reads as EIO. */
                if (k <= 0)
                        return;
                *n += (size_t) k;
                text[*n] = '\0';
                if (until && strstr(text, until))
                        return;
        }
}

static pid_t start(const char *line, unsigned short columns, int *ret_fd) {
        struct winsize size = {.ws_row = 24, .ws_col = columns};
        char *copy = strdup(line), *state = NULL, name[] = "fleetprovctl";
        char socket[256], *argv[ARGUMENTS_MAX] = {name, socket};
        size_t n = 2;
        pid_t pid;

        snprintf(socket, sizeof(socket), "--socket=%s", stub.path);
        for (char *word = strtok_r(copy, " ", &state); word; word = strtok_r(NULL, " ", &state))
                argv[n++] = word;
        pid = forkpty(ret_fd, NULL, NULL, &size);
        ck_assert_int_ge(pid, 0);
        if (pid == 0) {
                execv(FLEETPROVCTL, argv);
                _exit(127);
        }
        free(copy);
        return pid;
}

static int finish(pid_t pid, int fd, size_t *n) {
        int status;

        read_until(fd, n, NULL);
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        close(fd);
        return status;
}

static int run(const char *line, unsigned short columns) {
        size_t n = 0;
        pid_t pid;
        int fd;

        text[0] = '\0';
        pid = start(line, columns, &fd);
        return finish(pid, fd, &n);
}

static size_t longest_line(void) {
        size_t longest = 0;

        for (char *p = text; *p;) {
                size_t n = strcspn(p, "\r\n");

                if (n > longest)
                        longest = n;
                p += n;
                p += strspn(p, "\r\n");
        }
        return longest;
}

static const unsigned short widths[] = {80, 100, 200};

START_TEST(tables_keep_to_the_width_and_keep_ids_whole)
{
        run("provision --id=a-key-of-a-length-that-people-do-use -p outcome=fail", 80);
        ck_assert_int_eq(run("list --all", widths[_i]), 0);
        ck_assert_uint_le(longest_line(), widths[_i]);
        ck_assert_ptr_nonnull(strstr(text, "00000000000000000000000000000001"));
        ck_assert_ptr_nonnull(strstr(text, "failed"));
        ck_assert_int_eq(strstr(text, "OPERATION") != NULL, widths[_i] == 200);
        ck_assert_int_eq(run("profiles", widths[_i]), 0);
        ck_assert_uint_le(longest_line(), widths[_i]);
        ck_assert_int_eq(run("show 00000000000000000000000000000001", widths[_i]), 0);
        ck_assert_uint_le(longest_line(), widths[_i]);
        ck_assert_ptr_nonnull(strstr(text, "\\x1b[31m"));
}
END_TEST

START_TEST(progress_is_one_line_and_erased_at_the_end)
{
        const char *progress, *erased;

        ck_assert_int_eq(run("provision --id=k -p outcome=slow", 80), 0);
        progress = strstr(text, "running, create, 0 s");
        ck_assert_msg(progress != NULL, "%s", text);
        erased = strstr(progress, "\r\x1b[K");
        ck_assert_ptr_nonnull(erased);
        ck_assert_ptr_null(strstr(erased + 4, "running"));
        ck_assert_ptr_nonnull(strstr(erased, "thing-1"));
}
END_TEST

START_TEST(waiting_job_says_why_and_ctrl_c_leaves_it)
{
        size_t n = 0;
        pid_t pid;
        int fd, status;

        text[0] = '\0';
        pid = start("provision --id=h -p outcome=hang", 80, &fd);
        read_until(fd, &n, "no address for cloud");
        ck_assert_ptr_nonnull(strstr(text, "queued"));
        ck_assert_int_eq(write(fd, "\x03", 1), 1);
        status = finish(pid, fd, &n);
        ck_assert(WIFSIGNALED(status));
        ck_assert_int_eq(WTERMSIG(status), SIGINT);
        ck_assert_ptr_nonnull(strstr(text, "fleetprovctl wait 00000000000000000000000000000001"));
}
END_TEST

START_TEST(json_on_a_terminal_holds_nothing_that_it_would_obey)
{
        ck_assert_int_eq(WEXITSTATUS(run("provision -p outcome=fail --json=short", 80)), 1);
        ck_assert_ptr_nonnull(strstr(text, "\\u001B[31m"));
        ck_assert_ptr_null(strstr(text, "\x1b[31m"));
        /* A C1 control, which JSON itself lets pass. */
        ck_assert_ptr_nonnull(strstr(text, "\\u009B"));
        ck_assert_ptr_null(strstr(text, "\xc2\x9b"));
}
END_TEST

START_TEST(pager_is_asked_where_one_is_wanted)
{
        setenv("SYSTEMD_PAGER", "sed s/^/paged:/", 1);
        ck_assert_int_eq(run("status", 80), 0);
        ck_assert_ptr_nonnull(strstr(text, "paged:"));
        ck_assert_int_eq(run("status --no-pager", 80), 0);
        ck_assert_ptr_null(strstr(text, "paged:"));
        ck_assert_int_eq(run("status --json=short", 80), 0);
        ck_assert_ptr_null(strstr(text, "paged:"));
        setenv("SYSTEMD_PAGER", "cat", 1);
        ck_assert_int_eq(run("status", 80), 0);
        ck_assert_ptr_nonnull(strstr(text, "fleetprovd 0.1.0"));
        /* One that ends at once is no failure of ours. */
        setenv("SYSTEMD_PAGER", "true", 1);
        ck_assert_int_eq(run("status", 80), 0);
        ck_assert_ptr_null(strstr(text, "cannot be written"));
        unsetenv("SYSTEMD_PAGER");
        setenv("PAGER", "sed s/^/mine:/", 1);
        ck_assert_int_eq(run("list", 80), 0);
        ck_assert_ptr_nonnull(strstr(text, "No jobs."));
        ck_assert_int_eq(run("profiles", 80), 0);
        ck_assert_ptr_nonnull(strstr(text, "mine:"));
}
END_TEST

START_TEST(monitor_prints_lines_for_people)
{
        size_t n = 0;
        pid_t pid;
        int fd, other, status;

        text[0] = '\0';
        pid = start("monitor", 80, &fd);
        /* Its first call has been answered when it tells of jobs: try until it does. */
        for (int i = 0; i < 100 && !strstr(text, "job-added"); i++) {
                struct pollfd p = {.fd = fd, .events = POLLIN};
                char drain[4096];
                pid_t one = start("provision", 80, &other);

                while (read(other, drain, sizeof(drain)) > 0)
                        ;
                close(other);
                waitpid(one, NULL, 0);
                while (poll(&p, 1, 50) > 0 && !strstr(text, "succeeded"))
                        read_until(fd, &n, "succeeded");
        }
        ck_assert_ptr_nonnull(strstr(text, "job-added"));
        ck_assert_ptr_nonnull(strstr(text, "running create"));
        ck_assert_int_eq(write(fd, "\x03", 1), 1);
        status = finish(pid, fd, &n);
        ck_assert(WIFSIGNALED(status));
}
END_TEST

int main(void) {
        Suite *s = suite_create("ctl: on a terminal");
        TCase *t = tcase_create("pty");
        SRunner *runner;
        int failed;

        tcase_add_checked_fixture(t, setup, teardown);
        tcase_set_timeout(t, 60);
        tcase_add_loop_test(t, tables_keep_to_the_width_and_keep_ids_whole, 0,
                            (int) (sizeof(widths) / sizeof(widths[0])));
        tcase_add_test(t, progress_is_one_line_and_erased_at_the_end);
        tcase_add_test(t, waiting_job_says_why_and_ctrl_c_leaves_it);
        tcase_add_test(t, json_on_a_terminal_holds_nothing_that_it_would_obey);
        tcase_add_test(t, pager_is_asked_where_one_is_wanted);
        tcase_add_test(t, monitor_prints_lines_for_people);
        suite_add_tcase(s, t);
        runner = srunner_create(s);
        srunner_run_all(runner, CK_ENV);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
