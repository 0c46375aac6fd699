/* SPDX-License-Identifier: GPL-2.0-or-later */

/* What is durable before what, and what a step that fails leaves behind. */

#include <errno.h>
#include <stdio.h>

#include "tests/unit/store/watched.h"

START_TEST(secrets_are_durable_before_the_line_that_speaks_of_them)
{
        _cleanup_(job_secrets_done) JobSecrets secrets = {};
        _cleanup_fixture_ Fixture f = {};
        _cleanup_job_ Job *j = fixture_plain_job();
        const Watch *w = &f.watch;
        unsigned at;

        fixture_secrets(&secrets);
        fixture_open(&f);
        ck_assert_int_eq(run_verb(&f, store_create, j, NULL), 0);
        watch_reset(&f.watch);
        ck_assert_int_eq(run_verb(&f, store_update, j, &secrets), 0);
        at = step_at(w, DISK_WRITE, ".secret.new", 0);
        at = step_at(w, DISK_SYNC_FILE, ".secret.new", at);
        at = step_at(w, DISK_RENAME, ".secret", at);
        at = step_at(w, DISK_SYNC_DIRECTORY, ".", at);
        at = step_at(w, DISK_WRITE, ".job", at);
        at = step_at(w, DISK_SYNC_FILE, ".job", at);
        ck_assert_uint_eq(at, w->n - 1);
}
END_TEST

static void on_counted(int error, void *userdata) {
        unsigned *n = userdata;

        ck_assert_int_eq(error, 0);
        (*n)++;
}

static int run_note(Fixture *f, const Job *j) {
        unsigned told = 0;

        store_note(f->store, j, on_counted, &told);
        while (told == 0)
                ck_assert_int_ge(sd_event_run(f->event, UINT64_MAX), 0);
        return 0;
}

START_TEST(a_note_is_written_and_not_waited_for)
{
        _cleanup_fixture_ Fixture f = {};
        _cleanup_job_ Job *j = fixture_plain_job();

        fixture_open(&f);
        ck_assert_int_eq(run_verb(&f, store_create, j, NULL), 0);
        watch_reset(&f.watch);
        job_set_state(j, JOB_RUNNING, PHASE_CREATE, 10, 10, "asking");
        (void) run_note(&f, j);
        ck_assert_uint_eq(f.watch.n, 1);
        (void) step_at(&f.watch, DISK_WRITE, ".job", 0);
        fixture_reopen(&f);
        ck_assert_int_eq(f.jobs[0]->state, JOB_RUNNING);
        ck_assert_int_eq(f.jobs[0]->phase, PHASE_CREATE);
}
END_TEST

/* What takes the place of a file must be whole before it does. */
START_TEST(a_note_that_makes_the_file_anew_is_flushed)
{
        _cleanup_fixture_ Fixture f = {};
        _cleanup_job_ Job *j = fixture_plain_job();
        unsigned at = 0;

        fixture_open(&f);
        ck_assert_int_eq(run_verb(&f, store_create, j, NULL), 0);
        do {
                watch_reset(&f.watch);
                (void) run_note(&f, j);
        } while (f.watch.n == 1);
        at = step_at(&f.watch, DISK_WRITE, ".job.new", at);
        at = step_at(&f.watch, DISK_SYNC_FILE, ".job.new", at);
        at = step_at(&f.watch, DISK_RENAME, ".job", at);
        at = step_at(&f.watch, DISK_SYNC_DIRECTORY, ".", at);
        ck_assert_uint_eq(at, f.watch.n - 1);
}
END_TEST

START_TEST(a_line_is_durable_before_the_secrets_go_and_the_file_before_its_name)
{
        _cleanup_(job_secrets_done) JobSecrets secrets = {};
        _cleanup_fixture_ Fixture f = {};
        _cleanup_job_ Job *j = fixture_plain_job();
        const Watch *w = &f.watch;
        unsigned at;

        fixture_secrets(&secrets);
        fixture_open(&f);
        ck_assert_int_eq(run_verb(&f, store_create, j, &secrets), 0);
        at = step_at(w, DISK_SYNC_DIRECTORY, ".", 0); /* of the secrets */
        at = step_at(w, DISK_WRITE, ".job.new", at);
        at = step_at(w, DISK_SYNC_FILE, ".job.new", at);
        at = step_at(w, DISK_RENAME, ".job", at);
        at = step_at(w, DISK_SYNC_DIRECTORY, ".", at);
        ck_assert_uint_eq(at, w->n - 1);
        watch_reset(&f.watch);
        ck_assert_int_eq(run_erase(&f, j), 0);
        at = step_at(w, DISK_WRITE, ".job", 0);
        at = step_at(w, DISK_SYNC_FILE, ".job", at);
        at = step_at(w, DISK_OVERWRITE, ".secret", at);
        at = step_at(w, DISK_UNLINK, ".secret", at);
        at = step_at(w, DISK_SYNC_DIRECTORY, ".", at);
        ck_assert_uint_eq(at, w->n - 1);
}
END_TEST

