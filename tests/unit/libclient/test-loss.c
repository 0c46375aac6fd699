/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The client when things go wrong between it and the daemon: restarts, lost answers, floods, closed
 * doors. */

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/libclient/harness.h"

START_TEST(restart_of_the_daemon_is_waited_out)
{
        fleetprov_request *r = request("k", "restart");
        fleetprov_result *result = NULL;

        ck_assert_int_eq(fleetprov_client_provision(client, r, LONG_USEC, 0, &result, NULL), 0);
        ck_assert_str_eq(fleetprov_result_get_thing_name(result), "thing-1");
        fleetprov_result_free(result);
        fleetprov_request_free(r);
}
END_TEST

START_TEST(end_that_nobody_told_is_found_after_a_restart)
{
        fleetprov_request *r = request("k", "lost-end");
        fleetprov_result *result = NULL;

        ck_assert_int_eq(fleetprov_client_provision(client, r, LONG_USEC, 0, &result, NULL), 0);
        fleetprov_result_free(result);
        fleetprov_request_free(r);
}
END_TEST

START_TEST(release_whose_answer_is_lost_has_succeeded)
{
        uint64_t ticket;
        char id[33];

        submit("k", "lost-release", id);
        ck_assert_int_eq(fleetprov_client_release(client, id, &ticket), 0);
        ck_assert_int_eq(answer_code(ticket), FLEETPROV_OK);
        ck_assert_int_eq(fleetprov_client_release(client, id, &ticket), 0);
        ck_assert_int_eq(answer_code(ticket), FLEETPROV_NO_SUCH_JOB);
}
END_TEST

/* 400 jobs tell of themselves three times each, which is more than 1024. */
static void make_noise(void) {
        fleetprov_client *other = NULL;
        fleetprov_event *event = NULL;
        fleetprov_request *r = request(NULL, NULL);
        uint64_t ticket;

        ck_assert_int_eq(fleetprov_client_new(&other, stub.path), 0);
        for (int i = 0; i < 400; i++) {
                ck_assert_int_eq(fleetprov_client_submit(other, r, &ticket), 0);
                ck_assert_int_eq(fleetprov_client_wait(other, ticket, LONG_USEC, &event), 0);
                ck_assert_ptr_null(fleetprov_event_get_error(event));
                fleetprov_event_free(event);
        }
        fleetprov_client_free(other);
        fleetprov_request_free(r);
}

START_TEST(events_that_nobody_pops_stay_bounded)
{
        fleetprov_event *event = NULL;
        int n = 0, last = -1;
        uint64_t ticket, due;

        ck_assert_int_eq(fleetprov_client_get_status(client, &ticket), 0);
        fleetprov_event_free(answer(ticket));
        make_noise();
        while (fleetprov_client_get_events(client) != 0)
                ck_assert_int_ge(fleetprov_client_dispatch(client), 0);
        ck_assert_int_eq(fleetprov_client_get_timeout(client, &due), 0);
        ck_assert(due == FLEETPROV_FOREVER);
        /* A blocking call reads on, drops what is too much, and that is told. */
        ck_assert_int_eq(fleetprov_client_list_jobs(client, 1, &ticket), 0);
        fleetprov_event_free(answer(ticket));
        while (fleetprov_client_pop_event(client, &event) > 0) {
                last = fleetprov_event_get_type(event);
                fleetprov_event_free(event);
                n++;
        }
        ck_assert_int_eq(n, 1025);
        ck_assert_int_eq(last, FLEETPROV_EVENT_RESYNC);
        ck_assert_int_ne(fleetprov_client_get_events(client), 0);
}
END_TEST

START_TEST(request_with_a_key_is_sent_again_when_its_answer_is_lost)
{
        char first[33], second[33];
        uint64_t ticket;

        submit("warm-up", NULL, first);
        submit("again", "lost-answer", second);
        ck_assert_str_eq(second, "00000000000000000000000000000002");
        ck_assert_int_eq(fleetprov_client_get_job(client, second, &ticket), 0);
        ck_assert_int_eq(answer_code(ticket), FLEETPROV_OK);
}
END_TEST

