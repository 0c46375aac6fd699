/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Clients of the socket that do not mean well: who claim to be others, send too much or nothing
 * more, read nothing, take all there is. */

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "daemon/base/secret.h"
#include "daemon/front/socket.h"
#include "tests/integration/front/client.h"
#include "tests/integration/front/stub.h"

#define SOME_UID 4242

static Stub *stub;

static void setup(void) {
        stub = stub_start(NULL);
}

static void teardown(void) {
        stub_stop(stub);
}

/* A container's root, or anybody in a user namespace, claims another uid in the handshake than the
 * kernel says: he gets in as who he is. */
START_TEST(claimed_uid_counts_for_nothing)
{
        static const char lines[] = "\0AUTH EXTERNAL 31303030\r\nBEGIN\r\n";
        char answer[3] = {};
        int fd = raw_connect(stub->socket, false);

        ck_assert(raw_write(fd, lines, sizeof(lines) - 1));
        ck_assert_int_eq(recv(fd, answer, 2, MSG_WAITALL), 2);
        ck_assert_str_eq(answer, "OK");
        close(fd);
}
END_TEST

/* With the sender field forged: who he is was read at accept. */
static void forge_sender(_unused_ void *userdata) {
        static const char *const senders[] = {":1.0", ":1.1", "org.freedesktop.DBus", ":0.0"};

        for (size_t i = 0; i < ELEMENTSOF(senders); i++) {
                int fd = raw_connect(stub->socket, true);
                size_t size, got = 0;
                _cleanup_free_ void *m = raw_message(IPC_MANAGER_PATH, IPC_MANAGER_INTERFACE,
                                                     "Reload", senders[i], 0, &size);
                char answer[4096] = {};

                ck_assert(raw_write(fd, m, size));
                while (!memmem(answer, got, "Error.AccessDenied", 18)) {
                        ssize_t n = recv(fd, answer + got, sizeof(answer) - got, 0);

                        ck_assert_int_gt(n, 0);
                        got += (size_t) n;
                }
                close(fd);
        }
}

START_TEST(forged_sender_is_of_no_use)
{
        stub_open_to_all(stub);
        as_user(SOME_UID, SOME_UID, forge_sender, NULL);
}
END_TEST

static void is_turned_away(_unused_ void *userdata) {
        int fd = raw_connect(stub->socket, true);

        ck_assert(fd < 0 || raw_is_closed(fd));
        close_fd(fd);
}

START_TEST(overflow_uid_is_turned_away)
{
        stub_open_to_all(stub);
        as_user(65534, 65534, is_turned_away, NULL);
}
END_TEST

/* No more than these; connections that were closed may take a moment to be gone. */
static void wait_for_fds(size_t most) {
        for (unsigned i = 0; i < 1000 && stub_count_fds(stub) > most; i++)
                (void) poll(NULL, 0, 10);
        ck_assert_uint_le(stub_count_fds(stub), most);
}

START_TEST(bad_descriptors_are_refused_and_closed)
{
        sd_bus *bus = client_connect(stub->address);
        int pair[2], unsealed = memfd_create("x", MFD_CLOEXEC | MFD_ALLOW_SEALING);
        size_t before;

        ck_assert_int_eq(pipe2(pair, O_CLOEXEC), 0);
        ck_assert_int_eq(write(unsealed, "x", 1), 1);
        {
                const int fds[] = {pair[0], pair[1], unsealed,
                                   open("/etc/passwd", O_PATH | O_CLOEXEC),
                                   open("/dev/zero", O_RDONLY | O_CLOEXEC)};

                client_refused(bus, IPC_MANAGER_PATH, IPC_MANAGER_INTERFACE, "Nonsense",
                               SD_BUS_ERROR_UNKNOWN_METHOD, NULL);
                before = stub_count_fds(stub);
                for (size_t round = 0; round < 20; round++)
                        for (size_t i = 0; i < ELEMENTSOF(fds); i++)
                                client_refused(bus, IPC_MANAGER_PATH, IPC_MANAGER_INTERFACE,
                                               "Submit", "BadParameter", "ssa{sv}",
                                               "register-thing", "aws", 1, "ownership-token", "h",
                                               fds[i]);
                wait_for_fds(before);
        }
        client_close(bus);
}
END_TEST

/* He announces 100 MB, and sends them as far as he is let. */
START_TEST(huge_message_is_not_taken)
{
        size_t size, before = stub_memory(stub);
        _cleanup_free_ uint8_t *m = raw_message("/a", "a.b", "C", "", 1024 * 1024, &size);
        uint32_t length = 100 * 1024 * 1024;
        int fds[32];

        memcpy(m + 4, &length, sizeof(length));
        for (size_t i = 0; i < ELEMENTSOF(fds); i++) {
                fds[i] = raw_connect(stub->socket, true);
                while (raw_write(fds[i], m, size))
                        ;
                ck_assert(raw_is_closed(fds[i]));
                close(fds[i]);
        }
        ck_assert_uint_lt(stub_memory(stub), before + 16 * 1024);
}
END_TEST

