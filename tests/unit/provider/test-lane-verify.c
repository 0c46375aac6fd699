/* SPDX-License-Identifier: GPL-2.0-or-later */

/* VerifyCertificate=yes in a lane: what is tried, when, and what becomes of the job. */

#include <errno.h>

#include "tests/unit/provider/fake-probe.h"
#include "tests/unit/provider/fixture.h"

static void want_verify(void) {
        fixture.profile->verify_certificate = true;
        fixture.profile->connect_timeout_usec = 7 * USEC_PER_SEC;
}

/* A job whose thing was registered just now: the store was asked for, and is open. */
static Job *registered(void) {
        Job *job = fixture_job(OPERATION_PROVISION);

        want_verify();
        fixture_ready();
        fixture_start(job);
        fixture_wait_publish();
        fixture_answer_created("certificate-1", "token-1");
        fixture_expect("keygen create store register ");
        fixture.stores = false;
        fixture_answer_registered("thing-1");
        return job;
}

/* … and its certificate is being tried. */
static Job *verifying(void) {
        Job *job = registered();

        lane_stored(fixture.lane, 0);
        fixture_expect("store verify ");
        ck_assert_uint_eq(fake_probe.made, 1);
        return job;
}

static void expect_failure(const char *text) {
        ck_assert_ptr_nonnull(fixture.failure);
        ck_assert_msg(strstr(fixture.failure->message, text) != NULL, "no \"%s\" in: %s", text,
                      fixture.failure->message);
}

START_TEST(nothing_is_tried_before_the_result_is_durable)
{
        Job *job = registered();

        fixture_expect("store ");
        ck_assert_uint_eq(fake_probe.made, 0);
        ck_assert_str_eq(job->result.thing_name, "thing-1");
        ck_assert_ptr_null(fixture.secrets.private_key); /* it is stored already */
        lane_stored(fixture.lane, 0);
        fixture_expect("verify ");
        ck_assert_uint_eq(fake_probe.made, 1);
        fake_probe_says(PROBE_ACCEPTED, ERROR_NONE, NULL);
        fixture_expect("succeeded ");
        ck_assert_ptr_null(fixture.failure);
        ck_assert_uint_eq(job->n_left_certificates, 0);
        ck_assert(lane_is_free(fixture.lane));
}
END_TEST

START_TEST(what_is_tried_is_the_new_identity_at_the_profiles_server)
{
        const Job *job = verifying();

        ck_assert_str_eq(fake_probe.host, "cloud.example");
        ck_assert_uint_eq(fake_probe.port, 8883);
        ck_assert_str_eq(fake_probe.trusted, "trusted");
        ck_assert_str_eq(fake_probe.certificate, job->result.certificate_pem);
        ck_assert_str_eq(fake_probe.private_key, secret_text(job->run->secrets.private_key));
        ck_assert_str_eq(fake_probe.client_id, "thing-1");
        ck_assert_uint_eq(fake_probe.timeout_usec, 7 * USEC_PER_SEC);
        fake_probe_says(PROBE_ACCEPTED, ERROR_NONE, NULL);
}
END_TEST

START_TEST(client_id_of_the_profile_is_used)
{
        ck_assert_int_eq(free_and_strdup(&fixture.profile->verify_client_id, "try-1"), 0);
        (void) verifying();
        ck_assert_str_eq(fake_probe.client_id, "try-1");
        fake_probe_says(PROBE_ACCEPTED, ERROR_NONE, NULL);
}
END_TEST

/* The session would be thrown off. */
START_TEST(client_id_of_the_session_is_never_used)
{
        ck_assert_int_eq(free_and_strdup(&fixture.profile->client_id, "thing-1"), 0);
        (void) registered();
        lane_stored(fixture.lane, 0);
        fixture_expect("store verify failed ");
        ck_assert_uint_eq(fake_probe.made, 0);
        ck_assert_int_eq(fixture_code(), ERROR_VERIFY_FAILED);
        ck_assert_int_eq(fixture.failure->phase, PHASE_VERIFY);
        ck_assert(!fixture.failure->retriable);
        expect_failure("set VerifyClientId=");
}
END_TEST

