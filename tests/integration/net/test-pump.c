/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The pump alone, between a TLS server by a script and a leg that the test holds: what happens when
 * one side does not take its bytes, and when one ends. */

#include <check.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include "daemon/base/clock.h"
#include "daemon/net/blank.h"
#include "daemon/net/pump.h"
#include "daemon/net/uplink.h"
#include "tests/integration/net/tls-talker.h"

#define BODY 60000U
#define PACKETS 40U
#define PACKET_BYTES (4U + BODY) /* header of one byte, length of three */
#define LEG_BUFFER 8192
#define SERVER_BUFFER 65536

/* A loop that is kept busy for nothing turns more often than this before it rests. */
#define TURNS_MAX 5000U
#define REST_USEC (20 * USEC_PER_MSEC)
#define SILENCE_USEC (1500 * USEC_PER_MSEC)

static const uint8_t connect_packet[] = {0x10, 0};
static const uint8_t ready_packet[] = {0xd0, 0};

static pid_t server;
static Client c; /* for its loop, its names and its certificates */
static Worker *names;
static Uplink *uplink;
static Pump *pump;
static int leg = -1, server_fd;
static int go = -1; /* counted by the test, waited for by the server; or the other way round */
static bool server_speaks_first;
static unsigned n_linked, n_ended;
static PumpEnd ended_how;
static Failure *ended_why;

static void say_go(void) {
        (void) eventfd_write(go, 1);
}

static void wait_go(void) {
        eventfd_t count;

        (void) eventfd_read(go, &count);
}

static void fill_packet(uint8_t packet[static PACKET_BYTES], unsigned i) {
        packet[0] = 0x30;
        packet[1] = 0x80 | (BODY & 0x7f);
        packet[2] = 0x80 | (BODY >> 7 & 0x7f);
        packet[3] = BODY >> 14;
        for (unsigned j = 0; j < BODY; j++)
                packet[4 + j] = (uint8_t) (i * 31 + j * 7 + j / 251);
}

static void on_pump_end(PumpEnd end, Failure *failure, void *userdata) {
        n_ended++;
        ended_how = end;
        ended_why = failure;
}

static void on_linked(Wire *wire, int fd, Failure *failure, void *userdata) {
        int fds[2], size = LEG_BUFFER;

        ck_assert_msg(wire != NULL, "%s", failure_message(failure));
        server_fd = fd;
        ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &(int){SERVER_BUFFER}, sizeof(int)),
                         0);
        if (server_speaks_first)
                wait_go();
        ck_assert_int_eq(
                pump_new(c.event, wire, fd, "server", PACKET_BYTES, on_pump_end, NULL, &pump), 0);
        ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
        for (size_t i = 0; i < 2; i++)
                ck_assert_int_eq(setsockopt(fds[i], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)), 0);
        ck_assert_int_eq(pump_attach(pump, fds[0]), 0);
        leg = fds[1];
        n_linked++;
}

static void start(TlsTalk talk) {
        uint16_t port = harness_free_port();

        go = eventfd(0, EFD_CLOEXEC | EFD_SEMAPHORE);
        server = tls_talker_start(port, talk);
        client_init(&c, port);
        ck_assert_int_ge(worker_new(c.event, &(WorkerOptions){.name = "n", .queue_max = 2}, &names),
                         0);
        ck_assert_int_eq(uplink_new(c.event, names,
                                    &(UplinkParameters){.road.tls = {.host = "localhost",
                                                                     .port = port,
                                                                     .trusted = c.trusted}},
                                    on_linked, NULL, &uplink),
                         0);
        client_run(&c, &n_linked, 1);
}

static void stop(void) {
        leg = close_fd(leg);
        go = close_fd(go);
        pump = pump_free(pump);
        uplink = uplink_free(uplink);
        names = worker_free(names);
        ended_why = failure_free(ended_why);
        client_done(&c);
        harness_stop(server);
}

static void turn(void) {
        ck_assert_int_ge(sd_event_run(c.event, 10000), 0);
}

/* Runs the loop until nothing is left to do; while nothing moves, nothing may wake it. */
static void settle(void) {
        for (unsigned i = 0; i < TURNS_MAX; i++) {
                int r = sd_event_run(c.event, REST_USEC);

                ck_assert_int_ge(r, 0);
                if (r == 0)
                        return;
        }
        ck_abort_msg("the loop is kept busy");
}

