/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "daemon/store/file-name.h"
#include "daemon/store/state-key.h"
#include "tests/integration/lib/own-mounts.h"
#include "tests/unit/store/fixture.h"

typedef struct Opened {
        sd_event *event;
        Store *store;
        char *why;
} Opened;

static int opened_open(Opened *o, const char *directory, const char *key) {
        if (!o->event)
                ck_assert_int_ge(sd_event_new(&o->event), 0);
        free(o->why);
        o->why = NULL;
        return store_open(o->event, directory, key, NULL, &o->store, &o->why);
}

static void opened_close(Opened *o) {
        o->store = store_free(o->store);
}

static void opened_done(Opened *o) {
        opened_close(o);
        sd_event_unref(o->event);
        free(o->why);
}
#define _cleanup_opened_ _cleanup_(opened_done)

/* Refused, and the sentence names the place and the mend. */
#define assert_refused(o, key, error, part)                                              \
        do {                                                                             \
                ck_assert_int_eq(opened_open((o), fixture_directory(), (key)), (error)); \
                ck_assert_ptr_nonnull((o)->why);                                         \
                ck_assert_msg(strstr((o)->why, (part)) != NULL, "%s", (o)->why);         \
                ck_assert_ptr_null((o)->store);                                          \
        } while (0)

static void on_result(int error, void *userdata) {
        *(int *) userdata = error;
}

static int create(Opened *o, const Job *j, const JobSecrets *secrets) {
        int result = 1;

        store_create(o->store, j, secrets, on_result, &result);
        while (result == 1)
                ck_assert_int_ge(sd_event_run(o->event, UINT64_MAX), 0);
        return result;
}

static void count_job(Job *job, void *userdata) {
        unsigned *n = userdata;

        job_free(job);
        (*n)++;
}

static mode_t mode_of(const char *name) {
        struct stat st;

        ck_assert_int_eq(stat(name, &st), 0);
        return st.st_mode & 07777;
}

START_TEST(a_fresh_directory_gets_what_it_needs_and_nobody_else_can_look)
{
        _cleanup_opened_ Opened o = {};

        ck_assert_int_eq(chmod(fixture_directory(), 0755), 0);
        ck_assert_int_eq(opened_open(&o, fixture_directory(), NULL), 0);
        ck_assert_int_eq(mode_of(fixture_directory()), 0700);
        ck_assert_int_eq(mode_of(fixture_path(FILE_STATE_KEY)), 0600);
        ck_assert_int_eq(mode_of(fixture_path(FILE_LOCK)), 0600);
        ck_assert(fixture_exists(fixture_path(FILE_VERSION)));
}
END_TEST

START_TEST(a_directory_that_is_not_there_is_made_where_its_parent_is)
{
        _cleanup_opened_ Opened o = {};
        _cleanup_free_ char *path = strdup(fixture_path("state"));

        ck_assert_int_eq(opened_open(&o, path, NULL), 0);
        ck_assert_int_eq(mode_of(path), 0700);
        opened_close(&o);
        free(path);
        path = strdup(fixture_path("no/where"));
        ck_assert_int_eq(opened_open(&o, path, NULL), -ENOENT);
        ck_assert_ptr_nonnull(strstr(o.why, path));
}
END_TEST

START_TEST(what_is_no_directory_is_refused)
{
        _cleanup_opened_ Opened o = {};
        _cleanup_free_ char *path = strdup(fixture_path("file"));

        fixture_write(path, "x", 1);
        ck_assert_int_eq(opened_open(&o, path, NULL), -ENOTDIR);
        ck_assert_ptr_nonnull(strstr(o.why, path));
}
END_TEST

START_TEST(a_directory_that_others_can_write_is_refused)
{
        _cleanup_opened_ Opened o = {};

        ck_assert_int_eq(chmod(fixture_directory(), _i ? 0770 : 0702), 0);
        assert_refused(&o, NULL, -EPERM, "chmod");
}
END_TEST

START_TEST(a_directory_of_another_user_is_refused)
{
        _cleanup_opened_ Opened o = {};

        if (geteuid() != 0)
                return;
        ck_assert_int_eq(chown(fixture_directory(), 12345, 0), 0);
        assert_refused(&o, NULL, -EPERM, "chown");
}
END_TEST

