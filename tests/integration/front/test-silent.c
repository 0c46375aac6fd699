/* SPDX-License-Identifier: GPL-2.0-or-later */

/* A descriptor that hangs whoever closes it: a file of FUSE, whose server says nothing. */

#include <check.h>
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "daemon/front/closer.h"
#include "tests/integration/front/client.h"
#include "tests/integration/front/stub.h"
#include "tests/integration/lib/silent-file.h"

static Stub *stub;

static void setup(void) {
        stub = stub_start(NULL);
}

static void teardown(void) {
        stub_stop(stub);
}

/* With a descriptor that its header says nothing of. */
static int send_beside(int fd) {
        int connection = raw_connect(stub->socket, true);
        size_t size;
        _cleanup_free_ void *m = raw_message("/a", "a.b", "C", "", 0, &size);
        union {
                struct cmsghdr header;
                uint8_t bytes[CMSG_SPACE(sizeof(int))];
        } control = {.header = {.cmsg_len = CMSG_LEN(sizeof(int)),
                                .cmsg_level = SOL_SOCKET,
                                .cmsg_type = SCM_RIGHTS}};
        struct iovec iov = {m, size};

        ck_assert_int_ge(connection, 0);
        memcpy(CMSG_DATA(&control.header), &fd, sizeof(int));
        ck_assert_int_eq(sendmsg(connection,
                                 &(struct msghdr){.msg_iov = &iov,
                                                  .msg_iovlen = 1,
                                                  .msg_control = &control,
                                                  .msg_controllen = sizeof(control)},
                                 MSG_NOSIGNAL),
                         (ssize_t) size);
        return connection;
}

/* The library holds the sender up in his turn. */
static void send_as_token(int fd) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        sd_bus *bus = client_connect(stub->address);

        ck_assert_int_ge(sd_bus_message_new_method_call(bus, &m, IPC_BUS_NAME, IPC_MANAGER_PATH,
                                                        IPC_MANAGER_INTERFACE, "Submit"),
                         0);
        ck_assert_int_ge(sd_bus_message_append(m, "ssa{sv}", "register-thing", "aws", 1,
                                               "ownership-token", "h", fd),
                         0);
        ck_assert_int_ge(sd_bus_send(bus, m, NULL), 0);
        ck_assert_int_ge(sd_bus_flush(bus), 0);
        (void) pause();
}

/* A thread of the stub's is at it, or has been a moment ago. No program is started to find that
 * out: what it inherits it closes, and would hang, too. */
static bool has_closer(void) {
        _cleanup_free_ char *path = NULL;
        const struct dirent *thread;
        bool found = false;
        DIR *threads;

        ck_assert_int_ge(asprintf(&path, "/proc/%d/task", stub->pid), 0);
        threads = opendir(path);
        ck_assert_ptr_nonnull(threads);
        while ((thread = readdir(threads)) && !found) {
                char name[sizeof("closer")] = "";
                _cleanup_free_ char *comm = NULL;
                int fd;

                ck_assert_int_ge(asprintf(&comm, "%s/%s/comm", path, thread->d_name), 0);
                fd = open(comm, O_RDONLY | O_CLOEXEC);
                if (fd >= 0 && read(fd, name, sizeof(name) - 1) > 0)
                        found = streq(name, "closer");
                close_fd(fd);
        }
        closedir(threads);
        return found;
}

static void must_serve(void) {
        sd_bus *bus = client_connect(stub->address);

        ck_assert_uint_eq(client_count_jobs(bus), 0);
        client_close(bus);
}

/* Whoever closes it waits for ever: not the loop. */
START_TEST(file_whose_server_is_silent_holds_up_nobody)
{
        SilentFile file;
        pid_t pid = 0;

        if (!silent_file_make(&file)) {
                fputs("skipped: FUSE is not to be had here\n", stderr);
                return;
        }
        if (_i == 0) {
                int fd = send_beside(file.fd);

                ck_assert(raw_is_closed(fd));
                close(fd);
        } else {
                pid = fork();
                ck_assert_int_ge(pid, 0);
                if (pid == 0)
                        send_as_token(file.fd);
        }
        for (unsigned i = 0; !has_closer(); i++) {
                ck_assert_uint_lt(i, 3000);
                (void) poll(NULL, 0, 10);
        }
        must_serve();
        /* More than may wait: they are not even taken. */
        for (unsigned i = 0; i < 3 * CLOSER_MAX; i++) {
                int fd = send_beside(file.fd);

                ck_assert(raw_is_closed(fd));
                close(fd);
        }
        must_serve();
        ck_assert(has_closer());
        silent_file_end(&file); /* nothing else lets them go, SIGKILL neither */
        if (pid > 0) {
                (void) kill(pid, SIGKILL);
                (void) waitpid(pid, NULL, 0);
        }
        must_serve();
}
END_TEST

int main(void) {
        Suite *suite = suite_create("front/silent");
        TCase *tcase = tcase_create("silent");
        SRunner *runner;
        int failed;

        if (getuid() != 0)
                return 77; /* a mount wants root */
        tcase_add_checked_fixture(tcase, setup, teardown);
        tcase_set_timeout(tcase, 60);
        tcase_add_loop_test(tcase, file_whose_server_is_silent_holds_up_nobody, 0, 2);
        suite_add_tcase(suite, tcase);
        runner = srunner_create(suite);
        srunner_run_all(runner, CK_ENV);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? 0 : 1;
}