/* Sends all of it down the leg, while the loop runs. */
static void leg_send(const uint8_t *data, size_t size) {
        while (size > 0) {
                ssize_t n = send(leg, data, size, MSG_NOSIGNAL);

                ck_assert(n > 0 || errno == EAGAIN);
                if (n > 0) {
                        data += n;
                        size -= (size_t) n;
                }
                turn();
        }
}

static void leg_receive(uint8_t *data, size_t size) {
        while (size > 0) {
                ssize_t n = recv(leg, data, size, 0);

                ck_assert_msg(n > 0 || (n < 0 && errno == EAGAIN), "the leg ended");
                if (n > 0) {
                        data += n;
                        size -= (size_t) n;
                } else
                        turn();
        }
}

static bool is_blank(const uint8_t *packet) {
        uint8_t begin[BLANK_BEGIN_MAX];
        size_t zeroes, n = blank_begin(BODY, begin, &zeroes);

        return memcmp(packet, begin, n) == 0;
}

/* These packets; between them blank ones where the pump stands between two, and one as the last. */
static void expect_packets(unsigned n) {
        uint8_t *wanted = malloc(PACKET_BYTES), *got = malloc(PACKET_BYTES);

        for (unsigned i = 0; i < n; i++) {
                fill_packet(wanted, i);
                do
                        leg_receive(got, PACKET_BYTES);
                while (i > 0 && is_blank(got));
                ck_assert_mem_eq(got, wanted, PACKET_BYTES);
        }
        leg_receive(got, PACKET_BYTES);
        ck_assert(is_blank(got));
        free(wanted);
        free(got);
}

static void push_packets(TlsPeer *p, unsigned n) {
        static uint8_t packet[PACKET_BYTES];

        (void) tls_peer_read_packet(p, NULL);
        for (unsigned i = 0; i < n; i++) {
                fill_packet(packet, i);
                tls_peer_write(p, packet, sizeof(packet));
        }
}

static void talk_push_and_end(TlsPeer *p) {
        push_packets(p, PACKETS);
}

static void talk_push_and_wait(TlsPeer *p) {
        push_packets(p, PACKETS);
        tls_peer_wait_end(p);
}

START_TEST(library_that_does_not_read_stops_the_server)
{
        start(talk_push_and_wait);
        settle();
        leg_send(connect_packet, sizeof(connect_packet));
        settle(); /* more than fits waits */
        ck_assert_uint_eq(n_ended, 0);
        expect_packets(PACKETS);
        ck_assert_uint_eq(n_ended, 0);
        stop();
}
END_TEST

/* All that the server sent before it went is passed on; only then the leg ends, and it is told. */
START_TEST(end_of_the_server_comes_after_its_bytes)
{
        uint8_t byte;

        start(talk_push_and_end);
        leg_send(connect_packet, sizeof(connect_packet));
        settle();
        ck_assert_uint_eq(n_ended, 0);
        expect_packets(PACKETS);
        client_run(&c, &n_ended, 1);
        ck_assert_int_eq(ended_how, PUMP_SERVER_ENDED);
        ck_assert_int_eq(failure_code(ended_why), ERROR_CONNECTION_LOST);
        ck_assert_int_eq(recv(leg, &byte, 1, 0), 0);
        stop();
}
END_TEST

/* It goes without having read what it got: a reset. */
static void talk_push_and_reset(TlsPeer *p) {
        push_packets(p, 1); /* the kernels' buffers hold it */
        wait_go();
        _exit(0);
}

/* It shows when the library sends something, and not before the library has got what had come. */
START_TEST(reset_by_the_server_comes_after_its_bytes)
{
        uint8_t *packet = malloc(PACKET_BYTES), *got = malloc(PACKET_BYTES);
        struct pollfd p;
        ssize_t n;

        start(talk_push_and_reset);
        leg_send(connect_packet, sizeof(connect_packet));
        settle();
        fill_packet(packet, 0);
        leg_send(packet, 100); /* a record that it does not read */
        settle();
        p = (struct pollfd){.fd = server_fd};
        say_go();
        ck_assert_int_eq(poll(&p, 1, -1), 1);
        settle();
        leg_send(packet + 100, 1);
        settle();
        ck_assert_uint_eq(n_ended, 0);

        /* What the leg held, and what the pump had for it. */
        leg_receive(got, 1);
        n = 1;
        while (n_ended == 0 && (size_t) n < PACKET_BYTES) {
                ssize_t more = recv(leg, got + n, PACKET_BYTES - (size_t) n, 0);

                if (more > 0)
                        n += more;
                turn();
        }
        n += recv(leg, got + n, PACKET_BYTES - (size_t) n, 0);
        ck_assert_int_eq(n, 16384); /* to the end of its record */
        ck_assert_mem_eq(got, packet, (size_t) n);
        ck_assert_uint_eq(n_ended, 1);
        ck_assert_int_eq(ended_how, PUMP_SERVER_ENDED);
        ck_assert_int_eq(failure_code(ended_why), ERROR_CONNECTION_LOST);
        stop();
        free(packet);
        free(got);
}
END_TEST

