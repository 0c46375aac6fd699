/* SPDX-License-Identifier: GPL-2.0-or-later */

/* What is erased is overwritten where it stood, before its name goes: a descriptor that was opened
 * before shows what a free block would. */

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "tests/unit/store/watched.h"

typedef struct Sealed {
        int fd; /* of <id>.secret, as it was */
        char *bytes;
        size_t size;
} Sealed;

static Sealed look_at(const char *path) {
        Sealed s = {.fd = open(path, O_RDONLY | O_CLOEXEC)};

        ck_assert_int_ge(s.fd, 0);
        s.bytes = fixture_read(path, &s.size);
        ck_assert_uint_gt(s.size, 0);
        return s;
}

/* Nobody can open it by name any more, and who had it open finds nothing. */
static void assert_overwritten(Sealed *s) {
        _cleanup_free_ char *now = malloc(s->size);
        struct stat st;

        ck_assert_ptr_nonnull(now);
        ck_assert_int_eq(fstat(s->fd, &st), 0);
        ck_assert_uint_eq(st.st_nlink, 0);
        ck_assert_int_eq(pread(s->fd, now, s->size, 0), (ssize_t) s->size);
        for (size_t i = 0; i < s->size; i++)
                ck_assert_msg(now[i] == 0, "byte %zu of %zu still stands", i, s->size);
        close(s->fd);
        free(s->bytes);
}

/* A job with secrets that fill several blocks. */
static Job *create(Fixture *f, JobSecrets *secrets) {
        Job *j = fixture_plain_job();

        fixture_secrets(secrets);
        secret_free(secrets->claim_key);
        secrets->claim_key = secret_new(NULL, 9000);
        ck_assert_ptr_nonnull(secrets->claim_key);
        ck_assert_int_eq(run_verb(f, store_create, j, secrets), 0);
        return j;
}

START_TEST(erased_secrets_are_overwritten)
{
        _cleanup_(job_secrets_done) JobSecrets secrets = {};
        _cleanup_fixture_ Fixture f = {};
        _cleanup_job_ Job *j = NULL;
        Sealed sealed;

        fixture_open(&f);
        j = create(&f, &secrets);
        sealed = look_at(fixture_job_path(j, ".secret"));
        ck_assert_int_eq(run_erase(&f, j), 0);
        assert_overwritten(&sealed);
}
END_TEST

START_TEST(released_secrets_are_overwritten)
{
        _cleanup_(job_secrets_done) JobSecrets secrets = {};
        _cleanup_fixture_ Fixture f = {};
        _cleanup_job_ Job *j = NULL;
        Sealed sealed;

        fixture_open(&f);
        j = create(&f, &secrets);
        sealed = look_at(fixture_job_path(j, ".secret"));
        ck_assert_int_eq(run_remove(&f, j), 0);
        assert_overwritten(&sealed);
        ck_assert_uint_eq(fixture_count_names(j->id), 0);
}
END_TEST

START_TEST(replaced_secrets_are_overwritten_when_the_new_ones_are_durable)
{
        _cleanup_(job_secrets_done) JobSecrets secrets = {}, other = {}, back = {};
        _cleanup_fixture_ Fixture f = {};
        const Watch *w = &f.watch;
        _cleanup_job_ Job *j = NULL;
        Sealed sealed;
        unsigned at;

        fixture_open(&f);
        j = create(&f, &secrets);
        sealed = look_at(fixture_job_path(j, ".secret"));
        other.private_key = secret_new("other", 5);
        watch_reset(&f.watch);
        ck_assert_int_eq(run_verb(&f, store_update, j, &other), 0);
        at = step_at(w, DISK_RENAME, ".secret", 0);
        at = step_at(w, DISK_SYNC_DIRECTORY, ".", at);
        at = step_at(w, DISK_OVERWRITE, ".secret.new", at);
        (void) step_at(w, DISK_UNLINK, ".secret.new", at);
        /* Nobody waits for a flush more than before. */
        ck_assert_uint_eq(w->counts[DISK_SYNC_DIRECTORY], 1);
        assert_overwritten(&sealed);
        ck_assert_uint_eq(fixture_count_names(".new"), 0);
        ck_assert_int_eq(run_read(&f, j, &back), 0);
        fixture_assert_same_secrets(&other, &back);
}
END_TEST

