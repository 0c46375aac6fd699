/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/integration/lib/other-clock.h"

#include <check.h>
#include <fcntl.h>
#include <unistd.h>

void other_clock_set(const char *path, int64_t ahead) {
        int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(pwrite(fd, &ahead, sizeof(ahead), 0), sizeof(ahead));
        close(fd);
}

const char *other_clock_make(Place *place, int64_t ahead) {
        const char *path = place_path(place, "clock");

        other_clock_set(path, ahead);
        ck_assert_int_eq(setenv("FLEETPROV_TEST_CLOCK", path, 1), 0);
        return path;
}

void other_clock_begin(Place *place) {
        /* A name with a space in it would be two. */
        ck_assert_int_eq(setenv("LD_PRELOAD", place_link(place, "clock.so", CLOCK_PRELOAD), 1), 0);
        /* The sanitizer's own library would be the first otherwise. */
        ck_assert_int_eq(setenv("ASAN_OPTIONS", "verify_asan_link_order=0", 1), 0);
}

void other_clock_end(void) {
        ck_assert_int_eq(unsetenv("LD_PRELOAD"), 0);
        ck_assert_int_eq(unsetenv("ASAN_OPTIONS"), 0);
}