/* Half of the longest message that is let in, on as many connections as there may be. */
START_TEST(half_sent_messages_are_bounded_and_closed)
{
        size_t size;
        _cleanup_free_ uint8_t *m = raw_message("/a", "a.b", "C", "", 200 * 1024, &size);
        int fds[SOCKET_CONNECTIONS_PER_USER_MAX];

        for (size_t i = 0; i < ELEMENTSOF(fds); i++) {
                fds[i] = raw_connect(stub->socket, true);
                ck_assert(raw_write(fds[i], m, size / 2));
        }
        for (size_t i = 0; i < ELEMENTSOF(fds); i++) {
                ck_assert(raw_is_closed(fds[i]));
                close(fds[i]);
        }
        {
                sd_bus *bus = client_connect(stub->address);

                ck_assert_uint_eq(client_count_jobs(bus), 0);
                client_close(bus);
        }
}
END_TEST

/* A user has used up his share: others are served, and so is root when all is used up. */
static void hold_connections(void *userdata) {
        int *control = userdata, fd;
        char byte;

        for (size_t i = 0; i < 2 * SOCKET_CONNECTIONS_PER_USER_MAX; i++)
                (void) raw_connect(stub->socket, true);
        /* The last one is not refused before it is looked at. */
        fd = raw_connect(stub->socket, true);
        ck_assert(raw_is_closed(fd));
        ck_assert_int_eq(write(control[1], "x", 1), 1);
        ck_assert_int_eq(read(control[2], &byte, 1), 0);
}

START_TEST(users_cannot_shut_each_other_or_root_out)
{
        sd_bus *bus;
        pid_t pids[4];

        stub_open_to_all(stub);
        for (size_t i = 0; i < ELEMENTSOF(pids); i++) {
                int ready[2], stay[2], control[3];
                char byte;

                ck_assert_int_eq(pipe2(ready, O_CLOEXEC), 0);
                ck_assert_int_eq(pipe2(stay, O_CLOEXEC), 0);
                control[1] = ready[1];
                control[2] = stay[0];
                pids[i] = fork();
                if (pids[i] == 0) {
                        close(stay[1]);
                        as_user(SOME_UID + (uid_t) i, SOME_UID, hold_connections, control);
                        _exit(0);
                }
                close(ready[1]);
                ck_assert_int_eq(read(ready[0], &byte, 1), 1);
        }
        bus = client_connect(stub->address);
        ck_assert_uint_eq(client_count_jobs(bus), 0);
        client_close(bus);
        /* The write ends of `stay` go with this process, and the children with them. */
}
END_TEST

START_TEST(thousands_of_connections_leave_nothing_behind)
{
        size_t before = stub_count_fds(stub);
        sd_bus *bus;

        for (unsigned i = 0; i < 3000; i++) {
                int fd = raw_connect(stub->socket, i & 1);

                if (fd >= 0 && i % 3 == 0)
                        (void) raw_write(fd, "l\1\0\1", 4);
                close_fd(fd);
        }
        bus = client_connect(stub->address);
        ck_assert_uint_eq(client_count_jobs(bus), 0);
        client_close(bus);
        wait_for_fds(before);
}
END_TEST

/* Descriptors run out: who comes is turned away at once, and let in again when there are some. */
START_TEST(running_out_of_descriptors_is_survived)
{
        struct rlimit few, before;
        sd_bus *bus;
        size_t settled;
        int fds[8];

        do { /* connections from before may take a moment to be gone */
                settled = stub_count_fds(stub);
                (void) poll(NULL, 0, 100);
        } while (stub_count_fds(stub) != settled);
        bus = client_connect(stub->address);
        ck_assert_uint_eq(client_count_jobs(bus), 0);
        ck_assert_int_eq(prlimit(stub->pid, RLIMIT_NOFILE, NULL, &before), 0);
        few = before;
        few.rlim_cur = stub_count_fds(stub) - 2 + (rlim_t) _i; /* less "." and ".." */
        ck_assert_int_eq(prlimit(stub->pid, RLIMIT_NOFILE, &few, NULL), 0);
        for (size_t i = 0; i < ELEMENTSOF(fds); i++)
                fds[i] = raw_connect(stub->socket, false);
        ck_assert(_i > 3 || raw_is_closed(fds[0]));
        ck_assert_uint_eq(client_count_jobs(bus), 0); /* who is in is served */
        ck_assert_int_eq(prlimit(stub->pid, RLIMIT_NOFILE, &before, NULL), 0);
        for (size_t i = 0; i < ELEMENTSOF(fds); i++)
                close(fds[i]);
        client_close(bus);
        bus = client_connect(stub->address);
        ck_assert_uint_eq(client_count_jobs(bus), 0);
        client_close(bus);
}
END_TEST

