/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/libclient/harness.h"

#include <check.h>
#include <string.h>

Stub stub;
fleetprov_client *client;

void client_setup(void) {
        stub_start(&stub);
        ck_assert_int_eq(fleetprov_client_new(&client, stub.path), 0);
}

void client_teardown(void) {
        client = fleetprov_client_free(client);
        stub_stop(&stub);
}

fleetprov_request *request(const char *key, const char *outcome) {
        fleetprov_request *r = NULL;

        ck_assert_int_eq(fleetprov_request_new(&r, FLEETPROV_OPERATION_PROVISION, NULL), 0);
        if (key)
                ck_assert_int_eq(fleetprov_request_set_key(r, key), 0);
        ck_assert_int_eq(fleetprov_request_add_parameter(r, "SerialNumber", "7"), 0);
        if (outcome)
                ck_assert_int_eq(fleetprov_request_add_parameter(r, "outcome", outcome), 0);
        return r;
}

fleetprov_event *answer(uint64_t ticket) {
        fleetprov_event *event = NULL;

        ck_assert_int_eq(fleetprov_client_wait(client, ticket, LONG_USEC, &event), 0);
        ck_assert_int_eq(fleetprov_event_get_type(event), FLEETPROV_EVENT_ANSWER);
        ck_assert_uint_eq(fleetprov_event_get_ticket(event), ticket);
        return event;
}

int answer_code(uint64_t ticket) {
        fleetprov_event *event = answer(ticket);
        const fleetprov_error *error = fleetprov_event_get_error(event);
        int code = error ? fleetprov_error_get_code(error) : FLEETPROV_OK;

        fleetprov_event_free(event);
        return code;
}

void submit(const char *key, const char *outcome, char id[33]) {
        fleetprov_request *r = request(key, outcome);
        fleetprov_event *event;
        uint64_t ticket;

        ck_assert_int_eq(fleetprov_client_submit(client, r, &ticket), 0);
        fleetprov_request_free(r);
        event = answer(ticket);
        ck_assert_ptr_null(fleetprov_event_get_error(event));
        ck_assert_uint_eq(strlen(fleetprov_event_get_job_id(event)), 32);
        strcpy(id, fleetprov_event_get_job_id(event));
        fleetprov_event_free(event);
}
