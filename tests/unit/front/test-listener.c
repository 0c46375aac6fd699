/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/front/listener.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "daemon/base/log.h"

static char directory[sizeof("/tmp/listener-XXXXXX")];
static char *path;

static void setup(void) {
        log_open(LOG_EMERG);
        memcpy(directory, "/tmp/listener-XXXXXX", sizeof(directory));
        ck_assert_ptr_nonnull(mkdtemp(directory));
        ck_assert_int_gt(asprintf(&path, "%s/socket", directory), 0);
}

static void teardown(void) {
        (void) unlink(path);
        ck_assert_int_eq(rmdir(directory), 0);
        free(path);
}

static bool answers(void) {
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        _cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        memcpy(address.sun_path, path, strlen(path) + 1);
        return connect(fd, (struct sockaddr *) &address, sizeof(address)) == 0;
}

START_TEST(socket_is_for_owner_and_group)
{
        struct stat st;
        Listener l;

        umask(_i == 0 ? 0 : 0777);
        ck_assert_int_eq(listener_make(path, &l), 0);
        ck_assert_int_eq(lstat(path, &st), 0);
        ck_assert(S_ISSOCK(st.st_mode));
        ck_assert_uint_eq(st.st_mode & 07777, 0660);
        ck_assert(answers());
        listener_done(&l);
        ck_assert_int_lt(access(path, F_OK), 0);
}
END_TEST

/* Connects as soon as there is something to connect to; how that went. */
static int first_to_come(void) {
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        _cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        int r;

        memcpy(address.sun_path, path, strlen(path) + 1);
        do
                r = connect(fd, (struct sockaddr *) &address, sizeof(address)) < 0 ? errno : 0;
        while (r == ENOENT);
        return r;
}

START_TEST(socket_answers_from_the_moment_it_is_there)
{
        for (unsigned i = 0; i < 50; i++) {
                pid_t pid = fork();
                int status;
                Listener l;

                if (pid == 0)
                        _exit(first_to_come());
                ck_assert_int_eq(listener_make(path, &l), 0);
                ck_assert_int_eq(waitpid(pid, &status, 0), pid);
                ck_assert_msg(status == 0, "%s", strerrordesc_np(WEXITSTATUS(status)));
                listener_done(&l);
        }
}
END_TEST

START_TEST(socket_of_a_dead_daemon_is_replaced)
{
        Listener dead, l;

        ck_assert_int_eq(listener_make(path, &dead), 0);
        close(dead.fd);
        dead.fd = -1;
        ck_assert(!answers());
        ck_assert_int_eq(listener_make(path, &l), 0);
        ck_assert(answers());
        listener_done(&l);
        ck_assert_int_lt(access(path, F_OK), 0);
        free(dead.path);
        free(dead.door);
}
END_TEST

