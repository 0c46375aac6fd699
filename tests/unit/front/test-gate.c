/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/front/gate.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "protocol/ipc/limits.h"
#include "tests/unit/front/submit-header.h"

static sd_event *event;
static Gate *gate;
static int client, reader; /* what the client writes to, what sd-bus would read from */
static bool permitted;
static unsigned asked_in_vain;

static bool may_read(void *userdata, bool in_handshake) {
        ck_assert_ptr_eq(userdata, &permitted);
        asked_in_vain += !permitted && !in_handshake;
        return permitted || in_handshake;
}

static void setup(void) {
        int pair[2];

        ck_assert_int_ge(sd_event_new(&event), 0);
        ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair),
                         0);
        client = pair[0];
        permitted = true;
        ck_assert_int_ge(gate_new(event, 0, pair[1], &gate, &reader), 0);
        gate_set_may_read(gate, may_read, &permitted);
}

static void teardown(void) {
        gate_free(gate);
        sd_event_unref(event);
        close(reader);
        close(client);
}

/* Until nothing is left to do at once. */
static void turn(void) {
        while (sd_event_run(event, 0) > 0)
                ;
}

static void send_with(const void *data, size_t size, const int *fds, size_t n_fds) {
        union {
                struct cmsghdr header;
                uint8_t bytes[CMSG_SPACE(sizeof(int) * 16)];
        } control = {};
        struct iovec iov = {(void *) (uintptr_t) data, size};
        struct msghdr message = {.msg_iov = &iov, .msg_iovlen = 1};

        if (n_fds > 0) {
                message.msg_control = &control;
                message.msg_controllen = CMSG_SPACE(sizeof(int) * n_fds);
                control.header = (struct cmsghdr){.cmsg_len = CMSG_LEN(sizeof(int) * n_fds),
                                                  .cmsg_level = SOL_SOCKET,
                                                  .cmsg_type = SCM_RIGHTS};
                memcpy(CMSG_DATA(&control.header), fds, sizeof(int) * n_fds);
        }
        ck_assert_int_eq(sendmsg(client, &message, 0), (ssize_t) size);
}

/* Reads `size` bytes at most, and closes the descriptors that come along, which it counts. */
static ssize_t receive(void *data, size_t size, size_t *ret_n_fds) {
        union {
                struct cmsghdr header;
                uint8_t bytes[CMSG_SPACE(sizeof(int) * 16)];
        } control = {};
        struct iovec iov = {data, size};
        struct msghdr message = {.msg_iov = &iov,
                                 .msg_iovlen = 1,
                                 .msg_control = &control,
                                 .msg_controllen = sizeof(control)};
        ssize_t n = recvmsg(reader, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
        size_t n_fds = 0;

        for (struct cmsghdr *c = CMSG_FIRSTHDR(&message); n >= 0 && c;
             c = CMSG_NXTHDR(&message, c)) {
                n_fds = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
                for (size_t i = 0; i < n_fds; i++) {
                        int fd;

                        memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(int));
                        ck_assert_int_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
                        close(fd);
                }
        }
        if (ret_n_fds)
                *ret_n_fds = n_fds;
        return n;
}

static void handshake(void) {
        char text[16];

        send_with("\0BEGIN\r\n", 8, NULL, 0);
        turn();
        ck_assert_int_eq(receive(text, sizeof(text), NULL), 8);
}

static void make_message(uint8_t *h, uint32_t body) {
        memset(h, 0, GATE_HEADER_SIZE);
        h[0] = 'l';
        h[1] = h[3] = 1;
        memcpy(h + 4, &body, sizeof(body)); /* the tests run on little endian, or not at all */
}

static size_t count_fds(void) {
        size_t n = 0;

        for (int fd = 0; fd < 256; fd++)
                n += fcntl(fd, F_GETFD) >= 0;
        return n;
}

/* Both ends see the end. */
static void assert_closed(void) {
        uint8_t data[64] = {};
        ssize_t n;

        do
                n = receive(data, sizeof(data), NULL);
        while (n > 0);
        ck_assert_int_eq(n, 0);
        ck_assert_int_le(recv(client, data, sizeof(data), MSG_DONTWAIT), 0);
        ck_assert_int_lt(send(client, data, 1, MSG_NOSIGNAL | MSG_DONTWAIT), 0);
        ck_assert_int_eq(errno, EPIPE);
}

START_TEST(descriptors_stay_with_their_message)
{
        uint8_t a[GATE_HEADER_SIZE + 8] = {}, data[SUBMIT_HEADER_MAX];
        SubmitHeader b = submit_header_make(4, 0), c = submit_header_make(1, 8);
        const int fds[] = {0, 1, 2, 0};
        size_t n_fds, before = count_fds();

        make_message(a, 8);
        /* All of it lies in the socket before the gate reads: the kernel would glue it. */
        send_with("\0BEGIN\r\n", 8, NULL, 0);
        send_with(a, sizeof(a), NULL, 0);
        send_with(b.data, b.size, fds, 4);
        send_with(c.data, c.size, fds, 1);
        send_with(a, 8, NULL, 0);
        turn();
        ck_assert_int_eq(receive(data, 8, &n_fds), 8);
        ck_assert_uint_eq(n_fds, 0);
        ck_assert_int_eq(receive(data, sizeof(a), &n_fds), sizeof(a));
        ck_assert_uint_eq(n_fds, 0);
        ck_assert_int_eq(receive(data, b.size, &n_fds), (ssize_t) b.size);
        ck_assert_uint_eq(n_fds, 4);
        ck_assert_int_eq(receive(data, c.size, &n_fds), (ssize_t) c.size);
        ck_assert_uint_eq(n_fds, 1);
        ck_assert_int_eq(receive(data, sizeof(data), &n_fds), 8);
        ck_assert_uint_eq(n_fds, 0);
        ck_assert_uint_eq(count_fds(), before);
}
END_TEST

