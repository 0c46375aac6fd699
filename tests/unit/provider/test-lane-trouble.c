/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Silence, lost connections, missing rights, and a machine that fails. */
#include <errno.h>
#include <semaphore.h>

#include "daemon/provider/key-maker.h"
#include "tests/unit/provider/fixture.h"

static Job *csr_job(Operation operation) {
        Job *job = fixture_job(operation);

        free(cloud_make_key(&job->spec->csr));
        return job;
}

static void expect_said(const char *text) {
        ck_assert_ptr_nonnull(fixture.failure);
        ck_assert_msg(strstr(fixture.failure->message, text), "\"%s\" does not say \"%s\"",
                      fixture.failure->message, text);
}

/* --- silence */

START_TEST(silence_burns_the_connection_and_ends_the_job_at_last)
{
        Job *job = csr_job(OPERATION_PROVISION);

        fixture.profile->response_timeout_usec = FIXTURE_SHORT_USEC;
        for (unsigned try = 1; try <= EXCHANGE_UNANSWERED_MAX; try++) {
                fixture_ready();
                fixture_start(job);
                fixture_expect("create ");
                fixture_wait();
                fixture_expect(try < EXCHANGE_UNANSWERED_MAX ? "backoff back " : "backoff failed ");
                ck_assert_int_eq(fixture_code(), ERROR_TIMEOUT);
                ck_assert(fixture.failure->retriable);
                ck_assert_int_eq(fixture.failure->phase, PHASE_CREATE);
                expect_said("cloud.example");
                ck_assert_uint_eq(fake.freed, try);
                ck_assert_uint_eq(fixture.delay_usec, 0);
        }
        ck_assert_uint_eq(fake.n_publishes, EXCHANGE_UNANSWERED_MAX);
}
END_TEST

START_TEST(an_answer_stops_the_clock)
{
        Job *job = csr_job(OPERATION_PROVISION);

        fixture.stores = false;
        fixture.profile->response_timeout_usec = FIXTURE_SHORT_USEC;
        fixture_ready();
        fixture_start(job);
        fixture_answer_created("id", "token");
        fixture_expect("create store ");
        /* No timer is left that could fire while the disk works. */
        ck_assert_int_eq(sd_event_run(fixture.event, 2 * FIXTURE_SHORT_USEC), 0);
        fixture_expect("");
}
END_TEST

START_TEST(certificates_for_another_key_alone_are_a_mismatch)
{
        Job *job = csr_job(OPERATION_PROVISION);
        _cleanup_free_ char *foreign = cloud_sign_for_nobody();

        fixture.profile->response_timeout_usec = FIXTURE_SHORT_USEC;
        for (unsigned try = 1; try <= EXCHANGE_UNANSWERED_MAX; try++) {
                fixture_ready();
                fixture_start(job);
                fixture_answer(AWS_OPERATION_CREATE_FROM_CSR, "/accepted",
                               cloud_created(ENCODING_JSON, "foreign", foreign, NULL, "token"));
                fixture_wait();
                ck_assert_int_eq(fixture_code(), ERROR_KEY_MISMATCH);
        }
        fixture_expect("create backoff failed ");
        expect_said("another key");
        ck_assert_ptr_null(job->result.certificate_id);
}
END_TEST

START_TEST(a_foreign_certificate_of_a_former_try_is_forgotten)
{
        Job *job = csr_job(OPERATION_PROVISION);
        _cleanup_free_ char *foreign = cloud_sign_for_nobody();

        fixture.profile->response_timeout_usec = FIXTURE_SHORT_USEC;
        fixture_ready();
        fixture_start(job);
        fixture_answer(AWS_OPERATION_CREATE_FROM_CSR, "/accepted",
                       cloud_created(ENCODING_JSON, "foreign", foreign, NULL, "token"));
        fixture_wait();
        ck_assert_int_eq(fixture_code(), ERROR_KEY_MISMATCH);
        fixture_ready();
        fixture_start(job);
        fixture.diary[0] = '\0';
        fixture_wait();
        ck_assert_int_eq(fixture_code(), ERROR_TIMEOUT);
}
END_TEST

/* --- lost connections ---------------------------------------------------------------------------
 */

START_TEST(a_lost_connection_puts_the_job_back_with_the_reason)
{
        Job *job = csr_job(OPERATION_PROVISION);

        fixture_ready();
        fixture_start(job);
        fake_lost(ERROR_TLS_FAILED, "broken record");
        fixture_expect("create back backoff ");
        ck_assert_int_eq(fixture_code(), ERROR_TLS_FAILED);
        ck_assert_int_eq(fixture.failure->phase, PHASE_CREATE);
        ck_assert_uint_eq(fixture.delay_usec, 0);
        fixture_ready();
        fixture_start(job);
        fixture_answer_created("id", "token");
        fake_lost(ERROR_CONNECTION_LOST, "gone");
        fixture_ready();
        fixture_start(job);
        /* The certificate is not made again. */
        fixture_expect_request(AWS_OPERATION_REGISTER);
        fixture_answer_registered("thing");
        fixture_expect("register succeeded ");
        ck_assert_uint_eq(job->n_left_certificates, 0);
}
END_TEST

