/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Answers that are late, doubled, foreign or broken: none is taken for what it is not. */
#include "tests/unit/provider/fixture.h"

/* With the caller's key: nothing has to be waited for. */
static Job *csr_job(Operation operation) {
        Job *job = fixture_job(operation);

        free(cloud_make_key(&job->spec->csr));
        return job;
}

static Job *register_job(const char *serial) {
        Job *job = fixture_job(OPERATION_REGISTER_THING);

        ck_assert_int_eq(parameters_set(&job->spec->parameters, "SerialNumber", serial), 0);
        return job;
}

static void start_register(Job *job) {
        _cleanup_secret_ Secret *token = secret_new("token", 5);

        fixture_start_with(job, &(JobSecrets){.ownership_token = token});
}

/* --- nobody waits -------------------------------------------------------------------------------
 */

START_TEST(an_answer_that_nobody_waits_for_is_ignored)
{
        fixture_ready();
        fixture_answer_registered("thing");
        fixture_reject(AWS_OPERATION_CREATE_FROM_CSR, 400, "x");
        fixture_expect("");
        ck_assert_ptr_nonnull(fake.live);
}
END_TEST

START_TEST(an_answer_to_another_operation_is_ignored)
{
        Job *job = csr_job(OPERATION_PROVISION);

        fixture_ready();
        fixture_start(job);
        fixture_answer_registered("thing");
        fixture_reject(AWS_OPERATION_REGISTER, 400, "InvalidCertificateOwnershipToken");
        fixture_expect("create ");
        fixture_answer_created("id", "token");
        /* Where they came from there may be more. */
        fixture_expect("store register back backoff ");
        fixture_ready();
        fixture_start(job);
        fixture_expect("register ");
        /* And now those to the former one. */
        fixture_reject(AWS_OPERATION_CREATE_FROM_CSR, 400, "InvalidPayload");
        fixture_expect("");
        fixture_answer_registered("thing");
        fixture_expect("succeeded ");
}
END_TEST

START_TEST(an_answer_in_another_format_or_of_another_template_is_ignored)
{
        static const char *const topics[] = {
                "$aws/provisioning-templates/" FIXTURE_TEMPLATE "/provision/cbor/rejected",
                "$aws/provisioning-templates/" FIXTURE_TEMPLATE "s/provision/json/rejected",
                "$aws/provisioning-templates/" FIXTURE_TEMPLATE "/provision/json",
        };
        Payload p = cloud_rejected(ENCODING_JSON, 400, "InvalidPayload", "no");

        fixture_ready();
        start_register(register_job("1"));
        for (size_t i = 0; i < ELEMENTSOF(topics); i++)
                fake_message(topics[i], &p);
        payload_done(&p);
        fixture_expect("register ");
        fixture_answer_registered("thing");
        fixture_expect("succeeded ");
}
END_TEST

START_TEST(nothing_answers_a_request_that_was_not_sent_yet)
{
        fixture_ready();
        fixture_start(fixture_job(OPERATION_CREATE_KEYS_AND_CERTIFICATE));
        fixture_reject(AWS_OPERATION_CREATE_KEYS, 400, "x"); /* it waits for its subscription */
        fixture_expect("create ");
        ck_assert_uint_eq(fake.n_publishes, 0);
        fake_subscribed_all();
        ck_assert_uint_eq(fake.n_publishes, 1);
}
END_TEST

START_TEST(the_answer_comes_once_the_disk_is_asked)
{
        Job *job = csr_job(OPERATION_PROVISION);

        fixture.stores = false;
        fixture_ready();
        fixture_start(job);
        fixture_answer_created("one", "token");
        fixture_answer_created("two", "other"); /* the same request again, another certificate */
        fixture_expect("create store ");
        ck_assert_str_eq(job->result.certificate_id, "one");
        ck_assert_str_eq(secret_text(job->run->secrets.ownership_token), "token");
}
END_TEST

/* --- foreign certificates -----------------------------------------------------------------------
 */