START_TEST(a_second_daemon_is_told_who_has_it)
{
        _cleanup_opened_ Opened first = {}, second = {};
        char pid[32];

        ck_assert_int_eq(opened_open(&first, fixture_directory(), NULL), 0);
        (void) snprintf(pid, sizeof(pid), "(pid %d)", (int) getpid());
        assert_refused(&second, NULL, -EBUSY, pid);
        opened_close(&first);
        ck_assert_int_eq(opened_open(&second, fixture_directory(), NULL), 0);
}
END_TEST

START_TEST(a_killed_daemon_leaves_no_lock)
{
        _cleanup_opened_ Opened o = {};
        pid_t pid;
        int status;

        pid = fork();
        ck_assert_int_ge(pid, 0);
        if (pid == 0) {
                Opened child = {};

                if (opened_open(&child, fixture_directory(), NULL) == 0)
                        (void) kill(getpid(), SIGKILL);
                _exit(1);
        }
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
        ck_assert_int_eq(opened_open(&o, fixture_directory(), NULL), 0);
}
END_TEST

typedef struct BadVersion {
        const char *content;
        int error;
        const char *part;
} BadVersion;

static const BadVersion bad_versions[] = {
        {"2\n", -EPROTONOSUPPORT, "layout 2"},
        {"0\n", -EPROTONOSUPPORT, "layout 0"},
        {"", -EBADMSG, "version"},
        {"1", -EBADMSG, "version"},
        {"one\n", -EBADMSG, "version"},
        {"-1\n", -EBADMSG, "version"},
        {"1\n1\n", -EBADMSG, "version"},
        {"99999999999999\n", -EBADMSG, "version"},
        {"11111111111111111111111111\n", -EBADMSG, "version"},
};

START_TEST(another_version_is_refused_and_nothing_is_touched)
{
        const BadVersion *bad = bad_versions + _i;
        _cleanup_opened_ Opened o = {};
        _cleanup_job_ Job *j = fixture_plain_job();

        fixture_write(fixture_path(FILE_VERSION), bad->content, strlen(bad->content));
        fixture_write(fixture_job_path(j, ".job.new"), "x", 1);
        assert_refused(&o, NULL, bad->error, bad->part);
        ck_assert(fixture_exists(fixture_job_path(j, ".job.new")));
        ck_assert(!fixture_exists(fixture_path(FILE_STATE_KEY)));
}
END_TEST

START_TEST(a_damaged_count_of_starts_ends_nothing)
{
        _cleanup_opened_ Opened o = {};
        _cleanup_job_ Job *j = fixture_plain_job();
        unsigned n = 0;

        ck_assert_int_eq(opened_open(&o, fixture_directory(), NULL), 0);
        opened_close(&o);
        ck_assert_int_eq(opened_open(&o, fixture_directory(), NULL), 0);
        j->serial = store_next_serial(o.store);
        ck_assert_int_eq(create(&o, j, NULL), 0);
        opened_close(&o);
        fixture_write(fixture_path(FILE_STARTS), "x", 1);
        ck_assert_int_eq(opened_open(&o, fixture_directory(), NULL), 0);
        ck_assert_int_eq(store_load(o.store, count_job, &n), 0);
        ck_assert_uint_eq(n, 1);
        ck_assert_uint_gt(store_next_serial(o.store), j->serial);
}
END_TEST

START_TEST(a_state_key_that_others_can_use_is_refused)
{
        static const mode_t modes[] = {0640, 0604, 0620, 0660};
        _cleanup_opened_ Opened o = {};

        ck_assert_int_eq(opened_open(&o, fixture_directory(), NULL), 0);
        opened_close(&o);
        ck_assert_int_eq(chmod(fixture_path(FILE_STATE_KEY), modes[_i]), 0);
        assert_refused(&o, NULL, -EPERM, "chmod it to 0600");
}
END_TEST