START_TEST(keys_are_made_and_disks_are_written_without_a_connection)
{
        Job *job = fixture_job(OPERATION_PROVISION);

        fixture_ready();
        fixture_start(job);
        fake_lost(ERROR_CONNECTION_LOST, "gone");
        fixture_expect("keygen backoff ");
        lane_close(fixture.lane, NULL); /* or a reconnect is told while the key is made */
        fixture_expect("offline ");
        worker_drain(fixture.crypto);
        fixture_expect("create back ");
        ck_assert_uint_eq(fake.n_publishes, 0);
        ck_assert_int_eq(fixture_code(), ERROR_CONNECTION_LOST);

        fixture.stores = false;
        fixture_open();
        fixture_ready();
        fixture_start(job);
        fixture_expect("create "); /* the key is there */
        fixture_answer_created("id", "token");
        fake_lost(ERROR_CONNECTION_LOST, "gone");
        fixture_expect("store backoff ");
        lane_stored(fixture.lane, 0);
        fixture_expect("register back ");
        ck_assert_uint_eq(job->run->exchange.unanswered, 0); /* nothing was asked */
}
END_TEST

START_TEST(a_session_that_is_closed_puts_the_job_back)
{
        Job *job = csr_job(OPERATION_PROVISION);

        fixture_ready();
        fixture_start(job);
        if (_i == 0)
                lane_close(fixture.lane, NULL);
        else
                fixture_open(); /* another claim */
        fixture_expect(_i == 0 ? "create back offline " : "create back connecting ");
        ck_assert_int_eq(fixture_code(), ERROR_CONNECTION_LOST);
        expect_said("closed");
}
END_TEST

/* The library knows of the end, the loop does not yet. */
START_TEST(a_request_that_meets_the_end_waits_for_its_reason)
{
        Job *job = fixture_job(OPERATION_CREATE_KEYS_AND_CERTIFICATE);

        fixture.profile->key_source = _i == 0 ? KEY_SOURCE_CLOUD : KEY_SOURCE_DAEMON;
        fixture_ready();
        fake.publish_error = fake.subscribe_error = -ENOTCONN;
        fixture_start(job);
        fixture_expect("create ");
        ck_assert_ptr_eq(lane_job(fixture.lane), job);
        fake_lost(ERROR_CREDENTIALS_REFUSED, "revoked");
        fixture_expect("back backoff ");
        ck_assert_int_eq(fixture_code(), ERROR_CREDENTIALS_REFUSED);
        fake.publish_error = fake.subscribe_error = 0;
        fixture_ready();
        fixture_start(job);
        fake_subscribed_all();
        fixture_expect_request(AWS_OPERATION_CREATE_KEYS);
}
END_TEST

START_TEST(and_if_the_reason_never_comes_there_is_the_timeout)
{
        Job *job = fixture_job(OPERATION_CREATE_KEYS_AND_CERTIFICATE);

        fixture.profile->key_source = _i == 0 ? KEY_SOURCE_CLOUD : KEY_SOURCE_DAEMON;
        fixture.profile->response_timeout_usec = FIXTURE_SHORT_USEC;
        fixture_ready();
        fake.publish_error = fake.subscribe_error = -ENOTCONN;
        fixture_start(job);
        fixture_wait();
        fixture_expect("create backoff back ");
        ck_assert_int_eq(fixture_code(), ERROR_TIMEOUT);
}
END_TEST

/* --- missing rights -----------------------------------------------------------------------------
 */

START_TEST(dropped_thrice_upon_a_publication_the_policy_is_named)
{
        Job *job = csr_job(OPERATION_PROVISION);

        for (unsigned try = 1; try <= EXCHANGE_UNANSWERED_MAX; try++) {
                fixture_ready();
                fixture_start(job);
                fake_lost(ERROR_CONNECTION_LOST, "gone");
        }
        fixture_expect("create failed backoff ");
        ck_assert_int_eq(fixture_code(), ERROR_PERMISSION_DENIED_BY_POLICY);
        expect_said("iot:Publish on topic/$aws/certificates/create-from-csr/json");
        ck_assert_int_eq(fixture.failure->cause->code, ERROR_CONNECTION_LOST);
        ck_assert_int_eq(fixture.failure->phase, PHASE_CREATE);
}
END_TEST

