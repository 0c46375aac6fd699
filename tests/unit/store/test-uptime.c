/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The uptime of all boots together: what is noted, what a reboot keeps of it, what damage costs. */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "daemon/store/file-name.h"
#include "daemon/store/uptime.h"
#include "tests/unit/store/fixture.h"
#include "tests/unit/store/record-text.h"
#include "tests/unit/store/watched.h"

#define SEC USEC_PER_SEC

static Disk disk;
static unsigned n_writes;
static int write_error;

static int on_step(DiskStep step, _unused_ const char *name, _unused_ void *userdata) {
        if (step != DISK_WRITE)
                return 0;
        n_writes++;
        return write_error;
}

static void setup(void) {
        fixture_setup();
        disk = (Disk){.fd = open(fixture_directory(), O_RDONLY | O_DIRECTORY | O_CLOEXEC),
                      .hook = on_step};
        ck_assert_int_ge(disk.fd, 0);
}

static void teardown(void) {
        close(disk.fd);
        fixture_teardown();
}

/* A start at that time of that boot: what was before the boot. */
static usec_t start(const char *boot, usec_t now) {
        JobClock clock = clock_at(boot, now);

        n_writes = 0;
        uptime_begin(&disk, &clock);
        return clock.before;
}

START_TEST(first_boot_begins_at_nothing)
{
        ck_assert_uint_eq(start(BOOT_A, 100 * SEC), 0);
        ck_assert_uint_eq(n_writes, 1);
        ck_assert(fixture_exists(fixture_path(FILE_UPTIME)));
}
END_TEST

START_TEST(same_boot_is_not_counted_twice)
{
        (void) start(BOOT_A, 100 * SEC);
        ck_assert_uint_eq(start(BOOT_A, 110 * SEC), 0);
        ck_assert_uint_eq(n_writes, 0); /* noted a moment ago */
        ck_assert_uint_eq(start(BOOT_A, 5000 * SEC), 0);
        ck_assert_uint_eq(n_writes, 1);
}
END_TEST

START_TEST(boots_add_up_as_far_as_they_were_noted)
{
        (void) start(BOOT_A, 100 * SEC);
        (void) start(BOOT_A, 5000 * SEC);
        ck_assert_uint_eq(start(BOOT_B, 7 * SEC), 5000 * SEC);
        ck_assert_uint_eq(n_writes, 1);
        ck_assert_uint_eq(start(BOOT_B, 9 * SEC), 5000 * SEC);
        /* BOOT_A again stands for a third one here. */
        ck_assert_uint_eq(start(BOOT_A, 3 * SEC), 5007 * SEC);
        ck_assert_uint_eq(start(BOOT_B, 3 * SEC), 5010 * SEC);
}
END_TEST

START_TEST(where_boots_cannot_be_told_apart_the_clock_decides)
{
        (void) start("", 100 * SEC);
        ck_assert_uint_eq(start("", 200 * SEC), 0);
        ck_assert_uint_eq(start("", 20 * SEC), 200 * SEC);
        ck_assert_uint_eq(start(BOOT_A, 10 * SEC), 220 * SEC);
}
END_TEST

START_TEST(damaged_file_costs_the_time_and_no_more)
{
        _cleanup_free_ char *whole = NULL;
        size_t size;

        (void) start(BOOT_A, 5000 * SEC);
        whole = fixture_read(fixture_path(FILE_UPTIME), &size);
        for (size_t i = 0; i < size; i++) {
                _cleanup_free_ char *flipped = strndup(whole, size);

                flipped[i] ^= 1;
                fixture_write(fixture_path(FILE_UPTIME), flipped, size);
                ck_assert_uint_eq(start(BOOT_B, 7 * SEC), 0);
                fixture_write(fixture_path(FILE_UPTIME), whole, i);
                ck_assert_uint_eq(start(BOOT_B, 7 * SEC), 0);
        }
        fixture_write(fixture_path(FILE_UPTIME), whole, size);
        ck_assert_uint_eq(start(BOOT_B, 7 * SEC), 5000 * SEC);
}
END_TEST

START_TEST(file_that_is_none_of_ours_is_replaced)
{
        static const char *const contents[] = {"", "\n", "17\n", "{}\n"};
        _cleanup_free_ char *large = calloc(1, UPTIME_TEXT_MAX + 1);

        for (size_t i = 0; i < ELEMENTSOF(contents); i++) {
                fixture_write(fixture_path(FILE_UPTIME), contents[i], strlen(contents[i]));
                ck_assert_uint_eq(start(BOOT_A, 7 * SEC), 0);
                ck_assert_uint_eq(n_writes, 1);
        }
        ck_assert_ptr_nonnull(large);
        fixture_write(fixture_path(FILE_UPTIME), large, UPTIME_TEXT_MAX + 1);
        ck_assert_uint_eq(start(BOOT_A, 7 * SEC), 0);
        ck_assert_uint_eq(start(BOOT_B, 7 * SEC), 7 * SEC);
}
END_TEST

