/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/base/list.h"

#include <string.h>

#include "tests/unit/protocol-aws/suite.h"

typedef struct Item {
        char name;
        LIST_LINK(struct Item, items);
} Item;

typedef struct Owner {
        LIST_HEAD(Item, items);
} Owner;

/* Goes both ways and compares. */
static void expect_items(const Owner *o, const char *expected) {
        char forward[8] = {}, backward[8] = {};
        size_t n = 0, m = strlen(expected);
        const Item *i;

        LIST_FOREACH(items, i, o)
                forward[n++] = i->name;
        ck_assert_str_eq(forward, expected);
        for (i = o->items_last; i; i = i->items_prev)
                backward[--m] = i->name;
        ck_assert_str_eq(backward, expected);
}

START_TEST(items_stand_where_they_were_put)
{
        Item a = {'a'}, b = {'b'}, c = {'c'};
        Owner o = {};

        expect_items(&o, "");
        LIST_APPEND(items, &o, &b);
        expect_items(&o, "b");
        LIST_PREPEND(items, &o, &a);
        LIST_APPEND(items, &o, &c);
        expect_items(&o, "abc");
}
END_TEST

START_TEST(any_item_can_be_taken_out)
{
        static const char *const left[] = {"bc", "ac", "ab"};
        Item items[] = {{'a'}, {'b'}, {'c'}};
        Owner o = {};

        for (size_t i = 0; i < 3; i++)
                LIST_APPEND(items, &o, items + i);
        LIST_REMOVE(items, &o, items + _i);
        expect_items(&o, left[_i]);
        ck_assert_ptr_null(items[_i].items_prev);
        ck_assert_ptr_null(items[_i].items_next);
        LIST_APPEND(items, &o, items + _i); /* and put back */
        ck_assert_ptr_eq(o.items_last, items + _i);
}
END_TEST

START_TEST(the_first_of_a_list_can_be_put_before_nobody)
{
        Item a = {'a'};
        Owner o = {};

        LIST_PREPEND(items, &o, &a);
        expect_items(&o, "a");
        LIST_REMOVE(items, &o, &a);
        expect_items(&o, "");
        ck_assert_ptr_null(o.items_last);
}
END_TEST

START_TEST(items_may_go_while_one_walks)
{
        Item items[] = {{'a'}, {'b'}, {'c'}};
        Item *i, *next;
        Owner o = {};

        for (size_t n = 0; n < 3; n++)
                LIST_APPEND(items, &o, items + n);
        LIST_FOREACH_SAFE(items, i, next, &o)
                if (i->name != 'b')
                        LIST_REMOVE(items, &o, i);
        expect_items(&o, "b");
}
END_TEST

int main(void) {
        Suite *s = suite_create("base/list");
        TCase *c = tcase_create("list");

        tcase_add_test(c, items_stand_where_they_were_put);
        tcase_add_loop_test(c, any_item_can_be_taken_out, 0, 3);
        tcase_add_test(c, the_first_of_a_list_can_be_put_before_nobody);
        tcase_add_test(c, items_may_go_while_one_walks);
        suite_add_tcase(s, c);
        return suite_run(s);
}
