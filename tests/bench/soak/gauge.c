/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/bench/soak/gauge.h"

#include <check.h>
#include <dirent.h>
#include <stdio.h>

#include "daemon/base/macro.h"
#include "tests/integration/lib/place.h"

static size_t kilobytes(pid_t pid, const char *name) {
        _cleanup_free_ char *path = NULL, *text = NULL;
        const char *line;
        size_t kb = 0;

        ck_assert_int_gt(asprintf(&path, "/proc/%d/smaps_rollup", (int) pid), 0);
        text = file_read(path, NULL);
        ck_assert_ptr_nonnull(text);
        line = strstr(text, name);
        ck_assert_ptr_nonnull(line);
        ck_assert_int_eq(sscanf(line + strlen(name), "%zu", &kb), 1);
        return kb;
}

static size_t count(pid_t pid, const char *folder) {
        _cleanup_free_ char *path = NULL;
        size_t n = 0;
        DIR *dir;

        ck_assert_int_gt(asprintf(&path, "/proc/%d/%s", (int) pid, folder), 0);
        dir = opendir(path);
        ck_assert_ptr_nonnull(dir);
        for (struct dirent *e; (e = readdir(dir));)
                n += e->d_name[0] != '.';
        closedir(dir);
        return n;
}

Gauge gauge_read(pid_t pid) {
        return (Gauge){
                .anonymous_kb = kilobytes(pid, "\nAnonymous:"),
                .pss_kb = kilobytes(pid, "\nPss:"),
                .fds = count(pid, "fd"),
                .threads = count(pid, "task"),
        };
}
