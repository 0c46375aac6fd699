/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/integration/crash/life.h"

#include <check.h>
#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <sys/mman.h>

Got *got_new(size_t n) {
        Got *got = mmap(NULL, n * sizeof(Got), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
                        -1, 0);

        ck_assert_ptr_ne(got, MAP_FAILED);
        return got;
}

static bool has(const Daemon *daemon, const char *text) {
        _cleanup_free_ char *found = folder_find_bytes(daemon->state, text, strlen(text));

        return found;
}

#define AT_WORK "\"state\":{\"state\":\"running\",\"phase\":"

Record record_read(const Daemon *daemon) {
        return (Record){.asked = has(daemon, AT_WORK "\"create\"") ||
                                 has(daemon, AT_WORK "\"register\""),
                        .kept = has(daemon, "\"operation-id\":")};
}

static void note(char *to, size_t size, const char *text) {
        if (!text)
                text = "";
        ck_assert_uint_lt(strlen(text), size);
        memcpy(to, text, strlen(text) + 1);
}

/* The same each time that it is told. */
static void note_once(char *to, size_t size, const char *text) {
        if (*to && text)
                ck_assert_str_eq(to, text);
        else
                note(to, size, text);
}

static void check_key(const Application *a, const fleetprov_result *result) {
        const char *pem = fleetprov_result_get_certificate_pem(result);
        _cleanup_free_ char *key = NULL;

        if (a->csr_key) {
                identity_assert_pair(pem, a->csr_key, NULL);
                return;
        }
        key = agent_secret(result, FLEETPROV_SECRET_PRIVATE_KEY);
        identity_assert_pair(pem, key, NULL);
}

/* Whoever gets secrets twice gets the same ones. */
static void take_secret(Got *got, const fleetprov_result *result) {
        const int kinds[] = {FLEETPROV_SECRET_PRIVATE_KEY, FLEETPROV_SECRET_OWNERSHIP_TOKEN,
                             FLEETPROV_SECRET_SYMMETRIC_KEY};

        for (size_t i = 0; i < ELEMENTSOF(kinds); i++)
                if (fleetprov_result_has_secret(result, kinds[i])) {
                        _cleanup_free_ char *secret = agent_secret(result, kinds[i]);

                        if (kinds[i] == FLEETPROV_SECRET_SYMMETRIC_KEY)
                                note(got->key.text, sizeof(got->key.text), secret);
                        else
                                got->key = identity_trace(secret);
                        got->n_delivered++;
                        return;
                }
}

static void take_result(const Application *a, const fleetprov_result *result) {
        const bool registers = a->serial != NULL;
        const bool creates = a->ask->device == DEVICE_OF_AWS
                                     ? a->ask->operation != FLEETPROV_OPERATION_REGISTER_THING
                                     : a->ask->issued;
        Got *got = a->got;

        if (creates) {
                ck_assert_ptr_nonnull(fleetprov_result_get_certificate_id(result));
                note_once(got->certificate, sizeof(got->certificate),
                          fleetprov_result_get_certificate_id(result));
                if (!fleetprov_result_get_secrets_erased(result))
                        check_key(a, result);
        }
        if (registers)
                note_once(got->thing, sizeof(got->thing), fleetprov_result_get_thing_name(result));
        if (a->ask->device != DEVICE_OF_AWS)
                note_once(got->thing, sizeof(got->thing), fleetprov_result_get_device_id(result));
        take_secret(got, result);
}

static void read_record(fleetprov_client *client, JobId id, Got *got) {
        fleetprov_job *job = agent_job(client, id);
        const fleetprov_error *error = fleetprov_job_get_error(job);
        const char *text;

        got->state = fleetprov_job_get_state(job);
        note(got->error, sizeof(got->error), error ? fleetprov_error_get_name(error) : NULL);
        note(got->service_code, sizeof(got->service_code),
             error ? fleetprov_error_get_service_code(error) : NULL);
        got->n_left = fleetprov_job_get_n_left_certificates(job);
        ck_assert_uint_le(got->n_left, ELEMENTSOF(got->left));
        for (unsigned i = 0; i < got->n_left; i++)
                note(got->left[i], sizeof(got->left[i]),
                     fleetprov_job_get_left_certificate(job, i));
        got->n_perhaps = 0;
        for (size_t i = 0; fleetprov_job_enumerate_history(job, i, NULL, NULL, NULL, &text) > 0;
             i++) {
                got->n_perhaps += strstr(text, "may have been made") != NULL;
                got->went_on = got->went_on || strstr(text, "going on with the certificate");
                got->tried_alone = got->tried_alone || strstr(text, "still to be tried");
                got->asked_after = got->asked_after || strstr(text, "what became of the");
        }
        fleetprov_job_free(job);
}

static fleetprov_result *fetch(fleetprov_client *client, const Application *a, JobId id) {
        fleetprov_result *result = agent_result(client, id);

        take_result(a, result);
        return result;
}

static Wish wish_of(const Application *a) {
        return (Wish){.operation = a->ask->operation,
                      .profile = a->ask->device == DEVICE_OF_AWS ? NULL : "azure",
                      .key = a->key,
                      .serial = a->serial,
                      .key_source = a->ask->key_source,
                      .csr = a->csr,
                      .certificate = a->certificate,
                      .private_key = a->certificate_key,
                      .token = a->token,
                      .token_size = a->token ? strlen(a->token) : 0};
}

/* A daemon that died before it said a single word gets no second chance from the library: whether
 * it is coming back is for the application to know. This one does, and asks again with its key. */