START_TEST(a_state_key_of_another_user_is_refused)
{
        _cleanup_opened_ Opened o = {};

        if (geteuid() != 0)
                return;
        ck_assert_int_eq(opened_open(&o, fixture_directory(), NULL), 0);
        opened_close(&o);
        ck_assert_int_eq(chown(fixture_path(FILE_STATE_KEY), 12345, 0), 0);
        assert_refused(&o, NULL, -EPERM, "chown");
}
END_TEST

START_TEST(a_torn_state_key_is_refused)
{
        static const size_t sizes[] = {0,
                                       1,
                                       SEAL_KEY_SIZE / 2,
                                       SEAL_KEY_SIZE - 1,
                                       SEAL_KEY_SIZE + 1,
                                       STATE_KEY_FILE_MAX + 1};
        char bytes[STATE_KEY_FILE_MAX + 1];
        _cleanup_opened_ Opened o = {};

        memset(bytes, 'k', sizeof(bytes));
        fixture_write(fixture_path(FILE_STATE_KEY), bytes, sizes[_i]);
        assert_refused(&o, NULL, -EINVAL, FILE_STATE_KEY);
}
END_TEST

START_TEST(a_state_key_that_is_a_link_is_refused)
{
        _cleanup_opened_ Opened o = {};

        ck_assert_int_eq(symlink("/etc/passwd", fixture_path(FILE_STATE_KEY)), 0);
        ck_assert_int_eq(opened_open(&o, fixture_directory(), NULL), -ELOOP);
}
END_TEST

START_TEST(no_key_is_made_where_something_is_sealed)
{
        _cleanup_(job_secrets_done) JobSecrets secrets = {};
        _cleanup_opened_ Opened o = {};
        _cleanup_job_ Job *j = fixture_plain_job();

        fixture_secrets(&secrets);
        ck_assert_int_eq(opened_open(&o, fixture_directory(), NULL), 0);
        ck_assert_int_eq(create(&o, j, &secrets), 0);
        opened_close(&o);
        ck_assert_int_eq(unlink(fixture_path(FILE_STATE_KEY)), 0);
        assert_refused(&o, NULL, -ENOKEY, "put it back");
        ck_assert(!fixture_exists(fixture_path(FILE_STATE_KEY)));
        ck_assert(fixture_exists(fixture_job_path(j, ".secret")));
        ck_assert(fixture_exists(fixture_job_path(j, ".job")));
}
END_TEST

/* A directory that stands for $CREDENTIALS_DIRECTORY, with one credential in it. */
static void set_credential(const char *name, const char *content, mode_t mode) {
        _cleanup_free_ char *path = NULL;

        (void) mkdir(fixture_path("credentials"), 0700);
        ck_assert_int_eq(setenv("CREDENTIALS_DIRECTORY", fixture_path("credentials"), 1), 0);
        ck_assert_int_ge(asprintf(&path, "credentials/%s", name), 0);
        fixture_write(fixture_path(path), content, strlen(content));
        ck_assert_int_eq(chmod(fixture_path(path), mode), 0);
}

START_TEST(a_credential_is_the_key_and_none_is_made)
{
        _cleanup_opened_ Opened o = {};

        set_credential("state-key", "sixteen bytes or more of it", 0440);
        ck_assert_int_eq(opened_open(&o, fixture_directory(), "credential:state-key"), 0);
        ck_assert(!fixture_exists(fixture_path(FILE_STATE_KEY)));
}
END_TEST

static void on_read(int error, const JobSecrets *secrets, void *userdata) {
        *(int *) userdata = error;
}

START_TEST(a_credential_takes_over_and_the_old_key_still_reads)
{
        _cleanup_(job_secrets_done) JobSecrets secrets = {};
        _cleanup_opened_ Opened o = {};
        _cleanup_job_ Job *j = fixture_plain_job();
        unsigned n = 0;
        int result = 1;

        fixture_secrets(&secrets);
        ck_assert_int_eq(opened_open(&o, fixture_directory(), NULL), 0);
        ck_assert_int_eq(create(&o, j, &secrets), 0);
        opened_close(&o);
        set_credential("state-key", "sixteen bytes or more of it", 0400);
        ck_assert_int_eq(opened_open(&o, fixture_directory(), "credential:state-key"), 0);
        ck_assert_int_eq(store_load(o.store, count_job, &n), 0);
        ck_assert_uint_eq(n, 1);
        store_read_secrets(o.store, j, on_read, &result);
        while (result == 1)
                ck_assert_int_ge(sd_event_run(o.event, UINT64_MAX), 0);
        ck_assert_int_eq(result, 0);
}
END_TEST

