/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What becomes of a record's times where it is read again: on the same boot, and on another. */
#include "daemon/store/job-record.h"
#include "tests/unit/store/fixture.h"
#include "tests/unit/store/record-text.h"

START_TEST(on_the_same_boot_times_are_exact)
{
        JobClock written = clock_at(BOOT_A, 9000000), now = clock_at(BOOT_A, 500000000);
        _cleanup_free_ char *text = NULL;
        _cleanup_job_ Job *j = fixture_full_job(), *back = NULL;
        size_t size;

        ck_assert_int_eq(job_record_make(j, &written, SECRETS_AS_JOB_SAYS, &text, &size), 0);
        ck_assert_int_eq(read_job(text, size, &now, &back), 0);
        ck_assert_uint_eq(back->created_boot, 5000000);
        ck_assert_uint_eq(back->finished_boot, 8000000);
        ck_assert_uint_eq(job_deadline_left(back, now.now_boot),
                          90 * USEC_PER_MINUTE - (500000000 - 5000000));
}
END_TEST

START_TEST(on_another_boot_what_had_elapsed_counts_and_this_boots_time)
{
        JobClock written = clock_at(BOOT_A, 9000000), now = clock_at(BOOT_B, 30000000);
        _cleanup_free_ char *text = NULL, *again = NULL;
        _cleanup_job_ Job *j = fixture_full_job(), *back = NULL, *third = NULL;
        JobClock last = clock_at(BOOT_A, 1000000);
        size_t size;

        ck_assert_int_eq(job_record_make(j, &written, SECRETS_AS_JOB_SAYS, &text, &size), 0);
        ck_assert_int_eq(read_job(text, size, &now, &back), 0);
        ck_assert_uint_eq(now.now_boot - back->created_boot, 4000000 + 30000000);
        ck_assert_uint_eq(now.now_boot - back->finished_boot, 1000000 + 30000000);
        ck_assert_uint_eq(now.now_boot - back->token_made_boot, 2500000 + 30000000);

        /* And so on over a third boot. */
        ck_assert_int_eq(job_record_make(back, &now, SECRETS_AS_JOB_SAYS, &again, &size), 0);
        ck_assert_int_eq(read_job(again, size, &last, &third), 0);
        ck_assert_uint_eq(last.now_boot - third->created_boot, 34000000 + 1000000);
}
END_TEST

START_TEST(where_boots_cannot_be_told_apart_the_clock_decides)
{
        JobClock written = clock_at("", 9000000), on = clock_at("", 10000000),
                 before = clock_at("", 100);
        _cleanup_free_ char *text = NULL;
        _cleanup_job_ Job *j = fixture_full_job(), *same = NULL, *other = NULL;
        size_t size;

        ck_assert_int_eq(job_record_make(j, &written, SECRETS_AS_JOB_SAYS, &text, &size), 0);
        ck_assert_int_eq(read_job(text, size, &on, &same), 0);
        ck_assert_uint_eq(same->created_boot, 5000000);
        ck_assert_int_eq(read_job(text, size, &before, &other), 0);
        ck_assert_uint_eq(before.now_boot - other->created_boot, 4000000 + 100);
}
END_TEST

START_TEST(wait_that_is_over_is_forgotten)
{
        JobClock clock = clock_at(BOOT_A, 60000000);
        _cleanup_free_ char *text = NULL;
        _cleanup_job_ Job *j = fixture_full_job(), *back = NULL;
        size_t size;

        ck_assert_int_eq(job_record_make(j, &clock, SECRETS_AS_JOB_SAYS, &text, &size), 0);
        ck_assert_ptr_null(strstr(text, "\"wait\""));
        ck_assert_int_eq(read_job(text, size, &clock, &back), 0);
        ck_assert_uint_eq(back->not_before_boot, 0);
}
END_TEST

/* No clock runs while the machine is off: what was left then is left still. */
START_TEST(wait_goes_on_over_a_boot)
{
        JobClock written = clock_at(BOOT_A, 9000000), now = clock_at(BOOT_B, 30000000),
                 between = clock_at(BOOT_B, 30000000);
        _cleanup_job_ Job *j = fixture_full_job(), *back = NULL, *later = NULL;
        _cleanup_free_ char *text = NULL;
        size_t size;

        ck_assert_int_eq(job_record_make(j, &written, SECRETS_AS_JOB_SAYS, &text, &size), 0);
        ck_assert_int_eq(read_job(text, size, &now, &back), 0);
        ck_assert_uint_eq(back->not_before_boot - now.now_boot, 51000000 - 30000000);
        /* The machine was up for a while between the two. */
        between.before = written.before + 9000000 + 40000000;
        ck_assert_int_eq(read_job(text, size, &between, &later), 0);
        ck_assert_int_lt((int64_t) (later->not_before_boot - between.now_boot), 0);
}
END_TEST

static void add_tests(TCase *c) {
        tcase_add_test(c, on_the_same_boot_times_are_exact);
        tcase_add_test(c, on_another_boot_what_had_elapsed_counts_and_this_boots_time);
        tcase_add_test(c, where_boots_cannot_be_told_apart_the_clock_decides);
        tcase_add_test(c, wait_that_is_over_is_forgotten);
        tcase_add_test(c, wait_goes_on_over_a_boot);
}

int main(void) {
        return fixture_main("job record: times", add_tests);
}