START_TEST(request_without_a_key_is_not_sent_twice)
{
        fleetprov_request *r = request(NULL, "lost-answer");
        fleetprov_event *event;
        uint64_t ticket;
        char id[33];

        submit("warm-up", NULL, id);
        ck_assert_int_eq(fleetprov_client_submit(client, r, &ticket), 0);
        ck_assert_int_eq(answer_code(ticket), FLEETPROV_CONNECTION_LOST);
        /* The loss and the return are told, and the connection serves again. */
        for (int type = -1; type != FLEETPROV_EVENT_RESYNC;) {
                ck_assert_int_eq(fleetprov_client_wait(client, 0, LONG_USEC, &event), 0);
                type = fleetprov_event_get_type(event);
                fleetprov_event_free(event);
        }
        ck_assert_int_eq(fleetprov_client_list_jobs(client, 1, &ticket), 0);
        event = answer(ticket);
        ck_assert_uint_eq(fleetprov_event_get_n_jobs(event), 2);
        fleetprov_event_free(event);
        fleetprov_request_free(r);
}
END_TEST

START_TEST(call_made_while_the_daemon_is_away_is_answered_when_it_is_back)
{
        uint64_t ticket;
        char id[33];

        submit("warm-up", NULL, id);
        stub_kill(&stub);
        fleetprov_client_dispatch(client);
        ck_assert_int_eq(fleetprov_client_list_jobs(client, 1, &ticket), 0);
        fleetprov_client_dispatch(client);
        fleetprov_client_dispatch(client);
        stub_restart(&stub);
        ck_assert_int_eq(answer_code(ticket), FLEETPROV_OK);
}
END_TEST

START_TEST(no_daemon_is_said_at_once)
{
        fleetprov_client *c = NULL;
        char path[256];

        snprintf(path, sizeof(path), "%s/nothing here", stub.dir);
        ck_assert_int_eq(fleetprov_client_new(&c, path), -ENOENT);
        stub_kill(&stub);
        ck_assert_int_eq(fleetprov_client_new(&c, stub.path), -ECONNREFUSED);
        ck_assert_int_eq(fleetprov_client_new(&c, ""), -EINVAL);
        ck_assert_ptr_null(c);
}
END_TEST

START_TEST(turned_away_at_the_door_is_told_and_may_be_retried)
{
        fleetprov_client *others[32] = {0};
        fleetprov_event *event = NULL;
        uint64_t ticket;

        /* The stub serves 32 connections; `client` is one of them. */
        for (size_t i = 0; i < 32; i++) {
                int r = fleetprov_client_new(&others[i], stub.path);

                /* The door may close while the first words are being written, too. */
                if (i == 31 && r == -EAGAIN)
                        break;
                ck_assert_int_eq(r, 0);
                ck_assert_int_eq(fleetprov_client_get_status(others[i], &ticket), 0);
                ck_assert_int_eq(fleetprov_client_wait(others[i], ticket, LONG_USEC, &event), 0);
                if (i < 31)
                        ck_assert_ptr_null(fleetprov_event_get_error(event));
                else {
                        const fleetprov_error *error = fleetprov_event_get_error(event);

                        ck_assert_int_eq(fleetprov_error_get_code(error),
                                         FLEETPROV_CONNECTION_LOST);
                        ck_assert_int_eq(fleetprov_error_get_retriable(error), 1);
                }
                fleetprov_event_free(event);
        }
        for (size_t i = 0; i < 32; i++)
                fleetprov_client_free(others[i]);
}
END_TEST

int main(void) {
        Suite *s = suite_create("libclient: losses");
        TCase *t = tcase_create("against a stub");
        SRunner *runner;
        int failed;

        tcase_add_checked_fixture(t, client_setup, client_teardown);
        tcase_set_timeout(t, 60);
        tcase_add_test(t, restart_of_the_daemon_is_waited_out);
        tcase_add_test(t, end_that_nobody_told_is_found_after_a_restart);
        tcase_add_test(t, release_whose_answer_is_lost_has_succeeded);
        tcase_add_test(t, events_that_nobody_pops_stay_bounded);
        tcase_add_test(t, request_with_a_key_is_sent_again_when_its_answer_is_lost);
        tcase_add_test(t, request_without_a_key_is_not_sent_twice);
        tcase_add_test(t, call_made_while_the_daemon_is_away_is_answered_when_it_is_back);
        tcase_add_test(t, no_daemon_is_said_at_once);
        tcase_add_test(t, turned_away_at_the_door_is_told_and_may_be_retried);
        suite_add_tcase(s, t);
        runner = srunner_create(s);
        srunner_run_all(runner, CK_ENV);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
