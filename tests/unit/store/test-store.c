/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <sys/stat.h>

#include "daemon/store/commit.h"
#include "daemon/store/job-file.h"
#include "tests/unit/store/fixture.h"

#define STEPS_MAX 4096U

/* The disk, watched: what was done, in order; and what is to fail. */
typedef struct Watch {
        struct {
                DiskStep step;
                char name[64];
        } steps[STEPS_MAX];
        unsigned n;
        unsigned counts[DISK_STEP_MAX];
        DiskStep fail_step;
        const char *fail_suffix; /* NULL: none fails */
        int fail_error;
        unsigned fail_at; /* the n-th step of all fails, from 1; 0: none */
        bool hold;        /* the disk stands still at the next step until it is released */
        sem_t held, release;
} Watch;

typedef struct Fixture {
        sd_event *event;
        Store *store;
        Watch watch;
        Job *jobs[128];
        unsigned n_jobs;
} Fixture;

static bool ends_with(const char *s, const char *suffix) {
        size_t n = strlen(s), m = strlen(suffix);

        return n >= m && streq(s + n - m, suffix);
}

static int on_step(DiskStep step, const char *name, void *userdata) {
        Watch *w = userdata;

        if (w->hold) {
                w->hold = false;
                sem_post(&w->held);
                sem_wait(&w->release);
        }
        ck_assert_uint_lt(w->n, STEPS_MAX);
        w->steps[w->n].step = step;
        (void) snprintf(w->steps[w->n].name, sizeof(w->steps[w->n].name), "%s", name);
        w->n++;
        w->counts[step]++;
        if (w->fail_at != 0 && w->n == w->fail_at)
                return w->fail_error;
        if (w->fail_suffix && step == w->fail_step && ends_with(name, w->fail_suffix))
                return w->fail_error;
        return 0;
}

static void watch_reset(Watch *w) {
        w->n = 0;
        memset(w->counts, 0, sizeof(w->counts));
        w->fail_suffix = NULL;
        w->fail_at = 0;
}

static void on_job(Job *job, void *userdata) {
        Fixture *f = userdata;

        ck_assert_uint_lt(f->n_jobs, ELEMENTSOF(f->jobs));
        f->jobs[f->n_jobs++] = job;
}

static void fixture_open(Fixture *f) {
        _cleanup_free_ char *why = NULL;
        int r;

        if (!f->event) {
                ck_assert_int_ge(sd_event_new(&f->event), 0);
                sem_init(&f->watch.held, 0, 0);
                sem_init(&f->watch.release, 0, 0);
        }
        r = store_open_hooked(f->event, fixture_directory(), NULL, on_step, &f->watch, &f->store,
                              &why);
        ck_assert_msg(r == 0, "%s", why);
        ck_assert_int_eq(store_load(f->store, on_job, f), 0);
        watch_reset(&f->watch);
}

static void fixture_close(Fixture *f) {
        f->store = store_free(f->store);
        for (unsigned i = 0; i < f->n_jobs; i++)
                job_free(f->jobs[i]);
        f->n_jobs = 0;
}

static void fixture_done(Fixture *f) {
        fixture_close(f);
        f->event = sd_event_unref(f->event);
        sem_destroy(&f->watch.held);
        sem_destroy(&f->watch.release);
}
#define _cleanup_fixture_ _cleanup_(fixture_done)

static void fixture_reopen(Fixture *f) {
        fixture_close(f);
        fixture_open(f);
}

static void on_done(int error, void *userdata) {
        int *ret = userdata;

        *ret = error;
}

/* Runs the loop until everything is told. */
static void settle(Fixture *f, const int *result) {
        while (*result == 1)
                ck_assert_int_ge(sd_event_run(f->event, UINT64_MAX), 0);
}

typedef void (*Verb)(Store *s, const Job *job, const JobSecrets *secrets, StoreDone done,
                     void *userdata);

static int run_verb(Fixture *f, Verb verb, const Job *job, const JobSecrets *secrets) {
        int result = 1;

        verb(f->store, job, secrets, on_done, &result);
        ck_assert_int_eq(result, 1); /* never from within the call */
        settle(f, &result);
        return result;
}

