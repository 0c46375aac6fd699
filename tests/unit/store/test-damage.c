/* SPDX-License-Identifier: GPL-2.0-or-later */

/* What is found on the disk that the store did not leave there so: torn, foreign, half-written. */

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

#include "tests/unit/store/watched.h"

START_TEST(a_torn_line_is_cut_off_before_the_next_one)
{
        _cleanup_fixture_ Fixture f = {};
        _cleanup_job_ Job *j = fixture_plain_job();
        _cleanup_free_ char *whole = NULL;
        size_t size, end;

        fixture_open(&f);
        ck_assert_int_eq(run_verb(&f, store_create, j, NULL), 0);
        fixture_close(&f);
        whole = fixture_read(fixture_job_path(j, ".job"), &size);
        for (end = size - 2; whole[end] != '\n'; end--)
                ;
        /* Torn within the state line, at its ends and in the middle. */
        const size_t cuts[] = {end + 1, end + 2, (end + size) / 2, size - 1};

        fixture_write(fixture_job_path(j, ".job"), whole, cuts[_i]);
        fixture_open(&f);
        ck_assert_uint_eq(f.n_jobs, 1);
        job_set_state(j, JOB_RUNNING, PHASE_KEYGEN, 10, 10, "started");
        ck_assert_int_eq(run_verb(&f, store_update, j, NULL), 0);
        fixture_reopen(&f);
        ck_assert_uint_eq(f.n_jobs, 1);
        fixture_assert_same(j, f.jobs[0]);
        ck_assert_uint_eq(fixture_count_names("damaged"), 0);
}
END_TEST

START_TEST(a_damaged_file_costs_one_job)
{
        static const char *const contents[] = {"", "hello\n", "{\"v\":1}\n"};
        _cleanup_(job_secrets_done) JobSecrets secrets = {};
        _cleanup_fixture_ Fixture f = {};
        _cleanup_job_ Job *good = fixture_plain_job(), *bad = fixture_plain_job();

        fixture_secrets(&secrets);
        fixture_open(&f);
        ck_assert_int_eq(run_verb(&f, store_create, good, NULL), 0);
        ck_assert_int_eq(run_verb(&f, store_create, bad, &secrets), 0);
        fixture_close(&f);
        fixture_write(fixture_job_path(bad, ".job"), contents[_i], strlen(contents[_i]));

        fixture_open(&f);
        ck_assert_uint_eq(f.n_jobs, 1);
        ck_assert_str_eq(f.jobs[0]->id, good->id);
        ck_assert_uint_eq(fixture_count_names(".job.damaged-"), 1);
        ck_assert_uint_eq(fixture_count_names(".secret.damaged-"), 1);
        ck_assert(!fixture_exists(fixture_job_path(bad, ".job")));
        fixture_reopen(&f);
        ck_assert_uint_eq(f.n_jobs, 1);
}
END_TEST

START_TEST(a_copy_under_another_name_is_not_a_second_job)
{
        _cleanup_fixture_ Fixture f = {};
        _cleanup_job_ Job *j = fixture_plain_job(), *other = fixture_plain_job();
        _cleanup_free_ char *data = NULL;
        size_t size;

        fixture_open(&f);
        ck_assert_int_eq(run_verb(&f, store_create, j, NULL), 0);
        data = fixture_read(fixture_job_path(j, ".job"), &size);
        fixture_write(fixture_job_path(other, ".job"), data, size);
        fixture_reopen(&f);
        ck_assert_uint_eq(f.n_jobs, 1);
        ck_assert_str_eq(f.jobs[0]->id, j->id);
        ck_assert_uint_eq(fixture_count_names("damaged"), 1);
}
END_TEST

START_TEST(what_is_no_regular_file_is_set_aside_and_not_followed)
{
        _cleanup_fixture_ Fixture f = {};
        _cleanup_job_ Job *link = fixture_plain_job(), *directory = fixture_plain_job(),
                          *fifo = fixture_plain_job();
        _cleanup_free_ char *elsewhere = NULL;

        fixture_open(&f);
        /* A job's file in all but its being a link. */
        ck_assert_int_eq(run_verb(&f, store_create, link, NULL), 0);
        elsewhere = strdup(fixture_path("elsewhere"));
        ck_assert_int_eq(rename(fixture_job_path(link, ".job"), elsewhere), 0);
        ck_assert_int_eq(symlink(elsewhere, fixture_job_path(link, ".job")), 0);
        ck_assert_int_eq(mkdir(fixture_job_path(directory, ".job"), 0700), 0);
        ck_assert_int_eq(mkfifo(fixture_job_path(fifo, ".job"), 0600), 0);
        fixture_reopen(&f);
        ck_assert_uint_eq(f.n_jobs, 0);
        ck_assert_uint_eq(fixture_count_names("damaged"), 3);
}
END_TEST

START_TEST(foreign_names_are_left_alone)
{
        static const char *const names[] = {"README", "x.job", "lost+found", ".hidden",
                                            "0123456789abcdef0123456789abcdef.txt"};
        _cleanup_fixture_ Fixture f = {};

        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                fixture_write(fixture_path(names[i]), "x", 1);
        fixture_open(&f);
        ck_assert_uint_eq(f.n_jobs, 0);
        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                ck_assert(fixture_exists(fixture_path(names[i])));
}
END_TEST

START_TEST(half_written_files_are_removed_at_the_start)
{
        _cleanup_fixture_ Fixture f = {};
        _cleanup_job_ Job *j = fixture_plain_job();

        fixture_write(fixture_job_path(j, ".job.new"), "x", 1);
        fixture_write(fixture_job_path(j, ".secret.new"), "x", 1);
        fixture_write(fixture_path("state.key.new"), "x", 1);
        fixture_open(&f);
        ck_assert_uint_eq(fixture_count_names(".new"), 0);
}
END_TEST

