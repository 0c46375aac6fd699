/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Room that is made for secrets before they come. */

#include <errno.h>

#include "daemon/store/room.h"
#include "tests/unit/store/room-steps.h"

/* Asks for what brings secrets. */
static void expect(Fixture *f, Job *j) {
        int result = 1;

        job_set_state(j, JOB_RUNNING, PHASE_CREATE, 10, 10, "asking");
        store_note_asking(f->store, j, on_done, &result);
        settle(f, &result);
        ck_assert_int_eq(result, 0);
}

static Job *create_without(Fixture *f) {
        Job *j = fixture_plain_job();

        ck_assert_int_eq(run_verb(f, store_create, j, NULL), 0);
        let_it_tidy(f, j);
        watch_reset(&f->watch);
        return j;
}

static Job *create_expecting(Fixture *f) {
        Job *j = create_without(f);

        expect(f, j);
        let_it_tidy(f, j);
        watch_reset(&f->watch);
        return j;
}

/* Of a new file, or of a spare one. */
START_TEST(room_is_made_when_the_note_was_told)
{
        const DiskStep way = _i > 0 ? DISK_RENAME : DISK_SYNC_FILE;
        _cleanup_fixture_ Fixture f = {};
        _cleanup_job_ Job *j = NULL;
        unsigned at;

        fixture_open(&f);
        spend_some(&f, (unsigned) _i);
        j = create_without(&f);
        f.watch.hold_step = &way;
        f.watch.hold = true;
        expect(&f, j);
        sem_wait(&f.watch.held);
        sem_post(&f.watch.release);
        let_it_tidy(&f, j);
        assert_zeros(fixture_job_path(j, ".secret"));
        ck_assert_uint_eq(fixture_count_names("spare-"), 0);
        at = step_at(&f.watch, DISK_WRITE, ".job", 0);
        at = step_at(&f.watch, way, ".secret", at);
        at = step_at(&f.watch, DISK_SYNC_DIRECTORY, ".", at);
        ck_assert_uint_eq(at, f.watch.n - 1);
}
END_TEST

/* One flush for them and one for the line, and no name changes. */
START_TEST(secrets_come_where_room_was_made)
{
        _cleanup_(job_secrets_done) JobSecrets secrets = {}, back = {};
        static const size_t sizes[] = {3, 6000};
        _cleanup_fixture_ Fixture f = {};
        _cleanup_job_ Job *j = NULL;
        unsigned at;

        fixture_open(&f);
        j = create_expecting(&f);
        secrets.ownership_token = secret_new(NULL, sizes[_i]);
        memset(secrets.ownership_token->data, 'x', sizes[_i]);
        ck_assert_int_eq(run_verb(&f, store_update, j, &secrets), 0);
        ck_assert_uint_eq(f.watch.counts[DISK_RENAME], 0);
        ck_assert_uint_eq(f.watch.counts[DISK_SYNC_DIRECTORY], 0);
        at = step_at(&f.watch, DISK_WRITE, ".secret", 0);
        at = step_at(&f.watch, DISK_SYNC_FILE, ".secret", at);
        at = step_at(&f.watch, DISK_WRITE, ".job", at);
        at = step_at(&f.watch, DISK_SYNC_FILE, ".job", at);
        ck_assert_uint_eq(at, f.watch.n - 1);
        fixture_reopen(&f);
        ck_assert_int_eq(run_read(&f, loaded(&f, j->id), &back), 0);
        fixture_assert_same_secrets(&secrets, &back);
}
END_TEST

START_TEST(later_ones_replace_them_as_ever)
{
        _cleanup_(job_secrets_done) JobSecrets first = {}, second = {}, back = {};
        _cleanup_fixture_ Fixture f = {};
        _cleanup_job_ Job *j = NULL;

        fixture_open(&f);
        j = create_expecting(&f);
        first.ownership_token = secret_new("token", 5);
        fixture_secrets(&second);
        ck_assert_int_eq(run_verb(&f, store_update, j, &first), 0);
        watch_reset(&f.watch);
        ck_assert_int_eq(run_verb(&f, store_update, j, &second), 0);
        (void) step_at(&f.watch, DISK_RENAME, ".secret", 0);
        ck_assert_int_eq(run_read(&f, j, &back), 0);
        fixture_assert_same_secrets(&second, &back);
}
END_TEST