/* He asks for signals without end and reads none. */
START_TEST(who_does_not_read_signals_is_closed)
{
        sd_bus *bus = client_connect(stub->address);
        sd_bus *deaf = client_connect(stub->address);

        free(client_submit(bus, "k", NULL));
        client_refused(deaf, IPC_MANAGER_PATH, IPC_MANAGER_INTERFACE, "Nonsense",
                       SD_BUS_ERROR_UNKNOWN_METHOD, NULL);
        for (unsigned i = 0; i < 7; i++)
                sd_bus_message_unref(
                        client_call(bus, IPC_MANAGER_PATH, IPC_MANAGER_INTERFACE, "Reload", NULL));
        {
                int r;

                while ((r = sd_bus_process(deaf, NULL)) > 0)
                        ;
                ck_assert(r < 0 || sd_bus_is_open(deaf) <= 0);
        }
        sd_bus_close_unref(deaf);
        client_close(bus);
}
END_TEST

/* He asks and asks, and reads no answer: he is held up, and memory stays flat. */
START_TEST(who_does_not_read_answers_is_held_up)
{
        size_t size, written = 0, before;
        _cleanup_free_ uint8_t *m =
                raw_message(IPC_MANAGER_PATH, "org.freedesktop.DBus.Introspectable", "Introspect",
                            "", 0, &size);
        int fd = raw_connect(stub->socket, true);
        sd_bus *bus;

        before = stub_memory(stub);
        while (written < 64 * 1024 * 1024) {
                ssize_t n = send(fd, m, size, MSG_NOSIGNAL | MSG_DONTWAIT);

                if (n < 0) {
                        struct pollfd p = {fd, POLLOUT, 0};

                        if (poll(&p, 1, 300) == 0)
                                break;
                        continue;
                }
                ck_assert_int_eq(n, (ssize_t) size);
                written += size;
        }
        ck_assert_uint_lt(written, 8 * 1024 * 1024);
        ck_assert_uint_lt(stub_memory(stub), before + 16 * 1024);
        bus = client_connect(stub->address);
        ck_assert_uint_eq(client_count_jobs(bus), 0);
        client_close(bus);
        close(fd);
}
END_TEST

/* A call that wants no answer is carried out, and gets none. */
START_TEST(call_without_a_reply_is_carried_out)
{
        sd_bus *bus = client_connect(stub->address);
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL, *bad = NULL;

        ck_assert_int_ge(sd_bus_message_new_method_call(bus, &bad, IPC_BUS_NAME, IPC_MANAGER_PATH,
                                                        IPC_MANAGER_INTERFACE, "Submit"),
                         0);
        ck_assert_int_ge(sd_bus_message_append(bad, "ssa{sv}", "nonsense", "aws", 0), 0);
        ck_assert_int_ge(sd_bus_message_set_expect_reply(bad, 0), 0);
        ck_assert_int_ge(sd_bus_send(bus, bad, NULL), 0);
        ck_assert_int_ge(sd_bus_message_new_method_call(bus, &m, IPC_BUS_NAME, IPC_MANAGER_PATH,
                                                        IPC_MANAGER_INTERFACE, "Submit"),
                         0);
        ck_assert_int_ge(sd_bus_message_append(m, "ssa{sv}", "provision", "aws", 0), 0);
        ck_assert_int_ge(sd_bus_message_set_expect_reply(m, 0), 0);
        ck_assert_int_ge(sd_bus_send(bus, m, NULL), 0);
        ck_assert_uint_eq(client_count_jobs(bus), 1);
        client_close(bus);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("front/hostile");
        TCase *tcase = tcase_create("hostile");
        SRunner *runner;
        int failed;

        if (getuid() != 0)
                return 77; /* other users are played by setuid() */
        tcase_add_checked_fixture(tcase, setup, teardown);
        tcase_set_timeout(tcase, 120);
        tcase_add_test(tcase, claimed_uid_counts_for_nothing);
        tcase_add_test(tcase, forged_sender_is_of_no_use);
        tcase_add_test(tcase, overflow_uid_is_turned_away);
        tcase_add_test(tcase, bad_descriptors_are_refused_and_closed);
        tcase_add_test(tcase, huge_message_is_not_taken);
        tcase_add_test(tcase, half_sent_messages_are_bounded_and_closed);
        tcase_add_test(tcase, users_cannot_shut_each_other_or_root_out);
        tcase_add_loop_test(tcase, running_out_of_descriptors_is_survived, 0, 6);
        tcase_add_test(tcase, thousands_of_connections_leave_nothing_behind);
        tcase_add_test(tcase, who_does_not_read_signals_is_closed);
        tcase_add_test(tcase, who_does_not_read_answers_is_held_up);
        tcase_add_test(tcase, call_without_a_reply_is_carried_out);
        suite_add_tcase(suite, tcase);
        runner = srunner_create(suite);
        srunner_run_all(runner, CK_ENV);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? 0 : 1;
}
