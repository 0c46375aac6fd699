/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/integration/lib/kill-point.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* Tells a stop at a system call from a SIGTRAP of another kind. */
#define SYSCALL_STOP (SIGTRAP | 0x80)

/* What gcc's counters are written to at the end of a program (tests/coverage): no step of its own.
 */
static bool is_counters(pid_t pid, uint64_t address) {
        static const char ending[] = ".gcda";
        _cleanup_free_ char *memory = NULL;
        _cleanup_close_ int fd = -EBADF;
        char path[PATH_MAX];
        ssize_t size;

        ck_assert_int_gt(asprintf(&memory, "/proc/%d/mem", pid), 0);
        fd = open(memory, O_RDONLY | O_CLOEXEC);
        ck_assert_int_ge(fd, 0);
        size = pread(fd, path, sizeof(path) - 1, (off_t) address);
        ck_assert_int_ge(size, 0);
        path[size] = '\0';
        return strlen(path) > strlen(ending) && streq(path + strlen(path) - strlen(ending), ending);
}

static bool is_change(pid_t pid, const struct __ptrace_syscall_info *info) {
        switch (info->entry.nr) {
#ifdef SYS_mkdir
        case SYS_mkdir:
        case SYS_rename:
        case SYS_symlink:
        case SYS_unlink:
        case SYS_rmdir:
#endif
        case SYS_mkdirat:
        case SYS_renameat:
        case SYS_renameat2:
        case SYS_symlinkat:
        case SYS_unlinkat:
        case SYS_fallocate:
        case SYS_fsync:
        case SYS_sendmsg:
                return true;
        case SYS_openat:
                return info->entry.args[2] & O_CREAT && !is_counters(pid, info->entry.args[1]);
        default:
                return false;
        }
}

static void become_traced(const char *const argv[], const char *log) {
        int fd = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

        if (fd < 0 || dup2(fd, STDOUT_FILENO) < 0 || dup2(fd, STDERR_FILENO) < 0)
                _exit(127);
        /* LeakSanitizer is a tracer itself, and there can be one alone. */
        (void) setenv("ASAN_OPTIONS", "detect_leaks=0", 1);
        if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0)
                _exit(127);
        execv(argv[0], (char *const *) (uintptr_t) argv);
        _exit(127);
}

static bool enters_change(pid_t pid) {
        struct __ptrace_syscall_info info;

        ck_assert_int_gt(ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof(info), &info), 0);
        return info.op == PTRACE_SYSCALL_INFO_ENTRY && is_change(pid, &info);
}

/* Until the next stop or the end. The end: true. */
static bool go_on(pid_t pid, int signo, int *ret_status) {
        ck_assert_int_ge(ptrace(PTRACE_SYSCALL, pid, NULL, (void *) (uintptr_t) (unsigned) signo),
                         0);
        ck_assert_int_eq(waitpid(pid, ret_status, 0), pid);
        return !WIFSTOPPED(*ret_status);
}

bool kill_point_run(const char *const argv[], const char *log, unsigned n, int *ret_status) {
        int status = 0, signo = 0;
        unsigned seen = 0;
        pid_t pid;

        pid = fork();
        ck_assert_int_ge(pid, 0);
        if (pid == 0)
                become_traced(argv, log);
        ck_assert_int_eq(waitpid(pid, &status, 0), pid); /* at its exec */
        ck_assert(WIFSTOPPED(status));
        ck_assert_int_ge(ptrace(PTRACE_SETOPTIONS, pid, NULL,
                                (void *) (uintptr_t) (PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL)),
                         0);
        while (!go_on(pid, signo, &status)) {
                signo = WSTOPSIG(status) == SYSCALL_STOP ? 0 : WSTOPSIG(status);
                if (signo == 0 && enters_change(pid) && ++seen == n) {
                        ck_assert_int_ge(kill(pid, SIGKILL), 0);
                        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
                        return true;
                }
        }
        ck_assert_msg(WIFEXITED(status), "it died of signal %d", WTERMSIG(status));
        *ret_status = WEXITSTATUS(status);
        return false;
}