typedef struct BadSource {
        const char *source;
        int error;
        const char *part;
} BadSource;

static const BadSource bad_sources[] = {
        {"credential:", -EINVAL, "name of a credential"},
        {"credential:../x", -EINVAL, "name of a credential"},
        {"credential:..", -EINVAL, "name of a credential"},
        {"credential:absent", -ENOENT, "absent"},
        {"credential:short", -EINVAL, "short"},
        {"credential:open", -EPERM, "chmod"},
        {"relative/path", -EINVAL, "full path"},
        {"/nonexistent/key", -ENOENT, "/nonexistent/key"},
        {"/dev/null", -EPERM, "regular file"},
};

START_TEST(a_key_that_cannot_be_had_is_named)
{
        _cleanup_opened_ Opened o = {};

        set_credential("short", "too short", 0400);
        set_credential("open", "sixteen bytes or more of it", 0404);
        assert_refused(&o, bad_sources[_i].source, bad_sources[_i].error, bad_sources[_i].part);
        ck_assert(!fixture_exists(fixture_path(FILE_STATE_KEY)));
}
END_TEST

START_TEST(a_credential_without_a_directory_says_what_the_unit_wants)
{
        _cleanup_opened_ Opened o = {};

        ck_assert_int_eq(unsetenv("CREDENTIALS_DIRECTORY"), 0);
        assert_refused(&o, "credential:x", -ENOKEY, "LoadCredential=x:");
}
END_TEST

/* A small file system of our own over the test's directory; false where that is not allowed. The
 * test's process is Check's fork: nobody else sees the mount. */
static bool mount_small(const char *options) {
        return own_mounts(0) >= 0 && mount("tmpfs", fixture_directory(), "tmpfs", 0, options) == 0;
}

START_TEST(on_a_full_disk_jobs_are_refused_and_what_was_promised_stays)
{
        _cleanup_(job_secrets_done) JobSecrets secrets = {};
        _cleanup_opened_ Opened o = {};
        Job *kept[256];
        unsigned n = 0, loaded = 0;
        int result = 1;

        if (!mount_small("size=256k,mode=0700"))
                return;
        fixture_secrets(&secrets);
        ck_assert_int_eq(opened_open(&o, fixture_directory(), NULL), 0);
        for (;;) {
                Job *j = fixture_full_job();

                if (create(&o, j, &secrets) == -ENOSPC) {
                        ck_assert_uint_eq(fixture_count_names(j->id), 0);
                        job_free(j);
                        break;
                }
                kept[n++] = j;
                ck_assert_uint_lt(n, ELEMENTSOF(kept));
        }
        ck_assert_uint_gt(n, 4);

        /* Acknowledging still works, and makes room. */
        store_erase_secrets(o.store, kept[0], on_result, &result);
        while (result == 1)
                ck_assert_int_ge(sd_event_run(o.event, UINT64_MAX), 0);
        ck_assert_int_eq(result, 0);
        opened_close(&o);

        ck_assert_int_eq(opened_open(&o, fixture_directory(), NULL), 0);
        ck_assert_int_eq(store_load(o.store, count_job, &loaded), 0);
        ck_assert_uint_eq(loaded, n);
        ck_assert_uint_eq(fixture_count_names("damaged"), 0);
        for (unsigned i = 0; i < n; i++)
                job_free(kept[i]);
        opened_close(&o);
        ck_assert_int_eq(umount2(fixture_directory(), MNT_DETACH), 0);
}
END_TEST

START_TEST(a_read_only_disk_is_said_so)
{
        _cleanup_opened_ Opened o = {};

        if (!mount_small("size=256k,mode=0700"))
                return;
        ck_assert_int_eq(opened_open(&o, fixture_directory(), NULL), 0);
        opened_close(&o);
        ck_assert_int_eq(mount("none", fixture_directory(), "none", MS_REMOUNT | MS_RDONLY, NULL),
                         0);
        assert_refused(&o, NULL, -EROFS, fixture_directory());
        ck_assert_int_eq(umount2(fixture_directory(), MNT_DETACH), 0);
}
END_TEST

