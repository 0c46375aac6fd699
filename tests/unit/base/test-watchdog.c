/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/base/watchdog.h"

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "daemon/base/clock.h"
#include "tests/unit/protocol-aws/suite.h"

#define LIMIT_USEC (30 * USEC_PER_MSEC)

static sd_event *event;
static Watchdog *watchdog;
static int service_manager = -1;
static usec_t busy_since;
static unsigned looks;

static usec_t on_look(void *userdata) {
        ck_assert_ptr_eq(userdata, &looks);
        looks++;
        return busy_since;
}

static void setup(void) {
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        socklen_t size = sizeof(address);
        char name[sizeof(address.sun_path) + 1];

        /* The kernel chooses an abstract name: "@" in the environment stands for its NUL. */
        service_manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        ck_assert_int_eq(bind(service_manager, (struct sockaddr *) &address, sizeof(sa_family_t)),
                         0);
        ck_assert_int_eq(getsockname(service_manager, (struct sockaddr *) &address, &size), 0);
        (void) snprintf(name, sizeof(name), "@%.*s",
                        (int) (size - offsetof(struct sockaddr_un, sun_path) - 1),
                        address.sun_path + 1);
        ck_assert_int_eq(setenv("NOTIFY_SOCKET", name, 1), 0);
        ck_assert_int_eq(setenv("WATCHDOG_USEC", "30000", 1), 0);
        ck_assert_int_eq(unsetenv("WATCHDOG_PID"), 0);
        ck_assert_int_eq(sd_event_new(&event), 0);
        busy_since = USEC_INFINITY;
        looks = 0;
}

static void teardown(void) {
        watchdog = watchdog_free(watchdog);
        event = sd_event_unref(event);
        close(service_manager);
}

static unsigned count_pings(void) {
        char text[64];
        unsigned n = 0;
        ssize_t size;

        while ((size = recv(service_manager, text, sizeof(text), 0)) > 0) {
                ck_assert_int_eq(size, strlen("WATCHDOG=1"));
                ck_assert_mem_eq(text, "WATCHDOG=1", (size_t) size);
                n++;
        }
        ck_assert_int_eq(errno, EAGAIN);
        return n;
}

/* Until it has looked so often more; then what it told. */
static unsigned pings_of(unsigned n_looks) {
        for (unsigned end = looks + n_looks; looks < end;)
                ck_assert_int_ge(sd_event_run(event, UINT64_MAX), 0);
        return count_pings();
}

static void start(void) {
        ck_assert_int_eq(watchdog_new(event, on_look, &looks, &watchdog), 0);
        ck_assert_ptr_nonnull(watchdog);
}

START_TEST(progress_is_told_again_and_again)
{
        start();
        ck_assert_uint_eq(pings_of(3), 3);
        /* Busy, but not for long. */
        busy_since = clock_boot_usec() + USEC_PER_HOUR;
        ck_assert_uint_eq(pings_of(2), 2);
}
END_TEST

START_TEST(a_worker_that_hangs_is_not_called_progress)
{
        start();
        ck_assert_uint_eq(pings_of(1), 1);
        busy_since = clock_boot_usec() - 2 * LIMIT_USEC;
        ck_assert_uint_eq(pings_of(4), 1); /* the first look only suspects */
        /* It got on after all. */
        busy_since = USEC_INFINITY;
        ck_assert_uint_eq(pings_of(2), 2);
}
END_TEST

START_TEST(a_machine_that_slept_is_no_worker_that_hangs)
{
        start();
        for (unsigned i = 1; i <= 3; i++) {
                /* Late each time, and at another task each time. */
                busy_since = clock_boot_usec() - (10 + i) * LIMIT_USEC;
                ck_assert_uint_eq(pings_of(1), 1);
        }
}
END_TEST

START_TEST(nobody_asked)
{
        ck_assert_int_eq(unsetenv("WATCHDOG_USEC"), 0);
        ck_assert_int_eq(watchdog_new(event, on_look, &looks, &watchdog), 0);
        ck_assert_ptr_null(watchdog);
        ck_assert_int_eq(setenv("WATCHDOG_USEC", "soon", 1), 0);
        ck_assert_int_lt(watchdog_new(event, on_look, &looks, &watchdog), 0);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("base: watchdog");
        TCase *tc = tcase_create("watchdog");

        tcase_add_checked_fixture(tc, setup, teardown);
        tcase_add_test(tc, progress_is_told_again_and_again);
        tcase_add_test(tc, a_worker_that_hangs_is_not_called_progress);
        tcase_add_test(tc, a_machine_that_slept_is_no_worker_that_hangs);
        tcase_add_test(tc, nobody_asked);
        suite_add_tcase(suite, tc);
        return suite_run(suite);
}