START_TEST(one_flush_of_the_directory_serves_all_who_wait)
{
        _cleanup_fixture_ Fixture f = {};
        _cleanup_job_ Job *first = fixture_plain_job();
        Job *jobs[40];
        unsigned told = 0;

        fixture_open(&f);
        f.watch.hold = true;
        store_create(f.store, first, NULL, on_counted, &told);
        sem_wait(&f.watch.held);
        for (unsigned i = 0; i < ELEMENTSOF(jobs); i++) {
                jobs[i] = fixture_plain_job();
                store_create(f.store, jobs[i], NULL, on_counted, &told);
        }
        sem_post(&f.watch.release);
        while (told < ELEMENTSOF(jobs) + 1)
                ck_assert_int_ge(sd_event_run(f.event, UINT64_MAX), 0);
        ck_assert_uint_eq(f.watch.counts[DISK_SYNC_DIRECTORY], 2);
        ck_assert_uint_eq(f.watch.counts[DISK_SYNC_FILE], ELEMENTSOF(jobs) + 1);
        for (unsigned i = 0; i < ELEMENTSOF(jobs); i++)
                job_free(jobs[i]);
}
END_TEST

START_TEST(changes_of_one_job_in_one_lot_keep_their_order)
{
        _cleanup_(job_secrets_done) JobSecrets secrets = {}, back = {};
        _cleanup_fixture_ Fixture f = {};
        _cleanup_job_ Job *first = fixture_plain_job(), *j = fixture_plain_job();
        unsigned told = 0;

        fixture_secrets(&secrets);
        fixture_open(&f);
        f.watch.hold = true;
        store_create(f.store, first, NULL, on_counted, &told);
        sem_wait(&f.watch.held);
        store_create(f.store, j, &secrets, on_counted, &told);
        store_erase_secrets(f.store, j, on_counted, &told);
        job_set_state(j, JOB_RUNNING, PHASE_CREATE, 10, 10, "started");
        store_update(f.store, j, &secrets, on_counted, &told);
        store_remove(f.store, first, on_counted, &told);
        sem_post(&f.watch.release);
        while (told < 5)
                ck_assert_int_ge(sd_event_run(f.event, UINT64_MAX), 0);
        ck_assert_int_eq(run_read(&f, j, &back), 0);
        fixture_assert_same_secrets(&secrets, &back);
        fixture_reopen(&f);
        ck_assert_uint_eq(f.n_jobs, 1);
        ck_assert_int_eq(f.jobs[0]->state, JOB_RUNNING);
}
END_TEST

START_TEST(what_was_asked_for_is_finished_before_the_store_goes)
{
        _cleanup_fixture_ Fixture f = {};
        _cleanup_job_ Job *j = fixture_plain_job();
        unsigned told = 0;

        fixture_open(&f);
        store_create(f.store, j, NULL, on_counted, &told);
        store_update(f.store, j, NULL, on_counted, &told);
        fixture_close(&f);
        ck_assert_uint_eq(told, 2);
        fixture_open(&f);
        ck_assert_uint_eq(f.n_jobs, 1);
}
END_TEST

START_TEST(a_job_too_large_is_refused_from_the_loop)
{
        _cleanup_fixture_ Fixture f = {};
        _cleanup_job_ Job *j = fixture_plain_job();

        j->result.registration_state = calloc(1, RECORD_LINE_MAX);
        memset(j->result.registration_state, 'x', RECORD_LINE_MAX - 1);
        fixture_open(&f);
        ck_assert_int_eq(run_verb(&f, store_create, j, NULL), -EMSGSIZE);
        ck_assert_uint_eq(fixture_count_names(j->id), 0);
}
END_TEST

/* Does what `verb` names with the n-th step failing. 0 where it had fewer steps than that. */
static int with_failure_at(Fixture *f, Verb verb, const Job *job, const JobSecrets *secrets,
                           unsigned n, int *ret_result) {
        watch_reset(&f->watch);
        f->watch.fail_at = n;
        f->watch.fail_error = -ENOSPC;
        *ret_result = run_verb(f, verb, job, secrets);
        f->watch.fail_at = 0;
        return f->watch.n >= n;
}

START_TEST(a_create_that_fails_at_any_step_leaves_nothing)
{
        _cleanup_(job_secrets_done) JobSecrets secrets = {};
        _cleanup_fixture_ Fixture f = {};
        unsigned n;

        fixture_secrets(&secrets);
        fixture_open(&f);
        for (n = 1;; n++) {
                _cleanup_job_ Job *j = fixture_plain_job();
                int result;

                if (!with_failure_at(&f, store_create, j, &secrets, n, &result))
                        break;
                ck_assert_int_eq(result, -ENOSPC);
                ck_assert_uint_eq(fixture_count_names(j->id), 0);
                fixture_reopen(&f);
                ck_assert_uint_eq(f.n_jobs, 0);
        }
        ck_assert_uint_eq(n, 9); /* eight steps, each tried */
}
END_TEST