static int run_erase(Fixture *f, const Job *job) {
        int result = 1;

        store_erase_secrets(f->store, job, on_done, &result);
        settle(f, &result);
        return result;
}

static int run_remove(Fixture *f, const Job *job) {
        int result = 1;

        store_remove(f->store, job, on_done, &result);
        settle(f, &result);
        return result;
}

typedef struct ReadResult {
        int error;
        JobSecrets secrets;
} ReadResult;

static void on_secrets(int error, const JobSecrets *secrets, void *userdata) {
        ReadResult *result = userdata;

        ck_assert_int_eq(error == 0, secrets != NULL);
        result->error = error;
        if (secrets)
                ck_assert_int_eq(job_secrets_copy(secrets, &result->secrets), 0);
}

static int run_read(Fixture *f, const Job *job, JobSecrets *ret) {
        ReadResult result = {.error = 1};

        store_read_secrets(f->store, job, on_secrets, &result);
        settle(f, &result.error);
        if (ret)
                *ret = result.secrets;
        else
                job_secrets_done(&result.secrets);
        return result.error;
}

/* Where in the order of steps this one was; fails the test where it was not. */
static unsigned step_at(const Watch *w, DiskStep step, const char *suffix, unsigned from) {
        for (unsigned i = from; i < w->n; i++)
                if (w->steps[i].step == step && ends_with(w->steps[i].name, suffix))
                        return i;
        ck_abort_msg("no step %d on %s", (int) step, suffix);
}

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

START_TEST(torn_secrets_leave_the_job_and_do_not_open)
{
        _cleanup_(job_secrets_done) JobSecrets secrets = {};
        _cleanup_fixture_ Fixture f = {};
        _cleanup_job_ Job *j = fixture_plain_job();
        _cleanup_free_ char *sealed = NULL;
        size_t size;

        fixture_secrets(&secrets);
        fixture_open(&f);
        ck_assert_int_eq(run_verb(&f, store_create, j, &secrets), 0);
        sealed = fixture_read(fixture_job_path(j, ".secret"), &size);
        fixture_write(fixture_job_path(j, ".secret"), sealed, size / 2);
        fixture_reopen(&f);
        ck_assert_uint_eq(f.n_jobs, 1);
        ck_assert_int_eq(run_read(&f, f.jobs[0], NULL), -EBADMSG);
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
        at = step_at(w, DISK_UNLINK, ".secret", at);
        at = step_at(w, DISK_SYNC_DIRECTORY, ".", at);
        ck_assert_uint_eq(at, w->n - 1);
}
END_TEST

static void on_counted(int error, void *userdata) {
        unsigned *n = userdata;

        ck_assert_int_eq(error, 0);
        (*n)++;
}

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
                ck_assert_int_eq(result, -ENOSPC);
                fixture_reopen(&f);
                ck_assert_uint_eq(f.n_jobs, 1);
                ck_assert_int_eq(f.jobs[0]->state, JOB_QUEUED);
                ck_assert_uint_eq(fixture_count_names(".new"), 0);
        }
        ck_assert_uint_eq(n, 7);
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
        tcase_add_loop_test(c, a_torn_line_is_cut_off_before_the_next_one, 0, 4);
        tcase_add_loop_test(c, a_damaged_file_costs_one_job, 0, 3);
        tcase_add_test(c, a_copy_under_another_name_is_not_a_second_job);
        tcase_add_test(c, what_is_no_regular_file_is_set_aside_and_not_followed);
        tcase_add_test(c, foreign_names_are_left_alone);
        tcase_add_test(c, half_written_files_are_removed_at_the_start);
        tcase_add_test(c, secrets_that_no_line_speaks_of_are_erased_at_the_start);
        tcase_add_test(c, a_job_whose_secrets_vanished_says_that_they_are_gone);
        tcase_add_test(c, a_job_under_an_unknown_key_is_set_aside_and_no_key_is_made);
        tcase_add_test(c, torn_secrets_leave_the_job_and_do_not_open);
        tcase_add_test(c, a_long_file_is_written_anew_and_stays_bounded);
        tcase_add_test(c, secrets_are_durable_before_the_line_that_speaks_of_them);
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
        return fixture_main("store", add_tests);
}
