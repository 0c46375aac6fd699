/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Another user of the machine goes for the loopback leg: he knows its port,
 * connects first, floods, resets, says CONNECT with secrets of his own, and binds the port as soon
 * as it is free. The session becomes ready all the same, and he gets not a byte. Needs root, to
 * become somebody else. */

#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "tests/integration/net/harness.h"

#define NOBODY 65534
#define ATTACKERS 2U
#define FLOOD 8U
#define ROUNDS 3U
#define ROUNDS_MAX 20U
#define SKIPPED 77
#define DESCRIPTORS_SEEN 64

typedef struct Score {
        atomic_uint connects;  /* that the kernel let through */
        atomic_uint bytes;     /* that he got */
        atomic_uint takeovers; /* ports that he bound after us */
        atomic_uint port;
        atomic_bool ready;
} Score;

static Score *score;
static pid_t attackers[ATTACKERS];

/* What an attacker says; as a listener he may well hear it from the other one. */
static const char guess[] = "CONNECT guess.example:8883 HTTP/1.1\r\nHost: guess.example\r\n"
                            "Proxy-authorization: Basic ZmxlZXRwcm92ZDowMDAw\r\n\r\n";

static void wait_for_bytes(int fd) {
        struct timeval patience = {.tv_usec = 3000};
        char buffer[sizeof(guess)];
        ssize_t n;

        (void) setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
        n = recv(fd, buffer, sizeof(buffer), 0);
        if (n > 0 && ((size_t) n > strlen(guess) || memcmp(buffer, guess, (size_t) n) != 0)) {
                atomic_fetch_add(&score->bytes, (unsigned) n);
                fprintf(stderr, "stranger got: %.*s\n", (int) n, buffer);
        }
}

static void hang_up(int fd, bool hard) {
        static const struct linger linger = {.l_onoff = 1};

        if (hard)
                (void) setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
        close(fd);
}

static void attack_port(uint16_t port, unsigned round) {
        struct sockaddr_in a = {.sin_family = AF_INET,
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                                .sin_port = htons(port)};
        int fds[FLOOD];

        for (size_t i = 0; i < FLOOD; i++) {
                fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
                (void) connect(fds[i], (struct sockaddr *) &a, sizeof(a));
        }
        for (size_t i = 0; i < FLOOD; i++) {
                if (send(fds[i], guess, strlen(guess), MSG_NOSIGNAL) > 0)
                        atomic_fetch_add(&score->connects, 1);
                (void) fcntl(fds[i], F_SETFL, 0);
                wait_for_bytes(fds[i]);
                hang_up(fds[i], (round + i) % 2 == 0);
        }
}

/* Somebody who binds the port after us is told the secret, if anything still connects there. */
static void take_over(uint16_t port) {
        struct sockaddr_in a = {.sin_family = AF_INET,
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                                .sin_port = htons(port)};
        static const int one = 1;
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), victim;

        (void) setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
        (void) setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one));
        if (bind(fd, (struct sockaddr *) &a, sizeof(a)) == 0 && listen(fd, 8) == 0) {
                atomic_fetch_add(&score->takeovers, 1);
                (void) usleep(20000);
                victim = accept(fd, NULL, NULL);
                if (victim >= 0) {
                        wait_for_bytes(victim);
                        close(victim);
                }
        }
        close(fd);
}

/* Any user can read the port of a listener in /proc/net/tcp. Here a thread of the test tells it:
 * the machine may hold other listeners of root's, which are none of our business. */
static void *tell_port(void *nothing) {
        for (;;) {
                uint16_t port = 0;

                for (int fd = 3; fd < DESCRIPTORS_SEEN && port == 0; fd++) {
                        struct sockaddr_in a = {};
                        socklen_t size = sizeof(a), int_size = sizeof(int);
                        int listens = 0;

                        if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &int_size) == 0 &&
                            listens && getsockname(fd, (struct sockaddr *) &a, &size) == 0 &&
                            a.sin_family == AF_INET)
                                port = ntohs(a.sin_port);
                }
                atomic_store(&score->port, port);
                (void) usleep(200);
        }
        return NULL;
}

