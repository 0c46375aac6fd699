/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>

#include "tests/unit/store/watched.h"

START_TEST(a_job_comes_back_after_a_restart)
{
        _cleanup_fixture_ Fixture f = {};
        _cleanup_job_ Job *j = fixture_full_job();

        fixture_open(&f);
        ck_assert_int_eq(run_verb(&f, store_create, j, NULL), 0);
        fixture_reopen(&f);
        ck_assert_uint_eq(f.n_jobs, 1);
        fixture_assert_same(j, f.jobs[0]);
        ck_assert_uint_eq(f.jobs[0]->created_boot, j->created_boot);
}
END_TEST

START_TEST(the_last_update_counts)
{
        _cleanup_fixture_ Fixture f = {};
        _cleanup_job_ Job *j = fixture_plain_job();

        fixture_open(&f);
        ck_assert_int_eq(run_verb(&f, store_create, j, NULL), 0);
        job_set_state(j, JOB_RUNNING, PHASE_CREATE, 10, 10, "started");
        ck_assert_int_eq(run_verb(&f, store_update, j, NULL), 0);
        job_set_state(j, JOB_SUCCEEDED, PHASE_NONE, 20, 20, "done");
        ck_assert_int_eq(free_and_strdup(&j->result.thing_name, "thing-1"), 0);
        ck_assert_int_eq(run_verb(&f, store_update, j, NULL), 0);
        fixture_reopen(&f);
        ck_assert_uint_eq(f.n_jobs, 1);
        fixture_assert_same(j, f.jobs[0]);
        ck_assert_uint_eq(f.jobs[0]->n_history, 3);
}
END_TEST

START_TEST(jobs_come_in_the_order_of_their_serials)
{
        _cleanup_fixture_ Fixture f = {};
        uint64_t last = 0;

        fixture_open(&f);
        for (int i = 0; i < 20; i++) {
                _cleanup_job_ Job *j = fixture_plain_job();

                j->serial = store_next_serial(f.store);
                ck_assert_uint_gt(j->serial, last);
                last = j->serial;
                ck_assert_int_eq(run_verb(&f, store_create, j, NULL), 0);
                if (i % 7 == 0)
                        fixture_reopen(&f);
        }
        fixture_reopen(&f);
        ck_assert_uint_eq(f.n_jobs, 20);
        for (unsigned i = 1; i < f.n_jobs; i++)
                ck_assert_uint_lt(f.jobs[i - 1]->serial, f.jobs[i]->serial);
        ck_assert_uint_gt(store_next_serial(f.store), last);
}
END_TEST

START_TEST(a_serial_is_not_given_again_when_its_job_is_gone)
{
        _cleanup_fixture_ Fixture f = {};
        _cleanup_job_ Job *j = fixture_plain_job();

        fixture_open(&f);
        j->serial = store_next_serial(f.store);
        ck_assert_int_eq(run_verb(&f, store_create, j, NULL), 0);
        ck_assert_int_eq(run_remove(&f, j), 0);
        fixture_reopen(&f);
        ck_assert_uint_eq(f.n_jobs, 0);
        ck_assert_uint_gt(store_next_serial(f.store), j->serial);
}
END_TEST

START_TEST(secrets_come_back_and_stand_nowhere_in_clear)
{
        _cleanup_(job_secrets_done) JobSecrets secrets = {}, back = {};
        _cleanup_fixture_ Fixture f = {};
        _cleanup_job_ Job *j = fixture_plain_job();
        _cleanup_free_ char *sealed = NULL, *record = NULL;
        size_t size, record_size;

        fixture_secrets(&secrets);
        fixture_open(&f);
        ck_assert_int_eq(run_verb(&f, store_create, j, &secrets), 0);
        fixture_reopen(&f);
        ck_assert_uint_eq(f.n_jobs, 1);
        ck_assert(f.jobs[0]->secrets_stored);
        ck_assert_int_eq(run_read(&f, f.jobs[0], &back), 0);
        fixture_assert_same_secrets(&secrets, &back);

        sealed = fixture_read(fixture_job_path(j, ".secret"), &size);
        record = fixture_read(fixture_job_path(j, ".job"), &record_size);
        ck_assert_ptr_null(memmem(sealed, size, "THE-", 4));
        ck_assert_ptr_null(memmem(record, record_size, "THE-", 4));
}
END_TEST