/* What is there stays what it is. */
START_TEST(no_room_is_made_where_secrets_are)
{
        _cleanup_(job_secrets_done) JobSecrets secrets = {}, back = {};
        _cleanup_fixture_ Fixture f = {};
        _cleanup_job_ Job *j = NULL;

        fixture_open(&f);
        j = create(&f, &secrets);
        j->secrets_stored = true;
        expect(&f, j);
        ck_assert_int_eq(run_read(&f, j, &back), 0);
        fixture_assert_same_secrets(&secrets, &back);
        ck_assert_uint_eq(f.watch.n, 1);
}
END_TEST

START_TEST(room_that_is_wanted_twice_is_made_once)
{
        _cleanup_fixture_ Fixture f = {};
        _cleanup_job_ Job *j = NULL;

        fixture_open(&f);
        j = create_expecting(&f);
        expect(&f, j);
        let_it_tidy(&f, j);
        ck_assert_uint_eq(f.watch.n, 1);
        assert_zeros(fixture_job_path(j, ".secret"));
}
END_TEST

/* It waits for its next try: others may need the room before. */
START_TEST(another_note_gives_the_room_up)
{
        _cleanup_fixture_ Fixture f = {};
        _cleanup_job_ Job *j = NULL;
        int result = 1;

        fixture_open(&f);
        j = create_expecting(&f);
        store_note(f.store, j, on_done, &result);
        settle(&f, &result);
        let_it_tidy(&f, j);
        ck_assert_uint_eq(fixture_count_names(".secret"), 0);
        ck_assert_uint_eq(fixture_count_names("spare-"), 1);
}
END_TEST

/* The job ends another way, or is cancelled: the room serves others. */
START_TEST(room_goes_where_no_secrets_come)
{
        _cleanup_fixture_ Fixture f = {};
        _cleanup_job_ Job *j = NULL;
        int (*const ends[])(Fixture * f, const Job *job) = {run_spend, run_erase, run_remove};

        fixture_open(&f);
        j = create_expecting(&f);
        if (_i == 0)
                ck_assert_int_eq(run_verb(&f, store_update, j, NULL), 0);
        else
                ck_assert_int_eq(ends[_i - 1](&f, j), 0);
        let_it_tidy(&f, j);
        ck_assert_uint_eq(fixture_count_names(".secret"), 0);
        ck_assert_uint_eq(fixture_count_names("spare-"), _i < 2);
        for (unsigned i = 0; i < ROOM_MAX; i++) { /* as much is left as there ever was */
                _cleanup_job_ Job *other = create_expecting(&f);

                assert_zeros(fixture_job_path(other, ".secret"));
        }
}
END_TEST

START_TEST(room_is_not_made_without_end)
{
        _cleanup_(job_secrets_done) JobSecrets secrets = {}, back = {};
        Job *jobs[ROOM_MAX + 1];
        _cleanup_fixture_ Fixture f = {};

        fixture_open(&f);
        for (size_t i = 0; i < ELEMENTSOF(jobs); i++)
                jobs[i] = create_expecting(&f);
        ck_assert_uint_eq(fixture_count_names(".secret"), ROOM_MAX);
        fixture_secrets(&secrets);
        ck_assert_int_eq(run_verb(&f, store_update, jobs[ROOM_MAX], &secrets), 0);
        ck_assert_int_eq(run_read(&f, jobs[ROOM_MAX], &back), 0);
        fixture_assert_same_secrets(&secrets, &back);
        fixture_close(&f);
        ck_assert_uint_eq(fixture_count_names(".secret"), 1);
        for (size_t i = 0; i < ELEMENTSOF(jobs); i++)
                job_free(jobs[i]);
}
END_TEST

START_TEST(more_may_want_room_at_once_than_there_is)
{
        _cleanup_job_ Job *first = fixture_plain_job();
        Job *jobs[SPENT_MAX + ROOM_MAX];
        _cleanup_fixture_ Fixture f = {};
        unsigned told = 0;

        fixture_open(&f);
        for (size_t i = 0; i < ELEMENTSOF(jobs); i++)
                jobs[i] = create_without(&f);
        begin_lot(&f, first, &told);
        for (size_t i = 0; i < ELEMENTSOF(jobs); i++)
                store_note_asking(f.store, jobs[i], on_counted, &told);
        end_lot(&f, &told, ELEMENTSOF(jobs) + 1);
        let_it_tidy(&f, first);
        ck_assert_uint_eq(fixture_count_names(".secret"), ROOM_MAX);
        for (size_t i = 0; i < ELEMENTSOF(jobs); i++)
                job_free(jobs[i]);
}
END_TEST

