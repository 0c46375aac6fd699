/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/model/check-report.h"
#include "daemon/model/expiry.h"

#include <check.h>

#define NOW (1000 * USEC_PER_DAY)

static void assert_line(const CheckReport *r, Check check, CheckResult result, const char *words) {
        const CheckLine *line = &r->lines[check];

        ck_assert_ptr_nonnull(line->message);
        ck_assert_msg(line->result == result && strstr(line->message, words), "%s: %s",
                      check_result_to_string(line->result), line->message);
}

START_TEST(every_line_has_a_name)
{
        for (Check c = 0; c < CHECK_MAX; c++)
                ck_assert_int_eq(check_from_string(check_to_string(c)), c);
        for (CheckResult r = 0; r < CHECK_RESULT_MAX; r++)
                ck_assert_int_eq(check_result_from_string(check_result_to_string(r)), r);
}
END_TEST

static const struct {
        usec_t not_after;
        CheckResult result;
        const char *words;
} ends[] = {
        {NOW - 1, CHECK_RESULT_FAILED, "0 days ago"},
        {NOW, CHECK_RESULT_FAILED, "has expired"},
        {NOW + 1, CHECK_RESULT_WARNING, "in 0 days"},
        {NOW + EXPIRY_WARNING_USEC, CHECK_RESULT_WARNING, "in 30 days"},
        {NOW + EXPIRY_WARNING_USEC + 1, CHECK_RESULT_OK, "30 days"},
};

START_TEST(end_of_a_claim_is_warned_of)
{
        CheckReport r = {};

        check_report_expiry(&r, "CN=claim", ends[_i].not_after, NOW);
        assert_line(&r, CHECK_EXPIRY, ends[_i].result, ends[_i].words);
        assert_line(&r, CHECK_EXPIRY, ends[_i].result, "(CN=claim)");
        check_report_done(&r);
        check_report_expiry(&r, NULL, 0, NOW);
        ck_assert_ptr_null(r.lines[CHECK_EXPIRY].message);
}
END_TEST

static const struct {
        usec_t not_before, made;
        bool synchronised;
        CheckResult result;
        const char *words;
} clocks[] = {
        {0, NOW, true, CHECK_RESULT_OK, ""},
        {NOW, 0, true, CHECK_RESULT_OK, ""},
        {0, NOW + 1, true, CHECK_RESULT_FAILED, "program was made"},
        {NOW + 1, 0, true, CHECK_RESULT_FAILED, "certificate"},
        {0, 0, false, CHECK_RESULT_WARNING, "time service"},
        {NOW + 1, 0, false, CHECK_RESULT_FAILED, "certificate"},
};

START_TEST(clock_that_cannot_be_right_is_found)
{
        CheckReport r = {};

        check_report_clock(&r, clocks[_i].not_before, NOW, clocks[_i].made,
                           clocks[_i].synchronised);
        assert_line(&r, CHECK_CLOCK, clocks[_i].result, clocks[_i].words);
        check_report_done(&r);
}
END_TEST

static const struct {
        ErrorCode code;
        bool linked, in_session;
        Check line;
        CheckResult result;
} connections[] = {
        {ERROR_NAME_RESOLUTION, false, false, CHECK_NAME, CHECK_RESULT_FAILED},
        {ERROR_CONNECT_FAILED, false, false, CHECK_TCP, CHECK_RESULT_FAILED},
        {ERROR_PROXY_REFUSED, false, false, CHECK_TCP, CHECK_RESULT_FAILED},
        {ERROR_TLS_CLOCK, false, false, CHECK_TLS, CHECK_RESULT_FAILED},
        {ERROR_TLS_TRUST, false, true, CHECK_TLS, CHECK_RESULT_FAILED},
        {ERROR_TLS_HOSTNAME, false, false, CHECK_TLS, CHECK_RESULT_FAILED},
        {ERROR_TLS_FAILED, false, false, CHECK_TLS, CHECK_RESULT_FAILED},
        /* TLS 1.2 says so within the handshake, TLS 1.3 after it. */
        {ERROR_CREDENTIALS_REFUSED, false, false, CHECK_MQTT, CHECK_RESULT_FAILED},
        {ERROR_CREDENTIALS_REFUSED, true, false, CHECK_MQTT, CHECK_RESULT_FAILED},
        {ERROR_CONNECTION_LOST, true, false, CHECK_MQTT, CHECK_RESULT_FAILED},
        {ERROR_TIMEOUT, true, false, CHECK_MQTT, CHECK_RESULT_FAILED},
        /* What becomes of a WebSocket, which is opened where TLS stands. */
        {ERROR_SERVER_REFUSED, false, false, CHECK_MQTT, CHECK_RESULT_FAILED},
        {ERROR_BAD_RESPONSE, false, false, CHECK_MQTT, CHECK_RESULT_FAILED},
        {ERROR_TIMEOUT, false, false, CHECK_MQTT, CHECK_RESULT_FAILED},
        {ERROR_CONNECTION_LOST, false, false, CHECK_MQTT, CHECK_RESULT_FAILED},
        {ERROR_SERVER_REFUSED, false, true, CHECK_MQTT, CHECK_RESULT_WARNING},
        {ERROR_CREDENTIALS_REFUSED, true, true, CHECK_MQTT, CHECK_RESULT_WARNING},
        {ERROR_CONNECTION_LOST, true, true, CHECK_MQTT, CHECK_RESULT_WARNING},
};

