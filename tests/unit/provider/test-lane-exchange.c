/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A job's way through a lane when all goes well, when it is cancelled, and when its time is up. */
#include "daemon/base/clock.h"
#include "daemon/crypto/certificate.h"
#include "daemon/crypto/key.h"
#include "tests/unit/provider/fixture.h"

static void set_parameter(Parameters *p, const char *name, const char *value) {
        ck_assert_int_eq(parameters_set(p, name, value), 0);
}

static void expect_parameter(const char *name, const char *expected) {
        _cleanup_free_ char *value = fixture_request_parameter(name);

        if (expected)
                ck_assert_str_eq(value, expected);
        else
                ck_assert_ptr_null(value);
}

static void expect_token(const char *expected) {
        _cleanup_free_ char *token = fixture_request_text("certificateOwnershipToken");

        ck_assert_str_eq(token, expected);
}

/* The certificate of the result carries the key that came with it. */
static void expect_pair(const Job *job) {
        _cleanup_certificate_ Certificate *certificate = NULL;
        _cleanup_crypto_key_ CryptoKey *key = NULL;
        const char *pem = job->result.certificate_pem;

        ck_assert_ptr_nonnull(fixture.secrets.private_key);
        ck_assert_int_eq(certificate_parse(pem, strlen(pem), &certificate, NULL), 0);
        ck_assert_int_eq(crypto_key_from_pem(fixture.secrets.private_key, NULL, &key, NULL), 0);
        ck_assert_int_eq(crypto_key_matches_certificate(key, certificate, NULL), 0);
}

/* --- all goes well ------------------------------------------------------------------------------
 */

START_TEST(provision_with_the_daemons_key)
{
        Job *job = fixture_job(OPERATION_PROVISION);

        fixture_set_encoding((Encoding) _i);
        set_parameter(&fixture.profile->fixed_parameters, "Line", "7");
        set_parameter(&fixture.profile->default_parameters, "SerialNumber", "none");
        set_parameter(&fixture.profile->default_parameters, "Color", "red");
        set_parameter(&job->spec->parameters, "SerialNumber", "42");
        set_parameter(&job->spec->parameters, "Line", "8");
        fixture_ready();
        fixture_start(job);
        fixture_expect("keygen ");
        ck_assert(!lane_is_free(fixture.lane));
        ck_assert_ptr_eq(lane_job(fixture.lane), job);
        fixture_wait_publish();
        fixture_expect("create ");
        fixture_expect_request(AWS_OPERATION_CREATE_FROM_CSR);

        fixture.stores = false;
        fixture_answer_created("certificate-1", "token-1");
        fixture_expect("store ");
        ck_assert_uint_eq(fake.n_publishes, 1); /* nothing is registered before it is durable */
        ck_assert_str_eq(job->result.certificate_id, "certificate-1");
        ck_assert_str_eq(secret_text(fixture.secrets.ownership_token), "token-1");
        ck_assert_uint_gt(job->token_made_boot, 0);
        expect_pair(job);

        lane_stored(fixture.lane, 0);
        fixture_expect("register ");
        fixture_expect_request(AWS_OPERATION_REGISTER);
        expect_token("token-1");
        expect_parameter("Line", "7"); /* fixed */
        expect_parameter("SerialNumber", "42");
        expect_parameter("Color", "red");
        expect_parameter("Colour", NULL);

        fixture_answer(AWS_OPERATION_REGISTER, "/accepted",
                       cloud_registered(fixture.encoding, "thing-1", "{\"a\":\"b\",\"c\":\"\"}"));
        fixture_expect("succeeded ");
        ck_assert_str_eq(job->result.thing_name, "thing-1");
        ck_assert(job->result.has_device_configuration);
        ck_assert_str_eq(parameters_get(&job->result.device_configuration, "a"), "b");
        ck_assert_str_eq(parameters_get(&job->result.device_configuration, "c"), "");
        ck_assert_ptr_null(fixture.failure);
        ck_assert_uint_eq(job->n_left_certificates, 0);
        ck_assert(lane_is_free(fixture.lane));
}
END_TEST

START_TEST(provision_with_the_clouds_key)
{
        Job *job = fixture_job(OPERATION_PROVISION);
        _cleanup_free_ char *csr = NULL, *key = cloud_make_key(&csr),
                            *certificate = cloud_sign(csr);

        fixture_set_encoding((Encoding) _i);
        fixture.profile->key_source = KEY_SOURCE_CLOUD;
        fixture_ready();
        fixture_start(job);
        fixture_expect("create ");
        fixture_expect_request(AWS_OPERATION_CREATE_KEYS);
        ck_assert_uint_eq(fake_last()->size, 0);
        fixture_answer(AWS_OPERATION_CREATE_KEYS, "/accepted",
                       cloud_created(fixture.encoding, "id", certificate, key, "token"));
        fixture_expect("store register ");
        ck_assert_str_eq(secret_text(fixture.secrets.private_key), key);
        expect_token("token");
        fixture_answer_registered("thing");
        fixture_expect("succeeded ");
        ck_assert(!job->result.has_device_configuration);
        expect_pair(job);
}
END_TEST

