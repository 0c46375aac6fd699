/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/integration/disk/customer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>

#include "tests/integration/lib/agent.h"
#include "tests/integration/lib/process.h"

#define ORDERS_AT_ONCE 3U
#define LINE_BYTES 256U

typedef enum Asked {
        ASKED_SUBMIT,
        ASKED_NOTHING, /* waits for the announcement */
        ASKED_RESULT,
        ASKED_ACKNOWLEDGE,
        ASKED_RELEASE,
} Asked;

typedef struct Order {
        char key[64];
        JobId id;
        Asked asked;
        uint64_t ticket;
        unsigned number;
} Order;

typedef struct Customer {
        const char *socket, *ledger, *name;
        fleetprov_client *client;
        int fd;
        unsigned n_orders; /* so far */
        Order orders[ORDERS_AT_ONCE];
} Customer;

/* Whoever is cut off at an append has written all of the line or nothing. */
static void _printf_(2, 3) note(const Customer *c, const char *format, ...) {
        char line[LINE_BYTES];
        va_list args;
        int n;

        va_start(args, format);
        n = vsnprintf(line, sizeof(line), format, args);
        va_end(args);
        if (n < 0 || (size_t) n >= sizeof(line) || write(c->fd, line, (size_t) n) != n)
                _exit(EXIT_FAILURE);
}

unsigned long long customer_sum(const void *data, size_t size) {
        const unsigned char *bytes = data;
        unsigned long long sum = 0xcbf29ce484222325; /* FNV-1a */

        for (size_t i = 0; i < size; i++)
                sum = (sum ^ bytes[i]) * 0x100000001b3;
        return sum;
}

/* A connection that ended is the test's doing. */
static void must(int r) {
        if (r < 0)
                _exit(EXIT_SUCCESS);
}

static void order(Customer *c, Order *o) {
        fleetprov_request *request;

        *o = (Order){.number = c->n_orders++, .asked = ASKED_SUBMIT};
        (void) snprintf(o->key, sizeof(o->key), "%s-%u", c->name, o->number);
        must(fleetprov_request_new(&request, FLEETPROV_OPERATION_PROVISION, NULL));
        must(fleetprov_request_set_key(request, o->key));
        must(fleetprov_request_add_parameter(request, "SerialNumber", o->key));
        if (o->number % 4 == 3)
                must(fleetprov_request_set_key_source(request, "cloud"));
        must(fleetprov_client_submit(c->client, request, &o->ticket));
        fleetprov_request_free(request);
}

static void ask(Customer *c, Order *o, Asked asked, AgentCall call) {
        o->asked = asked;
        must(call(c->client, o->id.text, &o->ticket));
}

static void take_result(Customer *c, Order *o, fleetprov_event *event) {
        fleetprov_result *result = fleetprov_event_steal_result(event);
        fleetprov_secret *key;

        if (!result ||
            fleetprov_result_read_secret(result, FLEETPROV_SECRET_PRIVATE_KEY, &key) < 0) {
                note(c, "! %s: a result without a key\n", o->id.text);
                _exit(EXIT_FAILURE);
        }
        note(c, "R %s %s %llx\n", o->id.text, fleetprov_result_get_certificate_id(result),
             customer_sum(fleetprov_secret_get_data(key), fleetprov_secret_get_size(key)));
        fleetprov_secret_free(key);
        fleetprov_result_free(result);
        /* A third stays as it is, a third is acknowledged, a third goes. */
        if (o->number % 3 == 1) {
                note(c, "a %s\n", o->id.text);
                ask(c, o, ASKED_ACKNOWLEDGE, fleetprov_client_acknowledge);
        } else if (o->number % 3 == 2) {
                note(c, "x %s\n", o->id.text);
                ask(c, o, ASKED_RELEASE, fleetprov_client_release);
        } else
                order(c, o);
}

static void on_answer(Customer *c, Order *o, fleetprov_event *event) {
        const fleetprov_error *error = fleetprov_event_get_error(event);

        if (error && fleetprov_error_get_code(error) == FLEETPROV_STORAGE) {
                o->ticket = 0; /* the disk is gone, and soon so are we */
                return;
        }
        if (error && fleetprov_error_get_code(error) == FLEETPROV_CONNECTION_LOST)
                _exit(EXIT_SUCCESS);
        if (error) {
                note(c, "! %s, asked %d: %s\n", o->key, (int) o->asked,
                     fleetprov_error_get_message(error));
                return;
        }
        switch (o->asked) {
        case ASKED_SUBMIT:
                (void) snprintf(o->id.text, sizeof(o->id.text), "%s",
                                fleetprov_event_get_job_id(event));
                note(c, "S %s %s\n", o->id.text, o->key);
                o->asked = ASKED_NOTHING;
                o->ticket = 0;
                break;
        case ASKED_RESULT:
                take_result(c, o, event);
                break;
        case ASKED_ACKNOWLEDGE:
                note(c, "A %s\n", o->id.text);
                order(c, o);
                break;
        case ASKED_RELEASE:
                note(c, "X %s\n", o->id.text);
                order(c, o);
                break;
        case ASKED_NOTHING:
                break;
        }
}

static void on_changed(Customer *c, const fleetprov_event *event) {
        const char *id = fleetprov_event_get_job_id(event);
        int state = fleetprov_event_get_state(event);

        if (!fleetprov_state_is_final(state))
                return;
        if (state != FLEETPROV_STATE_SUCCEEDED) {
                note(c, "! %s has ended as %s\n", id, fleetprov_state_to_string(state));
                return;
        }
        note(c, "D %s\n", id);
        for (Order *o = c->orders; o < c->orders + ORDERS_AT_ONCE; o++)
                if (o->asked == ASKED_NOTHING && streq(o->id.text, id))
                        ask(c, o, ASKED_RESULT, fleetprov_client_get_result);
}

static void on_event(Customer *c, fleetprov_event *event) {
        switch (fleetprov_event_get_type(event)) {
        case FLEETPROV_EVENT_ANSWER:
                for (Order *o = c->orders; o < c->orders + ORDERS_AT_ONCE; o++)
                        if (o->ticket == fleetprov_event_get_ticket(event)) {
                                on_answer(c, o, event);
                                break;
                        }
                break;
        case FLEETPROV_EVENT_JOB_ADDED:
                note(c, "N %s\n", fleetprov_event_get_job_id(event));
                break;
        case FLEETPROV_EVENT_JOB_CHANGED:
                on_changed(c, event);
                break;
        case FLEETPROV_EVENT_JOB_REMOVED:
                note(c, "X %s\n", fleetprov_event_get_job_id(event));
                break;
        default: /* the daemon is gone */
                _exit(EXIT_SUCCESS);
        }
}

static void run(void *userdata) {
        Customer *c = userdata;

        c->fd = open(c->ledger, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
        must(c->fd);
        must(fleetprov_client_new(&c->client, c->socket));
        for (Order *o = c->orders; o < c->orders + ORDERS_AT_ONCE; o++)
                order(c, o);
        for (;;) {
                fleetprov_event *event;

                must(fleetprov_client_wait(c->client, 0, FLEETPROV_FOREVER, &event));
                on_event(c, event);
                fleetprov_event_free(event);
        }
}

pid_t customer_start(const char *socket, const char *ledger, const char *name) {
        Customer c = {.socket = socket, .ledger = ledger, .name = name, .fd = -1};

        return process_fork_as(geteuid(), getegid(), NULL, 0, run, &c);
}