/* What is read of it by then is passed on, and the descriptors are not. */
START_TEST(descriptors_wait_for_the_end_of_the_header)
{
        SubmitHeader h = submit_header_make(1, 0);
        size_t n_fds, before;
        const int fds[] = {0};
        uint8_t data[64];

        handshake();
        before = count_fds();
        send_with(h.data, 40, fds, 1);
        turn();
        ck_assert_int_eq(receive(data, 40, &n_fds), 40);
        ck_assert_uint_eq(n_fds, 0);
        ck_assert_uint_eq(count_fds(), before + 1);
        h.data[40] ^= 1;
        send_with(h.data + 40, h.size - 40, NULL, 0);
        turn();
        assert_closed();
        ck_assert_uint_eq(count_fds(), before - 2);
}
END_TEST

START_TEST(a_client_that_left_is_noticed_while_nothing_is_read)
{
        uint8_t b[GATE_HEADER_SIZE], data[64];

        handshake();
        make_message(b, 0);
        permitted = false;
        send_with(b, sizeof(b), NULL, 0);
        turn();
        close(client);
        client = -1;
        turn();
        ck_assert_int_eq(recv(reader, data, sizeof(data), 0), 0);
        gate_resume(gate);
}
END_TEST

START_TEST(surplus_descriptors_end_the_connection_and_are_closed)
{
        uint8_t b[GATE_HEADER_SIZE];
        const int fds[] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
        size_t before = count_fds();

        handshake();
        make_message(b, 0);
        send_with(b, sizeof(b), fds, (size_t) _i);
        turn();
        assert_closed();
        /* The gate's own two are gone. */
        ck_assert_uint_eq(count_fds(), before - 2);
}
END_TEST

START_TEST(descriptors_spread_over_one_message_are_counted)
{
        uint8_t b[GATE_HEADER_SIZE + 100] = {};
        const int fds[] = {0};

        handshake();
        make_message(b, 100);
        for (size_t i = 0; i < IPC_MESSAGE_FDS_MAX + 1; i++)
                send_with(b + i, 1, fds, 1);
        turn();
        assert_closed();
}
END_TEST

START_TEST(a_message_that_is_too_long_is_not_let_in)
{
        uint8_t b[GATE_HEADER_SIZE];

        handshake();
        make_message(b, IPC_MESSAGE_MAX);
        send_with(b, sizeof(b), NULL, 0);
        turn();
        assert_closed();
}
END_TEST

START_TEST(garbage_ends_the_connection)
{
        handshake();
        send_with("GET / HTTP/1.1\r\n\r\n", 18, NULL, 0);
        turn();
        assert_closed();
}
END_TEST

START_TEST(what_was_sent_before_the_end_arrives)
{
        uint8_t b[GATE_HEADER_SIZE + 3000] = {}, data[4096];

        handshake();
        make_message(b, 3000);
        send_with(b, sizeof(b), NULL, 0);
        ck_assert_int_eq(shutdown(client, SHUT_WR), 0);
        turn();
        ck_assert_int_eq(recv(reader, data, sizeof(data), MSG_WAITALL), sizeof(b));
        ck_assert_int_eq(recv(reader, data, sizeof(data), 0), 0);
}
END_TEST

/* The gate takes no more than its buffer ahead of a reader that does not read. */
START_TEST(slow_reader_holds_the_client_up_and_loses_nothing)
{
        static uint8_t message[GATE_HEADER_SIZE + 100000], data[8192];
        size_t sent = 0, received = 0, stalled = 0;

        handshake();
        make_message(message, 100000);
        for (size_t i = GATE_HEADER_SIZE; i < sizeof(message); i++)
                message[i] = (uint8_t) (i * 7 % 251);
        while (sent < 40 * sizeof(message) && stalled < 3) {
                size_t at = sent % sizeof(message);
                ssize_t n = send(client, message + at, sizeof(message) - at, MSG_DONTWAIT);

                stalled = n < 0 ? stalled + 1 : 0;
                sent += n < 0 ? 0 : (size_t) n;
                turn();
        }
        ck_assert_uint_eq(stalled, 3);
        ck_assert_uint_lt(sent, 1024 * 1024);
        while (received < sent) {
                ssize_t n = receive(data, sizeof(data), NULL);

                for (ssize_t i = 0; i < n; i++)
                        ck_assert_uint_eq(data[i],
                                          message[(received + (size_t) i) % sizeof(message)]);
                received += n < 0 ? 0 : (size_t) n;
                turn();
        }
        ck_assert_uint_eq(received, sent);
}
END_TEST