static void talk_late_reader(TlsPeer *p) {
        (void) tls_peer_read_packet(p, NULL);
        wait_go();
        for (unsigned i = 0; i < 3 * PACKETS; i++)
                if (tls_peer_read_packet(p, NULL) != 3)
                        _exit(1);
        tls_peer_write(p, ready_packet, sizeof(ready_packet));
        tls_peer_wait_end(p);
}

START_TEST(server_that_does_not_read_stops_the_library)
{
        uint8_t *packets = malloc(3 * PACKETS * PACKET_BYTES), answer[sizeof(ready_packet)];
        size_t sent = 0;
        ssize_t n;

        for (unsigned i = 0; i < 3 * PACKETS; i++)
                fill_packet(packets + i * PACKET_BYTES, i);
        start(talk_late_reader);
        leg_send(connect_packet, sizeof(connect_packet));
        for (;;) {
                n = send(leg, packets + sent, 3 * PACKETS * PACKET_BYTES - sent, MSG_NOSIGNAL);
                if (n > 0)
                        sent += (size_t) n;
                else if (sd_event_run(c.event, REST_USEC) == 0)
                        break;
        }
        ck_assert_uint_lt(sent, 3 * PACKETS * PACKET_BYTES);
        settle();
        say_go();
        leg_send(packets + sent, 3 * PACKETS * PACKET_BYTES - sent);
        leg_receive(answer, sizeof(answer));
        ck_assert_mem_eq(answer, ready_packet, sizeof(answer));
        settle();
        stop();
        free(packets);
}
END_TEST

/* A leg that ends while the server takes nothing is no reason to spin. */
START_TEST(end_of_the_library_waits_for_its_bytes)
{
        uint8_t *packet = malloc(PACKET_BYTES);
        size_t i = 0;

        start(talk_late_reader);
        leg_send(connect_packet, sizeof(connect_packet));
        fill_packet(packet, 0);
        while (send(leg, packet + i % PACKET_BYTES, 1, MSG_NOSIGNAL) == 1 ||
               sd_event_run(c.event, REST_USEC) > 0)
                i++;
        leg = close_fd(leg);
        settle();
        stop();
        free(packet);
}
END_TEST

/* A server answers, and never begins: its bytes would be taken for the bridge's. */
static void talk_first(TlsPeer *p) {
        tls_peer_write(p, "\x20\x02\x00\x00", 4);
        say_go();
        tls_peer_wait_end(p);
}

START_TEST(server_that_speaks_first_is_no_broker)
{
        uint8_t byte;

        server_speaks_first = true;
        start(talk_first);
        client_run(&c, &n_ended, 1);
        ck_assert_int_eq(ended_how, PUMP_SERVER_ENDED);
        ck_assert_int_eq(failure_code(ended_why), ERROR_BAD_RESPONSE);
        ck_assert_ptr_nonnull(strstr(failure_message(ended_why), "no MQTT"));
        ck_assert_int_eq(recv(leg, &byte, 1, 0), 0);
        stop();
}
END_TEST

START_TEST(end_of_the_library_is_told)
{
        start(talk_push_and_wait);
        if (_i == 1) { /* with bytes for it on the way */
                leg_send(connect_packet, sizeof(connect_packet));
                for (unsigned i = 0; i < 20; i++)
                        turn();
        }
        leg = close_fd(leg);
        client_run(&c, &n_ended, 1);
        ck_assert_int_eq(ended_how, PUMP_LEG_ENDED);
        ck_assert_ptr_null(ended_why);
        stop();
}
END_TEST

