/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Dialling names with several addresses. The names are the test's own: getaddrinfo() is wrapped by
 * the linker. */

#include "daemon/net/dial.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <stdio.h>

#include "daemon/net/resolve.h"
#include "tests/unit/net/run-suite.h"

#define ANSWERS_MAX 32U

/* What the name means: addresses, or an error. */
static const char *answers[ANSWERS_MAX];
static size_t n_answers;
static int answer_error;
static unsigned answer_delay_usec;

int __wrap_getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
                       struct addrinfo **ret);
int __real_getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
                       struct addrinfo **ret);

int __wrap_getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
                       struct addrinfo **ret) {
        struct addrinfo *first = NULL, **link = &first;

        (void) usleep(answer_delay_usec);
        if (answer_error != 0)
                return answer_error;
        for (size_t i = 0; i < n_answers; i++) {
                ck_assert_int_eq(__real_getaddrinfo(answers[i], service, hints, link), 0);
                while (*link)
                        link = &(*link)->ai_next;
        }
        *ret = first;
        return 0;
}

static sd_event *event;
static Worker *names;
static Dial *dial;
static int result_fd;
static Failure *result_failure;
static unsigned n_results;

static void on_dialled(int fd, Failure *failure, void *userdata) {
        n_results++;
        result_fd = fd;
        result_failure = failure;
        dial = dial_free(dial); /* it may be freed here */
}

static void setup(void) {
        ck_assert_int_ge(sd_event_new(&event), 0);
        ck_assert_int_eq(
                worker_new(event, &(WorkerOptions){.name = "names", .queue_max = RESOLVE_QUEUE_MAX},
                           &names),
                0);
        result_fd = -1;
}

static void teardown(void) {
        dial_free(dial);
        worker_free(names);
        sd_event_unref(event);
        failure_free(result_failure);
        close_fd(result_fd);
}

static void start(uint16_t port) {
        ck_assert_int_eq(dial_new(event, names,
                                  &(DialParameters){.host = "name.example",
                                                    .port = port,
                                                    .user_timeout_usec = 30 * USEC_PER_SEC},
                                  on_dialled, NULL, &dial),
                         0);
        ck_assert_uint_eq(n_results, 0);
}

static void run(void) {
        while (n_results == 0)
                ck_assert_int_ge(sd_event_run(event, UINT64_MAX), 0);
        ck_assert_uint_eq(n_results, 1);
}

/* On one IPv4 address alone; *ret_port is free on all others. */
static int listen_on(const char *address, int backlog, uint16_t *ret_port) {
        struct sockaddr_in a = {.sin_family = AF_INET};
        socklen_t size = sizeof(a);
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

        ck_assert_int_eq(inet_pton(AF_INET, address, &a.sin_addr), 1);
        ck_assert_int_eq(bind(fd, (struct sockaddr *) &a, size), 0);
        ck_assert_int_eq(listen(fd, backlog), 0);
        ck_assert_int_eq(getsockname(fd, (struct sockaddr *) &a, &size), 0);
        *ret_port = ntohs(a.sin_port);
        return fd;
}

static void answer(const char *const list[], size_t n) {
        memcpy(answers, list, n * sizeof(*list));
        n_answers = n;
}

START_TEST(address_that_answers_wins)
{
        static const char *const list[] = {"::1", "127.0.0.3", "127.0.0.2"};
        int one = 0;
        socklen_t size = sizeof(one);
        struct sockaddr_in peer = {};
        socklen_t peer_size = sizeof(peer);
        uint16_t port;
        int listener = listen_on("127.0.0.2", 8, &port);

        answer(list, ELEMENTSOF(list));
        start(port);
        run();
        ck_assert_int_ge(result_fd, 0);
        ck_assert_int_eq(getpeername(result_fd, (struct sockaddr *) &peer, &peer_size), 0);
        ck_assert_uint_eq(ntohl(peer.sin_addr.s_addr), 0x7f000002);
        ck_assert_int_eq(getsockopt(result_fd, IPPROTO_TCP, TCP_NODELAY, &one, &size), 0);
        ck_assert_int_ne(one, 0);
        close(listener);
}
END_TEST

