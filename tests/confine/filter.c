/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/confine/filter.h"

#include <errno.h>
#include <linux/sched.h>
#include <sched.h>
#include <seccomp.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "daemon/base/macro.h"

#define NAMESPACES                                                                    \
        (CLONE_NEWCGROUP | CLONE_NEWIPC | CLONE_NEWNET | CLONE_NEWNS | CLONE_NEWPID | \
         CLONE_NEWUSER | CLONE_NEWUTS | CLONE_NEWTIME)

static const struct {
        const char *name;
        int family;
} families[] = {
        {"AF_UNIX", AF_UNIX},
        {"AF_INET", AF_INET},
        {"AF_INET6", AF_INET6},
        {"AF_NETLINK", AF_NETLINK},
};

/* What is being made, and which calls are not simply allowed. */
typedef struct Making {
        scmp_filter_ctx filter;
        bool no_write_execute, no_namespaces;
} Making;

static void close_file(FILE **f) {
        if (*f)
                (void) fclose(*f);
}

#define ALLOW(m, nr, ...) seccomp_rule_add_array((m)->filter, SCMP_ACT_ALLOW, nr, __VA_ARGS__)

/* Where the argument has no more of `mask` than this. */
static int allow_masked(Making *m, int nr, unsigned argument, uint64_t mask, uint64_t bits) {
        const struct scmp_arg_cmp is = {
                .arg = argument, .op = SCMP_CMP_MASKED_EQ, .datum_a = mask, .datum_b = bits};

        return ALLOW(m, nr, 1, &is);
}

static int allow_mapping(Making *m, int nr) {
        static const uint64_t either[] = {0, PROT_WRITE, PROT_EXEC};
        int r = 0;

        for (size_t i = 0; r >= 0 && i < ELEMENTSOF(either); i++)
                r = allow_masked(m, nr, 2, PROT_WRITE | PROT_EXEC, either[i]);
        return r;
}

/* seccomp cannot look at what clone3(2) points at: systemd says that there is no such call, and the
 * C library takes clone(2). */
static int allow_clone3(Making *m, int nr) {
        return seccomp_rule_add_array(m->filter, SCMP_ACT_ERRNO(ENOSYS), nr, 0, NULL);
}

static int allow_call(Making *m, const char *name) {
        const int nr = seccomp_syscall_resolve_name(name);

        if (nr < 0 || streq(name, "socket"))
                return 0; /* other machines have it; see allow_family() */
        if (m->no_write_execute && (streq(name, "mmap") || streq(name, "mmap2")))
                return allow_mapping(m, nr);
        if (m->no_write_execute && (streq(name, "mprotect") || streq(name, "pkey_mprotect")))
                return allow_masked(m, nr, 2, PROT_EXEC, 0);
        if (m->no_namespaces && streq(name, "clone"))
                return allow_masked(m, nr, 0, NAMESPACES, 0);
        if (m->no_namespaces && streq(name, "clone3"))
                return allow_clone3(m, nr);
        if (m->no_namespaces && (streq(name, "unshare") || streq(name, "setns")))
                return 0;
        return ALLOW(m, nr, 0, NULL);
}

static int allow_family(Making *m, const char *name) {
        for (size_t i = 0; i < ELEMENTSOF(families); i++)
                if (streq(name, families[i].name)) {
                        const struct scmp_arg_cmp is = {
                                .op = SCMP_CMP_EQ, .datum_a = (scmp_datum_t) families[i].family};

                        return ALLOW(m, SCMP_SYS(socket), 1, &is);
                }
        return -EBADMSG;
}

/* Refused by the unit, which the program must live with: no breach. */
static int refuse_call(Making *m, const char *name) {
        const int nr = seccomp_syscall_resolve_name(name);

        return nr < 0 ? 0 : seccomp_rule_add_array(m->filter, SCMP_ACT_ERRNO(EPERM), nr, 0, NULL);
}

static int deny(Making *m, const char *kind) {
        if (streq(kind, "write-execute"))
                m->no_write_execute = true;
        else if (streq(kind, "namespaces"))
                m->no_namespaces = true;
        else
                return -EBADMSG;
        return 0;
}

/* The kinds that are denied come before what they narrow. */
static int add_line(Making *m, char *line) {
        char *value = strchr(line, ' ');

        line[strcspn(line, "\n")] = '\0';
        if (!value)
                return -EBADMSG;
        *value++ = '\0';
        if (streq(line, "no"))
                return deny(m, value);
        if (streq(line, "refused"))
                return refuse_call(m, value);
        if (streq(line, "family"))
                return allow_family(m, value);
        return streq(line, "call") ? allow_call(m, value) : -EBADMSG;
}

static int read_list(Making *m, const char *path) {
        _cleanup_(close_file) FILE *in = fopen(path, "re");
        _cleanup_free_ char *line = NULL;
        size_t size = 0;
        int r = in ? 0 : -errno;

        for (unsigned n = 1; r >= 0 && getline(&line, &size, in) > 0; n++) {
                r = add_line(m, line);
                if (r < 0)
                        fprintf(stderr, "confine: %s:%u: %s: %s\n", path, n, line,
                                strerrordesc_np(-r));
        }
        return r;
}

static int make(Making *m, const char *list, uint32_t at_breach) {
        int r;

        m->filter = seccomp_init(at_breach);
        if (!m->filter)
                return -EINVAL;
        r = seccomp_attr_set(m->filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
        if (r >= 0)
                r = read_list(m, list);
        return r < 0 ? r : seccomp_load(m->filter);
}

int filter_install(const char *list, Watcher *watcher) {
        static const uint32_t at_breach[] = {SCMP_ACT_NOTIFY, SCMP_ACT_KILL_PROCESS};
        int r = -EINVAL;

        for (size_t i = 0; r < 0 && i < ELEMENTSOF(at_breach); i++) {
                Making m = {};

                r = make(&m, list, at_breach[i]);
                if (r >= 0 && at_breach[i] == SCMP_ACT_NOTIFY)
                        r = watcher_watch(watcher, seccomp_notify_fd(m.filter));
                if (m.filter)
                        seccomp_release(m.filter); /* closes the descriptor */
        }
        return r;
}