START_TEST(provision_with_the_callers_request)
{
        Job *job = fixture_job(OPERATION_PROVISION);
        _cleanup_free_ char *sent = NULL;

        fixture_set_encoding((Encoding) _i);
        free(cloud_make_key(&job->spec->csr));
        fixture_ready();
        fixture_start(job);
        fixture_expect("create ");
        sent = fixture_request_text("certificateSigningRequest");
        ck_assert_str_eq(sent, job->spec->csr);
        fixture_answer_created("id", "token");
        fixture_expect("store register ");
        ck_assert_ptr_null(fixture.secrets.private_key);
        fixture_answer_registered("thing");
        fixture_expect("succeeded ");
}
END_TEST

START_TEST(create_certificate_alone)
{
        Job *job = fixture_job(OPERATION_CREATE_CERTIFICATE_FROM_CSR);

        fixture_set_encoding((Encoding) _i);
        free(cloud_make_key(&job->spec->csr));
        fixture_ready();
        fixture_start(job);
        fixture_answer_created("id", "token");
        fixture_expect("create succeeded ");
        ck_assert_str_eq(job->result.certificate_id, "id");
        ck_assert_str_eq(secret_text(fixture.secrets.ownership_token), "token");
        ck_assert_ptr_null(fixture.secrets.private_key);
}
END_TEST

START_TEST(create_keys_alone)
{
        Job *job = fixture_job(OPERATION_CREATE_KEYS_AND_CERTIFICATE);
        _cleanup_free_ char *csr = NULL, *key = cloud_make_key(&csr),
                            *certificate = cloud_sign(csr);

        fixture_set_encoding((Encoding) _i);
        fixture_ready();
        fixture_start(job);
        /* The session did not need these topics so far. */
        ck_assert_uint_eq(fake.n_publishes, 0);
        ck_assert_uint_eq(fake.n_asked, 5);
        fake_subscribed(true);
        ck_assert_uint_eq(fake.n_publishes, 0);
        ck_assert_uint_eq(fake.n_asked, 6);
        fake_subscribed(true);
        fixture_expect_request(AWS_OPERATION_CREATE_KEYS);
        fixture_answer(AWS_OPERATION_CREATE_KEYS, "/accepted",
                       cloud_created(fixture.encoding, "id", certificate, key, "token"));
        fixture_expect("create succeeded ");
        expect_pair(job);
        ck_assert_str_eq(secret_text(fixture.secrets.ownership_token), "token");
        /* The next one finds them. */
        fixture_start(fixture_job(OPERATION_CREATE_KEYS_AND_CERTIFICATE));
        ck_assert_uint_eq(fake.n_asked, 6);
        ck_assert_uint_eq(fake.n_publishes, 2);
}
END_TEST

START_TEST(register_alone)
{
        Job *job = fixture_job(OPERATION_REGISTER_THING);
        _cleanup_secret_ Secret *token = secret_new("handed-in", 9);

        fixture_set_encoding((Encoding) _i);
        fixture_ready();
        fixture_start_with(job, &(JobSecrets){.ownership_token = token});
        fixture_expect("register ");
        expect_token("handed-in");
        fixture_answer_registered("thing");
        fixture_expect("succeeded ");
        ck_assert_str_eq(job->result.thing_name, "thing");
}
END_TEST

/* --- resuming -----------------------------------------------------------------------------------
 */

static Job *job_of_an_earlier_life(void) {
        Job *job = fixture_job(OPERATION_PROVISION);

        job->result.certificate_id = strdup("id");
        job->result.certificate_pem = strdup("pem");
        job->token_made_boot = clock_boot_usec();
        ck_assert_int_eq(job_note_left_certificate(job), 0); /* as the end of that life did */
        return job;
}

START_TEST(a_certificate_of_an_earlier_life_is_registered)
{
        _cleanup_secret_ Secret *key = secret_new("key", 3), *token = secret_new("old-token", 9);
        Job *job = job_of_an_earlier_life();

        fixture_ready();
        fixture_start_with(job, &(JobSecrets){.private_key = key, .ownership_token = token});
        fixture_expect("register ");
        expect_token("old-token");
        fixture_answer_registered("thing");
        fixture_expect("succeeded ");
        ck_assert_uint_eq(job->n_left_certificates, 0); /* it was delivered after all */
        ck_assert_str_eq(secret_text(fixture.secrets.private_key), "key");
}
END_TEST

START_TEST(a_certificate_whose_secrets_are_lost_is_made_anew)
{
        Job *job = job_of_an_earlier_life();

        fixture_ready();
        fixture_start(job);
        fixture_wait_publish();
        fixture_expect("keygen create ");
        ck_assert_ptr_null(job->result.certificate_id);
        ck_assert_uint_eq(job->n_left_certificates, 1);
}
END_TEST

/* --- cancelled ----------------------------------------------------------------------------------
 */

