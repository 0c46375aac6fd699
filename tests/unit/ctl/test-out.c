/* SPDX-License-Identifier: GPL-2.0-or-later */

/* --out=DIR: which directories are refused, what stands in them afterwards, and what is left when
 * the process dies at any step. Some tests need root to make foreign owners; others they skip. */

#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "libclient/ctl/out-dir.h"
#include "libclient/ctl/out-write.h"

#define NOBODY 65534
#define JOB_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define JOB_B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define JOB_C "cccccccccccccccccccccccccccccccc"

static char base[64], path[256];

static void setup(void) {
        strcpy(base, "/tmp/fleetprov-out-XXXXXX");
        ck_assert_ptr_nonnull(mkdtemp(base));
        umask(022);
        ck_assert_int_eq(chdir(base), 0);
}

static void teardown(void) {
        char command[PATH_MAX + 16];

        snprintf(command, sizeof(command), "rm -rf %s", base);
        ck_assert_int_eq(system(command), 0);
}

static const char *below(const char *name) {
        snprintf(path, sizeof(path), "%s/%s", base, name);
        return path;
}

static void make(const char *name, mode_t mode, uid_t uid, gid_t gid) {
        ck_assert_int_eq(mkdir(below(name), 0700), 0);
        ck_assert_int_eq(chown(below(name), uid, gid), 0);
        ck_assert_int_eq(chmod(below(name), mode), 0);
}

/* Opens and stages; what it says is checked to name `names`. */
static int try_open(const char *dir, const char *names) {
        Out *out = NULL;
        char *why = NULL;
        int r;

        r = out_open(dir, &out, &why);
        if (r < 0) {
                ck_assert_ptr_nonnull(why);
                ck_assert_msg(strstr(why, names) != NULL, "%s does not name %s", why, names);
        }
        out_free(out);
        free(why);
        return r;
}

static void store(const char *dir, const char *id, bool key) {
        char configuration[128], secret[64];
        OutFile files[3];
        Out *out = NULL;
        char *why = NULL;
        size_t n = 0;

        snprintf(configuration, sizeof(configuration), "{\"id\":\"%s\",\"thingName\":\"t\"}\n", id);
        snprintf(secret, sizeof(secret), "key of %s", id);
        files[n++] = (OutFile){.name = OUT_CERTIFICATE, .data = id, .size = strlen(id)};
        if (key)
                files[n++] = (OutFile){
                        .name = OUT_PRIVATE_KEY,
                        .data = secret,
                        .size = strlen(secret),
                        .secret = true,
                };
        files[n++] = (OutFile){
                .name = OUT_CONFIGURATION, .data = configuration, .size = strlen(configuration)};
        ck_assert_msg(out_open(dir, &out, &why) == 0, "%s", why);
        ck_assert_msg(out_store(out, id, files, n) == 0, "%s", out->why);
        out_free(out);
}

static void content_is(const char *name, const char *expected) {
        char buffer[256] = {0};
        int fd = open(below(name), O_RDONLY);

        ck_assert_msg(fd >= 0, "%s is not there", name);
        ck_assert_int_ge(read(fd, buffer, sizeof(buffer) - 1), 0);
        close(fd);
        ck_assert_str_eq(buffer, expected);
}

static bool is_there(const char *name) {
        struct stat st;

        return lstat(below(name), &st) == 0;
}

static void link_is(const char *name, const char *expected) {
        char target[PATH_MAX] = {0};

        ck_assert_msg(readlink(below(name), target, sizeof(target) - 1) > 0, "%s is no link", name);
        ck_assert_str_eq(target, expected);
}

START_TEST(missing_directories_are_made)
{
        ck_assert_int_eq(try_open(below("a/b/c"), ""), 0);
        ck_assert(is_there("a/b/c"));
        ck_assert_int_eq(try_open("relative//./d/", ""), 0);
        ck_assert(is_there("relative/d"));
}
END_TEST

START_TEST(symlink_on_the_way_is_refused)
{
        make("real", 0755, geteuid(), getegid());
        make("real/in", 0755, geteuid(), getegid());
        ck_assert_int_eq(symlink("real", below("link")), 0);
        ck_assert_int_eq(try_open(below("link/in"), "/link: is a symbolic link"), -ELOOP);
        ck_assert_int_eq(try_open(below("link"), "/link"), -ELOOP);
        ck_assert_int_eq(symlink("nowhere", below("dangling")), 0);
        ck_assert_int_eq(try_open(below("dangling"), "/dangling"), -ELOOP);
        ck_assert(!is_there("nowhere"));
}
END_TEST