fleetprov_client *application_submit(const Application *a, fleetprov_client *client, JobId *ret) {
        const Wish wish = wish_of(a);

        for (unsigned tries = 0;;) {
                int code;

                if (!client)
                        client = agent_open_soon(a->socket);
                code = agent_try(client, &wish, ret, NULL);
                if (code == FLEETPROV_OK)
                        break;
                ck_assert_int_eq(code, FLEETPROV_CONNECTION_LOST);
                client = fleetprov_client_free(client);
                ck_assert(process_pause(&tries));
        }
        note_once(a->got->job, sizeof(a->got->job), ret->text);
        return client;
}

/* Whether an end of the job was announced; takes all events that are there. */
static bool hear(fleetprov_client *client, JobId id) {
        fleetprov_event *event;
        bool ended = false;

        while (fleetprov_client_pop_event(client, &event) > 0) {
                if (fleetprov_event_get_type(event) == FLEETPROV_EVENT_JOB_CHANGED &&
                    streq(fleetprov_event_get_job_id(event), id.text))
                        ended = ended || fleetprov_state_is_final(fleetprov_event_get_state(event));
                fleetprov_event_free(event);
        }
        return ended;
}

/* What was announced before the daemon was asked must be so when it answers, whichever daemon that
 * is. */
static int wait_for_end(fleetprov_client *client, JobId id) {
        for (bool announced = false;;) {
                fleetprov_event *event;
                fleetprov_job *job;
                int state, r;

                announced = hear(client, id) || announced;
                job = agent_job(client, id);
                state = fleetprov_job_get_state(job);
                fleetprov_job_free(job);
                if (fleetprov_state_is_final(state)) {
                        (void) hear(client, id);
                        return state;
                }
                ck_assert_msg(!announced, "the end of job %s was announced, and is undone",
                              id.text);
                r = fleetprov_client_wait(client, 0, PATIENCE_SEC * USEC_PER_SEC, &event);
                ck_assert_msg(r == 0 || r == -ETIMEDOUT, "%s", strerrordesc_np(-r));
                if (r < 0)
                        continue;
                announced = fleetprov_event_get_type(event) == FLEETPROV_EVENT_JOB_CHANGED &&
                            streq(fleetprov_event_get_job_id(event), id.text) &&
                            fleetprov_state_is_final(fleetprov_event_get_state(event));
                fleetprov_event_free(event);
        }
}

/* The template says no; the certificate that was made is the next try's. */
static fleetprov_client *fail_first(const Application *a, fleetprov_client *client) {
        _cleanup_free_ char *serial = NULL;
        Application refused = *a;
        Got got = {};
        JobId id;

        ck_assert_int_gt(asprintf(&serial, "refuse-%s", a->serial), 0);
        refused.serial = serial;
        refused.got = &got;
        client = application_submit(&refused, client, &id);
        ck_assert_int_eq(wait_for_end(client, id), FLEETPROV_STATE_FAILED);
        return client;
}

/* What it leaves on the disk is there when the job comes. */
static fleetprov_client *succeed_before(const Application *a, fleetprov_client *client) {
        _cleanup_free_ char *name = NULL;
        fleetprov_result *result;
        Application other = *a;
        Got got = {};
        JobId id;

        ck_assert_int_gt(asprintf(&name, "%s-before", a->key), 0);
        other.key = other.serial = name;
        other.got = &got;
        client = application_submit(&other, client, &id);
        ck_assert_int_eq(wait_for_end(client, id), FLEETPROV_STATE_SUCCEEDED);
        result = agent_result(client, id);
        note(a->got->before, sizeof(a->got->before), fleetprov_result_get_certificate_id(result));
        fleetprov_result_free(result);
        return client;
}

/* Asked for twice where the daemon was killed before its answer: then it is gone already. */
static void release(const Application *a, fleetprov_client *client, JobId id) {
        int code = agent_call(client, fleetprov_client_release, id);

        ck_assert(code == FLEETPROV_OK || code == FLEETPROV_NO_SUCH_JOB);
        ck_assert_int_eq(agent_find(client, "aws", a->key, NULL), FLEETPROV_NO_SUCH_JOB);
}

void application_finish(const Application *a, fleetprov_client *client, JobId id) {
        const Wish wish = wish_of(a);
        JobId again;

        a->got->state = wait_for_end(client, id);
        if (a->got->state == FLEETPROV_STATE_SUCCEEDED) {
                fleetprov_result_free(fetch(client, a, id));
                ck_assert_int_eq(agent_call(client, fleetprov_client_acknowledge, id),
                                 FLEETPROV_OK);
                again = agent_submit(client, &wish);
                ck_assert_str_eq(again.text, id.text);
                fleetprov_result_free(fetch(client, a, id));
        }
        read_record(client, id, a->got);
        if (a->ask->releases)
                release(a, client, id);
        a->got->over = true;
}

void application_run(void *application) {
        const Application *a = application;
        fleetprov_client *client = NULL;
        JobId id;

        if (a->ask->fails_first)
                client = fail_first(a, client);
        if (a->ask->follows)
                client = succeed_before(a, client);
        client = application_submit(a, client, &id);
        application_finish(a, client, id);
        fleetprov_client_free(client);
}

pid_t application_start(Application *a) {
        return process_fork_as(geteuid(), getegid(), NULL, 0, application_run, a);
}

size_t client_count(Cloud *c, const char *client_id, const char *operation, const char *pattern) {
        _cleanup_free_ char *text = file_read(place_path(&c->place, "journal.jsonl"), NULL);
        _cleanup_free_ char *all = NULL;
        char *rest = text, *line;
        size_t n = 0;

        ck_assert_ptr_nonnull(text);
        ck_assert_int_gt(asprintf(&all, "*\"client\":\"%s\"*%s*%s*", client_id, operation, pattern),
                         0);
        while ((line = strsep(&rest, "\n")))
                n += fnmatch(all, line, 0) == 0;
        return n;
}
