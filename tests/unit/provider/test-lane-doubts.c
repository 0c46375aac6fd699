/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Answers that may as well be somebody else's: they are asked for again where they cannot be. And
 * answers that mean everybody: all slow down. */
#include <unistd.h>

#include "daemon/provider/lane-internal.h"
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

/* --- doubled refusals ---------------------------------------------------------------------------
 */

START_TEST(a_doubled_refusal_is_not_the_next_jobs)
{
        Job *first = register_job("1"), *second = register_job("2");

        fixture_set_encoding((Encoding) _i);
        fixture_ready();
        start_register(first);
        fixture_reject(AWS_OPERATION_REGISTER, 403, "ACCESS_DENIED");
        fixture_expect("register failed ");
        start_register(second);
        fixture_reject(AWS_OPERATION_REGISTER, 403, "ACCESS_DENIED");
        fixture_expect("register backoff back ");
        ck_assert_int_eq(fixture_code(), ERROR_BAD_RESPONSE);
        ck_assert_int_eq(fixture.failure->cause->status_code, 403);
        ck_assert_uint_eq(fixture.delay_usec, 0);
        fixture_ready();
        start_register(second);
        fixture_answer_registered("thing-2");
        fixture_expect("register succeeded ");
}
END_TEST

/* The same words may well be meant for both. */
START_TEST(a_refusal_that_is_given_again_on_another_connection_is_believed)
{
        Job *first = csr_job(OPERATION_PROVISION), *second = csr_job(OPERATION_PROVISION);

        fixture_ready();
        fixture_start(first);
        fixture_reject(AWS_OPERATION_CREATE_FROM_CSR, 400, "InvalidCSR");
        fixture_start(second);
        fixture_reject(AWS_OPERATION_CREATE_FROM_CSR, 400, "InvalidCSR");
        fixture_expect("create failed create backoff back ");
        fixture_ready();
        fixture_start(second);
        fixture_reject(AWS_OPERATION_CREATE_FROM_CSR, 400, "InvalidCSR");
        fixture_expect("create failed ");
        ck_assert_int_eq(fixture_code(), ERROR_SERVER_REFUSED);
        ck_assert_str_eq(fixture.failure->error_code, "InvalidCSR");
}
END_TEST

/* Of another operation, or in other words, it is no double. */
START_TEST(other_refusals_are_believed_at_once)
{
        fixture_ready();
        fixture_start(csr_job(OPERATION_PROVISION));
        fixture_reject(AWS_OPERATION_CREATE_FROM_CSR, 400, "InvalidPayload");
        start_register(register_job("1"));
        fixture_reject(AWS_OPERATION_REGISTER, 400, "InvalidPayload");
        start_register(register_job("2"));
        fixture_reject(AWS_OPERATION_REGISTER, 403, "InvalidPayload");
        fixture_expect("create failed register failed register failed ");
        ck_assert(lane_is_free(fixture.lane));
}
END_TEST

/* A wait is all that it costs; but the answer that it stood before may be on its way yet. */
START_TEST(a_doubled_refusal_for_now_costs_a_wait_and_the_connection)
{
        Job *job = register_job("1"), *next = register_job("2");

        fixture_ready();
        start_register(job);
        fixture_reject(AWS_OPERATION_REGISTER, 500, "InternalFailure");
        start_register(job);
        fixture_reject(AWS_OPERATION_REGISTER, 500, "InternalFailure");
        ck_assert_ptr_nonnull(strstr(fixture.diary, "register back"));
        ck_assert(lane_is_free(fixture.lane));
        fixture.diary[0] = '\0';
        fixture_answer_registered("thing-1");
        fixture_expect("");
        start_register(next);
        fixture_expect("register back backoff ");
        fixture_ready();
        start_register(next);
        fixture_answer_registered("thing-2");
        fixture_expect("register succeeded ");
}
END_TEST

