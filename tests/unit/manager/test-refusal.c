/* SPDX-License-Identifier: GPL-2.0-or-later */

/* What the journal gets of requests that are refused again and again. */

#include <errno.h>
#include <stdio.h>
#include <sys/mman.h>

#include "daemon/base/log.h"
#include "tests/unit/manager/bench.h"

static char *captured;
static int saved_stderr;

/* The log goes to standard error where no journal is. */
static void capture(void) {
        saved_stderr = dup(STDERR_FILENO);
        ck_assert_int_ge(saved_stderr, 0);
        fflush(stderr);
        ck_assert_int_ge(dup2(memfd_create("log", 0), STDERR_FILENO), 0);
}

static void release(void) {
        off_t size = lseek(STDERR_FILENO, 0, SEEK_END);

        ck_assert_int_ge(size, 0);
        captured = calloc(1, (size_t) size + 1);
        ck_assert_ptr_nonnull(captured);
        ck_assert_int_eq(pread(STDERR_FILENO, captured, (size_t) size, 0), size);
        (void) dup2(saved_stderr, STDERR_FILENO);
}

static unsigned count(const char *text) {
        unsigned n = 0;

        for (const char *p = captured; (p = strstr(p, text)); p++)
                n++;
        return n;
}

static void refuse(const Peer *peer) {
        FrontCall call;

        bench_submit(peer, NULL, &call);
        ck_assert_int_eq(call.answer, ANSWER_FAILED);
        ck_assert_int_eq(call.code, ERROR_QUEUE_FULL);
}

START_TEST(one_who_asks_in_a_loop_does_not_fill_the_journal)
{
        m->config->max_jobs_per_user = 0;
        capture();
        for (unsigned i = 0; i < 1000; i++)
                refuse(alice);
        refuse(bob);
        refusal_end(m);
        release();
        ck_assert_uint_eq(count("Refused provision for main/1000"), LOG_LIMIT_LINES);
        ck_assert_uint_eq(count("Refused provision for main/1001"), 1);
        ck_assert_uint_eq(count("more requests"), 1);
        ck_assert_uint_eq(count("Refused 980 more requests in a minute: queue-full for main/1000"),
                          1);
        free(captured);
}
END_TEST

START_TEST(disk_that_takes_nothing_is_told_so_often_and_no_more)
{
        capture();
        for (unsigned i = 0; i < 100; i++) {
                FrontCall call;

                bench_submit(alice, NULL, &call);
                disk_answer(-ENOSPC);
                ck_assert_int_eq(call.code, ERROR_STORAGE);
        }
        refusal_end(m);
        release();
        ck_assert_uint_eq(count("could not be written to disk"), LOG_LIMIT_LINES);
        ck_assert_uint_eq(count("Refused 80 more requests in a minute: storage for main/1000"), 1);
        free(captured);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("manager: refusal");
        TCase *tc = tcase_create("refusal");
        SRunner *runner = srunner_create(suite);
        int failed;

        log_open(LOG_INFO);
        tcase_add_checked_fixture(tc, bench_setup, bench_teardown);
        tcase_add_test(tc, one_who_asks_in_a_loop_does_not_fill_the_journal);
        tcase_add_test(tc, disk_that_takes_nothing_is_told_so_often_and_no_more);
        suite_add_tcase(suite, tc);
        srunner_run_all(runner, CK_ENV);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
