/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Another state key: what the former one sealed is sealed anew, whatever comes between; and what
 * wants a key that is not there comes back with it. */

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>

#include "daemon/store/file-name.h"
#include "tests/unit/store/watched.h"

#define JOBS 20U /* more than are under way at a time */

/* Keys in files outside of what counts as the store's: their paths live as long as the test. */
static char *key_a, *key_b;

static char *make_key(const char *name, char byte) {
        char bytes[SEAL_KEY_SIZE], *path;

        memset(bytes, byte, sizeof(bytes));
        path = strdup(fixture_path(name));
        ck_assert_ptr_nonnull(path);
        fixture_write(path, bytes, sizeof(bytes));
        return path;
}

static void setup(void) {
        fixture_setup();
        key_a = make_key("a", 'a');
        key_b = make_key("b", 'b');
}

static void teardown(void) {
        free(key_a);
        free(key_b);
        fixture_teardown();
}

static void open_with(Fixture *f, const char *key, const char *former) {
        fixture_close(f);
        f->key = key;
        f->former = former;
        fixture_open(f);
}

static void create_jobs(Fixture *f, unsigned n) {
        _cleanup_(job_secrets_done) JobSecrets secrets = {};

        fixture_secrets(&secrets);
        for (unsigned i = 0; i < n; i++) {
                Job *j = fixture_plain_job();

                j->serial = i + 1;
                j->secrets_stored = true;
                ck_assert_int_eq(run_verb(f, store_create, j, &secrets), 0);
                job_free(j);
        }
}

static void assert_opens(Fixture *f, const Job *j) {
        _cleanup_(job_secrets_done) JobSecrets secrets = {}, expected = {};

        fixture_secrets(&expected);
        ck_assert_int_eq(run_read(f, j, &secrets), 0);
        fixture_assert_same_secrets(&secrets, &expected);
}

static void assert_all_open(Fixture *f, unsigned n) {
        ck_assert_uint_eq(f->n_jobs, n);
        for (unsigned i = 0; i < n; i++)
                assert_opens(f, f->jobs[i]);
}

/* The id of the key that its first field names. */
static void key_of(const Job *j, char id[static SEAL_KEY_ID_LENGTH + 1]) {
        _cleanup_free_ char *file = NULL;
        size_t size;

        file = fixture_read(fixture_job_path(j, ".secret"), &size);
        ck_assert_int_eq(seal_record_key_id(file + 14, SEAL_OVERHEAD, id), 0);
}

static bool all_like(const Fixture *f, const Job *first) {
        char id[SEAL_KEY_ID_LENGTH + 1], other[SEAL_KEY_ID_LENGTH + 1];

        key_of(first, id);
        for (unsigned i = 0; i < f->n_jobs; i++) {
                key_of(f->jobs[i], other);
                if (!streq(id, other))
                        return false;
        }
        return true;
}

/* All are sealed with another key than the first was, and nothing of it is under way. */
static void run_until_resealed(Fixture *f, const char former_id[static SEAL_KEY_ID_LENGTH + 1]) {
        char id[SEAL_KEY_ID_LENGTH + 1];

        do {
                ck_assert_int_ge(sd_event_run(f->event, UINT64_MAX), 0);
                key_of(f->jobs[0], id);
        } while (streq(id, former_id) || !all_like(f, f->jobs[0]) || store_pending(f->store) > 0);
        ck_assert_uint_eq(fixture_count_names(".new"), 0);
}

START_TEST(what_a_former_key_sealed_is_sealed_anew)
{
        char former[SEAL_KEY_ID_LENGTH + 1];
        _cleanup_fixture_ Fixture f = {.key = key_a};

        fixture_open(&f);
        create_jobs(&f, JOBS);
        open_with(&f, key_b, key_a);
        key_of(f.jobs[0], former);
        assert_all_open(&f, JOBS); /* from the first moment on */
        run_until_resealed(&f, former);
        open_with(&f, key_b, NULL);
        assert_all_open(&f, JOBS);
        ck_assert_uint_eq(fixture_count_names("unknown-key"), 0);
        /* The former one is needed for nothing any more. */
        open_with(&f, key_a, NULL);
        ck_assert_uint_eq(f.n_jobs, 0);
}
END_TEST