START_TEST(file_in_the_place_of_a_directory_is_refused)
{
        close(open(below("file"), O_CREAT | O_WRONLY, 0600));
        ck_assert_int_eq(try_open(below("file"), "/file: is no directory"), -ENOTDIR);
        ck_assert_int_eq(try_open(below("file/in"), "/file: is no directory"), -ENOTDIR);
}
END_TEST

START_TEST(foreign_owner_on_the_way_is_refused)
{
        if (geteuid() != 0)
                return;
        make("his", 0755, NOBODY, 0);
        make("his/mine", 0755, 0, 0);
        ck_assert_int_eq(try_open(below("his/mine"), "/his: belongs to another user"), -EPERM);
        ck_assert_int_eq(try_open(below("his"), "/his"), -EPERM);
}
END_TEST

START_TEST(directory_open_to_others_needs_the_sticky_bit)
{
        make("open", 0777, geteuid(), getegid());
        make("open/in", 0755, geteuid(), getegid());
        ck_assert_int_eq(try_open(below("open/in"), "/open: may be written by others"), -EPERM);
        ck_assert_int_eq(chmod(below("open"), 01777), 0);
        ck_assert_int_eq(try_open(below("open/in"), ""), 0);
        /* The caller's own group is no stranger. */
        make("group", 0775, geteuid(), getegid());
        ck_assert_int_eq(try_open(below("group"), ""), 0);
        if (geteuid() != 0)
                return;
        make("club", 0775, 0, NOBODY);
        ck_assert_int_eq(try_open(below("club"), "/club: may be written by others"), -EPERM);
}
END_TEST

/* Runs as another user, and gives what out_open() and out_stage() gave. */
static int as_nobody(const char *dir) {
        int status;
        pid_t pid = fork();

        ck_assert_int_ge(pid, 0);
        if (pid == 0) {
                Out *out = NULL;
                char *why = NULL;
                int r;

                if (setgid(NOBODY) < 0 || setuid(NOBODY) < 0)
                        _exit(255);
                r = out_open(dir, &out, &why);
                if (r >= 0)
                        r = out_stage(out);
                out_free(out);
                free(why);
                _exit(-r);
        }
        waitpid(pid, &status, 0);
        ck_assert(WIFEXITED(status));
        return -WEXITSTATUS(status);
}

START_TEST(another_user_writes_below_his_own_alone)
{
        if (geteuid() != 0)
                return;
        ck_assert_int_eq(chmod(base, 0755), 0);
        make("his", 0755, NOBODY, NOBODY);
        make("roots", 0755, 0, 0);
        make("sticky", 01777, 0, 0);
        ck_assert_int_eq(as_nobody(below("his/new")), 0);
        ck_assert_int_eq(as_nobody(below("sticky/new")), 0);
        ck_assert_int_eq(as_nobody(below("roots")), -EACCES);
        ck_assert_int_eq(as_nobody(below("roots/new")), -EACCES);
        /* What he left in a shared directory is no way into ours. */
        ck_assert_int_eq(try_open(below("sticky/new"), "/sticky/new: belongs"), -EPERM);
}
END_TEST

START_TEST(foreign_link_in_a_shared_directory_is_refused)
{
        if (geteuid() != 0)
                return;
        make("shared", 01777, 0, 0);
        ck_assert_int_eq(symlink("/etc", below("shared/current")), 0);
        ck_assert_int_eq(lchown(below("shared/current"), NOBODY, NOBODY), 0);
        ck_assert_int_eq(try_open(below("shared"), "current: belongs to another user"), -EPERM);
}
END_TEST

START_TEST(second_run_waits_its_turn)
{
        Out *first = NULL;
        char *why = NULL;

        ck_assert_int_eq(out_open(below("d"), &first, &why), 0);
        ck_assert_int_eq(try_open(below("d"), "another fleetprovctl"), -EBUSY);
        out_free(first);
        ck_assert_int_eq(try_open(below("d"), ""), 0);
}
END_TEST

START_TEST(result_stands_behind_links_with_the_right_modes)
{
        struct stat st;

        store(below("d"), JOB_A, true);
        link_is("d/current", JOB_A);
        link_is("d/certificate.pem", "current/certificate.pem");
        content_is("d/certificate.pem", JOB_A);
        content_is("d/private-key.pem", "key of " JOB_A);
        ck_assert_int_eq(stat(below("d/private-key.pem"), &st), 0);
        ck_assert_uint_eq(st.st_mode & 07777, 0600);
        ck_assert_int_eq(stat(below("d/certificate.pem"), &st), 0);
        ck_assert_uint_eq(st.st_mode & 07777, 0644);
        ck_assert(!is_there("d/previous"));
        ck_assert(!is_there("d/ownership-token"));
}
END_TEST

