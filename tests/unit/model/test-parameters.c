/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/model/parameters.h"

#include "tests/unit/protocol-aws/suite.h"

static Parameters p, q;

static void teardown(void) {
        parameters_done(&p);
        parameters_done(&q);
}

static void set(Parameters *list, const char *name, const char *value) {
        ck_assert_int_eq(parameters_set(list, name, value), 0);
}

START_TEST(names_stand_once_and_in_the_order_of_their_coming)
{
        set(&p, "b", "1");
        set(&p, "a", "2");
        set(&p, "b", "3");
        ck_assert_uint_eq(p.n, 2);
        ck_assert_str_eq(p.items[0].name, "b");
        ck_assert_str_eq(p.items[0].value, "3");
        ck_assert_str_eq(p.items[1].name, "a");
        ck_assert_str_eq(parameters_get(&p, "a"), "2");
        ck_assert_ptr_null(parameters_get(&p, "A"));
        ck_assert_ptr_null(parameters_get(&p, ""));
        parameters_done(&p);
        ck_assert_uint_eq(p.n, 0);
        ck_assert_ptr_null(parameters_get(&p, "a"));
}
END_TEST

START_TEST(the_list_that_is_merged_in_stands_above)
{
        set(&p, "a", "1");
        set(&p, "b", "2");
        set(&q, "b", "other");
        set(&q, "c", "3");
        ck_assert_int_eq(parameters_merge(&p, &q), 0);
        ck_assert_uint_eq(p.n, 3);
        ck_assert_str_eq(parameters_get(&p, "a"), "1");
        ck_assert_str_eq(parameters_get(&p, "b"), "other");
        ck_assert_str_eq(parameters_get(&p, "c"), "3");
        ck_assert_uint_eq(q.n, 2);
}
END_TEST

START_TEST(order_makes_no_difference)
{
        ck_assert(parameters_equal(&p, &q));
        set(&p, "a", "1");
        set(&p, "b", "2");
        ck_assert(!parameters_equal(&p, &q));
        set(&q, "b", "2");
        ck_assert(!parameters_equal(&p, &q));
        ck_assert(!parameters_equal(&q, &p));
        set(&q, "a", "1");
        ck_assert(parameters_equal(&p, &q));
        set(&q, "a", "2");
        ck_assert(!parameters_equal(&p, &q));
        parameters_done(&q);
        set(&q, "b", "2");
        set(&q, "c", "1");
        ck_assert(!parameters_equal(&p, &q)); /* as many, other names */
}
END_TEST

int main(void) {
        Suite *s = suite_create("model/parameters");
        TCase *c = tcase_create("parameters");

        tcase_add_checked_fixture(c, NULL, teardown);
        tcase_add_test(c, names_stand_once_and_in_the_order_of_their_coming);
        tcase_add_test(c, the_list_that_is_merged_in_stands_above);
        tcase_add_test(c, order_makes_no_difference);
        suite_add_tcase(s, c);
        return suite_run(s);
}