START_TEST(what_was_erased_meanwhile_stays_erased)
{
        char former[SEAL_KEY_ID_LENGTH + 1];
        _cleanup_fixture_ Fixture f = {.key = key_a};
        Job *gone;

        fixture_open(&f);
        create_jobs(&f, 3);
        open_with(&f, key_b, key_a);
        gone = f.jobs[2];
        key_of(f.jobs[0], former);
        ck_assert_int_eq(run_erase(&f, gone), 0);
        f.n_jobs = 2;
        run_until_resealed(&f, former);
        ck_assert(!fixture_exists(fixture_job_path(gone, ".secret")));
        f.n_jobs = 3;
}
END_TEST

/* Its caller has asked again, and room for others is made. */
START_TEST(room_made_meanwhile_is_not_taken_for_secrets)
{
        _cleanup_fixture_ Fixture f = {.key = key_a};
        _cleanup_free_ char *log = NULL;
        int result = 1;
        size_t size;
        Job *last;

        fixture_open(&f);
        create_jobs(&f, JOBS);
        ck_assert_ptr_nonnull(freopen(fixture_path("log"), "w", stderr));
        open_with(&f, key_b, key_a);
        last = f.jobs[JOBS - 1];
        ck_assert_int_eq(run_erase(&f, last), 0);
        last->secrets_stored = false;
        store_note_asking(f.store, last, on_done, &result);
        settle(&f, &result);
        do {
                ck_assert_int_ge(sd_event_run(f.event, UINT64_MAX), 0);
                free(log);
                log = fixture_read(fixture_path("log"), &size);
        } while (!strstr(log, "may be removed") && !strstr(log, "cannot be sealed anew"));
        ck_assert_ptr_null(strstr(log, "cannot be sealed anew"));
        ck_assert(fixture_exists(fixture_job_path(last, ".secret")));
}
END_TEST

/* Each that replaces another was read when it was its turn, and not before. */
START_TEST(what_was_replaced_meanwhile_stays_so)
{
        _cleanup_(job_secrets_done) JobSecrets other = {}, back = {};
        char former[SEAL_KEY_ID_LENGTH + 1];
        _cleanup_fixture_ Fixture f = {.key = key_a};
        int result = 1;

        fixture_open(&f);
        create_jobs(&f, 1);
        open_with(&f, key_b, key_a);
        key_of(f.jobs[0], former);
        other.private_key = secret_new("another", 7);
        f.watch.hold = true;
        store_update(f.store, f.jobs[0], &other, on_done, &result);
        sem_wait(&f.watch.held);
        sem_post(&f.watch.release);
        settle(&f, &result);
        run_until_resealed(&f, former);
        ck_assert_int_eq(run_read(&f, f.jobs[0], &back), 0);
        fixture_assert_same_secrets(&back, &other);
}
END_TEST

START_TEST(disk_that_refuses_costs_nothing)
{
        _cleanup_fixture_ Fixture f = {.key = key_a};

        fixture_open(&f);
        create_jobs(&f, JOBS);
        open_with(&f, key_b, key_a);
        f.watch.fail_step = (DiskStep[]){DISK_WRITE, DISK_SYNC_FILE, DISK_RENAME}[_i];
        f.watch.fail_suffix = f.watch.fail_step == DISK_RENAME ? ".secret" : ".secret.new";
        f.watch.fail_error = -ENOSPC;
        /* Each was tried, and waits for a better time. */
        while (f.watch.counts[f.watch.fail_step] < JOBS || store_pending(f.store) > 0)
                ck_assert_int_ge(sd_event_run(f.event, UINT64_MAX), 0);
        f.watch.fail_suffix = NULL;
        assert_all_open(&f, JOBS);
        open_with(&f, key_a, NULL);
        assert_all_open(&f, JOBS);
}
END_TEST

/* --- a crash */

typedef struct Blow {
        unsigned steps_left; /* before it falls */
} Blow;

static int on_step(DiskStep step, const char *name, void *userdata) {
        Blow *blow = userdata;

        if (blow->steps_left > 0 && --blow->steps_left == 0)
                (void) kill(getpid(), SIGKILL);
        return 0;
}

static void count_job(Job *job, void *userdata) {
        job_free(job);
}

static void live(unsigned steps) {
        Blow blow = {};
        sd_event *event;
        char *why;
        Store *s;

        if (sd_event_new(&event) < 0 || store_open_hooked(event, fixture_directory(), key_b, key_a,
                                                          on_step, &blow, &s, &why) < 0)
                _exit(1);
        blow.steps_left = steps;
        if (store_load(s, count_job, NULL) < 0)
                _exit(1);
        /* A round of the timer begins all of them, the end of it leaves nothing to be done. */
        while (sd_event_run(event, USEC_PER_SEC) > 0 || store_pending(s) > 0)
                ;
        store_free(s);
        _exit(0);
}