/* The first swallows what comes; the second is not made to wait for its end. */
START_TEST(black_hole_does_not_hold_up_the_next)
{
        static const char *const list[] = {"127.0.0.2", "127.0.0.3"};
        struct sockaddr_in a = {.sin_family = AF_INET};
        uint16_t port;
        int hole = listen_on("127.0.0.2", 0, &port), listener, fill[4];

        a.sin_port = htons(port);
        a.sin_addr.s_addr = htonl(0x7f000002);
        for (size_t i = 0; i < ELEMENTSOF(fill); i++) {
                fill[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
                (void) connect(fill[i], (struct sockaddr *) &a, sizeof(a));
        }
        listener = socket(AF_INET, SOCK_STREAM, 0);
        a.sin_addr.s_addr = htonl(0x7f000003);
        ck_assert_int_eq(bind(listener, (struct sockaddr *) &a, sizeof(a)), 0);
        ck_assert_int_eq(listen(listener, 8), 0);

        answer(list, ELEMENTSOF(list));
        start(port);
        run();
        ck_assert_int_ge(result_fd, 0);
        for (size_t i = 0; i < ELEMENTSOF(fill); i++)
                close(fill[i]);
        close(listener);
        close(hole);
}
END_TEST

START_TEST(families_take_turns_and_each_reason_is_told)
{
        static const char *const list[] = {"127.0.0.2", "127.0.0.3", "127.0.0.4", "::1"};
        uint16_t port;
        int listener = listen_on("127.0.0.9", 8, &port);
        const char *at;

        answer(list, ELEMENTSOF(list));
        start(port);
        run();
        ck_assert_int_eq(result_fd, -1);
        ck_assert_int_eq(failure_code(result_failure), ERROR_CONNECT_FAILED);
        at = strstr(result_failure->message, "127.0.0.2: Connection refused; ::1: ");
        ck_assert_msg(at != NULL, "%s", result_failure->message);
        at = strstr(at, "127.0.0.3: Connection refused; 127.0.0.4: Connection refused;");
        ck_assert_msg(at != NULL, "%s", result_failure->message);
        close(listener);
}
END_TEST

START_TEST(addresses_beyond_the_bound_are_left_out)
{
        uint16_t port;
        int listener = listen_on("127.0.0.9", 8, &port);

        for (n_answers = 0; n_answers < ANSWERS_MAX; n_answers++)
                answers[n_answers] = n_answers < RESOLVE_ADDRESSES_MAX ? "127.0.0.2" : "127.0.0.9";
        start(port);
        run();
        ck_assert_int_eq(failure_code(result_failure), ERROR_CONNECT_FAILED);
        close(listener);
}
END_TEST

START_TEST(name_without_an_address_is_told_so)
{
        static const int errors[] = {EAI_NONAME, EAI_AGAIN, EAI_SYSTEM, 0};

        answer_error = errors[_i];
        start(1);
        run();
        ck_assert_int_eq(failure_code(result_failure), ERROR_NAME_RESOLUTION);
        ck_assert_ptr_nonnull(strstr(result_failure->message, "name.example"));
}
END_TEST

START_TEST(dial_is_freed_while_the_name_is_looked_up)
{
        static const char *const list[] = {"127.0.0.2"};

        answer(list, 1);
        answer_delay_usec = 50000;
        start(1);
        _cleanup_failure_ Failure *f = dial_failure_timeout(dial);
        ck_assert_int_eq(failure_code(f), ERROR_NAME_RESOLUTION);
        dial = dial_free(dial);
        worker_drain(names);
        ck_assert_uint_eq(n_results, 0);
}
END_TEST

START_TEST(dial_is_freed_while_it_connects)
{
        static const char *const list[] = {"127.0.0.2", "::1"};
        uint16_t port;
        int listener = listen_on("127.0.0.2", 8, &port);

        answer(list, ELEMENTSOF(list));
        start(port);
        worker_drain(names); /* resolved: the first attempt is on its way */
        _cleanup_failure_ Failure *f = dial_failure_timeout(dial);
        ck_assert_int_eq(failure_code(f), ERROR_CONNECT_FAILED);
        dial = dial_free(dial);
        ck_assert_int_ge(sd_event_run(event, 0), 0);
        ck_assert_uint_eq(n_results, 0);
        close(listener);
}
END_TEST

START_TEST(queue_of_names_is_bounded)
{
        Dial *dials[RESOLVE_QUEUE_MAX + 2];
        size_t n = 0;
        int r = 0;

        answer_error = EAI_NONAME;
        answer_delay_usec = 20000;
        while (r == 0 && n < ELEMENTSOF(dials)) {
                r = dial_new(event, names, &(DialParameters){.host = "x", .port = 1}, on_dialled,
                             NULL, &dials[n]);
                n += r == 0;
        }
        ck_assert_int_eq(r, -EAGAIN);
        while (n > 0)
                dial_free(dials[--n]);
}
END_TEST

int main(void) {
        Suite *s = suite_create("dial");
        TCase *t = tcase_create("dial");

        tcase_add_checked_fixture(t, setup, teardown);
        tcase_set_timeout(t, 30);
        tcase_add_test(t, address_that_answers_wins);
        tcase_add_test(t, black_hole_does_not_hold_up_the_next);
        tcase_add_test(t, families_take_turns_and_each_reason_is_told);
        tcase_add_test(t, addresses_beyond_the_bound_are_left_out);
        tcase_add_loop_test(t, name_without_an_address_is_told_so, 0, 4);
        tcase_add_test(t, dial_is_freed_while_the_name_is_looked_up);
        tcase_add_test(t, dial_is_freed_while_it_connects);
        tcase_add_test(t, queue_of_names_is_bounded);
        suite_add_tcase(s, t);
        return run_suite(s);
}