START_TEST(an_update_that_fails_at_any_step_leaves_the_file_right)
{
        _cleanup_(job_secrets_done) JobSecrets secrets = {};
        _cleanup_fixture_ Fixture f = {};
        _cleanup_job_ Job *j = fixture_plain_job();
        unsigned n;

        fixture_secrets(&secrets);
        fixture_open(&f);
        ck_assert_int_eq(run_verb(&f, store_create, j, &secrets), 0);
        job_set_state(j, JOB_RUNNING, PHASE_CREATE, 10, 10, "started");
        for (n = 1;; n++) {
                int result;

                if (!with_failure_at(&f, store_update, j, &secrets, n, &result))
                        break;
                /* The last two erase what was replaced: all that was asked for is done by then. */
                ck_assert_int_eq(result, n <= 6 ? -ENOSPC : 0);
                fixture_reopen(&f);
                ck_assert_uint_eq(f.n_jobs, 1);
                ck_assert_int_eq(f.jobs[0]->state, n <= 6 ? JOB_QUEUED : JOB_RUNNING);
                ck_assert_uint_eq(fixture_count_names(".new"), 0);
        }
        ck_assert_uint_eq(n, 9);
        ck_assert_int_eq(run_verb(&f, store_update, j, NULL), 0);
        fixture_reopen(&f);
        ck_assert_int_eq(f.jobs[0]->state, JOB_RUNNING);
        ck_assert_uint_eq(f.jobs[0]->n_history, 2);
}
END_TEST

START_TEST(a_failure_of_one_job_does_not_touch_another_of_the_lot)
{
        _cleanup_fixture_ Fixture f = {};
        _cleanup_job_ Job *first = fixture_plain_job(), *bad = fixture_plain_job(),
                          *good = fixture_plain_job();
        int results[] = {1, 1, 1};
        char name[64];

        fixture_open(&f);
        f.watch.hold = true;
        store_create(f.store, first, NULL, on_done, &results[0]);
        sem_wait(&f.watch.held);
        store_create(f.store, bad, NULL, on_done, &results[1]);
        store_create(f.store, good, NULL, on_done, &results[2]);
        (void) snprintf(name, sizeof(name), "%s.job.new", bad->id);
        f.watch.fail_step = DISK_SYNC_FILE;
        f.watch.fail_suffix = name;
        f.watch.fail_error = -EIO;
        sem_post(&f.watch.release);
        settle(&f, &results[2]);
        ck_assert_int_eq(results[1], -EIO);
        ck_assert_int_eq(results[2], 0);
        fixture_reopen(&f);
        ck_assert_uint_eq(f.n_jobs, 2);
}
END_TEST

START_TEST(on_a_full_disk_secrets_make_room_for_the_line_that_says_so)
{
        _cleanup_(job_secrets_done) JobSecrets secrets = {};
        _cleanup_fixture_ Fixture f = {};
        _cleanup_job_ Job *j = fixture_plain_job();

        fixture_secrets(&secrets);
        fixture_open(&f);
        ck_assert_int_eq(run_verb(&f, store_create, j, &secrets), 0);
        watch_reset(&f.watch);
        f.watch.fail_at = 1; /* the line's first try */
        f.watch.fail_error = -ENOSPC;
        ck_assert_int_eq(run_erase(&f, j), 0);
        ck_assert_uint_eq(fixture_count_names(".secret"), 0);
        fixture_reopen(&f);
        ck_assert(f.jobs[0]->secrets_erased);
}
END_TEST

static void add_tests(TCase *c) {
        tcase_add_test(c, secrets_are_durable_before_the_line_that_speaks_of_them);
        tcase_add_test(c, a_note_is_written_and_not_waited_for);
        tcase_add_test(c, a_note_that_makes_the_file_anew_is_flushed);
        tcase_add_test(c, a_line_is_durable_before_the_secrets_go_and_the_file_before_its_name);
        tcase_add_test(c, one_flush_of_the_directory_serves_all_who_wait);
        tcase_add_test(c, changes_of_one_job_in_one_lot_keep_their_order);
        tcase_add_test(c, what_was_asked_for_is_finished_before_the_store_goes);
        tcase_add_test(c, a_job_too_large_is_refused_from_the_loop);
        tcase_add_test(c, a_create_that_fails_at_any_step_leaves_nothing);
        tcase_add_test(c, an_update_that_fails_at_any_step_leaves_the_file_right);
        tcase_add_test(c, a_failure_of_one_job_does_not_touch_another_of_the_lot);
        tcase_add_test(c, on_a_full_disk_secrets_make_room_for_the_line_that_says_so);
}

int main(void) {
        return fixture_main("order", add_tests);
}
