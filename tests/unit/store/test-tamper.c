/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Somebody edits the state directory, with sums that are right and under a key that is here: the
 * secrets do not go along with an edited record, and that job is set aside. */

#include <stdio.h>

#include "daemon/store/job-record.h"
#include "tests/unit/store/watched.h"

static Job *create(Fixture *f) {
        _cleanup_(job_secrets_done) JobSecrets secrets = {};
        Job *j = fixture_full_job();

        fixture_secrets(&secrets);
        j->secrets_stored = true;
        ck_assert_int_eq(run_verb(f, store_create, j, &secrets), 0);
        return j;
}

/* It is set aside with its secrets; the other stays, and no key was made. */
static void assert_set_aside(Fixture *f, const Job *bad, const Job *good) {
        _cleanup_free_ char *before = NULL, *after = NULL;
        size_t size;

        before = fixture_read(fixture_path("state.key"), &size);
        fixture_open(f);
        ck_assert_uint_eq(f->n_jobs, 1);
        ck_assert_str_eq(f->jobs[0]->id, good->id);
        ck_assert_uint_eq(fixture_count_names(".job.damaged-"), 1);
        ck_assert_uint_eq(fixture_count_names(".secret.damaged-"), 1);
        ck_assert(!fixture_exists(fixture_job_path(bad, ".job")));
        ck_assert(!fixture_exists(fixture_job_path(bad, ".secret")));
        ck_assert_int_eq(run_read(f, good, NULL), 0);
        after = fixture_read(fixture_path("state.key"), &size);
        ck_assert_mem_eq(before, after, size);
        fixture_reopen(f); /* and not again and again */
        ck_assert_uint_eq(f->n_jobs, 1);
        ck_assert_uint_eq(fixture_count_names("damaged-"), 2);
}

static void edit_uid(Job *j) {
        j->owner->uid = 1000;
}

static void edit_door(Job *j) {
        ck_assert_int_eq(free_and_strdup(&j->owner->door, "main"), 0);
}

static void edit_operation(Job *j) {
        j->spec->operation = OPERATION_REGISTER_THING;
}

static void edit_profile_name(Job *j) {
        ck_assert_int_eq(free_and_strdup(&j->spec->profile, "another"), 0);
}

static void edit_profile(Job *j) {
        ck_assert_int_eq(free_and_strdup(&j->profile_fingerprint, "11ff00ff"), 0);
}

static void (*const edits[])(Job *) = {edit_uid, edit_door, edit_operation, edit_profile_name,
                                       edit_profile};

START_TEST(edited_record_costs_the_job)
{
        const JobClock clock = {.now_boot = 5000000};
        _cleanup_free_ char *text = NULL;
        _cleanup_fixture_ Fixture f = {};
        _cleanup_job_ Job *good = NULL, *bad = NULL;
        size_t size;

        fixture_open(&f);
        good = create(&f);
        bad = create(&f);
        fixture_close(&f);
        edits[_i](bad);
        ck_assert_int_eq(job_record_make(bad, &clock, SECRETS_AS_JOB_SAYS, &text, &size), 0);
        fixture_write(fixture_job_path(bad, ".job"), text, size);
        assert_set_aside(&f, bad, good);
}
END_TEST

START_TEST(secrets_of_another_job_cost_the_job)
{
        _cleanup_free_ char *sealed = NULL;
        _cleanup_fixture_ Fixture f = {};
        _cleanup_job_ Job *good = NULL, *bad = NULL;
        size_t size;

        fixture_open(&f);
        good = create(&f);
        bad = create(&f);
        fixture_close(&f);
        sealed = fixture_read(fixture_job_path(good, ".secret"), &size);
        fixture_write(fixture_job_path(bad, ".secret"), sealed, size);
        assert_set_aside(&f, bad, good);
}
END_TEST

typedef struct Damage {
        size_t cut;     /* bytes that stay; 0: all */
        size_t flipped; /* this one, from the end */
} Damage;

static const Damage damages[] = {{1, 0}, {9, 0}, {60, 0}, {0, 1}, {0, 40}};

START_TEST(damaged_secrets_cost_the_job)
{
        const Damage *damage = damages + _i;
        _cleanup_free_ char *sealed = NULL;
        _cleanup_fixture_ Fixture f = {};
        _cleanup_job_ Job *good = NULL, *bad = NULL;
        size_t size;

        fixture_open(&f);
        good = create(&f);
        bad = create(&f);
        fixture_close(&f);
        sealed = fixture_read(fixture_job_path(bad, ".secret"), &size);
        if (damage->flipped > 0)
                sealed[size - damage->flipped] ^= 1;
        fixture_write(fixture_job_path(bad, ".secret"), sealed,
                      damage->cut > 0 ? damage->cut : size);
        assert_set_aside(&f, bad, good);
}
END_TEST

START_TEST(emptied_secrets_cost_the_job)
{
        _cleanup_fixture_ Fixture f = {};
        _cleanup_job_ Job *good = NULL, *bad = NULL;

        fixture_open(&f);
        good = create(&f);
        bad = create(&f);
        fixture_close(&f);
        fixture_write(fixture_job_path(bad, ".secret"), "", 0);
        assert_set_aside(&f, bad, good);
}
END_TEST

/* As a backup does that brings back an older file: nonces are drawn, never counted. */
START_TEST(the_same_secrets_are_never_sealed_with_the_same_nonce)
{
        enum {
                WRITES = 50,
                NONCE_AT = 8 + 2 + 4 + 1 + 8, /* file's header, length, version, key id */
                NONCE = 12
        };
        _cleanup_(job_secrets_done) JobSecrets secrets = {};
        _cleanup_fixture_ Fixture f = {};
        _cleanup_job_ Job *j = NULL;
        char nonces[WRITES][NONCE];

        fixture_secrets(&secrets);
        fixture_open(&f);
        j = create(&f);
        for (unsigned i = 0; i < WRITES; i++) {
                _cleanup_free_ char *sealed = NULL;
                size_t size;

                if (i % 10 == 0)
                        fixture_reopen(&f);
                ck_assert_int_eq(run_verb(&f, store_update, j, &secrets), 0);
                sealed = fixture_read(fixture_job_path(j, ".secret"), &size);
                memcpy(nonces[i], sealed + NONCE_AT, NONCE);
                for (unsigned k = 0; k < i; k++)
                        ck_assert_mem_ne(nonces[k], nonces[i], NONCE);
        }
}
END_TEST

static void add_tests(TCase *c) {
        tcase_add_loop_test(c, edited_record_costs_the_job, 0, ELEMENTSOF(edits));
        tcase_add_test(c, secrets_of_another_job_cost_the_job);
        tcase_add_loop_test(c, damaged_secrets_cost_the_job, 0, ELEMENTSOF(damages));
        tcase_add_test(c, emptied_secrets_cost_the_job);
        tcase_add_test(c, the_same_secrets_are_never_sealed_with_the_same_nonce);
}

int main(void) {
        return fixture_main("tamper", add_tests);
}
