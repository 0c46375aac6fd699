/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What may go wrong with a registration, and what the caller is told. */

#include <errno.h>
#include <stdio.h>

#include "daemon/base/clock.h"
#include "daemon/provider/dps-internal.h"
#include "daemon/provider/lane.h"
#include "tests/unit/provider/dps-fixture.h"

#define REFUSAL(code)                                                                              \
        "{\"errorCode\":" code ",\"trackingId\":\"t-1\",\"message\":\"said so\",\"timestampUtc\":" \
        "\"u\"}"
#define ENDED(status, more) \
        "{\"operationId\":\"5.a b\",\"status\":\"" status "\",\"registrationState\":{" more "}}"

/* --- refusals */

static const struct {
        int status;
        const char *body;
        ErrorCode code;
        int told_status;
        const char *error_code;
        bool retriable;
} refusals[] = {
        {400, REFUSAL("400207"), ERROR_SERVER_REFUSED, 400, "400207", false},
        {404, REFUSAL("404201"), ERROR_SERVER_REFUSED, 404, "404201", false},
        {401, REFUSAL("401002"), ERROR_CREDENTIALS_REFUSED, 401, "401002", false},
        {403, "", ERROR_SERVER_REFUSED, 403, NULL, false},
        {200,
         ENDED("failed", "\"errorCode\":400209,\"errorMessage\":\"said so\",\"trackingId\":"
                         "\"t-1\""),
         ERROR_SERVER_REFUSED, 400, "400209", false},
        {200, ENDED("disabled", ""), ERROR_SERVER_REFUSED, 0, NULL, false},
        {200, ENDED("unassigned", ""), ERROR_SERVER_REFUSED, 0, NULL, false},
};

START_TEST(refusal_is_told_with_all_that_was_said)
{
        dps_reach_request();
        dps_answer(refusals[_i].status, "", refusals[_i].body);
        dps_expect("offline failed ");
        ck_assert_int_eq(dps_code(), refusals[_i].code);
        ck_assert_int_eq(dps.failure->status_code, refusals[_i].told_status);
        ck_assert_pstr_eq(dps.failure->error_code, refusals[_i].error_code);
        ck_assert_int_eq(dps.failure->phase, PHASE_REGISTER);
        ck_assert_int_eq(dps.failure->retriable, refusals[_i].retriable);
        if (refusals[_i].error_code) {
                ck_assert_str_eq(dps.failure->error_message, "said so");
                ck_assert_str_eq(dps.failure->tracking_id, "t-1");
        }
        ck_assert_ptr_null(fake.live);
}
END_TEST

static const struct {
        int status;
        const char *more, *body;
        usec_t least_usec;
        bool throttled;
} waits[] = {
        {429, "&retry-after=400", REFUSAL("429001"), 400 * USEC_PER_SEC, true},
        {503, "&retry-after=301", "", 301 * USEC_PER_SEC, false},
        {202, "&retry-after=301", "{\"operationId\":\"5\",\"status\":\"assigning\"}",
         301 * USEC_PER_SEC, false},
        {200, "&retry-after=60", ENDED("failed", "\"errorCode\":500001"), 60 * USEC_PER_SEC, false},
        {200, "&retry-after=60", ENDED("failed", "\"errorCode\":429001"), 60 * USEC_PER_SEC, true},
        {202, "&new=1&retry-after=90", "{\"operationId\":\"5\",\"status\":\"pondering\"}",
         90 * USEC_PER_SEC, false},
};

START_TEST(what_the_service_says_is_waited_off_the_line)
{
        dps_reach_request();
        dps_answer(waits[_i].status, waits[_i].more, waits[_i].body);
        ck_assert_ptr_nonnull(strstr(dps.diary, "offline back "));
        ck_assert_uint_ge(dps.delay_usec, waits[_i].least_usec);
        ck_assert_int_eq(dps.throttled, waits[_i].throttled);
        ck_assert_ptr_null(fake.live);
}
END_TEST

