/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/base/clock.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/timex.h>

#define TIMESYNC_FILE "/run/systemd/timesync/synchronized"

/* What the kernel and timesyncd say. */
typedef struct Said {
        int result, error, status;
        bool file, synchronised;
} Said;

static const Said cases[] = {
        {.result = TIME_OK, .status = STA_PLL, .synchronised = true},
        {.result = TIME_ERROR, .status = STA_UNSYNC},
        {.result = TIME_ERROR, .status = STA_UNSYNC, .file = true}, /* the kernel knows better */
        {.result = -1, .error = EPERM},
        {.result = -1, .error = EPERM, .file = true, .synchronised = true},
        {.result = -1, .error = EFAULT, .file = true},
};
static const Said *said;

int __wrap_adjtimex(struct timex *t);
int __wrap_adjtimex(struct timex *t) {
        ck_assert_uint_eq(t->modes, 0); /* it asks, and sets nothing */
        t->status = said->status;
        errno = said->error;
        return said->result;
}

int __wrap_access(const char *path, int mode);
int __wrap_access(const char *path, int mode) {
        ck_assert_str_eq(path, TIMESYNC_FILE);
        ck_assert_int_eq(mode, F_OK);
        errno = ENOENT;
        return said->file ? 0 : -1;
}

START_TEST(kernel_is_asked_and_timesyncd_where_that_is_forbidden)
{
        said = cases + _i;
        ck_assert_int_eq(clock_is_synchronised(), said->synchronised);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("clock");
        TCase *tc = tcase_create("synchronised");
        SRunner *runner;
        int failed;

        tcase_add_loop_test(tc, kernel_is_asked_and_timesyncd_where_that_is_forbidden, 0,
                            ELEMENTSOF(cases));
        suite_add_tcase(suite, tc);
        runner = srunner_create(suite);
        srunner_run_all(runner, CK_NORMAL);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
