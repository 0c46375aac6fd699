/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/model/backoff.h"

#include <limits.h>

#include "tests/unit/protocol-aws/suite.h"

START_TEST(the_ceiling_doubles_up_to_the_cap)
{
        static const usec_t ceilings[] = {10, 20, 40, 80, 100, 100, 100};
        Backoff b = {.base_usec = 10, .cap_usec = 100};

        for (size_t i = 0; i < ELEMENTSOF(ceilings); i++) {
                Backoff probe = b;

                /* The ceiling itself can be drawn, and nothing above it. */
                ck_assert_uint_eq(backoff_next(&probe, ceilings[i]), ceilings[i]);
                probe = b;
                ck_assert_uint_eq(backoff_next(&probe, ceilings[i] + 1), 0);
                probe = b;
                ck_assert_uint_eq(backoff_next(&probe, 0), 0);
                (void) backoff_next(&b, UINT64_MAX);
                ck_assert_uint_eq(b.failures, i + 1);
        }
        backoff_reset(&b);
        ck_assert_uint_eq(backoff_next(&b, 10), 10);
        ck_assert_uint_eq(backoff_next(&b, 21), 0);
}
END_TEST

START_TEST(jitter_is_full)
{
        Backoff b = {.base_usec = 999, .cap_usec = 999};
        unsigned low = 0, middle = 0, high = 0;

        for (uint64_t random = 0; random < 30000; random++) {
                usec_t wait = backoff_next(&b, random * UINT64_C(0x9e3779b97f4a7c15));

                ck_assert_uint_le(wait, 999);
                if (wait < 333)
                        low++;
                else if (wait < 666)
                        middle++;
                else
                        high++;
        }
        ck_assert_uint_gt(low, 9000);
        ck_assert_uint_gt(middle, 9000);
        ck_assert_uint_gt(high, 9000);
}
END_TEST

START_TEST(no_bound_is_too_high)
{
        Backoff b = {.base_usec = USEC_PER_SEC, .cap_usec = USEC_INFINITY};
        usec_t before = 0;

        for (unsigned i = 0; i < 200; i++) {
                /* All ones modulo a growing ceiling never falls to nothing by wrapping around. */
                Backoff probe = b;
                usec_t ceiling = 0;

                for (unsigned bit = 0; bit < 64; bit++) {
                        usec_t wait;

                        probe = b;
                        wait = backoff_next(&probe, UINT64_C(1) << bit);
                        ceiling = wait > ceiling ? wait : ceiling;
                }
                ck_assert_uint_ge(ceiling, before);
                before = ceiling;
                (void) backoff_next(&b, 0);
        }
        ck_assert_uint_eq(backoff_next(&b, UINT64_MAX), UINT64_MAX);
}
END_TEST

START_TEST(failures_are_counted_to_the_end_of_the_counter)
{
        Backoff b = {.base_usec = 10, .cap_usec = 100, .failures = UINT_MAX};

        ck_assert_uint_eq(backoff_next(&b, 100), 100);
        ck_assert_uint_eq(b.failures, UINT_MAX);
}
END_TEST

START_TEST(a_base_above_the_cap_is_capped)
{
        Backoff b = {.base_usec = 1000, .cap_usec = 10};

        ck_assert_uint_eq(backoff_next(&b, 10), 10);
        ck_assert_uint_eq(backoff_next(&b, 11), 0);
}
END_TEST

START_TEST(the_patient_wait_half_at_the_least)
{
        Backoff b = {.base_usec = 10, .cap_usec = 50};
        static const usec_t most[] = {10, 20, 40, 50, 50};

        for (size_t i = 0; i < ELEMENTSOF(most); i++) {
                usec_t low = USEC_INFINITY, high = 0;

                for (uint64_t random = 0; random < 100; random++) {
                        Backoff probe = b;
                        usec_t wait = backoff_next_patient(&probe, random);

                        low = wait < low ? wait : low;
                        high = wait > high ? wait : high;
                }
                ck_assert_uint_eq(low, most[i] / 2);
                ck_assert_uint_eq(high, most[i]);
                (void) backoff_next_patient(&b, 0);
        }
}
END_TEST

int main(void) {
        Suite *s = suite_create("model/backoff");
        TCase *c = tcase_create("backoff");

        tcase_add_test(c, the_ceiling_doubles_up_to_the_cap);
        tcase_add_test(c, jitter_is_full);
        tcase_add_test(c, no_bound_is_too_high);
        tcase_add_test(c, failures_are_counted_to_the_end_of_the_counter);
        tcase_add_test(c, a_base_above_the_cap_is_capped);
        tcase_add_test(c, the_patient_wait_half_at_the_least);
        suite_add_tcase(s, c);
        return suite_run(s);
}