START_TEST(file_names_mean_what_they_say)
{
        static const struct {
                const char *name;
                FileKind kind;
        } table[] = {
                {"0123456789abcdef0123456789abcdef.job", FILE_KIND_JOB},
                {"0123456789abcdef0123456789abcdef.job.new", FILE_KIND_JOB_NEW},
                {"0123456789abcdef0123456789abcdef.secret", FILE_KIND_SECRET},
                {"0123456789abcdef0123456789abcdef.secret.new", FILE_KIND_SECRET_NEW},
                {"0123456789abcdef0123456789abcdef.job.damaged-1", FILE_KIND_SET_ASIDE},
                {"0123456789abcdef0123456789abcdef.secret.unknown-key-1", FILE_KIND_SET_ASIDE},
                {"0123456789ABCDEF0123456789abcdef.job", FILE_KIND_FOREIGN},
                {"0123456789abcdef0123456789abcdef", FILE_KIND_FOREIGN},
                {"0123456789abcdef0123456789abcdef.jobs", FILE_KIND_FOREIGN},
                {"lock", FILE_KIND_OWN},
                {"uptime", FILE_KIND_OWN},
                {"uptime.new", FILE_KIND_NEW},
                {"spare-0", FILE_KIND_SPARE},
                {"state.key.new", FILE_KIND_NEW},
                {"state.keys", FILE_KIND_FOREIGN},
                {"pin-0123456789abcdef.latch", FILE_KIND_OWN},
                {"pin-0123456789abcdef.latch.new", FILE_KIND_NEW},
                {"x", FILE_KIND_FOREIGN},
        };
        char id[IPC_JOB_ID_LENGTH + 1];

        for (size_t i = 0; i < ELEMENTSOF(table); i++)
                ck_assert_msg(file_name_kind(table[i].name, id) == table[i].kind, "%s",
                              table[i].name);
}
END_TEST

static void add_tests(TCase *c) {
        tcase_add_test(c, a_fresh_directory_gets_what_it_needs_and_nobody_else_can_look);
        tcase_add_test(c, a_directory_that_is_not_there_is_made_where_its_parent_is);
        tcase_add_test(c, what_is_no_directory_is_refused);
        tcase_add_loop_test(c, a_directory_that_others_can_write_is_refused, 0, 2);
        tcase_add_test(c, a_directory_of_another_user_is_refused);
        tcase_add_test(c, a_second_daemon_is_told_who_has_it);
        tcase_add_test(c, a_killed_daemon_leaves_no_lock);
        tcase_add_loop_test(c, another_version_is_refused_and_nothing_is_touched, 0,
                            ELEMENTSOF(bad_versions));
        tcase_add_test(c, a_damaged_count_of_starts_ends_nothing);
        tcase_add_loop_test(c, a_state_key_that_others_can_use_is_refused, 0, 4);
        tcase_add_test(c, a_state_key_of_another_user_is_refused);
        tcase_add_loop_test(c, a_torn_state_key_is_refused, 0, 6);
        tcase_add_test(c, a_state_key_that_is_a_link_is_refused);
        tcase_add_test(c, no_key_is_made_where_something_is_sealed);
        tcase_add_test(c, a_credential_is_the_key_and_none_is_made);
        tcase_add_test(c, a_credential_takes_over_and_the_old_key_still_reads);
        tcase_add_loop_test(c, a_key_that_cannot_be_had_is_named, 0, ELEMENTSOF(bad_sources));
        tcase_add_test(c, a_credential_without_a_directory_says_what_the_unit_wants);
        tcase_add_test(c, on_a_full_disk_jobs_are_refused_and_what_was_promised_stays);
        tcase_add_test(c, a_read_only_disk_is_said_so);
        tcase_add_test(c, file_names_mean_what_they_say);
}

int main(void) {
        return fixture_main("state directory", add_tests);
}