START_TEST(full_disk_keeps_what_was_noted)
{
        (void) start(BOOT_A, 100 * SEC);
        write_error = -ENOSPC;
        ck_assert_uint_eq(start(BOOT_B, 50 * SEC), 100 * SEC);
        ck_assert_uint_eq(start(BOOT_B, 500 * SEC), 100 * SEC);
        write_error = 0;
        ck_assert_uint_eq(start(BOOT_B, 600 * SEC), 100 * SEC);
        ck_assert_uint_eq(start(BOOT_A, 1 * SEC), 700 * SEC);
}
END_TEST

/* --- what jobs make of it */

static usec_t elapsed_after(const JobClock *written, const JobClock *now) {
        _cleanup_job_ Job *j = fixture_full_job(), *back = NULL;
        _cleanup_free_ char *text = NULL;
        size_t size;

        j->created_boot = written->now_boot - 40 * SEC;
        ck_assert_int_eq(job_record_make(j, written, SECRETS_AS_JOB_SAYS, &text, &size), 0);
        ck_assert_int_eq(read_job(text, size, now, &back), 0);
        return now->now_boot - back->created_boot;
}

START_TEST(boots_between_count)
{
        JobClock written = clock_at(BOOT_A, 100 * SEC), now = clock_at(BOOT_B, 7 * SEC);

        /* 40 s when it was written; the boot went on to 300 s, and one of 1000 s followed. */
        written.before = 5000 * SEC;
        now.before = 5000 * SEC + 300 * SEC + 1000 * SEC;
        ck_assert_uint_eq(elapsed_after(&written, &now), 40 * SEC + 200 * SEC + 1007 * SEC);
}
END_TEST

START_TEST(what_was_never_noted_is_not_guessed)
{
        JobClock written = clock_at(BOOT_A, 100 * SEC), now = clock_at(BOOT_B, 7 * SEC);

        /* The power went before the uptime of BOOT_A was noted beyond 60 s. */
        now.before = 60 * SEC;
        ck_assert_uint_eq(elapsed_after(&written, &now), 47 * SEC);
        /* The file was lost. */
        written.before = 5000 * SEC;
        now.before = 0;
        ck_assert_uint_eq(elapsed_after(&written, &now), 47 * SEC);
}
END_TEST

START_TEST(same_boot_is_exact_whatever_was_noted)
{
        JobClock written = clock_at(BOOT_A, 100 * SEC), now = clock_at(BOOT_A, 130 * SEC);

        written.before = 10 * SEC;
        now.before = 9999 * SEC;
        ck_assert_uint_eq(elapsed_after(&written, &now), 70 * SEC);
}
END_TEST

START_TEST(note_on_demand_is_written_by_the_disks_thread)
{
        _cleanup_fixture_ Fixture f = {};
        unsigned at;

        fixture_open(&f);
        watch_reset(&f.watch);
        store_note_uptime(f.store);
        fixture_close(&f); /* and it is not lost at the end */
        at = step_at(&f.watch, DISK_WRITE, FILE_UPTIME ".new", 0);
        at = step_at(&f.watch, DISK_SYNC_FILE, FILE_UPTIME ".new", at);
        at = step_at(&f.watch, DISK_RENAME, FILE_UPTIME, at);
        at = step_at(&f.watch, DISK_SYNC_DIRECTORY, ".", at);
        ck_assert_uint_eq(at, f.watch.n - 1);
}
END_TEST

static void add(TCase *c) {
        tcase_add_test(c, note_on_demand_is_written_by_the_disks_thread);
}

int main(void) {
        Suite *s = suite_create("store/uptime");
        TCase *c = tcase_create("uptime");
        SRunner *r;
        int failed;

        tcase_add_checked_fixture(c, setup, teardown);
        tcase_add_test(c, first_boot_begins_at_nothing);
        tcase_add_test(c, same_boot_is_not_counted_twice);
        tcase_add_test(c, boots_add_up_as_far_as_they_were_noted);
        tcase_add_test(c, where_boots_cannot_be_told_apart_the_clock_decides);
        tcase_add_test(c, damaged_file_costs_the_time_and_no_more);
        tcase_add_test(c, file_that_is_none_of_ours_is_replaced);
        tcase_add_test(c, full_disk_keeps_what_was_noted);
        tcase_add_test(c, boots_between_count);
        tcase_add_test(c, what_was_never_noted_is_not_guessed);
        tcase_add_test(c, same_boot_is_exact_whatever_was_noted);
        suite_add_tcase(s, c);
        r = srunner_create(s);
        srunner_run_all(r, CK_ENV);
        failed = srunner_ntests_failed(r);
        srunner_free(r);
        return failed == 0 ? fixture_main("store/uptime of a store", add) : EXIT_FAILURE;
}
