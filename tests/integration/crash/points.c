/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/integration/crash/points.h"

#include <check.h>
#include <sys/wait.h>

#include "tests/integration/lib/place.h"
#include "tests/integration/lib/process.h"

#define PAUSES_PER_SEC 100U /* of process_pause() */

bool has_ended(pid_t pid) {
        siginfo_t end = {};

        (void) waitid(P_PID, (id_t) pid, &end, WEXITED | WNOHANG | WNOWAIT);
        return end.si_pid != 0;
}

void join(pid_t pid) {
        for (unsigned n = 0; n < KILL_TEST_PATIENCE_SEC && !has_ended(pid);) {
                unsigned tries = 0;

                while (!has_ended(pid) && tries < PAUSES_PER_SEC)
                        (void) process_pause(&tries);
                n++;
        }
        process_join(pid);
}

unsigned points_find(const Points *points, const char *name, unsigned pass) {
        unsigned i = 0;

        while (i < points->n && !(streq(points->names[i], name) && points->pass[i] == pass))
                i++;
        ck_assert_msg(i < points->n, "no job passes %s:%u", name, pass);
        return i;
}

void points_read(Points *points, const char *path) {
        char *rest, *name;

        points->text = rest = file_read(path, NULL);
        ck_assert_ptr_nonnull(rest);
        while ((name = strsep(&rest, "\n")) && *name) {
                ck_assert_uint_lt(points->n, POINTS_MAX);
                points->pass[points->n] = 1;
                for (unsigned i = 0; i < points->n; i++)
                        points->pass[points->n] += streq(points->names[i], name);
                points->names[points->n++] = name;
        }
}