/* DISCONNECT goes out at a packet's boundary, and never into the middle of one. */
static void talk_expect_disconnect(TlsPeer *p) {
        (void) tls_peer_read_packet(p, NULL);
        if (tls_peer_read_packet(p, NULL) == 14)
                _exit(0);
        _exit(1);
}

START_TEST(polite_end_is_silent)
{
        start(talk_expect_disconnect);
        leg_send(connect_packet, sizeof(connect_packet));
        if (_i == 1)
                leg_send((const uint8_t[]){0x30, 5, 0}, 3); /* the beginning of a packet */
        for (unsigned i = 0; i < 5; i++)
                turn();
        pump_close(pump, true);
        pump_close(pump, true);
        turn();
        ck_assert_uint_eq(n_ended, 0);
        stop();
}
END_TEST

/* A server that has lost its power, or its way to us: no byte comes, and no end. */
static void talk_a_little_and_fall_silent(TlsPeer *p) {
        (void) tls_peer_read_packet(p, NULL);
        for (unsigned i = 0; i < 3; i++) {
                wait_go();
                tls_peer_write(p, ready_packet, sizeof(ready_packet));
        }
        tls_peer_wait_end(p);
}

START_TEST(silence_of_the_server_is_its_end)
{
        uint8_t got[sizeof(ready_packet)];
        usec_t said = 0;

        start(talk_a_little_and_fall_silent);
        leg_send(connect_packet, sizeof(connect_packet));
        ck_assert_int_eq(pump_watch(pump, SILENCE_USEC), 0);
        for (unsigned i = 0; i < 3; i++) {
                said = clock_boot_usec();
                say_go();
                leg_receive(got, sizeof(got));
                while (n_ended == 0 && clock_boot_usec() < said + SILENCE_USEC / 3)
                        turn();
        }
        client_run(&c, &n_ended, 1);
        ck_assert_uint_ge(clock_boot_usec(), said + SILENCE_USEC);
        ck_assert_int_eq(ended_how, PUMP_SERVER_ENDED);
        ck_assert_int_eq(failure_code(ended_why), ERROR_CONNECTION_LOST);
        ck_assert_ptr_nonnull(strstr(failure_message(ended_why), "said nothing for 1.5 s"));
        ck_assert_int_eq(recv(leg, got, 1, 0), 0);
        stop();
}
END_TEST

/* What lies there unread was said, however late the loop comes to it. */
START_TEST(what_came_while_the_loop_slept_is_no_silence)
{
        uint8_t got[sizeof(ready_packet)];

        start(talk_a_little_and_fall_silent);
        leg_send(connect_packet, sizeof(connect_packet));
        for (unsigned i = 0; i < 5; i++)
                turn();
        ck_assert_int_eq(pump_watch(pump, 200 * USEC_PER_MSEC), 0);
        for (unsigned i = 0; i < 3; i++) {
                say_go();
                ck_assert_int_eq(poll(&(struct pollfd){.fd = server_fd, .events = POLLIN}, 1, -1),
                                 1);
                (void) usleep(300000);
                leg_receive(got, sizeof(got));
                ck_assert_uint_eq(n_ended, 0);
        }
        stop();
}
END_TEST

int main(void) {
        Suite *s = suite_create("pump");
        TCase *t = tcase_create("pump");
        SRunner *r;
        int failed;

        tcase_add_unchecked_fixture(t, harness_setup, harness_teardown);
        tcase_set_timeout(t, 90);
        tcase_add_test(t, library_that_does_not_read_stops_the_server);
        tcase_add_test(t, end_of_the_server_comes_after_its_bytes);
        tcase_add_test(t, reset_by_the_server_comes_after_its_bytes);
        tcase_add_test(t, server_that_does_not_read_stops_the_library);
        tcase_add_test(t, end_of_the_library_waits_for_its_bytes);
        tcase_add_test(t, server_that_speaks_first_is_no_broker);
        tcase_add_loop_test(t, end_of_the_library_is_told, 0, 2);
        tcase_add_loop_test(t, polite_end_is_silent, 0, 2);
        tcase_add_test(t, silence_of_the_server_is_its_end);
        tcase_add_test(t, what_came_while_the_loop_slept_is_no_silence);
        suite_add_tcase(s, t);
        r = srunner_create(s);
        srunner_run_all(r, CK_NORMAL);
        failed = srunner_ntests_failed(r);
        srunner_free(r);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
