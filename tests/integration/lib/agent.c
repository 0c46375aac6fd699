/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/integration/lib/agent.h"

#include <check.h>

#include "tests/integration/lib/process.h"

#define PATIENCE_USEC (agent_patience_sec * USEC_PER_SEC)

unsigned agent_patience_sec = PATIENCE_SEC;

fleetprov_client *agent_open(const char *address) {
        fleetprov_client *client = NULL;
        int r = fleetprov_client_new(&client, address);

        ck_assert_msg(r == 0, "%s: %s", address, strerrordesc_np(-r));
        return client;
}

fleetprov_client *agent_open_soon(const char *address) {
        fleetprov_client *client = NULL;

        WAIT_FOR(fleetprov_client_new(&client, address) == 0);
        return client;
}

static fleetprov_request *request_of(const Wish *w) {
        fleetprov_request *request;

        ck_assert_int_eq(fleetprov_request_new(&request, w->operation, w->profile), 0);
        if (w->key)
                ck_assert_int_eq(fleetprov_request_set_key(request, w->key), 0);
        if (w->serial)
                ck_assert_int_eq(
                        fleetprov_request_add_parameter(request, "SerialNumber", w->serial), 0);
        if (w->parameter)
                ck_assert_int_eq(fleetprov_request_add_parameter(request, w->parameter, w->value),
                                 0);
        for (unsigned i = 0; i < w->n_fillers; i++) {
                const char name[] = {(char) ('A' + (int) i), '\0'};

                ck_assert_int_eq(fleetprov_request_add_parameter(request, name, w->filler), 0);
        }
        if (w->csr)
                ck_assert_int_eq(fleetprov_request_set_csr(request, w->csr), 0);
        if (w->key_type)
                ck_assert_int_eq(fleetprov_request_set_key_type(request, w->key_type), 0);
        if (w->key_source)
                ck_assert_int_eq(fleetprov_request_set_key_source(request, w->key_source), 0);
        if (w->token)
                ck_assert_int_eq(
                        fleetprov_request_set_ownership_token(request, w->token, w->token_size), 0);
        if (w->certificate)
                ck_assert_int_eq(fleetprov_request_set_certificate(request, w->certificate), 0);
        if (w->private_key)
                ck_assert_int_eq(fleetprov_request_set_private_key(request, w->private_key,
                                                                   strlen(w->private_key)),
                                 0);
        if (w->registration_id)
                ck_assert_int_eq(fleetprov_request_set_registration_id(request, w->registration_id),
                                 0);
        if (w->payload)
                ck_assert_int_eq(fleetprov_request_set_payload(request, w->payload), 0);
        if (w->deadline_usec)
                ck_assert_int_eq(fleetprov_request_set_deadline(request, w->deadline_usec), 0);
        return request;
}

static fleetprov_event *answer_to(fleetprov_client *client, uint64_t ticket) {
        fleetprov_event *event;
        int r = fleetprov_client_wait(client, ticket, PATIENCE_USEC, &event);

        ck_assert_msg(r == 0, "no answer: %s", strerrordesc_np(-r));
        return event;
}

static int code_of(const fleetprov_event *event) {
        const fleetprov_error *error = fleetprov_event_get_error(event);

        return error ? fleetprov_error_get_code(error) : FLEETPROV_OK;
}

static void must_be_ok(const fleetprov_event *event) {
        const fleetprov_error *error = fleetprov_event_get_error(event);

        ck_assert_msg(!error, "%s: %s", fleetprov_error_get_name(error),
                      fleetprov_error_get_message(error));
}

static fleetprov_event *submit(fleetprov_client *client, const Wish *wish) {
        fleetprov_request *request = request_of(wish);
        uint64_t ticket;

        ck_assert_int_eq(fleetprov_client_submit(client, request, &ticket), 0);
        fleetprov_request_free(request);
        return answer_to(client, ticket);
}

static JobId id_of(const fleetprov_event *event) {
        const char *id = fleetprov_event_get_job_id(event);
        JobId job = {};

        ck_assert_ptr_nonnull(id);
        ck_assert_uint_eq(strlen(id), sizeof(job.text) - 1);
        memcpy(job.text, id, sizeof(job.text));
        return job;
}

JobId agent_submit(fleetprov_client *client, const Wish *wish) {
        fleetprov_event *event = submit(client, wish);
        JobId id;

        must_be_ok(event);
        id = id_of(event);
        fleetprov_event_free(event);
        return id;
}

int agent_try(fleetprov_client *client, const Wish *wish, JobId *id, fleetprov_error **ret_error) {
        fleetprov_event *event = submit(client, wish);
        int code = code_of(event);

        if (code == FLEETPROV_OK)
                *id = id_of(event);
        else if (ret_error)
                *ret_error = fleetprov_event_steal_error(event);
        fleetprov_event_free(event);
        return code;
}

int agent_refused(fleetprov_client *client, const Wish *wish, fleetprov_error **ret_error) {
        JobId id;
        int code = agent_try(client, wish, &id, ret_error);

        ck_assert_int_ne(code, FLEETPROV_OK);
        return code;
}

fleetprov_job *agent_job(fleetprov_client *client, JobId id) {
        fleetprov_event *event;
        fleetprov_job *job;
        uint64_t ticket;

        ck_assert_int_eq(fleetprov_client_get_job(client, id.text, &ticket), 0);
        event = answer_to(client, ticket);
        must_be_ok(event);
        job = fleetprov_event_steal_job(event, 0);
        ck_assert_ptr_nonnull(job);
        fleetprov_event_free(event);
        return job;
}