START_TEST(failure_stands_in_its_line_and_ends_the_way)
{
        _cleanup_failure_ Failure *f = failure_new(connections[_i].code, "why it is so");
        CheckReport r = {};

        check_report_connection(&r, connections[_i].linked, connections[_i].in_session, "there",
                                NULL, f);
        for (Check c = CHECK_NAME; c < connections[_i].line; c++)
                assert_line(&r, c, CHECK_RESULT_OK, "there");
        assert_line(&r, connections[_i].line, connections[_i].result, "why it is so");
        assert_line(&r, connections[_i].line, connections[_i].result,
                    error_code_to_string(connections[_i].code));
        for (Check c = connections[_i].line + 1; c < CHECK_MAX; c++)
                ck_assert_ptr_null(r.lines[c].message);
        check_report_done(&r);
}
END_TEST

START_TEST(way_without_failure_is_good_to_its_end)
{
        CheckReport r = {};

        check_report_connection(&r, true, false, "there", NULL, NULL);
        for (Check c = CHECK_NAME; c <= CHECK_MQTT; c++)
                assert_line(&r, c, CHECK_RESULT_OK, "there");
        ck_assert_ptr_null(r.lines[CHECK_SUBSCRIBE].message);
        check_report_done(&r);
}
END_TEST

/* Whose name is resolved here, and who takes the connection. */
START_TEST(proxy_on_the_way_is_named)
{
        _cleanup_failure_ Failure *f = failure_new(ERROR_PROXY_REFUSED, "no way");
        CheckReport r = {}, refused = {};

        check_report_connection(&r, true, false, "there", "http://proxy:3128", NULL);
        assert_line(&r, CHECK_NAME, CHECK_RESULT_OK, "the proxy has an address: http://proxy:3128");
        assert_line(&r, CHECK_NAME, CHECK_RESULT_OK, "that of there is the proxy's to find");
        assert_line(&r, CHECK_TCP, CHECK_RESULT_OK,
                    "the proxy http://proxy:3128 made a connection to there");
        assert_line(&r, CHECK_TLS, CHECK_RESULT_OK, "right name: there");
        assert_line(&r, CHECK_MQTT, CHECK_RESULT_OK, "let in by there");
        check_report_done(&r);
        check_report_connection(&refused, false, false, "there", "http://proxy:3128", f);
        assert_line(&refused, CHECK_NAME, CHECK_RESULT_OK, "the proxy has an address");
        assert_line(&refused, CHECK_TCP, CHECK_RESULT_FAILED, "no way");
        check_report_done(&refused);
}
END_TEST

START_TEST(claim_that_is_refused_stands_in_its_line)
{
        static const struct {
                int error;
                ErrorCode code;
                Check line;
        } cases[] = {
                {-ENOENT, ERROR_NOT_INITIALIZED, CHECK_FILES},
                {-EINVAL, ERROR_NOT_INITIALIZED, CHECK_FILES},
                {-EPERM, ERROR_NOT_INITIALIZED, CHECK_MODES},
                {-EKEYREJECTED, ERROR_KEY_MISMATCH, CHECK_KEY_MATCH},
                {-EKEYREJECTED, ERROR_NOT_INITIALIZED, CHECK_FILES}, /* a password */
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_failure_ Failure *f = failure_new(cases[i].code, "why");
                CheckReport r = {};

                check_report_claim_refused(&r, cases[i].error, f);
                assert_line(&r, cases[i].line, CHECK_RESULT_FAILED, "why");
                check_report_done(&r);
        }
}
END_TEST