START_TEST(after_a_wait_the_operation_is_queried)
{
        dps_reach_request();
        dps_answer(202, "&retry-after=301", "{\"operationId\":\"5\",\"status\":\"assigning\"}");
        dps_expect("poll store offline back ");
        /* Another claim, or a network that comes, brings it back early. */
        ck_assert_int_eq(registrar_start(dps.registrar, dps.job, NULL), 0);
        dps_expect("back ");
        ck_assert_uint_le(dps.delay_usec, 301 * USEC_PER_SEC);
        ck_assert_uint_gt(dps.delay_usec, 200 * USEC_PER_SEC);
        dps.job->not_before_boot = clock_boot_usec() - 1;
        ck_assert_int_eq(registrar_start(dps.registrar, dps.job, NULL), 0);
        dps_let_in();
        dps_expect_query("5");
}
END_TEST

START_TEST(operation_of_an_earlier_life_is_queried_first)
{
        ck_assert_int_eq(free_and_strdup(&dps.job->result.operation_id, "7"), 0);
        dps_start();
        dps_let_in();
        dps_expect_query("7");
        /* The service has forgotten it. */
        dps_answer(404, "", REFUSAL("404204"));
        ck_assert_ptr_null(dps.job->result.operation_id);
        dps_expect_register(NULL);
}
END_TEST

START_TEST(wait_of_an_earlier_life_is_waited_first)
{
        ck_assert_int_eq(free_and_strdup(&dps.job->result.operation_id, "7"), 0);
        dps.job->failure = failure_new(ERROR_THROTTLED, "slowly");
        dps.job->not_before_boot = clock_boot_usec() + 300 * USEC_PER_SEC;
        dps_start();
        dps_expect("back ");
        ck_assert_ptr_null(fake.live);
        ck_assert_uint_gt(dps.delay_usec, 200 * USEC_PER_SEC);
        ck_assert(!dps.throttled);
        ck_assert_int_eq(dps_code(), ERROR_THROTTLED); /* why it waits is not forgotten */
}
END_TEST

START_TEST(each_wait_on_the_line_is_told)
{
        usec_t before;

        dps_reach_query();
        before = clock_boot_usec();
        dps_answer(202, "&retry-after=9", "{\"operationId\":\"5.a b\",\"status\":\"assigning\"}");
        dps_expect("told ");
        ck_assert_uint_ge(dps.job->not_before_boot, before + 9 * USEC_PER_SEC);
}
END_TEST

START_TEST(certificate_that_cannot_be_noted_is_not_asked_for)
{
        ck_assert_int_eq(free_and_strdup(&dps.profile->dps.api_version, "2025-07-01-preview"), 0);
        dps_start();
        while (!fake.live)
                dps_wait();
        dps.stores = false;
        dps_let_in();
        ck_assert_ptr_nonnull(strstr(dps.diary, "ready note "));
        ck_assert_uint_eq(fake.n_publishes, 0);
        registrar_noted(dps.registrar, -EIO);
        ck_assert_int_eq(dps_code(), ERROR_STORAGE);
        ck_assert_uint_eq(fake.n_publishes, 0);
}
END_TEST

START_TEST(key_of_an_earlier_life_is_used_again)
{
        JobSecrets stored = {};

        ck_assert_int_eq(free_and_strdup(&dps.profile->dps.api_version, "2025-07-01-preview"), 0);
        dps_start();
        while (!fake.live)
                dps_wait();
        ck_assert_int_eq(job_secrets_copy(&dps.secrets, &stored), 0);
        registrar_cancel(dps.registrar);
        job_run_free(dps.job);
        dps.diary[0] = '\0';
        dps_start_with(&stored);
        dps_expect("register connecting ");
        job_secrets_done(&stored);
}
END_TEST

/* --- answers */