START_TEST(former_result_is_kept_and_the_one_before_it_goes)
{
        store(below("d"), JOB_A, true);
        store(below("d"), JOB_B, false);
        content_is("d/certificate.pem", JOB_B);
        link_is("d/previous", JOB_A);
        content_is("d/previous/private-key.pem", "key of " JOB_A);
        /* The new one has no key: a link to the old one's would be a lie. */
        ck_assert(!is_there("d/private-key.pem"));
        store(below("d"), JOB_C, true);
        link_is("d/previous", JOB_B);
        ck_assert(!is_there("d/" JOB_A));
}
END_TEST

START_TEST(same_job_again_does_not_push_the_former_identity_out)
{
        store(below("d"), JOB_A, true);
        store(below("d"), JOB_B, true);
        store(below("d"), JOB_B, true);
        link_is("d/previous", JOB_A);
        link_is("d/current", JOB_B ".1");
        content_is("d/certificate.pem", JOB_B);
        ck_assert(!is_there("d/" JOB_B));
}
END_TEST

START_TEST(identity_in_a_directory_is_known_again)
{
        Out *out = NULL;
        char *why = NULL;

        store(below("d"), JOB_A, true);
        ck_assert_int_eq(out_open(below("d"), &out, &why), 0);
        ck_assert(out->holds_identity);
        ck_assert_str_eq(out->id, JOB_A);
        ck_assert(out_has(out, OUT_PRIVATE_KEY));
        ck_assert(!out_has(out, OUT_TOKEN));
        ck_assert(out_has_content(out, OUT_CERTIFICATE, JOB_A, 32));
        ck_assert(!out_has_content(out, OUT_CERTIFICATE, JOB_A, 31));
        ck_assert(!out_has_content(out, OUT_CERTIFICATE, JOB_B, 32));
        out_free(out);
}
END_TEST

START_TEST(loose_file_is_never_overwritten)
{
        OutFile file = {.name = OUT_CONFIGURATION, .data = "{}", .size = 2};
        Out *out = NULL;
        char *why = NULL;
        int fd;

        make("d", 0755, geteuid(), getegid());
        fd = open(below("d/configuration.json"), O_CREAT | O_WRONLY, 0644);
        ck_assert_int_eq(write(fd, "mine", 4), 4);
        close(fd);
        ck_assert_int_eq(out_open(below("d"), &out, &why), 0);
        ck_assert_int_eq(out_store(out, JOB_A, &file, 1), -EEXIST);
        ck_assert_ptr_nonnull(strstr(out->why, "configuration.json"));
        out_free(out);
        content_is("d/configuration.json", "mine");
}
END_TEST

START_TEST(want_of_room_is_found_before_the_work)
{
        struct rlimit limit;
        Out *out = NULL;
        char *why = NULL;

        /* A limit on the size of files stands for a full disk. */
        signal(SIGXFSZ, SIG_IGN);
        ck_assert_int_eq(out_open(below("d"), &out, &why), 0);
        ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &limit), 0);
        limit.rlim_cur = 4096;
        ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
        ck_assert_int_eq(out_stage(out), -EFBIG);
        limit.rlim_cur = limit.rlim_max;
        ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
        ck_assert_ptr_nonnull(strstr(out->why, "no room"));
        out_free(out);
}
END_TEST

START_TEST(nothing_is_left_of_a_run_that_was_not_to_be)
{
        Out *out = NULL;
        char *why = NULL;
        struct dirent *e;
        DIR *d;

        ck_assert_int_eq(out_open(below("d"), &out, &why), 0);
        ck_assert_int_eq(out_stage(out), 0);
        out_free(out);
        d = opendir(below("d"));
        while ((e = readdir(d)))
                ck_assert_msg(strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0 ||
                                      strcmp(e->d_name, ".lock") == 0,
                              "%s is left", e->d_name);
        closedir(d);
}
END_TEST

static int die_at(void *userdata, OutStep step) {
        if (step == *(OutStep *) userdata)
                _exit(0);
        return 0;
}

static void store_and_die(const char *id, OutStep step) {
        char configuration[64];
        pid_t pid = fork();
        int status;

        ck_assert_int_ge(pid, 0);
        if (pid == 0) {
                OutFile files[2];
                Out *out = NULL;
                char *why = NULL;

                snprintf(configuration, sizeof(configuration), "{\"id\":\"%s\"}", id);
                files[0] = (OutFile){.name = OUT_CERTIFICATE, .data = id, .size = 32};
                files[1] = (OutFile){.name = OUT_CONFIGURATION,
                                     .data = configuration,
                                     .size = strlen(configuration)};
                if (out_open(below("d"), &out, &why) < 0)
                        _exit(1);
                out->on_step = die_at;
                out->userdata = &step;
                (void) out_store(out, id, files, 2);
                _exit(2); /* the step never came */
        }
        waitpid(pid, &status, 0);
        ck_assert(WIFEXITED(status));
        ck_assert_int_eq(WEXITSTATUS(status), 0);
}

