/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/integration/lib/container.h"

#include <check.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <stdio.h>
#include <unistd.h>

#include "tests/integration/lib/process.h"

typedef struct Inside {
        int ready[2], go[2];
        void (*function)(void *);
        void *userdata;
} Inside;

static void enter(void *userdata) {
        Inside *i = userdata;
        char byte = 0;

        ck_assert_int_eq(unshare(CLONE_NEWUSER), 0);
        ck_assert_int_eq(write(i->ready[1], &byte, 1), 1);
        ck_assert_int_eq(read(i->go[0], &byte, 1), 1);
        ck_assert_int_eq(setgroups(0, NULL), 0);
        ck_assert_int_eq(setresgid(0, 0, 0), 0);
        ck_assert_int_eq(setresuid(0, 0, 0), 0);
        i->function(i->userdata);
}

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

void container_run(void (*function)(void *), void *userdata) {
        Inside i = {.function = function, .userdata = userdata};
        char byte = 0;
        pid_t pid;

        ck_assert_int_eq(pipe2(i.ready, O_CLOEXEC), 0);
        ck_assert_int_eq(pipe2(i.go, O_CLOEXEC), 0);
        pid = process_fork_as(0, 0, NULL, 0, enter, &i);
        ck_assert_int_eq(read(i.ready[0], &byte, 1), 1);
        write_map(pid, "uid_map");
        write_map(pid, "gid_map");
        ck_assert_int_eq(write(i.go[1], &byte, 1), 1);
        process_join(pid);
        for (size_t k = 0; k < ELEMENTSOF(i.go); k++) {
                close(i.ready[k]);
                close(i.go[k]);
        }
}