static const struct {
        int status;
        const char *body, *text;
        ErrorCode code;
} bad[] = {
        {200, "{", "it ends too early", ERROR_BAD_RESPONSE},
        {200, "{\"status\":\"assigned\"}", "registrationState is missing", ERROR_BAD_RESPONSE},
        {200, "{\"status\":\"pondering\"}", "its status 'pondering' is not known",
         ERROR_BAD_RESPONSE},
        {202, "{\"status\":\"assigning\"}", "operationId is missing", ERROR_BAD_RESPONSE},
        {202, "", "it is empty", ERROR_BAD_RESPONSE},
        {200,
         ENDED("assigned", "\"registrationId\":\"gw-2\",\"deviceId\":\"d\",\"assignedHub\":\"h\""),
         "another registration id", ERROR_BAD_RESPONSE},
};

START_TEST(bad_answer_is_told)
{
        dps_reach_request();
        dps_answer(bad[_i].status, "", bad[_i].body);
        dps_expect("offline failed ");
        ck_assert_int_eq(dps_code(), bad[_i].code);
        ck_assert_msg(strstr(dps.failure->message, bad[_i].text) != NULL, "%s",
                      dps.failure->message);
}
END_TEST

START_TEST(answers_to_nobody_change_nothing)
{
        static const char *const topics[] = {
                "$dps/registrations/res/200/?$rid=of-nobody", "$dps/registrations/res/200/",
                "$aws/certificates/create/json/accepted", "$dps/registrations/res/401/?$rid="};
        Payload p = payload_from_text(AWS_FORMAT_JSON, ENDED("failed", ""));

        dps_reach_request();
        for (size_t i = 0; i < ELEMENTSOF(topics); i++)
                fake_message(topics[i], &p);
        payload_done(&p);
        dps_expect("");
        dps_answer(202, "&retry-after=5", "{\"operationId\":\"5\",\"status\":\"assigning\"}");
        dps_expect("poll store ");
        /* The same again, late: nobody awaits it. */
        dps_answer(200, "", ENDED("failed", ""));
        dps_expect("");
}
END_TEST

START_TEST(silence_burns_the_connection)
{
        dps.profile->response_timeout_usec = 20 * USEC_PER_MSEC;
        dps_reach_request();
        dps_wait();
        dps_expect("offline back ");
        ck_assert_int_eq(dps_code(), ERROR_TIMEOUT);
        ck_assert(dps.failure->retriable);
        ck_assert_ptr_null(fake.live);
}
END_TEST

START_TEST(subscription_that_is_never_answered_is_a_silence)
{
        dps.profile->response_timeout_usec = 20 * USEC_PER_MSEC;
        dps_start();
        fake_connected();
        dps.diary[0] = '\0';
        dps_wait();
        dps_expect("offline back ");
        ck_assert_int_eq(dps_code(), ERROR_TIMEOUT);
        ck_assert_ptr_nonnull(strstr(dps.failure->message, "The subscription"));
}
END_TEST

/* --- the line */

START_TEST(connection_that_cannot_be_made_is_tried_again)
{
        dps_start();
        dps.diary[0] = '\0';
        fake_lost(ERROR_NAME_RESOLUTION, "no such host");
        dps_expect("offline back ");
        ck_assert_int_eq(dps_code(), ERROR_NAME_RESOLUTION);
        ck_assert_int_eq(registrar_last_error(dps.registrar)->code, ERROR_NAME_RESOLUTION);
        ck_assert_int_eq(registrar_start(dps.registrar, dps.job, NULL), 0);
        ck_assert_uint_eq(fake.made, 2);
}
END_TEST

START_TEST(subscription_that_is_refused_is_told)
{
        dps_start();
        fake_connected();
        fake_subscribed(false);
        ck_assert_int_eq(dps_code(), ERROR_PERMISSION_DENIED_BY_POLICY);
        ck_assert_ptr_nonnull(strstr(dps.diary, "back "));
}
END_TEST

START_TEST(line_that_ends_in_a_pause_is_made_again)
{
        dps_reach_request();
        dps_answer(202, "&retry-after=0", "{\"operationId\":\"5\",\"status\":\"assigning\"}");
        dps.diary[0] = '\0';
        fake_lost(ERROR_CONNECTION_LOST, "gone");
        dps_expect("offline ");
        dps_wait();
        dps_expect("connecting ");
        dps_let_in();
        dps_expect_query("5");
}
END_TEST

