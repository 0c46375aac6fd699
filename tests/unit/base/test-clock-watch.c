/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The clock is set, as far as the watch can tell: nobody's clock is touched here. Once the kernel
 * has taken the timer, an eventfd stands in its place, and reading it fails as reading a cancelled
 * timer does. */

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>

#include "daemon/base/clock-watch.h"

static sd_event *event;
static ClockWatch *watch;
static int timer_fd, n_armed, n_changed;
static bool refuse_to_arm;

int __real_timerfd_settime(int fd, int flags, const struct itimerspec *new_value,
                           struct itimerspec *old_value);
int __wrap_timerfd_settime(int fd, int flags, const struct itimerspec *new_value,
                           struct itimerspec *old_value);
ssize_t __real_read(int fd, void *buffer, size_t size);
ssize_t __wrap_read(int fd, void *buffer, size_t size);

int __wrap_timerfd_settime(int fd, int flags, const struct itimerspec *new_value,
                           struct itimerspec *old_value) {
        if (refuse_to_arm) {
                errno = EINVAL;
                return -1;
        }
        ck_assert_int_eq(flags, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET);
        ck_assert_int_gt(new_value->it_value.tv_sec, time(NULL) + 3600L * 24 * 365);
        if (n_armed++ == 0) {
                int fake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);

                ck_assert_int_eq(__real_timerfd_settime(fd, flags, new_value, old_value), 0);
                ck_assert_int_ge(fake, 0);
                ck_assert_int_eq(dup3(fake, fd, O_CLOEXEC), fd);
                close(fake);
                timer_fd = fd;
        }
        return 0;
}

ssize_t __wrap_read(int fd, void *buffer, size_t size) {
        ssize_t n = __real_read(fd, buffer, size);

        if (fd != timer_fd || n < 0)
                return n;
        errno = ECANCELED;
        return -1;
}

static void set_the_clock(void) {
        ck_assert_int_eq(eventfd_write(timer_fd, 1), 0);
}

static void on_changed(void *userdata) {
        ck_assert_ptr_eq(userdata, &n_changed);
        n_changed++;
}

static void setup(void) {
        timer_fd = -1;
        n_armed = n_changed = 0;
        ck_assert_int_ge(sd_event_new(&event), 0);
        ck_assert_int_eq(clock_watch_new(event, on_changed, &n_changed, &watch), 0);
        ck_assert_int_eq(n_armed, 1);
}

static void teardown(void) {
        clock_watch_free(watch);
        sd_event_unref(event);
        ck_assert_int_eq(fcntl(timer_fd, F_GETFD), -1);
}

static void run_what_is_due(void) {
        while (sd_event_run(event, 0) > 0)
                ;
}

START_TEST(change_is_told_at_once)
{
        run_what_is_due();
        ck_assert_int_eq(n_changed, 0);
        set_the_clock();
        run_what_is_due();
        ck_assert_int_eq(n_changed, 1);
        ck_assert_int_eq(n_armed, 2); /* for the next one */
}
END_TEST

START_TEST(changes_close_together_are_told_once_more)
{
        for (int i = 0; i < 5; i++) {
                set_the_clock();
                run_what_is_due();
        }
        ck_assert_int_eq(n_changed, 1);
        ck_assert_int_eq(n_armed, 6);
        while (n_changed < 2)
                ck_assert_int_gt(sd_event_run(event, UINT64_MAX), 0);
        run_what_is_due();
        ck_assert_int_eq(n_changed, 2);
}
END_TEST

START_TEST(change_after_a_rest_is_told_at_once_again)
{
        set_the_clock();
        run_what_is_due();
        /* Until the pause after it is over, which nobody is told. */
        ck_assert_int_gt(sd_event_run(event, UINT64_MAX), 0);
        ck_assert_int_eq(n_changed, 1);
        set_the_clock();
        run_what_is_due();
        ck_assert_int_eq(n_changed, 2);
}
END_TEST

START_TEST(kernel_that_refuses_does_not_make_the_loop_spin)
{
        unsigned runs = 0;

        refuse_to_arm = true;
        set_the_clock();
        while (sd_event_run(event, 0) > 0)
                ck_assert_uint_lt(++runs, 10);
        ck_assert_int_eq(n_changed, 1);
        set_the_clock();
        run_what_is_due();
        ck_assert_int_eq(n_changed, 1);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("base: clock watch");
        TCase *tc = tcase_create("clock watch");
        SRunner *runner = srunner_create(suite);
        int failed;

        tcase_add_checked_fixture(tc, setup, teardown);
        tcase_add_test(tc, change_is_told_at_once);
        tcase_add_test(tc, changes_close_together_are_told_once_more);
        tcase_add_test(tc, change_after_a_rest_is_told_at_once_again);
        tcase_add_test(tc, kernel_that_refuses_does_not_make_the_loop_spin);
        suite_add_tcase(suite, tc);
        srunner_run_all(runner, CK_ENV);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
