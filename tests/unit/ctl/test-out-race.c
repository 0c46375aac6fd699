/* SPDX-License-Identifier: GPL-2.0-or-later */

/* --out=DIR as root, in a directory that everybody may write, while another user puts now this and
 * now that in the place of a component of DIR. As many rounds as it takes to have met each of it,
 * however busy the machine is. Needs root; else it is skipped. */

#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "libclient/ctl/out-dir.h"
#include "libclient/ctl/out-write.h"

#define NOBODY 65534
#define JOB "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

#define REFUSALS 100U /* of each kind */
#define SUCCESSES 20U
#define SWAPS 1000U

static char base[PATH_MAX];
static volatile unsigned *swaps; /* shared with the swapper */
static pid_t swapper;

static void setup(void) {
        strcpy(base, "/tmp/fleetprov-race-XXXXXX");
        ck_assert_ptr_nonnull(mkdtemp(base));
        ck_assert_int_eq(chmod(base, 0755), 0);
        ck_assert_int_eq(chdir(base), 0);
        ck_assert_int_eq(mkdir("victim", 0755), 0);
        ck_assert_int_eq(mkdir("shared", 0700), 0);
        ck_assert_int_eq(chmod("shared", 01777), 0);
        swaps = mmap(NULL, sizeof(*swaps), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
                     0);
        ck_assert(swaps != MAP_FAILED);
        *swaps = 0;
}

static void teardown(void) {
        char command[PATH_MAX + 16];

        if (swapper > 0) {
                (void) kill(swapper, SIGKILL);
                (void) waitpid(swapper, NULL, 0);
        }
        snprintf(command, sizeof(command), "rm -rf %s", base);
        ck_assert_int_eq(system(command), 0);
}

/* --- the other user */

/* His directory and his link change places. */
static void exchange(void) {
        if (mkdir("shared/x", 0777) < 0 || symlink("../victim", "shared/link") < 0)
                _exit(1);
        for (;; (*swaps)++)
                if (renameat2(AT_FDCWD, "shared/x", AT_FDCWD, "shared/link", RENAME_EXCHANGE) < 0)
                        _exit(1);
}

/* Nothing, a link, nothing, a directory; once root's own stands there he can do nothing. */
static void come_and_go(void) {
        for (;; (*swaps)++) {
                if (symlink("../victim", "shared/x") < 0)
                        sched_yield(); /* whatever stands there now */
                sched_yield();
                (void) unlink("shared/x");
                sched_yield();
                (void) mkdir("shared/x", 0777);
                sched_yield();
                (void) rmdir("shared/x");
                sched_yield();
        }
}

static void let_loose(void (*swap)(void)) {
        pid_t parent = getpid();

        swapper = fork();
        ck_assert_int_ge(swapper, 0);
        if (swapper > 0) {
                while (*swaps == 0) /* what is there first is his */
                        sched_yield();
                return;
        }
        if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent || setgid(NOBODY) < 0 ||
            setuid(NOBODY) < 0)
                _exit(1);
        swap();
}

/* --- root */

static unsigned count_names(const char *name) {
        DIR *dir = opendir(name);
        unsigned n = 0;

        ck_assert_ptr_nonnull(dir);
        while (readdir(dir))
                n++;
        closedir(dir);
        return n - 2; /* . and .. */
}

/* 0, or what out_open() said. */
static int store(void) {
        static const OutFile files[] = {
                {.name = OUT_CERTIFICATE, .data = "certificate", .size = 11},
                {.name = OUT_PRIVATE_KEY, .data = "the key", .size = 7, .secret = true},
                {.name = OUT_CONFIGURATION, .data = "{\"id\":\"" JOB "\"}", .size = 41},
        };
        char path[PATH_MAX + 32];
        Out *out = NULL;
        char *why = NULL;
        int r;

        snprintf(path, sizeof(path), "%s/shared/x/identity", base);
        r = out_open(path, &out, &why);
        if (r >= 0)
                ck_assert_msg(out_store(out, JOB, files, 3) >= 0, "%s", out->why);
        out_free(out);
        free(why);
        return r;
}

typedef struct Tally {
        unsigned links, owners, others, successes;
} Tally;

static void count(Tally *t, int r) {
        if (r == -ELOOP)
                t->links++;
        else if (r == -EPERM)
                t->owners++;
        else if (r < 0)
                t->others++; /* it was there, and is not any more */
        else
                t->successes++;
        /* Whatever it was, it went nowhere else. */
        ck_assert_uint_eq(count_names("victim"), 0);
        ck_assert_int_eq(waitpid(swapper, NULL, WNOHANG), 0);
}

START_TEST(link_and_directory_that_change_places_are_both_refused)
{
        Tally t = {};

        if (geteuid() != 0) {
                fputs("skipped: another user needs root\n", stderr);
                return;
        }
        let_loose(exchange);
        while (t.links < REFUSALS || t.owners < REFUSALS || *swaps < SWAPS) {
                count(&t, store());
                ck_assert_uint_eq(t.successes, 0);
        }
}
END_TEST

START_TEST(what_is_written_stands_in_a_directory_of_roots_own)
{
        Tally t = {};

        if (geteuid() != 0) {
                fputs("skipped: another user needs root\n", stderr);
                return;
        }
        let_loose(come_and_go);
        while (t.links < REFUSALS || t.owners < REFUSALS || t.successes < SUCCESSES) {
                struct stat st;
                int r = store();

                count(&t, r);
                if (r < 0)
                        continue;
                ck_assert_int_eq(lstat("shared/x", &st), 0);
                ck_assert(S_ISDIR(st.st_mode));
                ck_assert_uint_eq(st.st_uid, 0);
                ck_assert_int_eq(lstat("shared/x/identity/private-key.pem", &st), 0);
                ck_assert_uint_eq(st.st_uid, 0);
                ck_assert_int_eq(system("rm -rf shared/x"), 0);
        }
}
END_TEST

int main(void) {
        Suite *suite = suite_create("ctl: race");
        TCase *tc = tcase_create("race");
        SRunner *runner;
        int failed;

        tcase_add_checked_fixture(tc, setup, teardown);
        tcase_set_timeout(tc, 100);
        tcase_add_test(tc, link_and_directory_that_change_places_are_both_refused);
        tcase_add_test(tc, what_is_written_stands_in_a_directory_of_roots_own);
        suite_add_tcase(suite, tc);
        runner = srunner_create(suite);
        srunner_run_all(runner, CK_ENV);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