START_TEST(an_update_replaces_the_secrets_or_leaves_them)
{
        _cleanup_(job_secrets_done) JobSecrets first = {}, second = {}, back = {}, again = {};
        _cleanup_fixture_ Fixture f = {};
        _cleanup_job_ Job *j = fixture_plain_job();

        first.private_key = secret_new("one", 3);
        second.ownership_token = secret_new("two", 3);
        fixture_open(&f);
        ck_assert_int_eq(run_verb(&f, store_create, j, &first), 0);
        ck_assert_int_eq(run_verb(&f, store_update, j, NULL), 0);
        ck_assert_int_eq(run_read(&f, j, &back), 0);
        fixture_assert_same_secrets(&first, &back);
        ck_assert_int_eq(run_verb(&f, store_update, j, &second), 0);
        ck_assert_int_eq(run_read(&f, j, &again), 0);
        fixture_assert_same_secrets(&second, &again);
}
END_TEST

START_TEST(erased_secrets_are_gone_from_the_disk)
{
        _cleanup_(job_secrets_done) JobSecrets secrets = {};
        _cleanup_fixture_ Fixture f = {};
        _cleanup_job_ Job *j = fixture_plain_job();

        fixture_secrets(&secrets);
        fixture_open(&f);
        ck_assert_int_eq(run_verb(&f, store_create, j, &secrets), 0);
        ck_assert_int_eq(run_erase(&f, j), 0);
        ck_assert_uint_eq(fixture_count_names(".secret"), 0);
        ck_assert_int_eq(run_read(&f, j, NULL), -ENOENT);
        ck_assert_int_eq(run_erase(&f, j), 0);
        fixture_reopen(&f);
        ck_assert_uint_eq(f.n_jobs, 1);
        ck_assert(!f.jobs[0]->secrets_stored);
        ck_assert(f.jobs[0]->secrets_erased);
}
END_TEST

START_TEST(an_update_with_an_empty_set_erases)
{
        _cleanup_(job_secrets_done) JobSecrets secrets = {};
        _cleanup_fixture_ Fixture f = {};
        _cleanup_job_ Job *j = fixture_plain_job();
        const JobSecrets none = {};

        fixture_secrets(&secrets);
        fixture_open(&f);
        ck_assert_int_eq(run_verb(&f, store_create, j, &secrets), 0);
        ck_assert_int_eq(run_verb(&f, store_update, j, &none), 0);
        ck_assert_uint_eq(fixture_count_names(".secret"), 0);
}
END_TEST

START_TEST(a_removed_job_leaves_nothing)
{
        _cleanup_(job_secrets_done) JobSecrets secrets = {};
        _cleanup_fixture_ Fixture f = {};
        _cleanup_job_ Job *j = fixture_plain_job();

        fixture_secrets(&secrets);
        fixture_open(&f);
        ck_assert_int_eq(run_verb(&f, store_create, j, &secrets), 0);
        ck_assert_int_eq(run_remove(&f, j), 0);
        ck_assert_uint_eq(fixture_count_names(j->id), 0);
        ck_assert_int_eq(run_remove(&f, j), 0); /* and again, as after a crash */
        ck_assert_int_eq(run_verb(&f, store_update, j, NULL), -ENOENT);
}
END_TEST

START_TEST(a_job_asked_for_again_is_written_anew_with_its_history)
{
        _cleanup_fixture_ Fixture f = {};
        _cleanup_job_ Job *j = fixture_full_job();

        fixture_open(&f);
        ck_assert_int_eq(run_verb(&f, store_create, j, NULL), 0);
        ck_assert_int_eq(parameters_set(&j->spec->parameters, "SerialNumber", "other"), 0);
        job_set_state(j, JOB_QUEUED, PHASE_NONE, 30, 30, "asked for again");
        ck_assert_int_eq(run_verb(&f, store_rewrite, j, NULL), 0);
        fixture_reopen(&f);
        ck_assert_uint_eq(f.n_jobs, 1);
        fixture_assert_same(j, f.jobs[0]);
        ck_assert_uint_eq(f.jobs[0]->n_history, 5);
}
END_TEST

static void add_tests(TCase *c) {
        tcase_add_test(c, a_job_comes_back_after_a_restart);
        tcase_add_test(c, the_last_update_counts);
        tcase_add_test(c, jobs_come_in_the_order_of_their_serials);
        tcase_add_test(c, a_serial_is_not_given_again_when_its_job_is_gone);
        tcase_add_test(c, secrets_come_back_and_stand_nowhere_in_clear);
        tcase_add_test(c, an_update_replaces_the_secrets_or_leaves_them);
        tcase_add_test(c, erased_secrets_are_gone_from_the_disk);
        tcase_add_test(c, an_update_with_an_empty_set_erases);
        tcase_add_test(c, a_removed_job_leaves_nothing);
        tcase_add_test(c, a_job_asked_for_again_is_written_anew_with_its_history);
}

int main(void) {
        return fixture_main("store", add_tests);
}