/* True when it was killed. */
static bool run_life(unsigned steps) {
        pid_t pid = fork();
        int status;

        ck_assert_int_ge(pid, 0);
        if (pid == 0)
                live(steps);
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        ck_assert(WIFSIGNALED(status) || WEXITSTATUS(status) == 0);
        return WIFSIGNALED(status);
}

START_TEST(crash_at_any_step_loses_nothing)
{
        _cleanup_fixture_ Fixture f = {.key = key_a};
        char former[SEAL_KEY_ID_LENGTH + 1];
        unsigned killed = 0;

        fixture_open(&f);
        create_jobs(&f, 3);
        fixture_close(&f);
        while (run_life(killed + 1)) {
                killed++;
                /* Some with the one key, some with the other; and back to where it was. */
                open_with(&f, key_a, key_b);
                assert_all_open(&f, 3);
                ck_assert_uint_eq(fixture_count_names(".new"), 0);
                open_with(&f, key_a, key_b);
                key_of(f.jobs[0], former);
                while (!all_like(&f, f.jobs[0]) || store_pending(f.store) > 0)
                        ck_assert_int_ge(sd_event_run(f.event, UINT64_MAX), 0);
                key_of(f.jobs[0], former);
                fixture_close(&f);
        }
        ck_assert_uint_ge(killed, 10);
        open_with(&f, key_b, NULL);
        assert_all_open(&f, 3);
}
END_TEST

/* --- a key that is not there */

START_TEST(job_whose_key_is_not_here_comes_back_with_it)
{
        _cleanup_fixture_ Fixture f = {.key = key_a};
        const char *former = _i == 0 ? NULL : key_a;

        fixture_open(&f);
        create_jobs(&f, 2);
        for (unsigned i = 0; i < 2; i++) { /* it does not matter how often */
                open_with(&f, key_b, NULL);
                ck_assert_uint_eq(f.n_jobs, 0);
                ck_assert_uint_eq(fixture_count_names(".job.unknown-key-"), 2);
                ck_assert_uint_eq(fixture_count_names(".secret.unknown-key-"), 2);
        }
        open_with(&f, former ? key_b : key_a, former);
        assert_all_open(&f, 2);
        ck_assert_uint_eq(fixture_count_names("unknown-key"), 0);
}
END_TEST

static void put_secret_aside(const Job *j, const char *reason) {
        _cleanup_free_ char *from = strdup(fixture_job_path(j, ".secret"));
        _cleanup_free_ char *to = NULL;

        ck_assert_int_ge(asprintf(&to, "%s.%s-7", from, reason), 0);
        ck_assert_int_eq(rename(from, to), 0);
}

/* The secrets are the first to go and the last to come: they alone stand aside then. */
START_TEST(half_a_way_aside_is_gone_back)
{
        static const char *const reasons[] = {"unknown-key", "damaged"};
        _cleanup_fixture_ Fixture f = {.key = key_a};

        fixture_open(&f);
        create_jobs(&f, 1);
        fixture_reopen(&f);
        put_secret_aside(f.jobs[0], reasons[_i]);
        fixture_reopen(&f);
        assert_all_open(&f, 1);
        ck_assert_uint_eq(fixture_count_names(reasons[_i]), 0);
        /* And decided anew: without the key the job is not left without its secrets. */
        put_secret_aside(f.jobs[0], reasons[_i]);
        open_with(&f, key_b, NULL);
        ck_assert_uint_eq(f.n_jobs, 0);
        open_with(&f, key_a, NULL);
        assert_all_open(&f, 1);
}
END_TEST

static unsigned serial_at(const Fixture *f, unsigned i) {
        return (unsigned) f->jobs[i]->serial;
}

/* Whoever asked again under the same key meanwhile knows the newer one. */
START_TEST(who_comes_back_stands_behind_the_others)
{
        _cleanup_fixture_ Fixture f = {.key = key_a};
        Job *newer;

        fixture_open(&f);
        create_jobs(&f, 2);
        open_with(&f, key_b, NULL);
        newer = fixture_plain_job();
        newer->serial = 9;
        ck_assert_int_eq(run_verb(&f, store_create, newer, NULL), 0);
        job_free(newer);
        open_with(&f, key_b, key_a);
        ck_assert_uint_eq(f.n_jobs, 3);
        ck_assert_uint_eq(serial_at(&f, 0), 9);
        ck_assert_uint_eq(serial_at(&f, 1) + serial_at(&f, 2), 3);
}
END_TEST

