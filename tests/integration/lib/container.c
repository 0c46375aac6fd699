/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/integration/lib/container.h"

#include <check.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tests/integration/lib/process.h"

/* user_namespaces(7): from outside, by somebody who has the right to these numbers. */
static void write_map(pid_t pid, const char *name) {
        _cleanup_free_ char *path = NULL;
        FILE *f;

        ck_assert_int_gt(asprintf(&path, "/proc/%d/%s", pid, name), 0);
        f = fopen(path, "we");
        ck_assert_ptr_nonnull(f);
        ck_assert_int_gt(fprintf(f, "0 %u %u\n", CONTAINER_ROOT, CONTAINER_USERS), 0);
        ck_assert_int_eq(fclose(f), 0);
}

static void enter(int go, void (*function)(void *), void *userdata) {
        char byte;

        ck_assert_int_eq(read(go, &byte, 1), 1);
        ck_assert_int_eq(setgroups(0, NULL), 0);
        ck_assert_int_eq(setresgid(0, 0, 0), 0);
        ck_assert_int_eq(setresuid(0, 0, 0), 0);
        ck_assert_int_eq(prctl(PR_SET_PDEATHSIG, SIGKILL), 0);
        function(userdata);
}

void container_run(void (*function)(void *), void *userdata) {
        int go[2];
        pid_t pid;

        ck_assert_int_eq(pipe2(go, O_CLOEXEC), 0);
        /* Not fork(2) and unshare(2), which is refused where a sanitizer has a thread. */
        pid = (pid_t) syscall(SYS_clone, (unsigned long) (CLONE_NEWUSER | SIGCHLD), NULL, NULL,
                              NULL, NULL);
        ck_assert_int_ge(pid, 0);
        if (pid == 0) {
                close(go[1]);
                enter(go[0], function, userdata);
                _exit(EXIT_SUCCESS);
        }
        close(go[0]);
        write_map(pid, "uid_map");
        write_map(pid, "gid_map");
        ck_assert_int_eq(write(go[1], "", 1), 1);
        close(go[1]);
        process_join(pid);
}
