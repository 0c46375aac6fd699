/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/integration/lib/cable.h"

#include <check.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>

#include "tests/integration/lib/process.h"

void cable_go(int side) {
        ck_assert_int_eq(setns(side, CLONE_NEWNET), 0);
}

void cable_ip(int side, const char *arguments) {
        _cleanup_free_ char *command = NULL, *output = NULL;

        ck_assert_int_ge(asprintf(&command, "exec ip %s", arguments), 0);
        cable_go(side);
        ck_assert_msg(
                process_run((const char *const[]){"sh", "-c", command, NULL}, NULL, &output) == 0,
                "ip %s: %s", arguments, output);
}

static int new_side(void) {
        int fd;

        ck_assert_int_eq(unshare(CLONE_NEWNET), 0);
        fd = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
        ck_assert_int_ge(fd, 0);
        cable_ip(fd, "link set lo up");
        return fd;
}

void cable_lay(Cable *c) {
        const char *const sleep[] = {"sleep", "1000", NULL};
        _cleanup_free_ char *move = NULL;
        pid_t pid;

        c->cloud_side = new_side();
        c->daemon_side = new_side();
        pid = process_start(sleep, NULL, NULL); /* by which ip(8) finds that namespace */
        ck_assert_int_ge(asprintf(&move, "link set other netns %d", pid), 0);
        cable_ip(c->cloud_side, "link add cable type veth peer name other");
        cable_ip(c->cloud_side, move);
        (void) process_end(pid, SIGKILL);
        cable_ip(c->cloud_side, "address add " CABLE_CLOUD_ADDRESS "/24 dev cable");
        cable_ip(c->cloud_side, "link set cable up");
        cable_ip(c->daemon_side, "address add " CABLE_DAEMON_ADDRESS "/24 dev other");
        cable_ip(c->daemon_side, "link set other up");
        cable_go(c->cloud_side);
}
