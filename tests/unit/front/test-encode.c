/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/front/encode.h"

#include <check.h>
#include <fcntl.h>

#include "tests/unit/front/message.h"

static MessageBus bus;
static sd_bus_message *m;
static Job *job;

static void setup(void) {
        const gid_t gids[] = {1};

        bus = message_bus_open();
        m = message_call(&bus);
        ck_assert_int_eq(job_new(peer_new(DOOR_MAIN, 1000, gids, 1, false),
                                 job_spec_new(OPERATION_PROVISION, "aws"), 100, 200, &job),
                         0);
}

static void teardown(void) {
        job_free(job);
        sd_bus_message_unref(m);
        message_bus_close(&bus);
}

START_TEST(text_that_is_no_utf8_is_escaped)
{
        static const char *const table[][2] = {
                {"plain", "plain"},
                {"", ""},
                {"two\nlines", "two\nlines"},
                {"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80"},
                {"a\xff", "a\\xff"},
                {"a\xc3", "a\\xc3"},
                {"\xc0\xaf", "\\xc0\\xaf"},
                {"\x80", "\\x80"},
                {"\xe2\x82", "\\xe2\\x82"},
        };
        _cleanup_free_ char *clean = encode_clean(table[_i][0]);
        const char *text;

        ck_assert_str_eq(clean, table[_i][1]);
        ck_assert_int_ge(encode_text(m, table[_i][0]), 0);
        message_seal(m);
        ck_assert_int_gt(sd_bus_message_read(m, "s", &text), 0);
        ck_assert_str_eq(text, table[_i][1]);
}
END_TEST

START_TEST(overlong_and_surrogate_forms_are_no_utf8)
{
        static const char *const table[] = {"\xed\xa0\x80", "\xe0\x80\x80", "\xf0\x80\x80\x80",
                                            "\xf4\x90\x80\x80"};
        _cleanup_free_ char *clean = encode_clean(table[_i]);

        for (const char *c = clean; *c; c++)
                ck_assert_int_lt((unsigned char) *c, 0x80);
}
END_TEST

START_TEST(failure_is_told_with_its_causes)
{
        Failure *f = failure_with_cause(failure_new(ERROR_SERVER_REFUSED, "no"),
                                        failure_new(ERROR_THROTTLED, "slow"));
        int value;

        f->phase = PHASE_CREATE;
        f->status_code = 429;
        f->retriable = true;
        ck_assert_int_eq(free_and_strdup(&f->error_code, "Thr"), 0);
        ck_assert_int_ge(encode_failure(m, f), 0);
        message_seal(m);
        ck_assert_str_eq(message_text(m, "code"), "server-refused");
        ck_assert_str_eq(message_text(m, "phase"), "create");
        ck_assert_str_eq(message_text(m, "message"), "no");
        ck_assert_str_eq(message_text(m, "errorCode"), "Thr");
        ck_assert_ptr_null(message_text(m, "trackingId"));
        ck_assert_int_eq(message_find(m, "statusCode", "i"), 1);
        ck_assert_int_gt(sd_bus_message_read(m, "i", &value), 0);
        ck_assert_int_eq(value, 429);
        ck_assert_int_eq(message_find(m, "retriable", "b"), 1);
        ck_assert_int_gt(sd_bus_message_read(m, "b", &value), 0);
        ck_assert_int_eq(value, 1);
        ck_assert_int_eq(message_find(m, "cause", "a{sv}"), 1);
        failure_free(f);
}
END_TEST

START_TEST(endless_causes_are_cut_off)
{
        Failure *f = NULL;

        for (unsigned i = 0; i < 1000; i++)
                f = failure_with_cause(failure_new(ERROR_TIMEOUT, "x"), f);
        ck_assert_int_ge(encode_failure(m, f), 0);
        message_seal(m);
        ck_assert_int_eq(message_find(m, "cause", "a{sv}"), 1);
        failure_free(f);
}
END_TEST

START_TEST(no_failure_is_an_empty_dictionary)
{
        ck_assert_int_ge(encode_failure(m, NULL), 0);
        message_seal(m);
        ck_assert_int_eq(message_find(m, "code", "s"), 0);
}
END_TEST

START_TEST(details_hold_what_applies)
{
        Failure *waiting = failure_new(ERROR_NAME_RESOLUTION, "nobody");
        uint64_t left;

        job->spec->deadline_usec = 1000;
        ck_assert_int_eq(parameters_set(&job->spec->parameters, "A", "b"), 0);
        ck_assert_int_ge(encode_details(m, job, waiting, 500), 0);
        message_seal(m);
        ck_assert_str_eq(message_text(m, "id"), job->id);
        ck_assert_str_eq(message_text(m, "state"), "queued");
        ck_assert_ptr_null(message_text(m, "phase"));
        ck_assert_ptr_null(message_text(m, "key"));
        ck_assert_int_eq(message_find(m, "started", "t"), 0);
        ck_assert_int_eq(message_find(m, "leftCertificates", "as"), 0);
        ck_assert_int_eq(message_find(m, "error", "a{sv}"), 0);
        ck_assert_int_eq(message_find(m, "deadlineUsec", "t"), 1);
        ck_assert_int_gt(sd_bus_message_read(m, "t", &left), 0);
        ck_assert_uint_eq(left, 700);
        ck_assert_int_eq(message_find(m, "parameters", "a{ss}"), 1);
        ck_assert_int_eq(message_find(m, "history", "a(tsss)"), 1);
        ck_assert_int_eq(message_find(m, "waitingFor", "a{sv}"), 1);
        failure_free(waiting);
}
END_TEST

