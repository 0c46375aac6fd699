/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/integration/lib/cable.h"

#include <check.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>

#include "tests/integration/lib/process.h"

/* What belongs to no flow that is known is dropped, as a router without it in its table would have
 * nobody to hand it to. */
#define NAT_RULES                                                                \
        "add table ip nat; "                                                     \
        "add chain ip nat out { type nat hook postrouting priority 100; }; "     \
        "add rule ip nat out oifname other masquerade; "                         \
        "add table ip filter; "                                                  \
        "add chain ip filter through { type filter hook forward priority 0; }; " \
        "add rule ip filter through ct state invalid drop; "                     \
        "add rule ip filter through iifname other ct state new drop"

/* One end of a cable. */
typedef struct End {
        int side;
        const char *name, *address;
} End;

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

void cable_set(int side, const char *setting) {
        cable_go(side);
        ck_assert_int_eq(
                process_run((const char *const[]){"sysctl", "-q", "-w", setting, NULL}, NULL, NULL),
                0);
}

static int new_side(void) {
        int fd;

        ck_assert_int_eq(unshare(CLONE_NEWNET), 0);
        fd = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
        ck_assert_int_ge(fd, 0);
        cable_ip(fd, "link set lo up");
        return fd;
}

static void begin_end(const End *e) {
        _cleanup_free_ char *address = NULL, *link = NULL;

        ck_assert_int_ge(asprintf(&address, "address add %s/24 dev %s", e->address, e->name), 0);
        ck_assert_int_ge(asprintf(&link, "link set %s up", e->name), 0);
        cable_ip(e->side, address);
        cable_ip(e->side, link);
}

static void join(const End *a, const End *b) {
        const char *const sleep[] = {"sleep", "1000", NULL};
        _cleanup_free_ char *make = NULL, *move = NULL;
        pid_t pid;

        cable_go(b->side);
        pid = process_start(sleep, NULL, NULL); /* by which ip(8) finds that namespace */
        ck_assert_int_ge(asprintf(&make, "link add %s type veth peer name %s", a->name, b->name),
                         0);
        ck_assert_int_ge(asprintf(&move, "link set %s netns %d", b->name, pid), 0);
        cable_ip(a->side, make);
        cable_ip(a->side, move);
        (void) process_end(pid, SIGKILL);
        begin_end(a);
        begin_end(b);
}

void cable_lay(Cable *c) {
        c->cloud_side = new_side();
        c->daemon_side = new_side();
        join(&(End){c->cloud_side, "cable", CABLE_CLOUD_ADDRESS},
             &(End){c->daemon_side, "other", CABLE_DAEMON_ADDRESS});
        cable_go(c->cloud_side);
}

bool cable_lay_behind_nat(Cable *c) {
        const char *const rules[] = {"nft", NAT_RULES, NULL};
        _cleanup_free_ char *output = NULL;

        cable_lay(c);
        c->nat_side = c->daemon_side;
        c->daemon_side = new_side();
        join(&(End){c->nat_side, "inside", CABLE_NAT_ADDRESS},
             &(End){c->daemon_side, "behind", CABLE_BEHIND_ADDRESS});
        cable_ip(c->daemon_side, "route add default via " CABLE_NAT_ADDRESS);
        cable_set(c->nat_side, "net.ipv4.ip_forward=1");
        if (process_run(rules, NULL, &output) != 0) {
                fprintf(stderr, "skipped: there is no NAT here: %s\n", output);
                return false;
        }
        /* Nobody becomes a flow in mid-stream. */
        cable_set(c->nat_side, "net.netfilter.nf_conntrack_tcp_loose=0");
        cable_go(c->cloud_side);
        return true;
}