START_TEST(a_foreign_certificate_is_ignored_and_the_right_one_taken)
{
        Job *job = csr_job(OPERATION_CREATE_CERTIFICATE_FROM_CSR);
        _cleanup_free_ char *foreign = cloud_sign_for_nobody();

        fixture_set_encoding((Encoding) _i);
        fixture_ready();
        fixture_start(job);
        for (unsigned i = 0; i < 3; i++)
                fixture_answer(AWS_OPERATION_CREATE_FROM_CSR, "/accepted",
                               cloud_created(fixture.encoding, "foreign", foreign, NULL, "stolen"));
        fixture_expect("create ");
        ck_assert_ptr_null(job->result.certificate_id);
        ck_assert(job_secrets_is_empty(&job->run->secrets));
        fixture_answer_created("mine", "token");
        fixture_expect("succeeded ");
        ck_assert_str_eq(job->result.certificate_id, "mine");
        ck_assert_str_eq(secret_text(fixture.secrets.ownership_token), "token");
}
END_TEST

/* The last certificate that was made, doubled: it carries the key of the job that is over. */
START_TEST(a_doubled_certificate_is_not_taken_by_the_next_job)
{
        Job *first = csr_job(OPERATION_CREATE_CERTIFICATE_FROM_CSR),
            *second = csr_job(OPERATION_CREATE_CERTIFICATE_FROM_CSR);
        _cleanup_free_ char *certificate = NULL;

        fixture_ready();
        fixture_start(first);
        certificate = cloud_sign(first->spec->csr);
        fixture_answer(AWS_OPERATION_CREATE_FROM_CSR, "/accepted",
                       cloud_created(ENCODING_JSON, "one", certificate, NULL, "token-1"));
        fixture_expect("create succeeded ");
        fixture_start(second);
        fixture_answer(AWS_OPERATION_CREATE_FROM_CSR, "/accepted",
                       cloud_created(ENCODING_JSON, "one", certificate, NULL, "token-1"));
        fixture_expect("create ");
        fixture_answer_created("two", "token-2");
        fixture_expect("succeeded ");
        ck_assert_str_eq(second->result.certificate_id, "two");
}
END_TEST

/* Both brought the same request, so the key tells nothing: the certificate's id does. */
START_TEST(a_doubled_certificate_is_known_by_its_id_too)
{
        Job *first = csr_job(OPERATION_CREATE_CERTIFICATE_FROM_CSR),
            *second = fixture_job(OPERATION_CREATE_CERTIFICATE_FROM_CSR);

        second->spec->csr = strdup(first->spec->csr);
        fixture_ready();
        fixture_start(first);
        fixture_answer_created("one", "token-1");
        fixture_start(second);
        fixture_answer_created("one", "token-1");
        fixture_expect("create succeeded create ");
        fixture_answer_created("two", "token-2");
        fixture_expect("succeeded ");
        ck_assert_str_eq(secret_text(fixture.secrets.ownership_token), "token-2");
}
END_TEST

START_TEST(a_doubled_pair_of_the_clouds_is_not_taken_by_the_next_job)
{
        Job *first = fixture_job(OPERATION_CREATE_KEYS_AND_CERTIFICATE),
            *second = fixture_job(OPERATION_CREATE_KEYS_AND_CERTIFICATE);
        _cleanup_free_ char *csr = NULL, *key = cloud_make_key(&csr),
                            *certificate = cloud_sign(csr);

        fixture.profile->key_source = KEY_SOURCE_CLOUD;
        fixture_ready();
        fixture_start(first);
        fixture_answer(AWS_OPERATION_CREATE_KEYS, "/accepted",
                       cloud_created(ENCODING_JSON, "one", certificate, key, "token-1"));
        fixture_expect("create succeeded ");
        fixture_start(second);
        fixture_answer(AWS_OPERATION_CREATE_KEYS, "/accepted",
                       cloud_created(ENCODING_JSON, "one", certificate, key, "token-1"));
        fixture_expect("create ");
        ck_assert_ptr_null(second->result.certificate_id);
        ck_assert(job_secrets_is_empty(&second->run->secrets));
}
END_TEST

/* --- doubled things -----------------------------------------------------------------------------
 */

