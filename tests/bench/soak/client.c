/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/bench/soak/client.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/random.h>
#include <time.h>

#include "libclient/fleetprov-client.h"

#define ANSWER_USEC (60 * USEC_PER_SEC)
#define PAUSE_MSEC_MAX 400U
#define WAIT_USEC_MAX (3 * USEC_PER_SEC)
#define STATUS_BROKEN 4

typedef struct Life {
        const SoakClient *self;
        Account *account;
        fleetprov_client *client;
} Life;

static unsigned draw(unsigned n) {
        uint32_t random;

        if (getrandom(&random, sizeof(random), 0) != sizeof(random))
                _exit(STATUS_BROKEN);
        return random % n;
}

/* With a chance of 1 to n. */
static bool once_in(unsigned n) {
        return draw(n) == 0;
}

_Noreturn static void broken(Life *life, const char *format, ...) _printf_(2, 3);

/* The first one counts; the parent tells it. */
static void broken(Life *life, const char *format, ...) {
        char *to = life->self->ledger->broken;
        va_list ap;

        va_start(ap, format);
        if (*to == '\0')
                (void) vsnprintf(to, sizeof(life->self->ledger->broken), format, ap);
        va_end(ap);
        _exit(STATUS_BROKEN);
}

_Noreturn static void die(Life *life) {
        life->account->deaths++;
        _exit(SOAK_CLIENT_DIED); /* nothing is closed in good order */
}

/* Dies with the call half-way, sometimes. NULL: there is no answer. */
static fleetprov_event *answer(Life *life, int r, uint64_t ticket) {
        fleetprov_event *event = NULL;

        if (r < 0)
                return NULL;
        if (once_in(200)) {
                (void) fleetprov_client_dispatch(life->client);
                die(life);
        }
        r = fleetprov_client_wait(life->client, ticket, ANSWER_USEC, &event);
        if (r == -ETIMEDOUT)
                broken(life, "client %u got no answer for a minute", life->self->number);
        return r < 0 ? NULL : event;
}

static const fleetprov_error *error_of(const fleetprov_event *event) {
        return fleetprov_event_get_error(event);
}

static fleetprov_request *make_request(const Life *life, const Entry *e) {
        static const char *const types[] = {"ec-p256", "ec-p384"};
        fleetprov_request *request = NULL;
        bool csr = e->operation == FLEETPROV_OPERATION_CREATE_CERTIFICATE_FROM_CSR;

        if (fleetprov_request_new(&request, e->operation, e->profile) < 0)
                return NULL;
        (void) fleetprov_request_set_key(request, e->key);
        if (e->operation == FLEETPROV_OPERATION_PROVISION) {
                char serial[IPC_KEY_MAX + sizeof("refuse-")];

                (void) snprintf(serial, sizeof(serial), "%s%s", once_in(30) ? "refuse-" : "",
                                e->key);
                (void) fleetprov_request_add_parameter(request, "SerialNumber", serial);
                csr = once_in(4);
                if (!csr && once_in(6))
                        (void) fleetprov_request_set_key_source(request, "cloud");
                else if (!csr)
                        (void) fleetprov_request_set_key_type(request, types[draw(2)]);
        }
        if (csr)
                (void) fleetprov_request_set_csr(request, life->self->csr);
        if (once_in(12))
                (void) fleetprov_request_set_deadline(request, (1 + draw(5)) * USEC_PER_SEC);
        return request;
}

/* One and the same key is always the same job, unless it was released. */
static void note_id(Life *life, Entry *e, const char *id) {
        if (*e->id && !e->released && !streq(e->id, id))
                broken(life, "key %s was job %s, and is %s now", e->key, e->id, id);
        (void) snprintf(e->id, sizeof(e->id), "%s", id);
}

static void submit(Life *life, Entry *e) {
        fleetprov_request *request = make_request(life, e);
        fleetprov_event *event;
        uint64_t ticket = 0;
        int r;

        r = fleetprov_client_submit(life->client, request, &ticket);
        event = answer(life, r, ticket);
        fleetprov_request_free(request);
        if (!event)
                return;
        if (!error_of(event))
                note_id(life, e, fleetprov_event_get_job_id(event));
        else if (*e->id == '\0')
                e->refused = true;
        fleetprov_event_free(event);
}

static void submit_new(Life *life) {
        Entry *e = account_add(life->account);
        unsigned kind = draw(20);

        if (!e)
                return;
        (void) snprintf(e->key, sizeof(e->key), "soak-%u-%u-%zu",
                        (unsigned) life->self->ledger->round, life->self->number,
                        (size_t) life->account->n);
        e->operation = kind == 0   ? FLEETPROV_OPERATION_CREATE_CERTIFICATE_FROM_CSR
                       : kind == 1 ? FLEETPROV_OPERATION_CREATE_KEYS_AND_CERTIFICATE
                                   : FLEETPROV_OPERATION_PROVISION;
        e->profile = once_in(2) ? "json" : "cbor";
        life->account->n++;
        submit(life, e);
}