START_TEST(refusals_are_tried_again_and_then_end_the_job)
{
        Job *job = verifying();

        for (unsigned i = 1; i < EXCHANGE_VERIFY_TRIES_MAX; i++) {
                fake_probe_says(PROBE_REFUSED, ERROR_CREDENTIALS_REFUSED, "CONNACK 7");
                fixture_expect("back-later ");
                ck_assert_int_eq(fixture_code(), ERROR_CREDENTIALS_REFUSED);
                ck_assert_uint_ge(fixture.delay_usec, EXCHANGE_VERIFY_WAIT_USEC / 2);
                ck_assert(lane_is_free(fixture.lane)); /* others go on */
                fixture_start(job);
                fixture_expect("verify ");
        }
        fake_probe_says(PROBE_REFUSED, ERROR_CREDENTIALS_REFUSED, "CONNACK 7");
        fixture_expect("failed ");
        ck_assert_int_eq(fixture_code(), ERROR_VERIFY_FAILED);
        ck_assert_int_eq(fixture.failure->phase, PHASE_VERIFY);
        ck_assert(!fixture.failure->retriable);
        ck_assert_int_eq(failure_code(fixture.failure->cause), ERROR_CREDENTIALS_REFUSED);
        expect_failure("is not let in: CONNACK 7");
        ck_assert_uint_eq(job->n_left_certificates, 0); /* it is the result */
        ck_assert_str_eq(job->result.certificate_id, "certificate-1");
        ck_assert_uint_eq(fake.n_publishes, 2); /* nothing was asked for twice */
}
END_TEST

START_TEST(activation_that_comes_late_is_a_success)
{
        Job *job = verifying();

        fake_probe_says(PROBE_REFUSED, ERROR_CREDENTIALS_REFUSED, "CONNACK 7");
        fixture_start(job);
        fake_probe_says(PROBE_ACCEPTED, ERROR_NONE, NULL);
        fixture_expect("back-later verify succeeded ");
        ck_assert_ptr_null(fixture.failure);
}
END_TEST

START_TEST(what_nobody_heard_says_so_and_can_be_asked_again)
{
        Job *job = verifying();

        for (unsigned i = 1; i < EXCHANGE_VERIFY_TRIES_MAX; i++) {
                fake_probe_says(PROBE_UNDECIDED, ERROR_TIMEOUT, "no CONNACK");
                fixture_start(job);
        }
        fixture_expect("back-later verify back-later verify back-later verify back-later verify "
                       "back-later verify ");
        fake_probe_says(PROBE_UNDECIDED, ERROR_TIMEOUT, "no CONNACK");
        fixture_expect("failed ");
        ck_assert_int_eq(fixture_code(), ERROR_VERIFY_FAILED);
        ck_assert(fixture.failure->retriable);
        ck_assert_int_eq(failure_code(fixture.failure->cause), ERROR_TIMEOUT);
        expect_failure("could not be tried");
}
END_TEST

/* The session is away: that is its trouble, and costs the job no try. */
START_TEST(without_a_session_the_job_waits_for_it)
{
        Job *job = verifying();

        for (unsigned i = 0; i < 2 * EXCHANGE_VERIFY_TRIES_MAX; i++) {
                fake_lost(ERROR_CONNECTION_LOST, "gone");
                fixture_expect("backoff ");
                ck_assert_ptr_nonnull(fake_probe.live); /* it may well get through */
                fake_probe_says(PROBE_UNDECIDED, ERROR_CONNECT_FAILED, "no route");
                fixture_expect("back ");
                ck_assert_int_eq(fixture_code(), ERROR_CONNECT_FAILED);
                fixture_ready();
                fixture_start(job);
                fixture_expect("verify ");
        }
        fake_probe_says(PROBE_ACCEPTED, ERROR_NONE, NULL);
        fixture_expect("succeeded ");
}
END_TEST

START_TEST(what_cannot_be_tried_ends_at_once)
{
        (void) registered();
        fake_probe.new_error = -EMFILE;
        lane_stored(fixture.lane, 0);
        fixture_expect("store verify failed ");
        ck_assert_int_eq(fixture_code(), ERROR_VERIFY_FAILED);

        fake_probe.new_error = 0;
        ck_assert(lane_is_free(fixture.lane));
}
END_TEST

START_TEST(disk_that_does_not_take_the_result_ends_it_untried)
{
        const Job *job = registered();

        lane_stored(fixture.lane, -ENOSPC);
        fixture_expect("store failed ");
        ck_assert_int_eq(fixture_code(), ERROR_STORAGE);
        ck_assert_uint_eq(fake_probe.made, 0);
        ck_assert_uint_eq(job->n_left_certificates, 1);
}
END_TEST

