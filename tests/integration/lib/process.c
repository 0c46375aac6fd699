/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/integration/lib/process.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>

#define PAUSE_MSEC 10U
#define STATUS_NOT_RUN 127
#define STATUS_SIGNAL 128

bool process_pause(unsigned *tries) {
        const struct timespec pause = {.tv_nsec = PAUSE_MSEC * 1000000L};

        if (++*tries > PATIENCE_SEC * 1000 / PAUSE_MSEC)
                return false;
        (void) nanosleep(&pause, NULL);
        return true;
}

/* In the child: it ends with us, and has no signal blocked. */
static void become_child(pid_t parent, int signo) {
        sigset_t none;

        sigemptyset(&none);
        (void) sigprocmask(SIG_SETMASK, &none, NULL);
        if (prctl(PR_SET_PDEATHSIG, signo) < 0 || getppid() != parent)
                _exit(STATUS_NOT_RUN);
}

static void run_child(const char *const argv[], int output, const char *const environment[]) {
        if (output >= 0 && (dup2(output, STDOUT_FILENO) < 0 || dup2(output, STDERR_FILENO) < 0))
                _exit(STATUS_NOT_RUN);
        for (; environment && *environment; environment++)
                (void) putenv((char *) (uintptr_t) *environment);
        execvp(argv[0], (char *const *) (uintptr_t) argv);
        dprintf(STDERR_FILENO, "%s: %s\n", argv[0], strerrordesc_np(errno));
        _exit(STATUS_NOT_RUN);
}

static pid_t start(const char *const argv[], int output, const char *const environment[]) {
        pid_t parent = getpid(), pid = fork();

        ck_assert_int_ge(pid, 0);
        if (pid == 0) {
                become_child(parent, SIGTERM);
                run_child(argv, output, environment);
        }
        return pid;
}

pid_t process_start(const char *const argv[], const char *log, const char *const environment[]) {
        _cleanup_close_ int fd = -1;

        if (log) {
                fd = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
                ck_assert_int_ge(fd, 0);
        }
        return start(argv, fd, environment);
}

int process_wait(pid_t pid) {
        _cleanup_close_ int fd = pidfd_open(pid, 0);
        struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
        int status, r;

        ck_assert_int_ge(fd, 0);
        do
                r = poll(&poll_fd, 1, PATIENCE_SEC * 1000);
        while (r < 0 && errno == EINTR);
        if (r == 0)
                (void) kill(pid, SIGKILL);
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        ck_assert_msg(r > 0, "process %d does not end", pid);
        return status;
}

int process_end(pid_t pid, int signo) {
        if (pid <= 0)
                return 0;
        ck_assert_int_eq(kill(pid, signo), 0);
        return process_wait(pid);
}

static int exit_status(int status) {
        return WIFEXITED(status) ? WEXITSTATUS(status) : STATUS_SIGNAL + WTERMSIG(status);
}

int process_run(const char *const argv[], const char *const environment[], char **ret_output) {
        _cleanup_free_ char *output = NULL;
        size_t size = 0;
        int fds[2];
        FILE *out;
        pid_t pid;

        ck_assert_int_eq(pipe2(fds, O_CLOEXEC), 0);
        pid = start(argv, fds[1], environment);
        close(fds[1]);
        out = fdopen(fds[0], "r");
        ck_assert_ptr_nonnull(out);
        if (getdelim(&output, &size, '\0', out) < 0) {
                free(output);
                output = strdup("");
                ck_assert_ptr_nonnull(output);
        }
        fclose(out);
        if (ret_output)
                *ret_output = TAKE_PTR(output);
        return exit_status(process_wait(pid));
}

pid_t process_fork_as(uid_t uid, gid_t gid, const gid_t *groups, size_t n_groups,
                      void (*function)(void *), void *userdata) {
        pid_t parent = getpid(), pid = fork();

        ck_assert_int_ge(pid, 0);
        if (pid == 0) {
                ck_assert_int_eq(setgroups(n_groups, groups), 0);
                ck_assert_int_eq(setresgid(gid, gid, gid), 0);
                ck_assert_int_eq(setresuid(uid, uid, uid), 0);
                /* A change of user takes the wish back (prctl(2)). */
                become_child(parent, SIGKILL);
                function(userdata);
                _exit(EXIT_SUCCESS);
        }
        return pid;
}

void process_join(pid_t pid) {
        int status = process_wait(pid);

        /* Check has heard from the child itself; another message would hide it. */
        if (WIFEXITED(status) && WEXITSTATUS(status) != EXIT_SUCCESS)
                _exit(EXIT_FAILURE);
        ck_assert_msg(WIFEXITED(status), "process %d died of signal %d", pid, WTERMSIG(status));
}

void process_as_user(uid_t uid, gid_t gid, const gid_t *groups, size_t n_groups,
                     void (*function)(void *), void *userdata) {
        process_join(process_fork_as(uid, gid, groups, n_groups, function, userdata));
}