START_TEST(room_that_cannot_be_made_is_done_without)
{
        _cleanup_(job_secrets_done) JobSecrets secrets = {}, back = {};
        _cleanup_fixture_ Fixture f = {};
        _cleanup_job_ Job *j = NULL;

        fixture_open(&f);
        j = create_without(&f);
        f.watch.fail_at = (unsigned) _i + 2; /* behind the line: write, flush, directory */
        f.watch.fail_error = -ENOSPC;
        expect(&f, j);
        let_it_tidy(&f, j);
        ck_assert_uint_eq(fixture_count_names(".secret"), 0);
        watch_reset(&f.watch);
        fixture_secrets(&secrets);
        ck_assert_int_eq(run_verb(&f, store_update, j, &secrets), 0);
        ck_assert_int_eq(run_read(&f, j, &back), 0);
        fixture_assert_same_secrets(&secrets, &back);
}
END_TEST

/* In a file of their own then. */
START_TEST(room_that_does_not_take_them_is_done_without)
{
        static const DiskStep steps[] = {DISK_TRUNCATE, DISK_WRITE};
        _cleanup_(job_secrets_done) JobSecrets secrets = {}, back = {};
        _cleanup_fixture_ Fixture f = {};
        _cleanup_job_ Job *j = NULL;

        fixture_open(&f);
        j = create_expecting(&f);
        secrets.ownership_token = secret_new("token", 5);
        f.watch.fail_at = (unsigned) _i + 1;
        f.watch.fail_error = -EIO;
        ck_assert_int_eq(run_verb(&f, store_update, j, &secrets), 0);
        ck_assert_int_eq(f.watch.steps[_i].step, steps[_i]);
        (void) step_at(&f.watch, DISK_RENAME, ".secret", 0);
        ck_assert_int_eq(run_read(&f, j, &back), 0);
        fixture_assert_same_secrets(&secrets, &back);
}
END_TEST

/* They are in their room, and the line that says so is not. */
START_TEST(a_line_that_fails_is_tried_again)
{
        _cleanup_(job_secrets_done) JobSecrets secrets = {}, back = {};
        _cleanup_fixture_ Fixture f = {};
        _cleanup_job_ Job *j = NULL;

        fixture_open(&f);
        j = create_expecting(&f);
        fixture_secrets(&secrets);
        f.watch.fail_step = DISK_SYNC_FILE;
        f.watch.fail_suffix = ".job";
        f.watch.fail_error = -EIO;
        ck_assert_int_eq(run_verb(&f, store_update, j, &secrets), -EIO);
        watch_reset(&f.watch);
        ck_assert_int_eq(run_verb(&f, store_update, j, &secrets), 0); /* tried again */
        ck_assert_int_eq(run_read(&f, j, &back), 0);
        fixture_assert_same_secrets(&secrets, &back);
}
END_TEST

/* Some with room, some with a spare file, some with none; and one that is spent, and asks again. */
START_TEST(many_in_one_lot)
{
        _cleanup_job_ Job *first = fixture_plain_job();
        _cleanup_(job_secrets_done) JobSecrets secrets = {};
        _cleanup_fixture_ Fixture f = {};
        Job *jobs[2 * ROOM_MAX], *again = NULL;
        unsigned told = 0;

        fixture_open(&f);
        spend_some(&f, 2);
        for (size_t i = 0; i < ELEMENTSOF(jobs); i++)
                jobs[i] = i % 2 == 0 ? create_expecting(&f) : create_without(&f);
        again = jobs[ELEMENTSOF(jobs) - 1];
        fixture_secrets(&secrets);
        begin_lot(&f, first, &told);
        for (size_t i = 0; i < ELEMENTSOF(jobs); i++)
                store_update(f.store, jobs[i], &secrets, on_counted, &told);
        store_spend_secrets(f.store, again, on_counted, &told);
        store_note_asking(f.store, again, on_counted, &told);
        end_lot(&f, &told, ELEMENTSOF(jobs) + 3);
        let_it_tidy(&f, again);
        assert_zeros(fixture_job_path(again, ".secret"));
        for (size_t i = 0; i + 1 < ELEMENTSOF(jobs); i++) {
                _cleanup_(job_secrets_done) JobSecrets back = {};

                ck_assert_int_eq(run_read(&f, jobs[i], &back), 0);
                fixture_assert_same_secrets(&secrets, &back);
        }
        fixture_close(&f);
        ck_assert_uint_eq(fixture_count_names(".secret"), ELEMENTSOF(jobs) - 1);
        ck_assert_uint_eq(fixture_count_names("spare-") + fixture_count_names(".new"), 0);
        for (size_t i = 0; i < ELEMENTSOF(jobs); i++)
                job_free(jobs[i]);
}
END_TEST