/* --- where keys come from */

START_TEST(key_of_the_directory_is_replaced)
{
        char former[SEAL_KEY_ID_LENGTH + 1];
        _cleanup_free_ char *from = strdup(fixture_path(FILE_STATE_KEY));
        _cleanup_free_ char *to = strdup(fixture_path(FILE_STATE_KEY_FORMER));
        _cleanup_fixture_ Fixture f = {};

        fixture_open(&f);
        create_jobs(&f, 2);
        fixture_close(&f);
        ck_assert_int_eq(rename(from, to), 0);
        fixture_open(&f);
        ck_assert(fixture_exists(from));
        key_of(f.jobs[0], former);
        run_until_resealed(&f, former);
        fixture_close(&f);
        ck_assert_int_eq(unlink(to), 0);
        fixture_open(&f);
        assert_all_open(&f, 2);
}
END_TEST

/* Away from a credential, say: the key of the directory is made, since nothing is hidden by it. */
START_TEST(key_is_made_where_a_former_one_is_named)
{
        char former[SEAL_KEY_ID_LENGTH + 1];
        _cleanup_fixture_ Fixture f = {.key = key_a};

        fixture_open(&f);
        create_jobs(&f, 2);
        open_with(&f, NULL, key_a);
        key_of(f.jobs[0], former);
        run_until_resealed(&f, former);
        open_with(&f, NULL, NULL);
        assert_all_open(&f, 2);
}
END_TEST

START_TEST(same_key_twice_is_one)
{
        _cleanup_fixture_ Fixture f = {.key = key_a};

        fixture_open(&f);
        create_jobs(&f, 1);
        open_with(&f, key_a, key_a);
        assert_all_open(&f, 1);
}
END_TEST

static const struct {
        const char *former;
        int error;
        const char *words;
} refusals[] = {
        {"/nonexistent/key", -ENOENT, "/nonexistent/key"},
        {"credential:old", -ENOKEY, "FormerStateKey: there is no credential \"old\""},
        {"credential:a/b", -EINVAL, "no name of a credential"},
        {"key", -EINVAL, "FormerStateKey: \"key\" is neither"},
};

START_TEST(former_key_that_cannot_be_had_is_named)
{
        _cleanup_free_ char *why = NULL;
        sd_event *event;
        Store *s;

        ck_assert_int_ge(sd_event_new(&event), 0);
        ck_assert_int_eq(
                store_open(event, fixture_directory(), key_b, refusals[_i].former, &s, &why),
                refusals[_i].error);
        ck_assert_msg(strstr(why, refusals[_i].words) != NULL, "%s", why);
        sd_event_unref(event);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("store: reseal");
        TCase *tc = tcase_create("reseal");
        SRunner *runner;
        int failed;

        tcase_add_checked_fixture(tc, setup, teardown);
        tcase_set_timeout(tc, 60);
        tcase_add_test(tc, what_a_former_key_sealed_is_sealed_anew);
        tcase_add_test(tc, what_was_erased_meanwhile_stays_erased);
        tcase_add_test(tc, room_made_meanwhile_is_not_taken_for_secrets);
        tcase_add_test(tc, what_was_replaced_meanwhile_stays_so);
        tcase_add_loop_test(tc, disk_that_refuses_costs_nothing, 0, 3);
        tcase_add_test(tc, crash_at_any_step_loses_nothing);
        tcase_add_loop_test(tc, job_whose_key_is_not_here_comes_back_with_it, 0, 2);
        tcase_add_loop_test(tc, half_a_way_aside_is_gone_back, 0, 2);
        tcase_add_test(tc, who_comes_back_stands_behind_the_others);
        tcase_add_test(tc, key_of_the_directory_is_replaced);
        tcase_add_test(tc, key_is_made_where_a_former_one_is_named);
        tcase_add_test(tc, same_key_twice_is_one);
        tcase_add_loop_test(tc, former_key_that_cannot_be_had_is_named, 0,
                            (int) ELEMENTSOF(refusals));
        suite_add_tcase(suite, tc);
        runner = srunner_create(suite);
        srunner_run_all(runner, CK_ENV);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