static void attack(uint16_t *last, unsigned round) {
        uint16_t port = (uint16_t) atomic_load(&score->port);

        if (port != 0) {
                *last = port;
                attack_port(port, round);
        } else if (*last != 0)
                take_over(*last);
        else
                (void) usleep(100);
}

static pid_t start_attacker(void) {
        pid_t pid = fork();
        uint16_t last = 0;

        ck_assert_int_ge(pid, 0);
        if (pid > 0)
                return pid;
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (setgroups(0, NULL) < 0 || setgid(NOBODY) < 0 || setuid(NOBODY) < 0)
                _exit(1);
        atomic_store(&score->ready, true);
        for (unsigned round = 0;; round++)
                attack(&last, round);
}

static void start_attackers(void) {
        pthread_t thread;

        score = mmap(NULL, sizeof(Score), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
                     0);
        ck_assert_ptr_ne(score, MAP_FAILED);
        for (size_t i = 0; i < ATTACKERS; i++)
                attackers[i] = start_attacker();
        ck_assert_int_eq(pthread_create(&thread, NULL, tell_port, NULL), 0);
        while (!atomic_load(&score->ready))
                (void) usleep(1000);
}

static void stop_attackers(void) {
        for (size_t i = 0; i < ATTACKERS; i++)
                harness_stop(attackers[i]);
}

START_TEST(stranger_on_the_loopback_leg_gets_not_a_byte)
{
        uint16_t port = harness_free_port();
        pid_t broker = harness_start_broker(port, NULL);
        unsigned won = 0;
        Client c;

        start_attackers();
        client_init(&c, port);
        c.p.connect_timeout_usec = 40 * USEC_PER_SEC;
        for (unsigned i = 0; i < ROUNDS_MAX && won < ROUNDS; i++) {
                unsigned before = atomic_load(&score->connects);
                unsigned takeovers = atomic_load(&score->takeovers);

                client_connect(&c);
                client_run_for(&c, &c.n_connected, 1, 45);
                /* He was there before the library had its session. */
                won += atomic_load(&score->connects) > before;
                ck_assert_int_eq(connection_subscribe(c.connection, "a"), 0);
                client_run(&c, &c.n_subscribed, 1);
                ck_assert_int_eq(connection_publish(c.connection, "a", "x", 1), 0);
                client_run(&c, &c.n_messages, 1);
                client_disconnect(&c);
                while (network_lingering(c.network) > 0)
                        ck_assert_int_ge(sd_event_run(c.event, UINT64_MAX), 0);
                /* Now the port is free, and his. */
                for (unsigned j = 0; j < 500 && atomic_load(&score->takeovers) <= takeovers; j++)
                        (void) usleep(10000);
                ck_assert_uint_gt(atomic_load(&score->takeovers), takeovers);
        }
        client_done(&c);
        stop_attackers();
        harness_stop(broker);
        ck_assert_uint_eq(won, ROUNDS);
        ck_assert_uint_eq(atomic_load(&score->bytes), 0);
}
END_TEST

int main(void) {
        Suite *s = suite_create("bridge");
        TCase *t = tcase_create("stranger");
        SRunner *r;
        int failed;

        if (geteuid() != 0) {
                fprintf(stderr, "needs root\n");
                return SKIPPED;
        }
        tcase_add_unchecked_fixture(t, harness_setup, harness_teardown);
        tcase_set_timeout(t, 240);
        tcase_add_test(t, stranger_on_the_loopback_leg_gets_not_a_byte);
        suite_add_tcase(s, t);
        r = srunner_create(s);
        srunner_run_all(r, CK_NORMAL);
        failed = srunner_ntests_failed(r);
        srunner_free(r);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
