/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/ctl/run-ctl.h"

#include <check.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/libclient/stub.h"

#define ARGUMENTS_MAX 24

static Stub stub;
static char dir[64];
char text_out[TEXT_MAX], text_err[TEXT_MAX];

void ctl_setup(void) {
        stub_start(&stub);
        strcpy(dir, "/tmp/fleetprov-ctl-XXXXXX");
        ck_assert_ptr_nonnull(mkdtemp(dir));
        ck_assert_int_eq(chdir(dir), 0);
        unsetenv("LC_ALL");
        /* Check's own handlers would be taken for those of fleetprovctl. */
        signal(SIGINT, SIG_DFL);
        umask(022);
}

void ctl_teardown(void) {
        char command[128];

        stub_stop(&stub);
        snprintf(command, sizeof(command), "rm -rf %s", dir);
        ck_assert_int_eq(system(command), 0);
}

void ctl_slurp(int fd, char *to) {
        ssize_t n;

        n = pread(fd, to, TEXT_MAX - 1, 0);
        ck_assert_int_ge(n, 0);
        to[n] = '\0';
        close(fd);
}

pid_t ctl_start(const char *line, int *ret_out, int *ret_err) {
        char *copy = strdup(line), *state = NULL;
        char name[] = "fleetprovctl", *argv[ARGUMENTS_MAX] = {name};
        char socket[256];
        size_t n = 1;
        pid_t pid;

        *ret_out = open(".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
        *ret_err = open(".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
        ck_assert_int_ge(*ret_out, 0);
        ck_assert_int_ge(*ret_err, 0);
        snprintf(socket, sizeof(socket), "--socket=%s", stub.path);
        if (!strstr(line, "--socket") && !strstr(line, "--bus"))
                argv[n++] = socket;
        for (char *word = strtok_r(copy, " ", &state); word; word = strtok_r(NULL, " ", &state)) {
                ck_assert_uint_lt(n, ARGUMENTS_MAX - 1);
                argv[n++] = word;
        }
        pid = fork();
        ck_assert_int_ge(pid, 0);
        if (pid == 0) {
                dup2(*ret_out, STDOUT_FILENO);
                dup2(*ret_err, STDERR_FILENO);
                execv(FLEETPROVCTL, argv);
                _exit(127);
        }
        free(copy);
        return pid;
}

int ctl_run(const char *line) {
        int out, err, status;
        pid_t pid = ctl_start(line, &out, &err);

        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        ctl_slurp(out, text_out);
        ctl_slurp(err, text_err);
        ck_assert_msg(WIFEXITED(status), "%s: %s", line, text_err);
        return WEXITSTATUS(status);
}