START_TEST(a_doubled_thing_is_not_taken_for_other_parameters)
{
        Job *first = register_job("1"), *second = register_job("2");

        fixture_set_encoding((Encoding) _i);
        fixture_ready();
        start_register(first);
        fixture_answer_registered("thing-1");
        fixture_expect("register succeeded ");
        start_register(second);
        fixture_answer_registered("thing-1");
        fixture_expect("register ");
        fixture_answer_registered("thing-2");
        fixture_expect("succeeded ");
        ck_assert_str_eq(second->result.thing_name, "thing-2");
}
END_TEST

START_TEST(the_same_parameters_may_well_get_the_same_thing)
{
        Job *first = register_job("1"), *second = register_job("1");

        fixture_ready();
        start_register(first);
        fixture_answer_registered("thing-1");
        start_register(second);
        fixture_answer_registered("thing-1");
        fixture_expect("register succeeded register succeeded ");
}
END_TEST

START_TEST(another_connection_starts_with_an_empty_memory)
{
        Job *first = register_job("1"), *second = register_job("2");

        fixture_ready();
        start_register(first);
        fixture_answer_registered("thing-1");
        fake_lost(ERROR_CONNECTION_LOST, "gone");
        fixture_ready();
        /* Nothing of the former connection can come on this one. */
        start_register(second);
        fixture_answer_registered("thing-1");
        fixture_expect("register succeeded ");
}
END_TEST

/* --- broken answers -----------------------------------------------------------------------------
 */

static const struct {
        const char *suffix, *json, *said;
} broken[] = {
        {"/accepted", "{}", "certificate"},
        {"/accepted", "[]", ""},
        {"/accepted",
         "{\"certificateId\":\"a\",\"certificatePem\":7,"
         "\"certificateOwnershipToken\":\"t\"}",
         "certificatePem"},
        {"/accepted",
         "{\"certificateId\":\"a\",\"certificatePem\":\"no PEM\","
         "\"certificateOwnershipToken\":\"t\"}",
         "certificate"},
        {"/accepted", "{\"certificateId\":\"a\",\"certificatePem\":\"x\"}", "OwnershipToken"},
        {"/rejected", "{}", "statusCode"},
        {"/rejected", "{\"statusCode\":\"400\"}", "statusCode"},
};

START_TEST(a_broken_answer_ends_that_job_alone)
{
        for (Encoding e = 0; e < ENCODING_MAX; e++) {
                Job *job = fixture.n_jobs > 0 ? fixture.jobs[0] : csr_job(OPERATION_PROVISION);

                fixture_set_encoding(e);
                fixture_ready();
                fixture_start(job);
                fixture_answer(AWS_OPERATION_CREATE_FROM_CSR, broken[_i].suffix,
                               payload_from_json(e, broken[_i].json));
                fixture_expect("create failed ");
                ck_assert_int_eq(fixture_code(), ERROR_BAD_RESPONSE);
                ck_assert_int_eq(fixture.failure->phase, PHASE_CREATE);
                ck_assert_msg(strstr(fixture.failure->message, "CreateCertificateFromCsr"), "%s",
                              fixture.failure->message);
                ck_assert_msg(strstr(fixture.failure->message, broken[_i].said), "%s",
                              fixture.failure->message);
                ck_assert(lane_is_free(fixture.lane)); /* the session stays */
                job_run_free(job);
                fixture.lane = lane_free(fixture.lane);
        }
}
END_TEST

static const char *const garbage[] = {"", "{", "\xff\xff", "{\"thingName\":\"a\"", "null"};

START_TEST(garbage_is_a_bad_response)
{
        Job *job = register_job("1");

        fixture_set_encoding(_i % 2 ? ENCODING_CBOR : ENCODING_JSON);
        fixture_ready();
        start_register(job);
        fixture_answer(
                AWS_OPERATION_REGISTER, "/accepted",
                payload_from_text(_i % 2 ? AWS_FORMAT_CBOR : AWS_FORMAT_JSON, garbage[_i / 2]));
        fixture_expect("register failed ");
        ck_assert_int_eq(fixture_code(), ERROR_BAD_RESPONSE);
}
END_TEST