START_TEST(it_reads_nothing_while_it_may_not)
{
        uint8_t b[GATE_HEADER_SIZE], data[64];

        handshake();
        make_message(b, 0);
        permitted = false;
        send_with(b, sizeof(b), NULL, 0);
        turn();
        gate_resume(gate); /* not permitted: no */
        turn();
        ck_assert_int_lt(receive(data, sizeof(data), NULL), 0);
        permitted = true;
        gate_resume(gate);
        turn();
        ck_assert_int_eq(receive(data, sizeof(data), NULL), sizeof(b));
}
END_TEST

START_TEST(it_looks_again_by_itself)
{
        uint8_t b[GATE_HEADER_SIZE], data[64];

        handshake();
        make_message(b, 0);
        permitted = false;
        send_with(b, sizeof(b), NULL, 0);
        while (asked_in_vain < 5)
                ck_assert_int_ge(sd_event_run(event, UINT64_MAX), 0);
        permitted = true;
        while (receive(data, sizeof(data), NULL) < 0)
                ck_assert_int_ge(sd_event_run(event, UINT64_MAX), 0);
}
END_TEST

/* Takes IPC_MESSAGE_COMPLETE_USEC. Cut off in the handshake, in a body, in a second header; and one
 * that is idle, which is no reason to close it. */
START_TEST(what_is_not_finished_in_time_is_closed)
{
        uint8_t b[GATE_HEADER_SIZE + 10] = {}, data[64];
        Gate *gates[4];
        int clients[4], readers[4];
        size_t closed = 0;

        make_message(b, 10);
        for (size_t i = 0; i < ELEMENTSOF(gates); i++) {
                static const size_t sizes[] = {0, GATE_HEADER_SIZE + 9, GATE_HEADER_SIZE + 11,
                                               GATE_HEADER_SIZE + 10};
                int pair[2];

                ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
                clients[i] = pair[0];
                ck_assert_int_ge(gate_new(event, 0, pair[1], &gates[i], &readers[i]), 0);
                ck_assert_int_eq(send(clients[i], "\0AUTH\r\nBEGIN\r\n", i == 0 ? 3 : 14, 0),
                                 i == 0 ? 3 : 14);
                for (size_t sent = 0; sent < sizes[i]; sent++)
                        ck_assert_int_eq(send(clients[i], b + sent % sizeof(b), 1, 0), 1);
        }
        while (closed < 3) {
                ck_assert_int_ge(sd_event_run(event, UINT64_MAX), 0);
                for (size_t i = 0; i < 3; i++)
                        if (clients[i] >= 0 &&
                            recv(clients[i], data, sizeof(data), MSG_DONTWAIT) == 0) {
                                clients[i] = close_fd(clients[i]);
                                closed++;
                        }
        }
        turn();
        ck_assert_int_eq(send(clients[3], b, sizeof(b), MSG_NOSIGNAL), sizeof(b));
        close(clients[3]);
        for (size_t i = 0; i < ELEMENTSOF(gates); i++) {
                gate_free(gates[i]);
                close(readers[i]);
        }
}
END_TEST

START_TEST(reader_that_left_ends_the_connection)
{
        uint8_t b[GATE_HEADER_SIZE];

        handshake();
        make_message(b, 0);
        close(reader);
        reader = -1;
        send_with(b, sizeof(b), NULL, 0);
        turn();
        ck_assert_int_lt(send(client, b, 1, MSG_NOSIGNAL | MSG_DONTWAIT), 0);
        ck_assert_int_eq(errno, EPIPE);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("front/gate");
        TCase *tcase = tcase_create("gate");
        SRunner *runner;
        int failed;

        tcase_add_checked_fixture(tcase, setup, teardown);
        tcase_set_timeout(tcase, 60);
        tcase_add_test(tcase, descriptors_stay_with_their_message);
        tcase_add_test(tcase, descriptors_wait_for_the_end_of_the_header);
        tcase_add_test(tcase, a_client_that_left_is_noticed_while_nothing_is_read);
        tcase_add_loop_test(tcase, surplus_descriptors_end_the_connection_and_are_closed, 5, 10);
        tcase_add_test(tcase, descriptors_spread_over_one_message_are_counted);
        tcase_add_test(tcase, a_message_that_is_too_long_is_not_let_in);
        tcase_add_test(tcase, garbage_ends_the_connection);
        tcase_add_test(tcase, what_was_sent_before_the_end_arrives);
        tcase_add_test(tcase, slow_reader_holds_the_client_up_and_loses_nothing);
        tcase_add_test(tcase, it_reads_nothing_while_it_may_not);
        tcase_add_test(tcase, it_looks_again_by_itself);
        tcase_add_test(tcase, what_is_not_finished_in_time_is_closed);
        tcase_add_test(tcase, reader_that_left_ends_the_connection);
        suite_add_tcase(suite, tcase);
        runner = srunner_create(suite);
        srunner_run_all(runner, CK_ENV);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? 0 : 1;
}