START_TEST(a_cancelled_job_is_not_asked_for_again)
{
        Job *job = register_job("2");

        fixture_ready();
        start_register(register_job("1"));
        fixture_reject(AWS_OPERATION_REGISTER, 403, "ACCESS_DENIED");
        start_register(job);
        lane_cancel(fixture.lane);
        fixture_reject(AWS_OPERATION_REGISTER, 403, "ACCESS_DENIED");
        fixture_expect("register failed register backoff cancelled ");
}
END_TEST

/* --- what cannot be accounted for */

START_TEST(nothing_is_asked_where_something_came_that_nobody_asked_for)
{
        Job *job = register_job("2");

        fixture_ready();
        /* What comes before the first request is no answer that was missed. */
        fixture_answer_registered("thing-0");
        start_register(register_job("1"));
        fixture_answer_registered("thing-1");
        fixture_expect("register succeeded ");
        fixture_answer_registered("thing-1"); /* a double: harmless */
        start_register(job);
        fixture_expect("register ");
        fixture_answer_registered("thing-2");
        fixture_expect("succeeded ");
        fixture_answer_registered("thing-3");
        fixture_expect("");
        job = register_job("4");
        start_register(job);
        fixture_expect("register back backoff ");
        ck_assert_int_eq(fixture_code(), ERROR_BAD_RESPONSE);
        fixture_ready();
        start_register(job);
        fixture_answer_registered("thing-4");
        fixture_expect("register succeeded ");
}
END_TEST

START_TEST(after_a_silence_the_connection_is_trusted_again)
{
        Job *job = register_job("2");

        fixture.profile->response_timeout_usec = FIXTURE_SHORT_USEC;
        fixture_ready();
        start_register(register_job("1"));
        fixture_answer_registered("thing-1");
        fixture_answer_registered("thing-9");
        ck_assert_int_eq(usleep(FIXTURE_SHORT_USEC), 0);
        start_register(job);
        fixture_expect("register succeeded register ");
}
END_TEST

START_TEST(a_broken_answer_may_not_have_been_the_answer)
{
        Job *next = register_job("2");

        fixture_ready();
        start_register(register_job("1"));
        fixture_answer(AWS_OPERATION_REGISTER, "/accepted", payload_from_json(ENCODING_JSON, "[]"));
        start_register(next);
        fixture_expect("register failed register back backoff ");
}
END_TEST

/* --- throttling */

START_TEST(throttled_by_one_job_after_another_the_lane_slows_down)
{
        fixture_ready();
        for (unsigned i = 1; i <= 3; i++) {
                Job *job = register_job("1");

                /* The answers differ, so that each is taken for what it is. */
                start_register(job);
                fixture_answer(AWS_OPERATION_REGISTER, "/rejected",
                               cloud_rejected(ENCODING_JSON, 429, "ThrottlingException", job->id));
                fixture_expect("register back-throttled ");
                ck_assert_uint_eq(fixture.lane->throttle.failures, i);
                ck_assert_uint_le(fixture.delay_usec, EXCHANGE_BACKOFF_BASE_USEC << (i - 1));
        }
        start_register(register_job("2"));
        fixture_answer_registered("thing-2");
        ck_assert_uint_eq(fixture.lane->throttle.failures, 0);
}
END_TEST

static void add_tests(TCase *c) {
        tcase_add_loop_test(c, a_doubled_refusal_is_not_the_next_jobs, 0, ENCODING_MAX);
        tcase_add_test(c, a_refusal_that_is_given_again_on_another_connection_is_believed);
        tcase_add_test(c, other_refusals_are_believed_at_once);
        tcase_add_test(c, a_doubled_refusal_for_now_costs_a_wait_and_the_connection);
        tcase_add_test(c, a_cancelled_job_is_not_asked_for_again);
        tcase_add_test(c, nothing_is_asked_where_something_came_that_nobody_asked_for);
        tcase_add_test(c, after_a_silence_the_connection_is_trusted_again);
        tcase_add_test(c, a_broken_answer_may_not_have_been_the_answer);
        tcase_add_test(c, throttled_by_one_job_after_another_the_lane_slows_down);
}

int main(void) {
        return fixture_main("provider/lane-doubts", add_tests);
}
