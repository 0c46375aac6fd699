/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "protocol/base/rest.h"

#include <string.h>

#include "tests/unit/protocol-aws/suite.h"

START_TEST(prefix_is_gone_over_where_it_stands)
{
        Rest rest = {"ab/cd", 4}; /* the 'd' is not its */

        ck_assert(!rest_skip(&rest, "b"));
        ck_assert(!rest_skip(&rest, "ab/cd"));
        ck_assert_uint_eq(rest.size, 4);
        ck_assert(rest_skip(&rest, "ab/"));
        ck_assert(rest_is(&rest, "c"));
        ck_assert(rest_skip(&rest, ""));
        ck_assert(rest_skip(&rest, "c"));
        ck_assert(rest_is(&rest, ""));
        ck_assert(!rest_skip(&rest, "d"));
}
END_TEST

START_TEST(parts_are_taken_one_by_one)
{
        static const char text[] = "a&&b\0c&d";
        Rest rest = {text, sizeof(text) - 1}, part;

        part = rest_take(&rest, '&');
        ck_assert(rest_is(&part, "a"));
        part = rest_take(&rest, '&');
        ck_assert(rest_is(&part, ""));
        part = rest_take(&rest, '&');
        ck_assert_uint_eq(part.size, 3);
        ck_assert_mem_eq(part.p, "b\0c", 3);
        ck_assert(!rest_is(&part, "b")); /* a NUL is no end */
        part = rest_take(&rest, '&');
        ck_assert(rest_is(&part, "d"));
        ck_assert_uint_eq(rest.size, 0);
        part = rest_take(&rest, '&');
        ck_assert_uint_eq(part.size, 0);
}
END_TEST

int main(void) {
        Suite *s = suite_create("protocol/base rest");
        TCase *c = tcase_create("rest");

        tcase_add_test(c, prefix_is_gone_over_where_it_stands);
        tcase_add_test(c, parts_are_taken_one_by_one);
        suite_add_tcase(s, c);
        return suite_run(s);
}
