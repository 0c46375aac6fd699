/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/model/right.h"

#include <limits.h>

#include "tests/unit/protocol-aws/suite.h"

#define NOW (1000 * USEC_PER_SEC)

static Right suspect(void) {
        Right r;

        right_init(&r);
        for (unsigned i = 1; i <= RIGHT_DROPS_SUSPICION; i++)
                ck_assert_int_eq(right_dropped(&r, NOW, 77), i == RIGHT_DROPS_SUSPICION);
        return r;
}

START_TEST(drops_in_a_row_make_a_suspicion)
{
        Right r;

        right_init(&r);
        ck_assert(!right_is_suspect(&r));
        ck_assert_uint_eq(right_wait(&r, NOW), 0);
        for (unsigned round = 0; round < 3; round++) {
                for (unsigned i = 1; i < RIGHT_DROPS_SUSPICION; i++) {
                        ck_assert(!right_dropped(&r, NOW, 77));
                        ck_assert_uint_eq(right_wait(&r, NOW), 0);
                }
                ck_assert(!right_answered(&r));
        }
        r = suspect();
        ck_assert(right_is_suspect(&r));
}
END_TEST

START_TEST(what_is_suspected_is_tried_ever_more_rarely)
{
        usec_t now = NOW, most = RIGHT_WAIT_BASE_USEC;
        Right r = suspect();

        for (unsigned i = 0; i < 10; i++) {
                usec_t wait = right_wait(&r, now);

                ck_assert_uint_ge(wait, most / 2);
                ck_assert_uint_le(wait, most);
                ck_assert_uint_eq(right_wait(&r, now + 1), wait - 1);
                now += wait;
                ck_assert_uint_eq(right_wait(&r, now), 0);
                ck_assert_uint_eq(right_wait(&r, now + 1), 0);
                /* One drop is enough then. */
                ck_assert(right_dropped(&r, now, 77));
                most = most * 2 > RIGHT_WAIT_CAP_USEC ? RIGHT_WAIT_CAP_USEC : most * 2;
        }
}
END_TEST

START_TEST(an_answer_ends_the_suspicion)
{
        Right r = suspect();

        ck_assert(right_answered(&r));
        ck_assert(!right_is_suspect(&r));
        ck_assert_uint_eq(right_wait(&r, NOW), 0);
        ck_assert(!right_answered(&r));
        r = suspect();
        ck_assert_uint_le(right_wait(&r, NOW), RIGHT_WAIT_BASE_USEC);
}
END_TEST

START_TEST(who_asks_for_it_gets_one_try)
{
        Right r = suspect();

        for (unsigned i = 0; i < 5; i++)
                (void) right_dropped(&r, NOW, 77);
        right_retry(&r);
        ck_assert_uint_eq(right_wait(&r, NOW), 0);
        ck_assert(right_is_suspect(&r));
        ck_assert(right_dropped(&r, NOW, 77));
        ck_assert_uint_le(right_wait(&r, NOW), RIGHT_WAIT_BASE_USEC);
}
END_TEST

START_TEST(drops_are_counted_to_the_end_of_the_counter)
{
        Right r = suspect();

        r.drops = UINT_MAX;
        ck_assert(right_dropped(&r, NOW, 77));
        ck_assert_uint_eq(r.drops, UINT_MAX);
}
END_TEST

int main(void) {
        Suite *s = suite_create("model/right");
        TCase *c = tcase_create("right");

        tcase_add_test(c, drops_in_a_row_make_a_suspicion);
        tcase_add_test(c, what_is_suspected_is_tried_ever_more_rarely);
        tcase_add_test(c, an_answer_ends_the_suspicion);
        tcase_add_test(c, who_asks_for_it_gets_one_try);
        tcase_add_test(c, drops_are_counted_to_the_end_of_the_counter);
        suite_add_tcase(s, c);
        return suite_run(s);
}
