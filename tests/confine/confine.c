/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Runs a program under the system call filter that systemd would give it: what tests start the
 * daemon through, so that a call that the unit does not allow shows as a daemon that dies, with the
 * call's name in its log.
 *
 * usage: confine LIST PROGRAM [ARGUMENT]...
 *
 * LIST is what tests/confine/expand made of the unit. The process stays the same, with the program
 * in it. $FLEETPROV_CONFINE: "kill" (the default) ends the program at a breach, "refuse"
 * answers EPERM as the unit does, "no" does nothing. Both name the call on standard error, which
 * needs somebody beside the program who is asked (seccomp_unotify(2)); where the kernel has that
 * not, or another is asked already, the kernel kills without a word. */

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "daemon/base/macro.h"
#include "tests/confine/filter.h"
#include "tests/confine/watcher.h"

#define STATUS_NOT_RUN 127

static int fail(const char *what, int error) {
        fprintf(stderr, "confine: %s: %s\n", what, strerrordesc_np(-error));
        return STATUS_NOT_RUN;
}

int main(int argc, char **argv) {
        const char *how = getenv("FLEETPROV_CONFINE");
        const bool refuses = how && streq(how, "refuse");
        Watcher watcher = WATCHER_NONE;
        int r = 0;

        if (argc < 3) {
                fputs("usage: confine LIST PROGRAM [ARGUMENT]...\n", stderr);
                return 2;
        }
        if (!how || !streq(how, "no")) {
                r = watcher_start(&watcher, refuses);
                if (r < 0)
                        return fail("cannot start who is asked", r);
                r = filter_install(argv[1], &watcher);
                watcher_let_go(&watcher);
                if (r < 0)
                        return fail(argv[1], r);
        }
        execvp(argv[2], argv + 2);
        return fail(argv[2], -errno);
}