static void no_rubbish(void) {
        DIR *d = opendir(below("d"));
        struct dirent *e;

        while ((e = readdir(d)))
                ck_assert_msg(strncmp(e->d_name, ".new-", 5) != 0 &&
                                      strcmp(e->d_name, ".next") != 0 &&
                                      strcmp(e->d_name, ".link") != 0,
                              "%s is left", e->d_name);
        closedir(d);
}

START_TEST(death_at_any_step_leaves_one_whole_identity)
{
        OutStep step = (OutStep) _i;
        const char *now;

        store(below("d"), JOB_A, true);
        store_and_die(JOB_B, step);
        /* Before anybody mends it: what a reader sees is whole, and old or new. */
        now = step >= OUT_STEP_SWAPPED ? JOB_B : JOB_A;
        content_is("d/certificate.pem", now);
        link_is("d/current", now);

        ck_assert_int_eq(try_open(below("d"), ""), 0);
        now = step >= OUT_STEP_NEXT ? JOB_B : JOB_A;
        content_is("d/certificate.pem", now);
        link_is("d/current", now);
        if (step >= OUT_STEP_NEXT) {
                link_is("d/previous", JOB_A);
                content_is("d/previous/private-key.pem", "key of " JOB_A);
                ck_assert(!is_there("d/private-key.pem"));
        } else {
                content_is("d/private-key.pem", "key of " JOB_A);
                ck_assert(!is_there("d/previous"));
                ck_assert(!is_there("d/" JOB_B));
        }
        no_rubbish();

        /* And the next run works as if nothing had been. */
        store(below("d"), JOB_C, true);
        content_is("d/private-key.pem", "key of " JOB_C);
        no_rubbish();
}
END_TEST

START_TEST(death_at_any_step_of_the_first_result_is_mended)
{
        store_and_die(JOB_B, (OutStep) _i);
        ck_assert_int_eq(try_open(below("d"), ""), 0);
        if (_i >= OUT_STEP_NEXT)
                content_is("d/certificate.pem", JOB_B);
        else
                ck_assert(!is_there("d/current"));
        no_rubbish();
        store(below("d"), JOB_B, true);
        content_is("d/private-key.pem", "key of " JOB_B);
}
END_TEST

int main(void) {
        Suite *s = suite_create("ctl: --out=DIR");
        TCase *t = tcase_create("rules"), *w = tcase_create("writing"), *d = tcase_create("death");
        SRunner *runner;
        int failed;

        tcase_add_checked_fixture(t, setup, teardown);
        tcase_add_test(t, missing_directories_are_made);
        tcase_add_test(t, symlink_on_the_way_is_refused);
        tcase_add_test(t, file_in_the_place_of_a_directory_is_refused);
        tcase_add_test(t, foreign_owner_on_the_way_is_refused);
        tcase_add_test(t, directory_open_to_others_needs_the_sticky_bit);
        tcase_add_test(t, another_user_writes_below_his_own_alone);
        tcase_add_test(t, foreign_link_in_a_shared_directory_is_refused);
        tcase_add_test(t, second_run_waits_its_turn);
        suite_add_tcase(s, t);
        tcase_add_checked_fixture(w, setup, teardown);
        tcase_add_test(w, result_stands_behind_links_with_the_right_modes);
        tcase_add_test(w, former_result_is_kept_and_the_one_before_it_goes);
        tcase_add_test(w, same_job_again_does_not_push_the_former_identity_out);
        tcase_add_test(w, identity_in_a_directory_is_known_again);
        tcase_add_test(w, loose_file_is_never_overwritten);
        tcase_add_test(w, want_of_room_is_found_before_the_work);
        tcase_add_test(w, nothing_is_left_of_a_run_that_was_not_to_be);
        suite_add_tcase(s, w);
        tcase_add_checked_fixture(d, setup, teardown);
        tcase_add_loop_test(d, death_at_any_step_leaves_one_whole_identity, 0, OUT_STEP_MAX);
        tcase_add_loop_test(d, death_at_any_step_of_the_first_result_is_mended, 0, OUT_STEP_MAX);
        suite_add_tcase(s, d);
        runner = srunner_create(s);
        srunner_run_all(runner, CK_ENV);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