START_TEST(cancel_and_deadline_end_a_try_at_once)
{
        const Job *job = verifying();

        if (_i == 0)
                lane_cancel(fixture.lane);
        else
                lane_expire(fixture.lane);
        fixture_expect(_i == 0 ? "cancelled " : "expired ");
        ck_assert_ptr_null(fake_probe.live);
        ck_assert_uint_eq(job->n_left_certificates, 1);
        ck_assert_str_eq(job->result.thing_name, "thing-1"); /* one who asks again has it tried */
        ck_assert_int_eq(lane_state(fixture.lane), SESSION_READY);
}
END_TEST

START_TEST(lane_that_ends_lets_go_of_the_try)
{
        (void) verifying();
        fixture.lane = lane_free(fixture.lane);
        ck_assert_ptr_null(fake_probe.live);
}
END_TEST

/* After a restart, or under the same key: nothing is made, nothing is registered. */
START_TEST(identity_of_an_earlier_life_is_tried_alone)
{
        _cleanup_secret_ Secret *key = secret_new("old-key", 7);
        Job *job = fixture_job(OPERATION_PROVISION);

        job->result.certificate_id = strdup("certificate-1");
        job->result.certificate_pem = strdup("old-pem");
        job->result.thing_name = strdup("thing-1");
        ck_assert_int_eq(job_note_left_certificate(job), 0); /* it was cancelled, say */
        want_verify();
        fixture_ready();
        fixture_start_with(job, &(JobSecrets){.private_key = key});
        fixture_expect("verify ");
        ck_assert_uint_eq(fake.n_publishes, 0);
        ck_assert_str_eq(fake_probe.certificate, "old-pem");
        ck_assert_str_eq(fake_probe.private_key, "old-key");
        fake_probe_says(PROBE_ACCEPTED, ERROR_NONE, NULL);
        fixture_expect("succeeded ");
        ck_assert_uint_eq(job->n_left_certificates, 0);
}
END_TEST

/* RetainSec= erased it. */
START_TEST(identity_without_its_key_is_given_up)
{
        Job *job = fixture_job(OPERATION_PROVISION);

        job->result.certificate_id = strdup("certificate-1");
        job->result.certificate_pem = strdup("old-pem");
        job->result.thing_name = strdup("thing-1");
        want_verify();
        fixture_ready();
        fixture_start(job);
        fixture_expect("keygen ");
        ck_assert_uint_eq(job->n_left_certificates, 1);
        ck_assert_ptr_null(job->result.thing_name);
        fixture_wait_publish();
        fixture_expect_request(AWS_OPERATION_CREATE_FROM_CSR);
}
END_TEST

START_TEST(key_of_the_callers_is_not_tried)
{
        Job *job = fixture_job(OPERATION_PROVISION);
        _cleanup_free_ char *key = cloud_make_key(&job->spec->csr);

        want_verify();
        fixture_ready();
        fixture_start(job);
        fixture_answer_created("certificate-1", "token-1");
        fixture_answer_registered("thing-1");
        fixture_expect("create store register succeeded ");
        ck_assert_uint_eq(fake_probe.made, 0);
}
END_TEST

static void add_tests(TCase *c) {
        tcase_add_checked_fixture(c, NULL, fake_probe_done);
        tcase_add_test(c, nothing_is_tried_before_the_result_is_durable);
        tcase_add_test(c, what_is_tried_is_the_new_identity_at_the_profiles_server);
        tcase_add_test(c, client_id_of_the_profile_is_used);
        tcase_add_test(c, client_id_of_the_session_is_never_used);
        tcase_add_test(c, refusals_are_tried_again_and_then_end_the_job);
        tcase_add_test(c, activation_that_comes_late_is_a_success);
        tcase_add_test(c, what_nobody_heard_says_so_and_can_be_asked_again);
        tcase_add_test(c, without_a_session_the_job_waits_for_it);
        tcase_add_test(c, what_cannot_be_tried_ends_at_once);
        tcase_add_test(c, disk_that_does_not_take_the_result_ends_it_untried);
        tcase_add_loop_test(c, cancel_and_deadline_end_a_try_at_once, 0, 2);
        tcase_add_test(c, lane_that_ends_lets_go_of_the_try);
        tcase_add_test(c, identity_of_an_earlier_life_is_tried_alone);
        tcase_add_test(c, identity_without_its_key_is_given_up);
        tcase_add_test(c, key_of_the_callers_is_not_tried);
}

int main(void) {
        return fixture_main("provider/lane-verify", add_tests);
}