START_TEST(secrets_that_no_line_speaks_of_are_erased_at_the_start)
{
        _cleanup_(job_secrets_done) JobSecrets secrets = {};
        _cleanup_fixture_ Fixture f = {};
        _cleanup_job_ Job *with = fixture_plain_job(), *without = fixture_plain_job();
        _cleanup_free_ char *sealed = NULL;
        size_t size;

        fixture_secrets(&secrets);
        fixture_open(&f);
        ck_assert_int_eq(run_verb(&f, store_create, with, &secrets), 0);
        ck_assert_int_eq(run_verb(&f, store_create, without, NULL), 0);
        sealed = fixture_read(fixture_job_path(with, ".secret"), &size);
        fixture_write(fixture_job_path(without, ".secret"), sealed, size);
        ck_assert_int_eq(unlink(fixture_job_path(with, ".job")), 0);
        fixture_reopen(&f);
        ck_assert_uint_eq(f.n_jobs, 1);
        ck_assert_uint_eq(fixture_count_names(".secret"), 0);
}
END_TEST

START_TEST(a_job_whose_secrets_vanished_says_that_they_are_gone)
{
        _cleanup_(job_secrets_done) JobSecrets secrets = {};
        _cleanup_fixture_ Fixture f = {};
        _cleanup_job_ Job *j = fixture_plain_job();

        fixture_secrets(&secrets);
        fixture_open(&f);
        ck_assert_int_eq(run_verb(&f, store_create, j, &secrets), 0);
        ck_assert_int_eq(unlink(fixture_job_path(j, ".secret")), 0);
        fixture_reopen(&f);
        ck_assert_uint_eq(f.n_jobs, 1);
        ck_assert(!f.jobs[0]->secrets_stored);
        ck_assert(f.jobs[0]->secrets_erased);
}
END_TEST

START_TEST(a_job_under_an_unknown_key_is_set_aside_and_no_key_is_made)
{
        _cleanup_(job_secrets_done) JobSecrets secrets = {};
        _cleanup_fixture_ Fixture f = {};
        _cleanup_job_ Job *j = fixture_plain_job(), *other = fixture_plain_job();
        _cleanup_free_ char *key = NULL;
        size_t size;

        fixture_secrets(&secrets);
        fixture_open(&f);
        ck_assert_int_eq(run_verb(&f, store_create, j, &secrets), 0);
        ck_assert_int_eq(run_verb(&f, store_create, other, NULL), 0);
        fixture_close(&f);
        key = fixture_read(fixture_path("state.key"), &size);
        key[3] = (char) (key[3] ^ 1);
        fixture_write(fixture_path("state.key"), key, size);
        fixture_open(&f);
        ck_assert_uint_eq(f.n_jobs, 1);
        ck_assert_str_eq(f.jobs[0]->id, other->id);
        ck_assert_uint_eq(fixture_count_names(".job.unknown-key-"), 1);
        ck_assert_uint_eq(fixture_count_names(".secret.unknown-key-"), 1);
        free(key);
        key = fixture_read(fixture_path("state.key"), &size);
        ck_assert_uint_eq(size, SEAL_KEY_SIZE);
}
END_TEST

START_TEST(a_long_file_is_written_anew_and_stays_bounded)
{
        _cleanup_fixture_ Fixture f = {};
        _cleanup_job_ Job *j = fixture_plain_job();
        size_t largest = 0;

        j->result.registration_state = calloc(1, 50001);
        memset(j->result.registration_state, 'x', 50000);
        fixture_open(&f);
        ck_assert_int_eq(run_verb(&f, store_create, j, NULL), 0);
        for (usec_t i = 0; i < 60; i++) {
                struct stat st;

                job_set_state(j, JOB_RUNNING, PHASE_CREATE, i, i, "again");
                ck_assert_int_eq(run_verb(&f, store_update, j, NULL), 0);
                ck_assert_int_eq(stat(fixture_job_path(j, ".job"), &st), 0);
                largest = (size_t) st.st_size > largest ? (size_t) st.st_size : largest;
        }
        ck_assert_uint_gt(largest, JOB_FILE_COMPACT_SIZE / 2);
        ck_assert_uint_le(largest, JOB_FILE_COMPACT_SIZE);
        fixture_reopen(&f);
        ck_assert_uint_eq(f.n_jobs, 1);
        fixture_assert_same(j, f.jobs[0]);
        ck_assert_uint_eq(f.jobs[0]->n_history, 61);
}
END_TEST

static void add_tests(TCase *c) {
        tcase_add_loop_test(c, a_torn_line_is_cut_off_before_the_next_one, 0, 4);
        tcase_add_loop_test(c, a_damaged_file_costs_one_job, 0, 3);
        tcase_add_test(c, a_copy_under_another_name_is_not_a_second_job);
        tcase_add_test(c, what_is_no_regular_file_is_set_aside_and_not_followed);
        tcase_add_test(c, foreign_names_are_left_alone);
        tcase_add_test(c, half_written_files_are_removed_at_the_start);
        tcase_add_test(c, secrets_that_no_line_speaks_of_are_erased_at_the_start);
        tcase_add_test(c, a_job_whose_secrets_vanished_says_that_they_are_gone);
        tcase_add_test(c, a_job_under_an_unknown_key_is_set_aside_and_no_key_is_made);
        tcase_add_test(c, a_long_file_is_written_anew_and_stays_bounded);
}

int main(void) {
        return fixture_main("damage", add_tests);
}