START_TEST(what_is_no_answer_at_all_is_told)
{
        dps_reach_request();
        fake_lost(ERROR_BAD_RESPONSE, "a packet of 300000 bytes");
        dps_expect("offline failed ");
        ck_assert_int_eq(dps_code(), ERROR_BAD_RESPONSE);
}
END_TEST

START_TEST(publish_that_finds_no_line_waits_for_its_end)
{
        dps_start();
        fake_connected();
        fake.publish_error = -ENOTCONN;
        fake_subscribed(true);
        dps.diary[0] = '\0';
        fake_lost(ERROR_CONNECTION_LOST, "gone");
        dps_expect("offline back ");
        ck_assert_int_eq(dps_code(), ERROR_CONNECTION_LOST);
}
END_TEST

START_TEST(machine_that_fails_is_told)
{
        fake.new_error = -ENOMEM;
        dps_start();
        dps_expect("register connecting offline failed ");
        ck_assert_int_eq(dps_code(), ERROR_NO_MEMORY);
        fake.new_error = 0;
}
END_TEST

START_TEST(disk_that_fails_is_told)
{
        dps.stores = false;
        dps_reach_request();
        dps_answer(202, "", "{\"operationId\":\"5\",\"status\":\"assigning\"}");
        dps_expect("poll store ");
        registrar_stored(dps.registrar, -ENOSPC);
        dps_expect("offline failed ");
        ck_assert_int_eq(dps_code(), ERROR_STORAGE);
}
END_TEST

/* --- credentials */

START_TEST(secondary_key_is_tried_once)
{
        _cleanup_free_ char *first = NULL;

        ck_assert_int_eq(free_and_strdup(&dps.profile->dps.secondary_key, "/s"), 0);
        dps_start();
        first = strdup(fake.password);
        dps.diary[0] = '\0';
        fake_lost(ERROR_CREDENTIALS_REFUSED, "CONNACK 5");
        dps_expect("offline connecting ");
        ck_assert_str_ne(strstr(fake.password, "&sig="), strstr(first, "&sig="));
        fake_lost(ERROR_CREDENTIALS_REFUSED, "CONNACK 5");
        dps_expect("offline failed ");
        ck_assert_int_eq(dps_code(), ERROR_CREDENTIALS_REFUSED);
}
END_TEST

/* The line on which the first was refused is not used for the second. */
START_TEST(secondary_key_has_a_line_of_its_own)
{
        ck_assert_int_eq(free_and_strdup(&dps.profile->dps.secondary_key, "/s"), 0);
        dps_reach_request();
        dps_answer(401, "", REFUSAL("401002"));
        dps_expect("offline connecting ");
        ck_assert_uint_eq(fake.made, 2);
}
END_TEST

START_TEST(clock_is_named_where_it_is_not_set)
{
        dps.clock_good = false;
        dps_start();
        dps.diary[0] = '\0';
        fake_lost(ERROR_CREDENTIALS_REFUSED, "CONNACK 5");
        dps_expect("offline back ");
        ck_assert_int_eq(dps_code(), ERROR_CREDENTIALS_REFUSED);
        ck_assert_ptr_nonnull(strstr(dps.failure->message, "clock of this machine"));
        ck_assert(dps.failure->retriable);
        ck_assert_str_eq(dps.failure->cause->message, "CONNACK 5");
        /* By an answer, too. */
        ck_assert_int_eq(registrar_start(dps.registrar, dps.job, NULL), 0);
        dps_let_in();
        dps_answer(401, "", REFUSAL("401002"));
        ck_assert_ptr_nonnull(strstr(dps.failure->message, "clock of this machine"));
        ck_assert_str_eq(dps.failure->cause->error_code, "401002");
}
END_TEST