START_TEST(a_packet_that_is_no_answer_is_the_answer)
{
        Job *job = csr_job(OPERATION_PROVISION);

        fixture_ready();
        fixture_start(job);
        fake_lost(ERROR_BAD_RESPONSE, "a packet of 10 MB");
        fixture_expect("create failed backoff ");
        ck_assert_int_eq(fixture_code(), ERROR_BAD_RESPONSE);
}
END_TEST

START_TEST(a_pair_of_the_clouds_that_does_not_fit_is_ignored)
{
        Job *job = fixture_job(OPERATION_PROVISION);
        _cleanup_free_ char *csr = NULL, *key = cloud_make_key(&csr), *other = cloud_make_key(NULL),
                            *certificate = cloud_sign(csr);

        fixture.profile->key_source = KEY_SOURCE_CLOUD;
        fixture_ready();
        fixture_start(job);
        fixture_answer(AWS_OPERATION_CREATE_KEYS, "/accepted",
                       cloud_created(ENCODING_JSON, "id", certificate, other, "stolen"));
        fixture_expect("create ");
        ck_assert_ptr_null(job->result.certificate_id);
        ck_assert(job_secrets_is_empty(&job->run->secrets));
        fixture_answer(AWS_OPERATION_CREATE_KEYS, "/accepted",
                       cloud_created(ENCODING_JSON, "id", certificate, key, "token"));
        fixture_expect("store register back backoff ");
        ck_assert_str_eq(secret_text(fixture.secrets.private_key), key);
        ck_assert_str_eq(secret_text(fixture.secrets.ownership_token), "token");
}
END_TEST

START_TEST(a_key_of_the_cloud_must_be_one)
{
        Job *job = fixture_job(OPERATION_PROVISION);
        _cleanup_free_ char *certificate = cloud_sign_for_nobody();

        fixture.profile->key_source = KEY_SOURCE_CLOUD;
        fixture_ready();
        fixture_start(job);
        fixture_answer(AWS_OPERATION_CREATE_KEYS, "/accepted",
                       cloud_created(ENCODING_JSON, "id", certificate, "no key", "token"));
        fixture_expect("create failed ");
        ck_assert_int_eq(fixture_code(), ERROR_BAD_RESPONSE);
        ck_assert_ptr_null(fixture.secrets.private_key);
}
END_TEST

/* --- refusals -----------------------------------------------------------------------------------
 */

START_TEST(a_refusal_is_kept_whole)
{
        Job *job = register_job("1");

        fixture_set_encoding((Encoding) _i);
        fixture_ready();
        start_register(job);
        fixture_reject(AWS_OPERATION_REGISTER, 403, "ACCESS_DENIED");
        fixture_expect("register failed ");
        ck_assert_int_eq(fixture_code(), ERROR_SERVER_REFUSED);
        ck_assert_int_eq(fixture.failure->status_code, 403);
        ck_assert_str_eq(fixture.failure->error_code, "ACCESS_DENIED");
        ck_assert_str_eq(fixture.failure->error_message, "said so");
        ck_assert_int_eq(fixture.failure->phase, PHASE_REGISTER);
        ck_assert(!fixture.failure->retriable);
        ck_assert_ptr_nonnull(strstr(fixture.failure->message, "RegisterThing"));
}
END_TEST

START_TEST(faults_and_throttling_are_waited_out)
{
        Job *job = csr_job(OPERATION_PROVISION);

        fixture_ready();
        fixture_start(job);
        fixture_reject(AWS_OPERATION_CREATE_FROM_CSR, 500, "InternalError");
        ck_assert_msg(streq(fixture.diary, "create back-later ") || fixture.delay_usec == 0, "%s",
                      fixture.diary);
        ck_assert_uint_le(fixture.delay_usec, EXCHANGE_BACKOFF_BASE_USEC);
        ck_assert_int_eq(fixture_code(), ERROR_SERVER_REFUSED);
        ck_assert(fixture.failure->retriable);
        ck_assert(lane_is_free(fixture.lane)); /* for the others */
        fixture.diary[0] = '\0';
        fixture_start(job);
        fixture_reject(AWS_OPERATION_CREATE_FROM_CSR, 429, "ThrottlingException");
        fixture_expect("create back-throttled ");
        ck_assert_int_eq(fixture_code(), ERROR_THROTTLED);
        fixture_start(job);
        fixture_answer_created("id", "token");
        fixture_answer_registered("thing");
        fixture_expect("create store register succeeded ");
        ck_assert_ptr_null(fixture.failure);
}
END_TEST

