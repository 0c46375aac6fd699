/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Secrets that have served: the line that says so is told, and they go right after. What they stood
 * in serves the next ones. */

#include <errno.h>
#include <unistd.h>

#include "daemon/store/room.h"
#include "tests/unit/store/room-steps.h"

START_TEST(nobody_waits_for_spent_secrets_to_go)
{
        _cleanup_(job_secrets_done) JobSecrets secrets = {};
        const DiskStep overwrite = DISK_OVERWRITE;
        _cleanup_fixture_ Fixture f = {};
        _cleanup_job_ Job *j = NULL;
        unsigned at;

        fixture_open(&f);
        j = create(&f, &secrets);
        f.watch.hold_step = &overwrite;
        f.watch.hold = true;
        ck_assert_int_eq(run_spend(&f, j), 0);
        sem_wait(&f.watch.held);
        ck_assert_uint_eq(fixture_count_names(".secret"), 1);
        sem_post(&f.watch.release);
        ck_assert_int_eq(run_verb(&f, store_update, j, NULL), 0);
        ck_assert_uint_eq(fixture_count_names(".secret"), 0);
        at = step_at(&f.watch, DISK_SYNC_FILE, ".job", 0);
        at = step_at(&f.watch, DISK_OVERWRITE, ".secret", at);
        at = step_at(&f.watch, DISK_RENAME, "spare-0", at);
        (void) step_at(&f.watch, DISK_WRITE, ".job", at);
}
END_TEST

START_TEST(secrets_that_came_later_stay)
{
        _cleanup_(job_secrets_done) JobSecrets secrets = {}, back = {};
        _cleanup_job_ Job *first = fixture_plain_job(), *j = NULL;
        _cleanup_fixture_ Fixture f = {};
        unsigned told = 0;

        fixture_open(&f);
        j = create(&f, &secrets);
        begin_lot(&f, first, &told);
        store_spend_secrets(f.store, j, on_counted, &told); /* both in one lot */
        store_update(f.store, j, &secrets, on_counted, &told);
        end_lot(&f, &told, 3);
        ck_assert_int_eq(run_read(&f, j, &back), 0);
        fixture_assert_same_secrets(&secrets, &back);
}
END_TEST

START_TEST(all_of_a_lot_go)
{
        _cleanup_job_ Job *first = fixture_plain_job();
        _cleanup_fixture_ Fixture f = {};
        Job *jobs[2 * SPENT_MAX + 1];
        unsigned told = 0;

        fixture_open(&f);
        for (size_t i = 0; i < ELEMENTSOF(jobs); i++) {
                _cleanup_(job_secrets_done) JobSecrets secrets = {};

                jobs[i] = create(&f, &secrets);
        }
        begin_lot(&f, first, &told);
        for (size_t i = 0; i < ELEMENTSOF(jobs); i++)
                store_spend_secrets(f.store, jobs[i], on_counted, &told);
        end_lot(&f, &told, ELEMENTSOF(jobs) + 1);
        ck_assert_int_eq(run_verb(&f, store_update, first, NULL), 0);
        ck_assert_uint_eq(fixture_count_names(".secret"), 0);
        ck_assert_uint_eq(fixture_count_names("spare-"), ROOM_MAX);
        fixture_close(&f);
        ck_assert_uint_eq(fixture_count_names("spare-"), 0);
        for (size_t i = 0; i < ELEMENTSOF(jobs); i++)
                job_free(jobs[i]);
}
END_TEST

START_TEST(what_could_not_go_goes_at_the_next_start)
{
        _cleanup_(job_secrets_done) JobSecrets secrets = {};
        static const DiskStep steps[] = {DISK_OVERWRITE, DISK_UNLINK};
        _cleanup_fixture_ Fixture f = {};
        _cleanup_job_ Job *j = NULL;

        fixture_open(&f);
        j = create(&f, &secrets);
        spend_some(&f, steps[_i] == DISK_UNLINK ? ROOM_MAX : 0);
        f.watch.fail_step = steps[_i];
        f.watch.fail_suffix = ".secret";
        f.watch.fail_error = -EIO;
        ck_assert_int_eq(run_spend(&f, j), 0);
        fixture_close(&f);
        ck_assert_uint_eq(fixture_count_names(".secret"), 1);
        watch_reset(&f.watch);
        fixture_open(&f);
        ck_assert_uint_eq(fixture_count_names(".secret"), 0);
        ck_assert(loaded(&f, j->id)->secrets_erased);
}
END_TEST

START_TEST(without_the_line_they_stay)
{
        _cleanup_(job_secrets_done) JobSecrets secrets = {}, back = {};
        _cleanup_fixture_ Fixture f = {};
        _cleanup_job_ Job *j = NULL;

        fixture_open(&f);
        j = create(&f, &secrets);
        f.watch.fail_at = 1;
        f.watch.fail_error = -EIO;
        ck_assert_int_eq(run_spend(&f, j), -EIO);
        ck_assert_int_eq(run_read(&f, j, &back), 0);
        fixture_assert_same_secrets(&secrets, &back);
}
END_TEST

START_TEST(on_a_full_disk_they_make_room_for_the_line)
{
        _cleanup_(job_secrets_done) JobSecrets secrets = {};
        _cleanup_fixture_ Fixture f = {};
        _cleanup_job_ Job *j = NULL;

        fixture_open(&f);
        j = create(&f, &secrets);
        f.watch.fail_at = 1;
        f.watch.fail_error = -ENOSPC;
        ck_assert_int_eq(run_spend(&f, j), 0);
        ck_assert_uint_eq(fixture_count_names(".secret"), 0);
        fixture_reopen(&f);
        ck_assert(f.jobs[0]->secrets_erased);
}
END_TEST