START_TEST(dropped_thrice_upon_a_subscription_of_its_own)
{
        Job *job = fixture_job(OPERATION_CREATE_KEYS_AND_CERTIFICATE);

        for (unsigned try = 1; try <= EXCHANGE_UNANSWERED_MAX; try++) {
                fixture_ready();
                fixture_start(job);
                fake_lost(ERROR_CONNECTION_LOST, "gone");
        }
        fixture_expect("create failed backoff ");
        ck_assert_int_eq(fixture_code(), ERROR_PERMISSION_DENIED_BY_POLICY);
        expect_said("iot:Subscribe on topicfilter/$aws/certificates/create/json/");
}
END_TEST

START_TEST(a_refused_subscription_of_its_own_ends_the_job_and_not_the_session)
{
        Job *job = fixture_job(OPERATION_CREATE_KEYS_AND_CERTIFICATE);

        fixture_ready();
        fixture_start(job);
        if (_i == 1)
                fake_subscribed(true);
        fake_subscribed(false);
        fixture_expect("create failed ");
        ck_assert_int_eq(fixture_code(), ERROR_PERMISSION_DENIED_BY_POLICY);
        expect_said(_i == 0 ? "$aws/certificates/create/json/accepted"
                            : "$aws/certificates/create/json/rejected");
        expect_said("iot:Subscribe");
        ck_assert(lane_is_free(fixture.lane));
        ck_assert_ptr_null(lane_last_error(fixture.lane));
        fake_subscribed_all(); /* what was still open */
        ck_assert(lane_is_free(fixture.lane));
        /* The next one asks for it again: a policy can be mended. */
        fixture_start(fixture_job(OPERATION_CREATE_KEYS_AND_CERTIFICATE));
        fake_subscribed_all();
        ck_assert_uint_eq(fake.n_publishes, 1);
}
END_TEST

START_TEST(a_late_refusal_of_a_subscription_is_not_the_next_jobs)
{
        fixture_ready();
        fixture_start(fixture_job(OPERATION_CREATE_KEYS_AND_CERTIFICATE));
        lane_expire(fixture.lane); /* burns; but on the way there it may be answered */
        fixture_ready();
        fixture_start(csr_job(OPERATION_PROVISION));
        fake.asked[fake.n_asked++] = fixture_topic(AWS_OPERATION_CREATE_KEYS, "/accepted");
        fake_subscribed(false);
        fixture_expect("create ");
        ck_assert_int_eq(fixture_code(), ERROR_EXPIRED); /* of the first */
}
END_TEST

/* --- a machine that fails -----------------------------------------------------------------------
 */

START_TEST(what_cannot_be_published_fails_the_job)
{
        static const struct {
                int error;
                ErrorCode code;
        } errors[] = {{-ENOMEM, ERROR_NO_MEMORY},
                      {-EINVAL, ERROR_BAD_PARAMETER},
                      {-EIO, ERROR_INTERNAL_FAILURE}};

        fixture_ready();
        fake.publish_error = errors[_i].error;
        fixture_start(csr_job(OPERATION_PROVISION));
        fixture_expect("create failed ");
        ck_assert_int_eq(fixture_code(), errors[_i].code);
        expect_said("CreateCertificateFromCsr");
        ck_assert(lane_is_free(fixture.lane));
}
END_TEST

START_TEST(a_key_that_cannot_be_made_fails_the_job)
{
        Job *job = fixture_job(OPERATION_PROVISION);

        job->spec->key_type = KEY_TYPE_MAX;
        fixture_ready();
        fixture_start(job);
        fixture_wait();
        fixture_expect("keygen failed ");
        ck_assert_int_eq(fixture.failure->phase, PHASE_KEYGEN);
        expect_said("key");
}
END_TEST

static sem_t begun, may_end; /* of a test's own process */

static void hold_run(void *task) {
        sem_post(&begun);
        sem_wait(&may_end);
}

/* The worker takes all that waits at once: it is kept at work while its queue is filled. */
static void hold_crypto_worker(void) {
        static const WorkerTaskType hold = {.run = hold_run};

        sem_init(&begun, 0, 0);
        sem_init(&may_end, 0, 0);
        ck_assert_int_ge(worker_submit(fixture.crypto, &hold, NULL, NULL), 0);
        sem_wait(&begun);
}

START_TEST(a_crypto_worker_without_room_fails_the_job)
{
        Job *job = fixture_job(OPERATION_PROVISION);
        const KeyWish wish = {.type = KEY_TYPE_RSA_2048, .common_name = "n"};
        KeyOrder *order;

        fixture_ready();
        hold_crypto_worker();
        while (key_order_new(fixture.crypto, &wish, NULL, NULL, &order) == 0)
                ;
        fixture_start(job);
        sem_post(&may_end);
        fixture_expect("keygen failed ");
        ck_assert_int_eq(fixture_code(), ERROR_INTERNAL_FAILURE);
}
END_TEST

