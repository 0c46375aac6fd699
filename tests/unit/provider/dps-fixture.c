/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/provider/dps-fixture.h"

#include <stdio.h>

#include "daemon/base/log.h"
#include "daemon/crypto/crypto.h"
#include "daemon/provider/lane.h"

/* Nothing in these tests takes so long; what does hangs. */
#define PATIENCE_USEC (30 * USEC_PER_SEC)

DpsFixture dps;

/* --- what the registrar tells */

static void note(const char *word) {
        size_t size = strlen(dps.diary);

        ck_assert_int_lt(snprintf(dps.diary + size, sizeof(dps.diary) - size, "%s ", word),
                         (int) (sizeof(dps.diary) - size));
}

static void keep_secrets(const JobSecrets *secrets) {
        job_secrets_done(&dps.secrets);
        if (secrets)
                ck_assert_int_eq(job_secrets_copy(secrets, &dps.secrets), 0);
}

static void on_session_changed(void *userdata, Registrar *r) {
        ck_assert_ptr_eq(userdata, &dps);
        /* Told of another last error as well; the diary has the states alone. */
        if (registrar_state(r) == dps.state_told)
                return;
        dps.state_told = registrar_state(r);
        note(session_state_to_string(dps.state_told));
}

static void on_progress(void *userdata, Job *job, JobPhase phase, const char *text) {
        ck_assert_ptr_eq(job, registrar_job(dps.registrar));
        note(job_phase_to_string(phase));
}

static void on_store(void *userdata, Job *job, const JobSecrets *secrets, const char *text) {
        ck_assert_ptr_eq(job, registrar_job(dps.registrar));
        note("store");
        keep_secrets(secrets);
        if (dps.stores)
                registrar_stored(dps.registrar, 0);
}

static void on_note(void *userdata, Job *job) {
        ck_assert_ptr_eq(job, registrar_job(dps.registrar));
        note("note");
        if (dps.stores)
                registrar_noted(dps.registrar, 0);
}

static void on_told_to_wait(void *userdata, Job *job) {
        ck_assert_ptr_eq(job, registrar_job(dps.registrar));
        note("told");
}

static void on_put_back(void *userdata, Job *job, usec_t delay_usec, bool throttled,
                        Failure *failure, const char *text) {
        ck_assert_ptr_null(registrar_job(dps.registrar));
        note("back");
        dps.delay_usec = delay_usec;
        dps.throttled = throttled;
        failure_free(dps.failure);
        dps.failure = failure;
}

static void on_finished(void *userdata, Job *job, JobState outcome, Failure *failure,
                        const JobSecrets *secrets, const char *text) {
        ck_assert_ptr_null(registrar_job(dps.registrar));
        note(job_state_to_string(outcome));
        failure_free(dps.failure);
        dps.failure = failure;
        keep_secrets(secrets);
}

static const RegistrarOps ops = {.session_changed = on_session_changed,
                                 .progress = on_progress,
                                 .note = on_note,
                                 .told_to_wait = on_told_to_wait,
                                 .store = on_store,
                                 .put_back = on_put_back,
                                 .finished = on_finished};

/* --- setup */

static void set(char **p, const char *text) {
        ck_assert_int_eq(free_and_strdup(p, text), 0);
}

static void on_idle(void *userdata) {
        crypto_trim();
}

void dps_setup(void) {
        JobSpec *spec = job_spec_new(OPERATION_PROVISION, "azure");

        log_open(LOG_ERR);
        ck_assert_int_eq(crypto_init(), 0);
        dps = (DpsFixture){.stores = true, .clock_good = true};
        ck_assert_int_ge(sd_event_new(&dps.event), 0);
        ck_assert_int_eq(
                worker_new(dps.event,
                           &(WorkerOptions){.name = "crypto", .queue_max = 4, .idle = on_idle},
                           &dps.crypto),
                0);
        dps.profile = calloc(1, sizeof(Profile));
        dps.profile->provider = PROVIDER_AZURE_DPS;
        set(&dps.profile->name, "azure");
        set(&dps.profile->endpoint, "dps.example");
        set(&dps.profile->dps.id_scope, "0ne00000000");
        set(&dps.profile->dps.registration_id, "gw-1");
        set(&dps.profile->dps.api_version, "2019-03-31");
        dps.profile->port = 8883;
        dps.profile->response_timeout_usec = PATIENCE_USEC;
        dps.profile->key_type = KEY_TYPE_EC_P256;
        ck_assert_int_eq(job_new(peer_new(DOOR_MAIN, 1, NULL, 0, false), spec, 1, 1, &dps.job), 0);
}

