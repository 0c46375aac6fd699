/* SPDX-License-Identifier: GPL-2.0-or-later */

/* What all connections share, at its end. The name servers are dead: getaddrinfo() is wrapped by
 * the linker. */

#include "daemon/net/network.h"

#include <netdb.h>
#include <semaphore.h>

#include "daemon/net/connection.h"
#include "daemon/net/resolve.h"
#include "tests/unit/net/run-suite.h"

static sem_t asked, answer, answered;

int __wrap_getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
                       struct addrinfo **ret);

int __wrap_getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
                       struct addrinfo **ret) {
        (void) sem_post(&asked);
        (void) sem_wait(&answer);
        (void) sem_post(&answered);
        return EAI_AGAIN;
}

static void on_lost(Failure *failure, void *userdata) {
        ck_abort_msg("told after its end");
}

static void setup(void) {
        sem_init(&asked, 0, 0);
        sem_init(&answer, 0, 0);
        sem_init(&answered, 0, 0);
}

static ConnectionParameters parameters(const Secret *trusted) {
        return (ConnectionParameters){
                .road.tls = {.host = "name.example", .port = 8883, .trusted = trusted},
                .client_id = "x",
                .keep_alive_sec = 60,
                .connect_timeout_usec = 60 * USEC_PER_SEC,
                .packet_max = 1024,
        };
}

/* The stop of the daemon is not held up by a question that nobody answers, and an answer that comes
 * afterwards finds nothing to break. */
START_TEST(network_is_freed_while_a_name_hangs)
{
        static const ConnectionHandlers handlers = {.lost = on_lost};
        _cleanup_secret_ Secret *trusted = secret_new("x", 1);
        const ConnectionParameters p = parameters(trusted);
        Connection *first, *second;
        sd_event *event;
        Network *n;

        ck_assert_int_ge(sd_event_new(&event), 0);
        ck_assert_int_eq(network_new(event, &n), 0);
        ck_assert_int_eq(connection_new(n, &p, &handlers, NULL, &first), 0);
        (void) sem_wait(&asked);
        ck_assert_int_eq(connection_new(n, &p, &handlers, NULL, &second), 0);
        first = connection_free(first);
        second = connection_free(second);
        n = network_free(n);
        event = sd_event_unref(event);

        if (_i == 0)
                return; /* the process ends before the answer comes */
        (void) sem_post(&answer);
        (void) sem_wait(&answered);
        (void) usleep(20000);
        ck_assert_int_eq(sem_trywait(&asked), -1); /* the second question was not asked any more */
}
END_TEST

/* Sessions that give up waiting for a name and try again do not fill the line. */
START_TEST(names_that_nobody_waits_for_are_not_asked)
{
        static const ConnectionHandlers handlers = {.lost = on_lost};
        _cleanup_secret_ Secret *trusted = secret_new("x", 1);
        const ConnectionParameters p = parameters(trusted);
        Connection *hanging, *c;
        sd_event *event;
        Network *n;

        ck_assert_int_ge(sd_event_new(&event), 0);
        ck_assert_int_eq(network_new(event, &n), 0);
        ck_assert_int_eq(connection_new(n, &p, &handlers, NULL, &hanging), 0);
        (void) sem_wait(&asked);
        for (unsigned i = 0; i < 3 * RESOLVE_QUEUE_MAX; i++) {
                ck_assert_int_eq(connection_new(n, &p, &handlers, NULL, &c), 0);
                connection_free(c);
        }
        hanging = connection_free(hanging); /* it runs, so it is left to its end */
        ck_assert_int_eq(connection_new(n, &p, &handlers, NULL, &c), 0);
        (void) sem_post(&answer);
        (void) sem_wait(&asked); /* the next question is the last one's */
        connection_free(c);
        (void) sem_post(&answer);
        n = network_free(n);
        event = sd_event_unref(event);
        ck_assert_int_eq(sem_trywait(&asked), -1);
}
END_TEST

int main(void) {
        Suite *s = suite_create("network");
        TCase *t = tcase_create("network");

        tcase_add_checked_fixture(t, setup, NULL);
        tcase_set_timeout(t, 30);
        tcase_add_loop_test(t, network_is_freed_while_a_name_hangs, 0, 2);
        tcase_add_test(t, names_that_nobody_waits_for_are_not_asked);
        suite_add_tcase(s, t);
        return run_suite(s);
}