typedef enum Step {
        STEP_KEYGEN,
        STEP_CREATE,
        STEP_STORE,
        STEP_REGISTER,
        STEP_MAX,
} Step;

static Job *job_at(Step step) {
        Job *job = fixture_job(OPERATION_PROVISION);

        fixture_ready();
        fixture.stores = step != STEP_STORE;
        fixture_start(job);
        if (step >= STEP_CREATE)
                fixture_wait_publish();
        if (step >= STEP_STORE)
                fixture_answer_created("id", "token");
        fixture.diary[0] = '\0';
        return job;
}

static void let_the_call_end(Step step) {
        switch (step) {
        case STEP_KEYGEN:
                fixture_wait();
                return;
        case STEP_CREATE:
                fixture_answer_created("id", "token");
                return;
        case STEP_STORE:
                lane_stored(fixture.lane, 0);
                return;
        case STEP_REGISTER:
                fixture_answer_registered("thing");
                return;
        case STEP_MAX:
                return;
        }
}

START_TEST(cancelled_its_current_call_is_finished_first)
{
        Job *job = job_at((Step) _i);

        lane_cancel(fixture.lane);
        fixture_expect(""); /* not yet */
        let_the_call_end((Step) _i);
        if (_i == STEP_REGISTER) {
                fixture_expect("succeeded "); /* too late */
                return;
        }
        fixture_expect("cancelled ");
        ck_assert_int_eq(fixture_code(), ERROR_CANCELLED);
        ck_assert_uint_eq(job->n_left_certificates, _i == STEP_KEYGEN ? 0 : 1);
        ck_assert(lane_is_free(fixture.lane));
        ck_assert_uint_eq(fake.n_publishes, _i == STEP_KEYGEN ? 0 : 1);
}
END_TEST

START_TEST(a_cancelled_jobs_refusal_is_its_end)
{
        Job *job = job_at(STEP_REGISTER);

        lane_cancel(fixture.lane);
        fixture_reject(AWS_OPERATION_REGISTER, 500, "InternalError");
        fixture_expect("cancelled ");
        ck_assert_int_eq(fixture_code(), ERROR_CANCELLED);
        ck_assert_int_eq(fixture.failure->cause->code, ERROR_SERVER_REFUSED);
        ck_assert_uint_eq(job->n_left_certificates, 1);
}
END_TEST

START_TEST(with_nobody_at_work_nothing_is_cancelled_or_expired)
{
        fixture_ready();
        lane_cancel(fixture.lane);
        lane_expire(fixture.lane);
        lane_stored(fixture.lane, 0);
        lane_stored(fixture.lane, -5);
        fixture_expect("");
        ck_assert(lane_is_free(fixture.lane));
}
END_TEST

/* --- expired ------------------------------------------------------------------------------------
 */

START_TEST(expired_it_is_over_at_once_and_an_open_question_burns_the_connection)
{
        bool in_flight = _i == STEP_CREATE || _i == STEP_REGISTER;
        Job *job = job_at((Step) _i);

        lane_expire(fixture.lane);
        fixture_expect(in_flight ? "backoff expired " : "expired ");
        ck_assert_int_eq(fixture_code(), ERROR_EXPIRED);
        ck_assert_uint_eq(fake.freed, in_flight ? 1 : 0);
        ck_assert_uint_eq(job->n_left_certificates, _i >= STEP_STORE ? 1 : 0);
        ck_assert_ptr_null(lane_job(fixture.lane));
        /* What comes to its end later is nobody's. */
        if (_i == STEP_KEYGEN)
                worker_drain(fixture.crypto);
        if (_i == STEP_STORE)
                lane_stored(fixture.lane, 0);
        fixture_expect("");
}
END_TEST

static void add_tests(TCase *c) {
        tcase_add_loop_test(c, provision_with_the_daemons_key, 0, ENCODING_MAX);
        tcase_add_loop_test(c, provision_with_the_clouds_key, 0, ENCODING_MAX);
        tcase_add_loop_test(c, provision_with_the_callers_request, 0, ENCODING_MAX);
        tcase_add_loop_test(c, create_certificate_alone, 0, ENCODING_MAX);
        tcase_add_loop_test(c, create_keys_alone, 0, ENCODING_MAX);
        tcase_add_loop_test(c, register_alone, 0, ENCODING_MAX);
        tcase_add_test(c, a_certificate_of_an_earlier_life_is_registered);
        tcase_add_test(c, a_certificate_whose_secrets_are_lost_is_made_anew);
        tcase_add_loop_test(c, cancelled_its_current_call_is_finished_first, 0, STEP_MAX);
        tcase_add_test(c, a_cancelled_jobs_refusal_is_its_end);
        tcase_add_test(c, with_nobody_at_work_nothing_is_cancelled_or_expired);
        tcase_add_loop_test(c, expired_it_is_over_at_once_and_an_open_question_burns_the_connection,
                            0, STEP_MAX);
}

int main(void) {
        return fixture_main("provider/lane-exchange", add_tests);
}