/* A request whose first line says already that it asks. */
START_TEST(one_that_asks_with_its_first_line)
{
        _cleanup_(job_secrets_done) JobSecrets secrets = {}, back = {};
        _cleanup_job_ Job *j = fixture_plain_job();
        _cleanup_fixture_ Fixture f = {};
        const Job *read;
        int result = 1;
        Job image;

        fixture_open(&f);
        ck_assert_int_eq(job_image_make_ahead(j, JOB_RUNNING, PHASE_CREATE, 20, 20, &image), 0);
        store_create_asking(f.store, &image, on_done, &result);
        settle(&f, &result);
        ck_assert_int_eq(result, 0);
        let_it_tidy(&f, j);
        assert_zeros(fixture_job_path(j, ".secret"));
        job_image_done(&image);

        job_set_state(j, JOB_RUNNING, PHASE_CREATE, 30, 30, "asking");
        fixture_secrets(&secrets);
        ck_assert_int_eq(run_verb(&f, store_update, j, &secrets), 0);
        fixture_reopen(&f);
        read = loaded(&f, j->id);
        ck_assert_uint_eq(read->n_history, j->n_history);
        for (size_t i = 0; i < j->n_history; i++)
                ck_assert_str_eq(read->history[i].text, j->history[i].text);
        ck_assert_int_eq(run_read(&f, read, &back), 0);
        fixture_assert_same_secrets(&secrets, &back);
}
END_TEST

/* Nothing of them stays behind, and the next try makes a file of its own. */
START_TEST(secrets_that_do_not_reach_their_room_leave_none)
{
        _cleanup_(job_secrets_done) JobSecrets secrets = {}, back = {};
        _cleanup_fixture_ Fixture f = {};
        _cleanup_job_ Job *j = NULL;

        fixture_open(&f);
        j = create_expecting(&f);
        fixture_secrets(&secrets);
        f.watch.fail_step = DISK_SYNC_FILE;
        f.watch.fail_suffix = ".secret";
        f.watch.fail_error = -EIO;
        ck_assert_int_eq(run_verb(&f, store_update, j, &secrets), -EIO);
        ck_assert_uint_eq(fixture_count_names(".secret"), 0);
        watch_reset(&f.watch);
        ck_assert_int_eq(run_verb(&f, store_update, j, &secrets), 0);
        ck_assert_int_eq(run_read(&f, j, &back), 0);
        fixture_assert_same_secrets(&secrets, &back);
}
END_TEST

START_TEST(room_of_a_daemon_that_was_killed_goes_at_the_next_start)
{
        static const char zeros[512];
        _cleanup_fixture_ Fixture f = {};
        _cleanup_job_ Job *j = NULL;

        fixture_open(&f);
        j = create_without(&f);
        fixture_close(&f);
        fixture_write(fixture_job_path(j, ".secret"), zeros, sizeof(zeros));
        fixture_open(&f);
        ck_assert_uint_eq(fixture_count_names(".secret"), 0);
        ck_assert(!loaded(&f, j->id)->secrets_erased);
}
END_TEST

static void add_tests(TCase *c) {
        tcase_add_loop_test(c, room_is_made_when_the_note_was_told, 0, 2);
        tcase_add_loop_test(c, secrets_come_where_room_was_made, 0, 2);
        tcase_add_test(c, later_ones_replace_them_as_ever);
        tcase_add_test(c, no_room_is_made_where_secrets_are);
        tcase_add_test(c, room_that_is_wanted_twice_is_made_once);
        tcase_add_loop_test(c, room_goes_where_no_secrets_come, 0, 4);
        tcase_add_test(c, room_is_not_made_without_end);
        tcase_add_test(c, more_may_want_room_at_once_than_there_is);
        tcase_add_loop_test(c, room_that_cannot_be_made_is_done_without, 0, 3);
        tcase_add_test(c, another_note_gives_the_room_up);
        tcase_add_loop_test(c, room_that_does_not_take_them_is_done_without, 0, 2);
        tcase_add_test(c, a_line_that_fails_is_tried_again);
        tcase_add_test(c, many_in_one_lot);
        tcase_add_test(c, one_that_asks_with_its_first_line);
        tcase_add_test(c, secrets_that_do_not_reach_their_room_leave_none);
        tcase_add_test(c, room_of_a_daemon_that_was_killed_goes_at_the_next_start);
}

int main(void) {
        return fixture_main("room", add_tests);
}
