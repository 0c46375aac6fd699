/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The client by way of a message bus, where the daemon is a name that comes and goes. */

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libclient/fleetprov-client.h"
#include "tests/unit/libclient/stub.h"

#define LONG_USEC 20000000U

static Stub stub;
static fleetprov_client *client;

static bool begin(void) {
        fleetprov_event *event = NULL;
        uint64_t ticket;
        int code = 0;

        if (!stub_start_on_bus(&stub))
                return false;
        ck_assert_int_eq(fleetprov_client_new(&client, stub.path), 0);
        /* Until the stub has its name. */
        do {
                ck_assert_int_eq(fleetprov_client_get_status(client, &ticket), 0);
                ck_assert_int_eq(fleetprov_client_wait(client, ticket, LONG_USEC, &event), 0);
                code = fleetprov_event_get_error(event)
                               ? fleetprov_error_get_code(fleetprov_event_get_error(event))
                               : FLEETPROV_OK;
                fleetprov_event_free(event);
        } while (code == FLEETPROV_CONNECT_FAILED);
        ck_assert_int_eq(code, FLEETPROV_OK);
        return true;
}

static void end(void) {
        client = fleetprov_client_free(client);
        stub_stop(&stub);
}

static int provision(const char *key, const char *outcome) {
        fleetprov_request *request = NULL;
        fleetprov_result *result = NULL;
        int r;

        ck_assert_int_eq(fleetprov_request_new(&request, FLEETPROV_OPERATION_PROVISION, NULL), 0);
        ck_assert_int_eq(fleetprov_request_set_key(request, key), 0);
        ck_assert_int_eq(fleetprov_request_add_parameter(request, "outcome", outcome), 0);
        r = fleetprov_client_provision(client, request, LONG_USEC, 0, &result, NULL);
        ck_assert_int_eq(result != NULL, r == 0);
        fleetprov_request_free(request);
        fleetprov_result_free(result);
        return r;
}

START_TEST(bus_serves_as_the_socket_does)
{
        if (!begin())
                return;
        ck_assert_int_eq(provision("a", "ok"), 0);
        ck_assert_int_eq(provision("b", "slow"), 0);
        ck_assert_int_eq(provision("c", "fail"), FLEETPROV_SERVER_REFUSED);
        end();
}
END_TEST

START_TEST(name_that_changes_its_owner_is_followed)
{
        if (!begin())
                return;
        ck_assert_int_eq(provision("a", "restart"), 0);
        end();
}
END_TEST

START_TEST(absence_of_the_name_is_told_and_waited_out)
{
        fleetprov_event *event = NULL;
        bool away = false, back = false;
        uint64_t ticket;

        if (!begin())
                return;
        stub_kill(&stub);
        while (!away) {
                ck_assert_int_eq(fleetprov_client_wait(client, 0, LONG_USEC, &event), 0);
                away = fleetprov_event_get_type(event) == FLEETPROV_EVENT_DISCONNECTED;
                fleetprov_event_free(event);
        }
        ck_assert_int_eq(fleetprov_client_list_jobs(client, 1, &ticket), 0);
        ck_assert_int_eq(fleetprov_client_wait(client, ticket, 50000, &event), -ETIMEDOUT);
        stub_restart(&stub);
        ck_assert_int_eq(fleetprov_client_wait(client, ticket, LONG_USEC, &event), 0);
        ck_assert_ptr_null(fleetprov_event_get_error(event));
        fleetprov_event_free(event);
        while (!back) {
                ck_assert_int_eq(fleetprov_client_wait(client, 0, LONG_USEC, &event), 0);
                back = fleetprov_event_get_type(event) == FLEETPROV_EVENT_RESYNC;
                fleetprov_event_free(event);
        }
        end();
}
END_TEST

START_TEST(bus_without_the_daemon_says_so_at_once)
{
        fleetprov_event *event = NULL;
        fleetprov_client *other = NULL;
        uint64_t ticket;

        if (!begin())
                return;
        stub_kill(&stub);
        ck_assert_int_eq(fleetprov_client_new(&other, stub.path), 0);
        ck_assert_int_eq(fleetprov_client_get_status(other, &ticket), 0);
        ck_assert_int_eq(fleetprov_client_wait(other, ticket, LONG_USEC, &event), 0);
        ck_assert_int_eq(fleetprov_error_get_code(fleetprov_event_get_error(event)),
                         FLEETPROV_CONNECT_FAILED);
        fleetprov_event_free(event);
        fleetprov_client_free(other);
        end();
}
END_TEST

int main(void) {
        Suite *s = suite_create("libclient: message bus");
        TCase *t = tcase_create("dbus-daemon");
        SRunner *runner;
        int failed;

        tcase_set_timeout(t, 60);
        tcase_add_test(t, bus_serves_as_the_socket_does);
        tcase_add_test(t, name_that_changes_its_owner_is_followed);
        tcase_add_test(t, absence_of_the_name_is_told_and_waited_out);
        tcase_add_test(t, bus_without_the_daemon_says_so_at_once);
        suite_add_tcase(s, t);
        runner = srunner_create(s);
        srunner_run_all(runner, CK_ENV);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