START_TEST(details_of_a_failed_job_say_why)
{
        job_set_state(job, JOB_FAILED, PHASE_NONE, 300, 400, NULL);
        job->failure = failure_new(ERROR_TIMEOUT, "too late");
        ck_assert_int_eq(job_add_left_certificate(job, "c1"), 0);
        ck_assert_int_ge(encode_details(m, job, NULL, 500), 0);
        message_seal(m);
        ck_assert_int_eq(message_find(m, "error", "a{sv}"), 1);
        ck_assert_int_eq(message_find(m, "leftCertificates", "as"), 1);
        ck_assert_int_eq(message_find(m, "finished", "t"), 1);
        ck_assert_int_eq(message_find(m, "waitingFor", "a{sv}"), 0);
        ck_assert_int_eq(message_find(m, "deadlineUsec", "t"), 0);
}
END_TEST

START_TEST(secrets_leave_in_sealed_memfds_alone)
{
        JobSecrets secrets = {.private_key = secret_new("KEY", 3),
                              .claim_key = secret_new("CLAIM", 5)};
        _cleanup_secret_ Secret *back = NULL;
        int fd;

        ck_assert_int_eq(free_and_strdup(&job->result.thing_name, "t"), 0);
        job->result.has_device_configuration = true;
        ck_assert_int_ge(encode_result(m, job, &secrets), 0);
        message_seal(m);
        ck_assert_str_eq(message_text(m, "thingName"), "t");
        ck_assert_int_eq(message_find(m, "deviceConfiguration", "a{ss}"), 1);
        ck_assert_int_eq(message_find(m, "ownershipToken", "h"), 0);
        ck_assert_int_eq(message_find(m, "claimKey", "h"), 0);
        ck_assert_int_eq(message_find(m, "secretsErased", "b"), 0);
        ck_assert_int_eq(message_find(m, "privateKey", "h"), 1);
        ck_assert_int_gt(sd_bus_message_read(m, "h", &fd), 0);
        ck_assert_int_eq(fcntl(fd, F_GET_SEALS),
                         F_SEAL_SEAL | F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK);
        ck_assert_int_eq(secret_from_memfd(fd, 100, &back), 0);
        ck_assert_str_eq(secret_text(back), "KEY");
        job_secrets_done(&secrets);
}
END_TEST

START_TEST(erased_secrets_are_said_to_be)
{
        int erased;

        job->secrets_erased = true;
        ck_assert_int_ge(encode_result(m, job, NULL), 0);
        message_seal(m);
        ck_assert_int_eq(message_find(m, "privateKey", "h"), 0);
        ck_assert_int_eq(message_find(m, "secretsErased", "b"), 1);
        ck_assert_int_gt(sd_bus_message_read(m, "b", &erased), 0);
        ck_assert_int_eq(erased, 1);
}
END_TEST

START_TEST(callers_own_request_leaves_no_secret_to_be_gone)
{
        /* What was erased is the token that provision used on its way. */
        job->secrets_erased = true;
        ck_assert_int_eq(free_and_strdup(&job->spec->csr, "CSR"), 0);
        ck_assert_int_ge(encode_result(m, job, NULL), 0);
        message_seal(m);
        ck_assert_int_eq(message_find(m, "secretsErased", "b"), 0);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("front/encode");
        TCase *tcase = tcase_create("encode");
        SRunner *runner;
        int failed;

        tcase_add_checked_fixture(tcase, setup, teardown);
        tcase_add_loop_test(tcase, text_that_is_no_utf8_is_escaped, 0, 9);
        tcase_add_loop_test(tcase, overlong_and_surrogate_forms_are_no_utf8, 0, 4);
        tcase_add_test(tcase, failure_is_told_with_its_causes);
        tcase_add_test(tcase, endless_causes_are_cut_off);
        tcase_add_test(tcase, no_failure_is_an_empty_dictionary);
        tcase_add_test(tcase, details_hold_what_applies);
        tcase_add_test(tcase, details_of_a_failed_job_say_why);
        tcase_add_test(tcase, secrets_leave_in_sealed_memfds_alone);
        tcase_add_test(tcase, erased_secrets_are_said_to_be);
        tcase_add_test(tcase, callers_own_request_leaves_no_secret_to_be_gone);
        suite_add_tcase(suite, tcase);
        runner = srunner_create(suite);
        srunner_run_all(runner, CK_ENV);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? 0 : 1;
}