START_TEST(file_that_is_not_ours_any_more_stays)
{
        _cleanup_free_ char *other = NULL;
        Listener l;

        ck_assert_int_eq(listener_make(path, &l), 0);
        /* Made while the other is there: the number of a removed file may be given again. */
        ck_assert_int_gt(asprintf(&other, "%s.new", path), 0);
        close(open(other, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
        ck_assert_int_eq(rename(other, path), 0);
        listener_done(&l);
        ck_assert_int_eq(access(path, F_OK), 0);
}
END_TEST

START_TEST(socket_that_answers_is_left_alone)
{
        Listener first, l;

        ck_assert_int_eq(listener_make(path, &first), 0);
        ck_assert_int_eq(listener_make(path, &l), -EADDRINUSE);
        ck_assert(answers());
        listener_done(&first);
}
END_TEST

START_TEST(what_is_no_socket_is_left_alone)
{
        Listener l;
        struct stat st;

        if (_i == 0)
                close(open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
        else
                ck_assert_int_eq(symlink("/nowhere", path), 0);
        ck_assert_int_eq(listener_make(path, &l), -EEXIST);
        ck_assert_int_eq(lstat(path, &st), 0);
}
END_TEST

START_TEST(path_that_does_not_fit_is_refused)
{
        char name[200];
        Listener l;

        memset(name, 'x', sizeof(name));
        name[0] = '/';
        name[108] = '\0';
        ck_assert_int_eq(listener_make(name, &l), -ENAMETOOLONG);
        ck_assert_int_eq(listener_make("/nowhere/at/all", &l), -ENOENT);
}
END_TEST

static void put_at(int fd, int target) {
        ck_assert_int_eq(dup2(fd, target), target);
        if (fd != target)
                close(fd);
}

START_TEST(passed_sockets_are_the_doors_that_they_are_named)
{
        static const struct {
                int fd;
                const char *door;
        } expected[] = {{3, "main"}, {4, "sensors"}, {5, "main"}, {7, "main"}};
        Listener listeners[LISTENERS_MAX], made;
        char pid[16];
        size_t n;

        ck_assert_int_eq(listener_make(path, &made), 0);
        put_at(fcntl(made.fd, F_DUPFD, 20), 3);
        put_at(fcntl(made.fd, F_DUPFD, 20), 4);
        put_at(fcntl(made.fd, F_DUPFD, 20), 5);
        put_at(open("/dev/null", O_RDONLY | O_CLOEXEC), 6);
        put_at(fcntl(made.fd, F_DUPFD, 20), 7);
        put_at(fcntl(made.fd, F_DUPFD, 20), 8);
        (void) snprintf(pid, sizeof(pid), "%d", getpid());
        setenv("LISTEN_PID", pid, 1);
        setenv("LISTEN_FDS", "6", 1);
        setenv("LISTEN_FDNAMES",
               "main:sensors:fleetprovd.socket:main:unknown:fleetprovd-sensors.socket", 1);
        ck_assert_int_eq(listener_take_passed(listeners, &n), 0);
        ck_assert_uint_eq(n, ELEMENTSOF(expected));
        for (size_t i = 0; i < n; i++) {
                ck_assert_int_eq(listeners[i].fd, expected[i].fd);
                ck_assert_str_eq(listeners[i].door, expected[i].door);
        }
        ck_assert_int_eq(fcntl(3, F_GETFD), FD_CLOEXEC);
        ck_assert_int_lt(fcntl(6, F_GETFD), 0); /* no socket */
        /* A door whose unit lacks FileDescriptorName= must not be the main one. */
        ck_assert_int_lt(fcntl(8, F_GETFD), 0);
        ck_assert_ptr_null(getenv("LISTEN_FDS"));
        for (size_t i = 0; i < n; i++)
                listener_done(&listeners[i]);
        ck_assert_int_eq(access(path, F_OK), 0); /* systemd's sockets are systemd's */
        listener_done(&made);
        ck_assert_int_eq(listener_take_passed(listeners, &n), 0);
        ck_assert_uint_eq(n, 0);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("front/listener");
        TCase *tcase = tcase_create("listener");
        SRunner *runner;
        int failed;

        tcase_add_checked_fixture(tcase, setup, teardown);
        tcase_add_loop_test(tcase, socket_is_for_owner_and_group, 0, 2);
        tcase_add_test(tcase, socket_of_a_dead_daemon_is_replaced);
        tcase_add_test(tcase, socket_answers_from_the_moment_it_is_there);
        tcase_add_test(tcase, file_that_is_not_ours_any_more_stays);
        tcase_add_test(tcase, socket_that_answers_is_left_alone);
        tcase_add_loop_test(tcase, what_is_no_socket_is_left_alone, 0, 2);
        tcase_add_test(tcase, path_that_does_not_fit_is_refused);
        tcase_add_test(tcase, passed_sockets_are_the_doors_that_they_are_named);
        suite_add_tcase(suite, tcase);
        runner = srunner_create(suite);
        srunner_run_all(runner, CK_ENV);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? 0 : 1;
}
