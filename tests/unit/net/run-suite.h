/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The end of each main() of these tests. */

#include <check.h>
#include <stdlib.h>

static inline int run_suite(Suite *suite) {
        SRunner *r = srunner_create(suite);
        int failed;

        srunner_run_all(r, CK_NORMAL);
        failed = srunner_ntests_failed(r);
        srunner_free(r);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