START_TEST(a_token_that_is_not_taken_starts_the_job_over_once)
{
        Job *job = fixture_job(OPERATION_PROVISION);
        _cleanup_free_ char *first = NULL, *second = NULL;

        fixture_ready();
        fixture_start(job);
        fixture_wait_publish();
        first = fixture_request_text("certificateSigningRequest");
        fixture_answer_created("one", "token-1");
        fixture_expect("keygen create store register ");
        fixture_reject(AWS_OPERATION_REGISTER, 400, "InvalidCertificateOwnershipToken");
        fixture_expect("keygen ");
        ck_assert_uint_eq(job->n_left_certificates, 1);
        ck_assert_str_eq(job->left_certificates[0], "one");
        ck_assert_ptr_null(job->result.certificate_id);
        ck_assert_ptr_null(job->run->secrets.ownership_token);
        fixture_wait_publish();
        second = fixture_request_text("certificateSigningRequest");
        ck_assert_str_ne(first, second); /* a new key, too */
        fixture_answer_created("two", "token-2");
        fixture_expect("create store register ");
        /* It may be the first one again: on another connection it cannot. */
        fixture_reject(AWS_OPERATION_REGISTER, 400, "InvalidCertificateOwnershipToken");
        fixture_expect("backoff back ");
        fixture_ready();
        fixture_start(job);
        fixture_expect("register ");
        fixture_reject(AWS_OPERATION_REGISTER, 400, "InvalidCertificateOwnershipToken");
        fixture_expect("failed ");
        ck_assert_int_eq(fixture_code(), ERROR_SERVER_REFUSED);
        ck_assert_uint_eq(job->n_left_certificates, 2);
        ck_assert_str_eq(job->left_certificates[1], "two");
}
END_TEST

static void add_tests(TCase *c) {
        tcase_add_test(c, an_answer_that_nobody_waits_for_is_ignored);
        tcase_add_test(c, an_answer_to_another_operation_is_ignored);
        tcase_add_test(c, an_answer_in_another_format_or_of_another_template_is_ignored);
        tcase_add_test(c, nothing_answers_a_request_that_was_not_sent_yet);
        tcase_add_test(c, the_answer_comes_once_the_disk_is_asked);
        tcase_add_loop_test(c, a_foreign_certificate_is_ignored_and_the_right_one_taken, 0,
                            ENCODING_MAX);
        tcase_add_test(c, a_doubled_certificate_is_not_taken_by_the_next_job);
        tcase_add_test(c, a_doubled_certificate_is_known_by_its_id_too);
        tcase_add_test(c, a_doubled_pair_of_the_clouds_is_not_taken_by_the_next_job);
        tcase_add_loop_test(c, a_doubled_thing_is_not_taken_for_other_parameters, 0, ENCODING_MAX);
        tcase_add_test(c, the_same_parameters_may_well_get_the_same_thing);
        tcase_add_test(c, another_connection_starts_with_an_empty_memory);
        tcase_add_loop_test(c, a_broken_answer_ends_that_job_alone, 0, (int) ELEMENTSOF(broken));
        tcase_add_loop_test(c, garbage_is_a_bad_response, 0, 2 * (int) ELEMENTSOF(garbage));
        tcase_add_test(c, a_packet_that_is_no_answer_is_the_answer);
        tcase_add_test(c, a_pair_of_the_clouds_that_does_not_fit_is_ignored);
        tcase_add_test(c, a_key_of_the_cloud_must_be_one);
        tcase_add_loop_test(c, a_refusal_is_kept_whole, 0, ENCODING_MAX);
        tcase_add_test(c, faults_and_throttling_are_waited_out);
        tcase_add_test(c, a_token_that_is_not_taken_starts_the_job_over_once);
}

int main(void) {
        return fixture_main("provider/lane-answers", add_tests);
}