START_TEST(what_they_stood_in_holds_nothing_of_them)
{
        _cleanup_fixture_ Fixture f = {};

        fixture_open(&f);
        spend_some(&f, 1);
        ck_assert_uint_eq(fixture_count_names("spare-"), 1);
        assert_zeros(fixture_path("spare-0"));
}
END_TEST

/* Those that come are shorter, or longer, than those that were there. */
START_TEST(the_next_ones_stand_in_their_place)
{
        _cleanup_(job_secrets_done) JobSecrets secrets = {}, back = {};
        _cleanup_job_ Job *j = fixture_plain_job();
        static const size_t sizes[] = {3, 6000};
        _cleanup_fixture_ Fixture f = {};
        unsigned at;

        fixture_open(&f);
        spend_some(&f, 1);
        secrets.ownership_token = secret_new(NULL, sizes[_i]);
        memset(secrets.ownership_token->data, 'x', sizes[_i]);
        ck_assert_int_eq(run_verb(&f, store_create, j, &secrets), 0);
        ck_assert_uint_eq(fixture_count_names("spare-"), 0);
        at = step_at(&f.watch, DISK_RENAME, ".secret.new", 0);
        at = step_at(&f.watch, DISK_WRITE, ".secret.new", at);
        at = step_at(&f.watch, DISK_SYNC_FILE, ".secret.new", at);
        at = step_at(&f.watch, DISK_RENAME, ".secret", at);
        at = step_at(&f.watch, DISK_SYNC_DIRECTORY, ".", at);
        (void) step_at(&f.watch, DISK_WRITE, ".job.new", at);
        fixture_reopen(&f);
        ck_assert_int_eq(run_read(&f, loaded(&f, j->id), &back), 0);
        fixture_assert_same_secrets(&secrets, &back);
}
END_TEST

START_TEST(a_place_that_fails_is_given_up)
{
        _cleanup_(job_secrets_done) JobSecrets secrets = {}, back = {};
        static const DiskStep steps[] = {DISK_RENAME, DISK_TRUNCATE, DISK_WRITE};
        _cleanup_job_ Job *j = fixture_plain_job();
        _cleanup_fixture_ Fixture f = {};

        fixture_open(&f);
        spend_some(&f, 1);
        secrets.ownership_token = secret_new("token", 5);
        f.watch.fail_at = (unsigned) _i + 1;
        f.watch.fail_error = -EIO;
        ck_assert_int_eq(run_verb(&f, store_create, j, &secrets), 0);
        ck_assert_int_eq(f.watch.steps[_i].step, steps[_i]);
        ck_assert_int_eq(run_read(&f, j, &back), 0);
        fixture_assert_same_secrets(&secrets, &back);
        fixture_reopen(&f);
        ck_assert_uint_eq(fixture_count_names("spare-"), 0);
}
END_TEST

START_TEST(a_place_that_somebody_took_away_is_not_missed)
{
        _cleanup_(job_secrets_done) JobSecrets secrets = {}, back = {};
        _cleanup_fixture_ Fixture f = {};
        _cleanup_job_ Job *j = NULL;

        fixture_open(&f);
        spend_some(&f, 2);
        ck_assert_int_eq(unlink(fixture_path("spare-1")), 0);
        j = create(&f, &secrets);
        ck_assert_int_eq(run_read(&f, j, &back), 0);
        fixture_assert_same_secrets(&secrets, &back);
}
END_TEST

/* A power cut may have left the name to what was written under the next one. */
START_TEST(places_of_a_daemon_that_was_killed_are_erased_at_the_next_start)
{
        _cleanup_fixture_ Fixture f = {};
        unsigned at;

        fixture_open(&f);
        fixture_close(&f);
        fixture_write(fixture_path("spare-3"), "sealed", 6);
        watch_reset(&f.watch);
        fixture_open_watched(&f);
        ck_assert_uint_eq(fixture_count_names("spare-"), 0);
        at = step_at(&f.watch, DISK_OVERWRITE, "spare-3", 0);
        (void) step_at(&f.watch, DISK_UNLINK, "spare-3", at);
}
END_TEST

static void add_tests(TCase *c) {
        tcase_add_test(c, nobody_waits_for_spent_secrets_to_go);
        tcase_add_test(c, secrets_that_came_later_stay);
        tcase_add_test(c, all_of_a_lot_go);
        tcase_add_loop_test(c, what_could_not_go_goes_at_the_next_start, 0, 2);
        tcase_add_test(c, without_the_line_they_stay);
        tcase_add_test(c, on_a_full_disk_they_make_room_for_the_line);
        tcase_add_test(c, what_they_stood_in_holds_nothing_of_them);
        tcase_add_loop_test(c, the_next_ones_stand_in_their_place, 0, 2);
        tcase_add_loop_test(c, a_place_that_fails_is_given_up, 0, 3);
        tcase_add_test(c, a_place_that_somebody_took_away_is_not_missed);
        tcase_add_test(c, places_of_a_daemon_that_was_killed_are_erased_at_the_next_start);
}

int main(void) {
        return fixture_main("spent", add_tests);
}