START_TEST(clock_is_no_excuse_for_a_certificate)
{
        dps.clock_good = false;
        dps.profile->dps.authentication = AUTHENTICATION_X509;
        dps_start();
        fake_lost(ERROR_CREDENTIALS_REFUSED, "CONNACK 5");
        ck_assert_ptr_nonnull(strstr(dps.diary, "failed "));
        ck_assert_str_eq(dps.failure->message, "CONNACK 5");
}
END_TEST

/* --- ends */

START_TEST(cancelled_while_connecting_it_ends_at_once)
{
        dps_start();
        dps.diary[0] = '\0';
        registrar_cancel(dps.registrar);
        dps_expect("offline cancelled ");
        ck_assert_int_eq(dps_code(), ERROR_CANCELLED);
        ck_assert_ptr_null(fake.live);
        registrar_cancel(dps.registrar); /* nobody is at work */
        registrar_expire(dps.registrar);
        dps_expect("");
}
END_TEST

START_TEST(cancelled_in_flight_it_finishes_the_call)
{
        dps_reach_request();
        registrar_cancel(dps.registrar);
        dps_expect("");
        dps_answer(202, "", "{\"operationId\":\"5\",\"status\":\"assigning\"}");
        dps_expect("poll store offline cancelled ");
        ck_assert_str_eq(dps.job->result.operation_id, "5"); /* on record */
}
END_TEST

START_TEST(expired_it_ends_at_once)
{
        dps_reach_query();
        registrar_expire(dps.registrar);
        dps_expect("offline expired ");
        ck_assert_int_eq(dps_code(), ERROR_EXPIRED);
        ck_assert_ptr_null(fake.live);
}
END_TEST

START_TEST(registrar_may_go_in_mid_job)
{
        if (_i == 0)
                dps_start();
        else if (_i == 1)
                dps_reach_request();
        else
                dps_reach_query();
        dps.registrar = registrar_free(dps.registrar);
        ck_assert_ptr_null(fake.live);
}
END_TEST

static void add_tests(TCase *c) {
        tcase_add_loop_test(c, refusal_is_told_with_all_that_was_said, 0, ELEMENTSOF(refusals));
        tcase_add_loop_test(c, what_the_service_says_is_waited_off_the_line, 0, ELEMENTSOF(waits));
        tcase_add_test(c, after_a_wait_the_operation_is_queried);
        tcase_add_test(c, operation_of_an_earlier_life_is_queried_first);
        tcase_add_test(c, wait_of_an_earlier_life_is_waited_first);
        tcase_add_test(c, each_wait_on_the_line_is_told);
        tcase_add_test(c, certificate_that_cannot_be_noted_is_not_asked_for);
        tcase_add_test(c, key_of_an_earlier_life_is_used_again);
        tcase_add_loop_test(c, bad_answer_is_told, 0, ELEMENTSOF(bad));
        tcase_add_test(c, answers_to_nobody_change_nothing);
        tcase_add_test(c, silence_burns_the_connection);
        tcase_add_test(c, subscription_that_is_never_answered_is_a_silence);
        tcase_add_test(c, connection_that_cannot_be_made_is_tried_again);
        tcase_add_test(c, subscription_that_is_refused_is_told);
        tcase_add_test(c, line_that_ends_in_a_pause_is_made_again);
        tcase_add_test(c, what_is_no_answer_at_all_is_told);
        tcase_add_test(c, publish_that_finds_no_line_waits_for_its_end);
        tcase_add_test(c, machine_that_fails_is_told);
        tcase_add_test(c, disk_that_fails_is_told);
        tcase_add_test(c, secondary_key_is_tried_once);
        tcase_add_test(c, secondary_key_has_a_line_of_its_own);
        tcase_add_test(c, clock_is_named_where_it_is_not_set);
        tcase_add_test(c, clock_is_no_excuse_for_a_certificate);
        tcase_add_test(c, cancelled_while_connecting_it_ends_at_once);
        tcase_add_test(c, cancelled_in_flight_it_finishes_the_call);
        tcase_add_test(c, expired_it_ends_at_once);
        tcase_add_loop_test(c, registrar_may_go_in_mid_job, 0, 3);
}

int main(void) {
        return dps_main("provider/dps trouble", add_tests);
}