fleetprov_job *agent_wait(fleetprov_client *client, JobId id) {
        fleetprov_error *error = NULL;
        fleetprov_job *job;
        int r = fleetprov_client_wait_job(client, id.text, PATIENCE_USEC, &job, &error);

        ck_assert_msg(r == 0, "job %s: %s", id.text,
                      r < 0 ? strerrordesc_np(-r) : fleetprov_error_get_message(error));
        return job;
}

static void assert_state(const fleetprov_job *job, int state) {
        const fleetprov_error *error = fleetprov_job_get_error(job);

        ck_assert_msg(fleetprov_job_get_state(job) == state, "job is %s, not %s: %s",
                      fleetprov_state_to_string(fleetprov_job_get_state(job)),
                      fleetprov_state_to_string(state),
                      error ? fleetprov_error_get_message(error) : "no error");
}

void agent_wait_end(fleetprov_client *client, JobId id, int state) {
        fleetprov_job *job = agent_wait(client, id);

        assert_state(job, state);
        fleetprov_job_free(job);
}

static bool is_in(fleetprov_client *client, JobId id, int state, const char *phase) {
        fleetprov_job *job = agent_job(client, id);
        bool is = fleetprov_job_get_state(job) == state &&
                  (!phase || streq(fleetprov_job_get_phase(job), phase));

        if (fleetprov_state_is_final(fleetprov_job_get_state(job)))
                assert_state(job, state);
        fleetprov_job_free(job);
        return is;
}

void agent_wait_state(fleetprov_client *client, JobId id, int state, const char *phase) {
        WAIT_FOR(is_in(client, id, state, phase));
}

fleetprov_result *agent_result(fleetprov_client *client, JobId id) {
        agent_wait_end(client, id, FLEETPROV_STATE_SUCCEEDED);
        return agent_fetch(client, id);
}

fleetprov_result *agent_fetch(fleetprov_client *client, JobId id) {
        fleetprov_result *result;
        fleetprov_event *event;
        uint64_t ticket;

        ck_assert_int_eq(fleetprov_client_get_result(client, id.text, &ticket), 0);
        event = answer_to(client, ticket);
        must_be_ok(event);
        result = fleetprov_event_steal_result(event);
        ck_assert_ptr_nonnull(result);
        fleetprov_event_free(event);
        return result;
}

int agent_call(fleetprov_client *client, AgentCall call, JobId id) {
        fleetprov_event *event;
        uint64_t ticket;
        int code;

        ck_assert_int_eq(call(client, id.text, &ticket), 0);
        event = answer_to(client, ticket);
        code = code_of(event);
        fleetprov_event_free(event);
        return code;
}

int agent_find(fleetprov_client *client, const char *profile, const char *key, JobId *id) {
        fleetprov_event *event;
        uint64_t ticket;
        int code;

        ck_assert_int_eq(fleetprov_client_find_job(client, profile, key, &ticket), 0);
        event = answer_to(client, ticket);
        code = code_of(event);
        if (code == FLEETPROV_OK && id)
                *id = id_of(event);
        fleetprov_event_free(event);
        return code;
}

size_t agent_count_jobs(fleetprov_client *client, int all) {
        fleetprov_event *event;
        uint64_t ticket;
        size_t n;

        ck_assert_int_eq(fleetprov_client_list_jobs(client, all, &ticket), 0);
        event = answer_to(client, ticket);
        must_be_ok(event);
        n = fleetprov_event_get_n_jobs(event);
        fleetprov_event_free(event);
        return n;
}

JobId agent_first_job(fleetprov_client *client) {
        fleetprov_event *event;
        uint64_t ticket;
        JobId id = {};

        ck_assert_int_eq(fleetprov_client_list_jobs(client, 1, &ticket), 0);
        event = answer_to(client, ticket);
        must_be_ok(event);
        ck_assert_uint_gt(fleetprov_event_get_n_jobs(event), 0);
        memcpy(id.text, fleetprov_job_get_id(fleetprov_event_get_job(event, 0)), sizeof(id.text));
        fleetprov_event_free(event);
        return id;
}

fleetprov_status *agent_status(fleetprov_client *client) {
        fleetprov_status *status;
        fleetprov_event *event;
        uint64_t ticket;

        ck_assert_int_eq(fleetprov_client_get_status(client, &ticket), 0);
        event = answer_to(client, ticket);
        must_be_ok(event);
        status = fleetprov_event_steal_status(event);
        ck_assert_ptr_nonnull(status);
        fleetprov_event_free(event);
        return status;
}

int agent_reload(fleetprov_client *client, fleetprov_error **ret_error) {
        fleetprov_event *event;
        uint64_t ticket;
        int code;

        ck_assert_int_eq(fleetprov_client_reload(client, &ticket), 0);
        event = answer_to(client, ticket);
        code = code_of(event);
        if (code != FLEETPROV_OK && ret_error)
                *ret_error = fleetprov_event_steal_error(event);
        fleetprov_event_free(event);
        return code;
}

char *agent_secret(const fleetprov_result *result, int kind) {
        fleetprov_secret *secret;
        char *text;

        ck_assert_int_eq(fleetprov_result_read_secret(result, kind, &secret), 0);
        text = strndup(fleetprov_secret_get_data(secret), fleetprov_secret_get_size(secret));
        ck_assert_ptr_nonnull(text);
        fleetprov_secret_free(secret);
        return text;
}

bool agent_history_has(const fleetprov_job *job, const char *text) {
        const char *message;

        for (size_t i = 0; fleetprov_job_enumerate_history(job, i, NULL, NULL, NULL, &message) > 0;
             i++)
                if (message && strstr(message, text))
                        return true;
        return false;
}