START_TEST(a_certificate_that_cannot_be_stored_is_not_registered)
{
        Job *job = csr_job(OPERATION_PROVISION);

        fixture.stores = false;
        fixture_ready();
        fixture_start(job);
        fixture_answer_created("id", "token");
        lane_stored(fixture.lane, -ENOSPC);
        fixture_expect("create store failed ");
        ck_assert_int_eq(fixture_code(), ERROR_STORAGE);
        expect_said("No space left");
        ck_assert_uint_eq(fake.n_publishes, 1);
        ck_assert_uint_eq(job->n_left_certificates, 1);
}
END_TEST

START_TEST(a_job_without_its_token_cannot_be_registered)
{
        fixture_ready();
        fixture_start(fixture_job(OPERATION_REGISTER_THING));
        fixture_expect("register failed ");
        ck_assert_int_eq(fixture_code(), ERROR_INTERNAL_FAILURE);
}
END_TEST

START_TEST(a_job_whose_request_is_broken_does_not_begin)
{
        Job *job = fixture_job(OPERATION_PROVISION);

        job->spec->csr = strdup("nonsense");
        fixture_ready();
        ck_assert_int_eq(lane_start(fixture.lane, job, NULL), -EINVAL);
        ck_assert(lane_is_free(fixture.lane));
        fixture_expect("");
}
END_TEST

START_TEST(parameters_that_cannot_be_sent_are_named)
{
        Job *job = fixture_job(OPERATION_REGISTER_THING);
        _cleanup_secret_ Secret *token = secret_new("token", 5);

        ck_assert_int_eq(parameters_set(&job->spec->parameters, "Serial", "\xff"), 0);
        fixture_ready();
        fixture_start_with(job, &(JobSecrets){.ownership_token = token});
        fixture_expect("register failed ");
        ck_assert_int_eq(fixture_code(), ERROR_BAD_PARAMETER);
        expect_said("Serial");
}
END_TEST

START_TEST(without_a_template_nothing_is_registered)
{
        Job *job = fixture_job(OPERATION_REGISTER_THING);
        _cleanup_secret_ Secret *token = secret_new("token", 5);

        ck_assert_int_eq(free_and_strdup(&fixture.profile->template_name, NULL), 0);
        fixture_ready();
        fixture_start_with(job, &(JobSecrets){.ownership_token = token});
        fixture_expect("register failed ");
        ck_assert_int_eq(fixture_code(), ERROR_BAD_PARAMETER);
}
END_TEST

static void add_tests(TCase *c) {
        tcase_add_test(c, silence_burns_the_connection_and_ends_the_job_at_last);
        tcase_add_test(c, an_answer_stops_the_clock);
        tcase_add_test(c, certificates_for_another_key_alone_are_a_mismatch);
        tcase_add_test(c, a_foreign_certificate_of_a_former_try_is_forgotten);
        tcase_add_test(c, a_lost_connection_puts_the_job_back_with_the_reason);
        tcase_add_test(c, keys_are_made_and_disks_are_written_without_a_connection);
        tcase_add_loop_test(c, a_session_that_is_closed_puts_the_job_back, 0, 2);
        tcase_add_loop_test(c, a_request_that_meets_the_end_waits_for_its_reason, 0, 2);
        tcase_add_loop_test(c, and_if_the_reason_never_comes_there_is_the_timeout, 0, 2);
        tcase_add_test(c, dropped_thrice_upon_a_publication_the_policy_is_named);
        tcase_add_test(c, dropped_thrice_upon_a_subscription_of_its_own);
        tcase_add_loop_test(c, a_refused_subscription_of_its_own_ends_the_job_and_not_the_session,
                            0, 2);
        tcase_add_test(c, a_late_refusal_of_a_subscription_is_not_the_next_jobs);
        tcase_add_loop_test(c, what_cannot_be_published_fails_the_job, 0, 3);
        tcase_add_test(c, a_key_that_cannot_be_made_fails_the_job);
        tcase_add_test(c, a_crypto_worker_without_room_fails_the_job);
        tcase_add_test(c, a_certificate_that_cannot_be_stored_is_not_registered);
        tcase_add_test(c, a_job_without_its_token_cannot_be_registered);
        tcase_add_test(c, a_job_whose_request_is_broken_does_not_begin);
        tcase_add_test(c, parameters_that_cannot_be_sent_are_named);
        tcase_add_test(c, without_a_template_nothing_is_registered);
}

int main(void) {
        return fixture_main("provider/lane-trouble", add_tests);
}