START_TEST(where_the_new_ones_are_not_durable_the_old_ones_stay_whole)
{
        _cleanup_(job_secrets_done) JobSecrets secrets = {}, other = {};
        _cleanup_fixture_ Fixture f = {};
        _cleanup_job_ Job *j = NULL;
        char now[64];
        Sealed sealed;

        fixture_open(&f);
        j = create(&f, &secrets);
        sealed = look_at(fixture_job_path(j, ".secret"));
        other.private_key = secret_new("other", 5);
        watch_reset(&f.watch);
        f.watch.fail_step = DISK_SYNC_DIRECTORY;
        f.watch.fail_suffix = ".";
        f.watch.fail_error = -EIO;
        ck_assert_int_eq(run_verb(&f, store_update, j, &other), -EIO);
        ck_assert_int_eq(pread(sealed.fd, now, sizeof(now), 0), sizeof(now));
        ck_assert_mem_eq(now, sealed.bytes, sizeof(now));
        watch_reset(&f.watch);
        fixture_reopen(&f); /* and where they are, the start erases the old ones */
        assert_overwritten(&sealed);
}
END_TEST

START_TEST(what_a_crash_left_is_overwritten_at_the_start)
{
        static const char *const left[] = {".secret", ".secret.new"};
        _cleanup_fixture_ Fixture f = {};
        _cleanup_job_ Job *j = fixture_plain_job();
        Sealed sealed;

        fixture_open(&f);
        fixture_close(&f);
        fixture_write(fixture_job_path(j, left[_i]), "sealed bytes of a job that never was", 36);
        sealed = look_at(fixture_job_path(j, left[_i]));
        fixture_open(&f);
        assert_overwritten(&sealed);
}
END_TEST

START_TEST(refused_secrets_are_overwritten)
{
        _cleanup_(job_secrets_done) JobSecrets secrets = {};
        _cleanup_fixture_ Fixture f = {};
        _cleanup_job_ Job *j = fixture_plain_job();
        char left[] = "half a file of an earlier try";
        Sealed sealed;

        fixture_secrets(&secrets);
        fixture_open(&f);
        fixture_write(fixture_job_path(j, ".secret.new"), left, sizeof(left));
        sealed = look_at(fixture_job_path(j, ".secret.new"));
        ck_assert_int_eq(run_verb(&f, store_create, j, &secrets), 0);
        assert_overwritten(&sealed);
}
END_TEST

START_TEST(secrets_that_a_crash_left_as_zeros_are_gone)
{
        _cleanup_(job_secrets_done) JobSecrets secrets = {};
        _cleanup_fixture_ Fixture f = {};
        _cleanup_job_ Job *j = NULL;
        char zeros[512] = {};

        fixture_open(&f);
        j = create(&f, &secrets);
        fixture_write(fixture_job_path(j, ".secret"), zeros, sizeof(zeros));
        fixture_reopen(&f);
        ck_assert_uint_eq(f.n_jobs, 1);
        ck_assert(f.jobs[0]->secrets_erased);
        ck_assert(!f.jobs[0]->secrets_stored);
        ck_assert_uint_eq(fixture_count_names(".secret"), 0);
}
END_TEST

START_TEST(erasing_that_fails_is_told_and_can_be_tried_again)
{
        static const DiskStep steps[] = {DISK_OVERWRITE, DISK_UNLINK};
        _cleanup_(job_secrets_done) JobSecrets secrets = {};
        _cleanup_fixture_ Fixture f = {};
        _cleanup_job_ Job *j = NULL;

        fixture_open(&f);
        j = create(&f, &secrets);
        watch_reset(&f.watch);
        f.watch.fail_step = steps[_i];
        f.watch.fail_suffix = ".secret";
        f.watch.fail_error = -EIO;
        ck_assert_int_eq(run_erase(&f, j), -EIO);
        ck_assert_uint_eq(fixture_count_names(".secret"), 1);
        watch_reset(&f.watch);
        ck_assert_int_eq(run_erase(&f, j), 0);
        ck_assert_uint_eq(fixture_count_names(".secret"), 0);
}
END_TEST

static void add_tests(TCase *c) {
        tcase_add_test(c, erased_secrets_are_overwritten);
        tcase_add_test(c, released_secrets_are_overwritten);
        tcase_add_test(c, replaced_secrets_are_overwritten_when_the_new_ones_are_durable);
        tcase_add_test(c, where_the_new_ones_are_not_durable_the_old_ones_stay_whole);
        tcase_add_loop_test(c, what_a_crash_left_is_overwritten_at_the_start, 0, 2);
        tcase_add_test(c, refused_secrets_are_overwritten);
        tcase_add_test(c, secrets_that_a_crash_left_as_zeros_are_gone);
        tcase_add_loop_test(c, erasing_that_fails_is_told_and_can_be_tried_again, 0, 2);
}

int main(void) {
        return fixture_main("erase", add_tests);
}