void dps_teardown(void) {
        dps.registrar = registrar_free(dps.registrar);
        dps.crypto = worker_free(dps.crypto);
        job_run_free(dps.job);
        job_free(dps.job);
        profile_free(dps.profile);
        sd_event_unref(dps.event);
        failure_free(dps.failure);
        keep_secrets(NULL);
        fake_done();
}

static bool clock_is_good(void) {
        return dps.clock_good;
}

static void set_claim(void) {
        _cleanup_secret_ Secret *trusted = secret_new("roots", 5);
        _cleanup_secret_ Secret *pem = secret_new("certificate", 11);
        _cleanup_secret_ Secret *key = secret_new("0123456789abcdef", 16);
        _cleanup_secret_ Secret *secondary = secret_new("fedcba9876543210", 16);
        bool x509 = dps.profile->dps.authentication == AUTHENTICATION_X509;
        const RegistrarClaim claim = {
                .trusted = trusted,
                .certificate = x509 ? pem : NULL,
                .private_key = x509 ? pem : NULL,
                .symmetric_key = x509 ? NULL : key,
                .secondary_key = dps.profile->dps.secondary_key ? secondary : NULL,
        };

        ck_assert_int_eq(registrar_set_claim(dps.registrar, &claim), 0);
}

void dps_start_with(const JobSecrets *secrets) {
        const RegistrarOptions options = {.event = dps.event,
                                          .crypto = dps.crypto,
                                          .ops = &ops,
                                          .userdata = &dps,
                                          .clock_is_synchronised = clock_is_good};

        if (!dps.registrar) {
                ck_assert_int_eq(registrar_new(&options, dps.profile, &dps.registrar), 0);
                set_claim();
        }
        ck_assert_int_eq(registrar_start(dps.registrar, dps.job, secrets), 0);
}

void dps_start(void) {
        dps_start_with(NULL);
}

void dps_let_in(void) {
        fake_connected();
        fake_subscribed_all();
}

void dps_reach_request(void) {
        dps_start();
        dps_let_in();
        ck_assert_ptr_nonnull(strstr(dps.diary, "ready "));
        dps.diary[0] = '\0';
}

void dps_reach_query(void) {
        dps_reach_request();
        dps_answer(202, "&retry-after=0", "{\"operationId\":\"5.a b\",\"status\":\"assigning\"}");
        dps_wait();
        dps_expect_query("5.a%20b");
        dps.diary[0] = '\0';
}

/* --- what happens */

void dps_expect(const char *diary) {
        ck_assert_str_eq(dps.diary, diary);
        dps.diary[0] = '\0';
}

void dps_wait(void) {
        size_t told = strlen(dps.diary), published = fake.n_publishes;

        while (strlen(dps.diary) == told && fake.n_publishes == published)
                ck_assert_int_gt(sd_event_run(dps.event, PATIENCE_USEC), 0);
}

static char *rid_of_last(void) {
        const char *rid = strstr(fake_last()->topic, "$rid=");

        ck_assert_ptr_nonnull(rid);
        rid += strlen("$rid=");
        return strndup(rid, strcspn(rid, "&"));
}

void dps_answer(int status, const char *more, const char *body) {
        _cleanup_free_ char *rid = rid_of_last(), *topic = NULL;
        Payload p = payload_from_text(AWS_FORMAT_JSON, body);

        ck_assert_int_ge(
                asprintf(&topic, "$dps/registrations/res/%d/?$rid=%s%s", status, rid, more), 0);
        fake_message(topic, &p);
        payload_done(&p);
}

void dps_expect_register(const char *body) {
        const FakePublish *last = fake_last();

        ck_assert_ptr_nonnull(strstr(last->topic, "$dps/registrations/PUT/iotdps-register/?$rid="));
        if (body)
                ck_assert_str_eq((const char *) last->payload, body);
}

void dps_expect_query(const char *operation_id) {
        const FakePublish *last = fake_last();
        const char *id = strstr(last->topic, "&operationId=");

        ck_assert_ptr_nonnull(
                strstr(last->topic, "$dps/registrations/GET/iotdps-get-operationstatus/?$rid="));
        ck_assert_ptr_nonnull(id);
        ck_assert_str_eq(id + strlen("&operationId="), operation_id);
        ck_assert_uint_eq(last->size, 0);
}

ErrorCode dps_code(void) {
        return dps.failure ? dps.failure->code : ERROR_NONE;
}

int dps_main(const char *name, void (*add_tests)(TCase *c)) {
        Suite *s = suite_create(name);
        TCase *c = tcase_create(name);

        tcase_add_checked_fixture(c, dps_setup, dps_teardown);
        tcase_set_timeout(c, 60);
        add_tests(c);
        suite_add_tcase(s, c);
        return suite_run(s);
}
