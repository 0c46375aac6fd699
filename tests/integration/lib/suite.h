/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* What each test program ends with. */

#include <check.h>
#include <stdlib.h>

/* A test that waits has its own patience; this is for one that hangs. */
#define SUITE_TIMEOUT_SEC 100

static inline int suite_run(Suite *suite) {
        SRunner *runner = srunner_create(suite);
        int failed;

        srunner_run_all(runner, CK_ENV);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
