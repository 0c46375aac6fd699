/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/base/macro.h"

#include <fcntl.h>

#include "daemon/base/chance.h"
#include "daemon/base/clock.h"
#include "tests/unit/protocol-aws/suite.h"

static bool is_open(int fd) {
        return fcntl(fd, F_GETFD) >= 0;
}

START_TEST(handing_over_leaves_nothing_behind)
{
        _cleanup_free_ char *mine = strdup("text");
        _cleanup_free_ char *yours = TAKE_PTR(mine);

        ck_assert_ptr_null(mine);
        ck_assert_str_eq(yours, "text");
}
END_TEST

START_TEST(descriptors_are_handed_over_and_closed_once)
{
        int kept;

        {
                _cleanup_close_ int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

                ck_assert_int_ge(fd, 0);
                kept = TAKE_FD(fd);
                ck_assert_int_eq(fd, -1);
        }
        ck_assert(is_open(kept));
        {
                _cleanup_close_ int fd = kept;

                ck_assert(is_open(fd));
        }
        ck_assert(!is_open(kept));
        kept = open("/dev/null", O_RDONLY | O_CLOEXEC);
        ck_assert_int_eq(close_fd(kept), -1);
        ck_assert(!is_open(kept));
        ck_assert_int_eq(close_fd(-1), -1);
}
END_TEST

START_TEST(strings_are_replaced)
{
        _cleanup_free_ char *s = NULL;

        ck_assert_int_eq(free_and_strdup(&s, "one"), 0);
        ck_assert_str_eq(s, "one");
        ck_assert_int_eq(free_and_strdup(&s, s), 0); /* itself, too */
        ck_assert_str_eq(s, "one");
        ck_assert_int_eq(free_and_strdup(&s, NULL), 0);
        ck_assert_ptr_null(s);
}
END_TEST

START_TEST(no_string_equals_no_string_alone)
{
        ck_assert(streq_ptr(NULL, NULL));
        ck_assert(!streq_ptr(NULL, ""));
        ck_assert(!streq_ptr("", NULL));
        ck_assert(streq_ptr("a", "a"));
        ck_assert(!streq_ptr("a", "b"));
}
END_TEST

START_TEST(spans_end_at_infinity_and_at_zero)
{
        ck_assert_uint_eq(usec_add(1, 2), 3);
        ck_assert_uint_eq(usec_add(USEC_INFINITY - 1, 1), USEC_INFINITY);
        ck_assert_uint_eq(usec_add(USEC_INFINITY - 1, 2), USEC_INFINITY);
        ck_assert_uint_eq(usec_add(USEC_INFINITY, USEC_INFINITY), USEC_INFINITY);
        ck_assert_uint_eq(usec_sub(3, 2), 1);
        ck_assert_uint_eq(usec_sub(2, 3), 0);
        ck_assert_uint_eq(usec_sub(USEC_INFINITY, 3), USEC_INFINITY);
        ck_assert_uint_eq(USEC_PER_DAY, UINT64_C(86400000000));
}
END_TEST

START_TEST(clocks_go_forward_and_tell_their_time)
{
        usec_t boot = clock_boot_usec(), real = clock_real_usec();

        ck_assert_uint_gt(boot, 0);
        ck_assert_uint_ge(clock_boot_usec(), boot);
        ck_assert_uint_gt(real, UINT64_C(1700000000) * USEC_PER_SEC); /* in 2023 */
        ck_assert_uint_gt(real, boot);
}
END_TEST

START_TEST(chance_fills_all_bits)
{
        uint64_t set = 0, unset = 0;

        for (unsigned i = 0; i < 256; i++) {
                uint64_t drawn = chance_draw();

                set |= drawn;
                unset |= ~drawn;
        }
        ck_assert_uint_eq(set, UINT64_MAX);
        ck_assert_uint_eq(unset, UINT64_MAX);
}
END_TEST

int main(void) {
        Suite *s = suite_create("base/macro");
        TCase *c = tcase_create("macro");

        tcase_add_test(c, handing_over_leaves_nothing_behind);
        tcase_add_test(c, descriptors_are_handed_over_and_closed_once);
        tcase_add_test(c, strings_are_replaced);
        tcase_add_test(c, no_string_equals_no_string_alone);
        tcase_add_test(c, spans_end_at_infinity_and_at_zero);
        tcase_add_test(c, clocks_go_forward_and_tell_their_time);
        tcase_add_test(c, chance_fills_all_bits);
        suite_add_tcase(s, c);
        return suite_run(s);
}