/* What has ended stays so, with the same certificate. */
static void note_end(Life *life, Entry *e, int state) {
        if (!e->steered && e->end >= 0 && e->end != state)
                broken(life, "job %s was %s, and is %s", e->id, fleetprov_state_to_string(e->end),
                       fleetprov_state_to_string(state));
        e->end = state;
}

static void note_certificate(Life *life, Entry *e, fleetprov_event *event) {
        fleetprov_result *result = fleetprov_event_steal_result(event);
        const char *id = fleetprov_result_get_certificate_id(result);

        if (!id || strlen(id) >= sizeof(e->certificate))
                broken(life, "the result of job %s has no certificate", e->id);
        if (*e->certificate && !streq(e->certificate, id))
                broken(life, "job %s had certificate %s, and has %s", e->id, e->certificate, id);
        (void) snprintf(e->certificate, sizeof(e->certificate), "%s", id);
        fleetprov_result_free(result);
}

static void call_job(Life *life, const Entry *e,
                     int (*call)(fleetprov_client *, const char *, uint64_t *)) {
        uint64_t ticket = 0;
        int r = call(life->client, e->id, &ticket);

        fleetprov_event_free(answer(life, r, ticket));
}

static void fetch(Life *life, Entry *e) {
        fleetprov_event *event;
        uint64_t ticket = 0;
        int r;

        r = fleetprov_client_get_result(life->client, e->id, &ticket);
        event = answer(life, r, ticket);
        if (!event)
                return;
        if (!error_of(event))
                note_certificate(life, e, event);
        else if (!e->steered && !e->released &&
                 fleetprov_error_get_code(error_of(event)) != FLEETPROV_RESULT_GONE)
                broken(life, "job %s has succeeded, and its result is refused: %s", e->id,
                       fleetprov_error_get_message(error_of(event)));
        fleetprov_event_free(event);
}

static void release(Life *life, Entry *e) {
        e->released = true;
        call_job(life, e, fleetprov_client_release);
}

static void wait_for(Life *life, Entry *e) {
        fleetprov_error *error = NULL;
        fleetprov_job *job = NULL;
        int r, state;

        r = fleetprov_client_wait_job(life->client, e->id, draw(WAIT_USEC_MAX), &job, &error);
        if (r > 0 && !e->released && fleetprov_error_get_code(error) == FLEETPROV_NO_SUCH_JOB)
                broken(life, "job %s is lost", e->id);
        fleetprov_error_free(error);
        if (r != 0)
                return;
        state = fleetprov_job_get_state(job);
        fleetprov_job_free(job);
        note_end(life, e, state);
        if (state != FLEETPROV_STATE_SUCCEEDED)
                return;
        fetch(life, e);
        if (once_in(2))
                call_job(life, e, fleetprov_client_acknowledge);
        if (once_in(6))
                release(life, e);
}

static void steer(Life *life, Entry *e) {
        if (e->released)
                return;
        if (once_in(2)) {
                wait_for(life, e);
        } else if (once_in(2)) {
                e->steered = true;
                call_job(life, e, fleetprov_client_cancel);
        } else if (*e->certificate == '\0') {
                e->steered = true;
                submit(life, e); /* perhaps as another request: then it is refused */
        } else if (once_in(4))
                release(life, e);
}

static void look_around(Life *life) {
        uint64_t ticket = 0;
        int r;

        r = once_in(2) ? fleetprov_client_list_jobs(life->client, once_in(2), &ticket)
                       : fleetprov_client_get_status(life->client, &ticket);
        fleetprov_event_free(answer(life, r, ticket));
}

static void step(Life *life) {
        Account *a = life->account;
        Entry *e = a->n > 0 ? a->entries + draw((unsigned) a->n) : NULL;

        if (once_in(20))
                look_around(life);
        else if (once_in(3) && e && *e->id)
                steer(life, e);
        else {
                submit_new(life);
                e = a->n > 0 ? a->entries + a->n - 1 : NULL;
                if (e && *e->id && !e->released && !once_in(4))
                        wait_for(life, e);
        }
        if (once_in(100))
                die(life);
}

void soak_client_run(void *userdata) {
        const SoakClient *self = userdata;
        Life life = {.self = self, .account = self->ledger->accounts + self->number};
        int r = fleetprov_client_new(&life.client, self->socket);

        if (r < 0)
                broken(&life, "client %u cannot connect: %s", self->number, strerrordesc_np(-r));
        while (!self->ledger->pause) {
                const struct timespec pause = {.tv_nsec = draw(PAUSE_MSEC_MAX) * 1000000L};

                step(&life);
                (void) nanosleep(&pause, NULL);
        }
        fleetprov_client_free(life.client);
}