START_TEST(client_id_is_never_the_profiles)
{
        char id[2 * CHECK_CLIENT_ID_MAX];

        for (size_t n = 1; n < sizeof(id); n++) {
                _cleanup_free_ char *own = NULL, *again = NULL;

                memset(id, 'x', n);
                id[n] = '\0';
                ck_assert_int_eq(check_client_id(id, &own), 0);
                ck_assert_str_ne(own, id);
                ck_assert_uint_le(strlen(own), CHECK_CLIENT_ID_MAX);
                ck_assert_int_eq(check_client_id(own, &again), 0);
                ck_assert_str_ne(own, again);
                ck_assert_uint_le(strlen(again), CHECK_CLIENT_ID_MAX);
        }
}
END_TEST

static const struct {
        const char *endpoint, *arn;
} endpoints[] = {
        {"a1-ats.iot.eu-west-1.amazonaws.com", "arn:aws:iot:eu-west-1:ACCOUNT:"},
        {"a1.iot.cn-north-1.amazonaws.com.cn", "arn:aws-cn:iot:cn-north-1:ACCOUNT:"},
        {"a1-ats.iot.us-gov-west-1.amazonaws.com", "arn:aws-us-gov:iot:us-gov-west-1:ACCOUNT:"},
        {"localhost", "arn:aws:iot:REGION:ACCOUNT:"},
        {"iot.example.com", "arn:aws:iot:REGION:ACCOUNT:"},
        {".amazonaws.com", "arn:aws:iot:REGION:ACCOUNT:"},
        {"a.\"b\".amazonaws.com", "arn:aws:iot:REGION:ACCOUNT:"},
};

START_TEST(region_is_read_from_the_endpoint)
{
        static const char *const topics[] = {"$aws/certificates/create/json/accepted"};
        _cleanup_free_ char *text = NULL;

        ck_assert_int_eq(check_policy_statements(endpoints[_i].endpoint, topics, 1, &text), 0);
        ck_assert_ptr_nonnull(strstr(text, endpoints[_i].arn));
}
END_TEST

START_TEST(policy_covers_what_was_refused_and_each_once)
{
        static const char *const topics[] = {
                "$aws/certificates/create-from-csr/cbor/accepted",
                "$aws/certificates/create-from-csr/cbor/rejected",
                "$aws/provisioning-templates/Fleet/provision/cbor/rejected",
        };
        _cleanup_free_ char *text = NULL;

        ck_assert_int_eq(check_policy_statements("x.iot.eu-west-1.amazonaws.com", topics,
                                                 ELEMENTSOF(topics), &text),
                         0);
#define ARN "arn:aws:iot:eu-west-1:ACCOUNT:"
        ck_assert_str_eq(text,
                         "{\"Effect\": \"Allow\", \"Action\": [\"iot:Subscribe\"], \"Resource\": "
                         "[\"" ARN "topicfilter/$aws/certificates/create-from-csr/*\", "
                         "\"" ARN "topicfilter/$aws/provisioning-templates/Fleet/provision/*\"]}, "
                         "{\"Effect\": \"Allow\", \"Action\": [\"iot:Publish\", \"iot:Receive\"], "
                         "\"Resource\": [\"" ARN "topic/$aws/certificates/create-from-csr/*\", "
                         "\"" ARN "topic/$aws/provisioning-templates/Fleet/provision/*\"]}");
#undef ARN
}
END_TEST

int main(void) {
        Suite *suite = suite_create("model: check-report");
        TCase *tc = tcase_create("check-report");
        SRunner *runner;
        int failed;

        tcase_add_test(tc, every_line_has_a_name);
        tcase_add_loop_test(tc, end_of_a_claim_is_warned_of, 0, ELEMENTSOF(ends));
        tcase_add_loop_test(tc, clock_that_cannot_be_right_is_found, 0, ELEMENTSOF(clocks));
        tcase_add_loop_test(tc, failure_stands_in_its_line_and_ends_the_way, 0,
                            ELEMENTSOF(connections));
        tcase_add_test(tc, way_without_failure_is_good_to_its_end);
        tcase_add_test(tc, proxy_on_the_way_is_named);
        tcase_add_test(tc, claim_that_is_refused_stands_in_its_line);
        tcase_add_test(tc, client_id_is_never_the_profiles);
        tcase_add_loop_test(tc, region_is_read_from_the_endpoint, 0, ELEMENTSOF(endpoints));
        tcase_add_test(tc, policy_covers_what_was_refused_and_each_once);
        suite_add_tcase(suite, tc);
        runner = srunner_create(suite);
        srunner_run_all(runner, CK_NORMAL);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
