/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "protocol/dps/refusal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/protocol-aws/suite.h"

#define N(a) (int) (sizeof(a) / sizeof((a)[0]))

static const struct {
        const char *json;
        int64_t number;
        const char *code, *message, *tracking_id, *timestamp_utc;
} kept[] = {
        {"{\"errorCode\":401002,\"trackingId\":\"8ad0463c\",\"message\":\"Unauthorized\","
         "\"timestampUtc\":\"2026-11-21T17:00:00Z\"}",
         401002, "401002", "Unauthorized", "8ad0463c", "2026-11-21T17:00:00Z"},
        {"{\"errorCode\":\"401002\",\"message\":\"m\",\"new\":{}}", 401002, "401002", "m", NULL,
         NULL},
        {"{\"errorCode\":\"IotHubNotFound\",\"errorMessage\":\"m\"}", 0, "IotHubNotFound", "m",
         NULL, NULL},
        {"{\"errorCode\":\"401002x\"}", 0, "401002x", NULL, NULL, NULL},
        {"{\"errorCode\":\"-5\"}", 0, "-5", NULL, NULL, NULL},
        {"{\"errorCode\":\"99999999999999999999\"}", 0, "99999999999999999999", NULL, NULL, NULL},
        {"{\"errorCode\":0,\"message\":\"\"}", 0, NULL, NULL, NULL, NULL},
        {"{\"errorCode\":-1}", 0, NULL, NULL, NULL, NULL},
        {"{\"errorCode\":null,\"message\":7,\"trackingId\":[]}", 0, NULL, NULL, NULL, NULL},
        {"{\"message\":\"a\\nb\\u001b\"}", 0, NULL, "a\nb\x1b", NULL, NULL},
        /* The status alone is a refusal. */
        {"", 0, NULL, NULL, NULL, NULL},
        {"Unauthorized", 0, NULL, NULL, NULL, NULL},
        {"[]", 0, NULL, NULL, NULL, NULL},
        {"{\"message\":\"a\"", 0, NULL, NULL, NULL, NULL},
};

START_TEST(what_the_service_said_is_kept)
{
        DpsRefusal r = {};

        ck_assert_int_eq(dps_refusal_parse(401, kept[_i].json, strlen(kept[_i].json), &r), 0);
        ck_assert_int_eq(r.status_code, 401);
        ck_assert_int_eq(r.error_number, kept[_i].number);
        ck_assert_pstr_eq(r.error_code, kept[_i].code);
        ck_assert_pstr_eq(r.message, kept[_i].message);
        ck_assert_pstr_eq(r.tracking_id, kept[_i].tracking_id);
        ck_assert_pstr_eq(r.timestamp_utc, kept[_i].timestamp_utc);
        dps_refusal_done(&r);
        ck_assert_ptr_null(r.message);
        dps_refusal_done(&r);
}
END_TEST

START_TEST(long_texts_are_cut_between_characters)
{
        char message[DPS_ERROR_MESSAGE_MAX] = "", code[DPS_ERROR_CODE_MAX + 2] = "", *json;
        DpsRefusal r = {};

        memset(message, 'm', sizeof(message) - 1);
        memset(code, 'c', sizeof(code) - 1);
        ck_assert_int_gt(
                asprintf(&json, "{\"errorCode\":\"%s\",\"message\":\"%s\xc3\xa4\"}", code, message),
                0);
        ck_assert_int_eq(dps_refusal_parse(500, json, strlen(json), &r), 0);
        ck_assert_uint_eq(strlen(r.error_code), DPS_ERROR_CODE_MAX);
        ck_assert_str_eq(r.message, message); /* the last character did not fit whole */
        dps_refusal_done(&r);
        free(json);
}
END_TEST

START_TEST(very_long_refusal_is_a_refusal)
{
        size_t size = 1024 * 1024;
        char *data = malloc(size);
        DpsRefusal r = {};

        memset(data, ' ', size);
        memcpy(data, "{\"errorCode\":5}", 15);
        ck_assert_int_eq(dps_refusal_parse(503, data, size, &r), 0);
        ck_assert_int_eq(r.status_code, 503);
        ck_assert_ptr_null(r.error_code);
        free(data);
}
END_TEST

#define REG DPS_REQUEST_REGISTER
#define QUERY DPS_REQUEST_QUERY

static const struct {
        DpsRequest request;
        int status;
        int64_t number;
        DpsClass class;
} classes[] = {
        {REG, 401, 401002, DPS_CLASS_CREDENTIALS},
        {QUERY, 401, 0, DPS_CLASS_CREDENTIALS},
        {REG, 0, 401000, DPS_CLASS_CREDENTIALS},
        {REG, 400, 400004, DPS_CLASS_PERMANENT},
        {REG, 400, 400207, DPS_CLASS_PERMANENT},
        {REG, 0, 400209, DPS_CLASS_PERMANENT},
        {REG, 403, 403004, DPS_CLASS_PERMANENT},
        {REG, 404, 404201, DPS_CLASS_PERMANENT},
        {REG, 404, 0, DPS_CLASS_PERMANENT},
        {QUERY, 404, 404204, DPS_CLASS_UNKNOWN_OPERATION},
        {QUERY, 404, 0, DPS_CLASS_UNKNOWN_OPERATION},
        {QUERY, 400, 404204, DPS_CLASS_UNKNOWN_OPERATION},
        {QUERY, 400, 400004, DPS_CLASS_PERMANENT},
        {REG, 409, 0, DPS_CLASS_PERMANENT},
        {REG, 429, 429001, DPS_CLASS_THROTTLED},
        {QUERY, 429, 0, DPS_CLASS_THROTTLED},
        {REG, 0, 429002, DPS_CLASS_THROTTLED},
        {REG, 400, 429001, DPS_CLASS_THROTTLED},
        {REG, 503, 429001, DPS_CLASS_THROTTLED},
        {REG, 500, 500001, DPS_CLASS_TRANSIENT},
        {REG, 503, 0, DPS_CLASS_TRANSIENT},
        {REG, 408, 0, DPS_CLASS_TRANSIENT},
        {QUERY, 404, 504001, DPS_CLASS_TRANSIENT},
        {REG, 999, 0, DPS_CLASS_TRANSIENT},
        {REG, 0, 0, DPS_CLASS_PERMANENT},
        {REG, 0, 7, DPS_CLASS_PERMANENT},
        {REG, 301, 0, DPS_CLASS_PERMANENT},
        {REG, 0, 429, DPS_CLASS_THROTTLED},
        {REG, 0, 42900100, DPS_CLASS_THROTTLED},
        {REG, 0, INT64_MAX, DPS_CLASS_TRANSIENT}, /* 922... */
};

START_TEST(refusal_has_its_class)
{
        ck_assert_msg(dps_classify(classes[_i].request, classes[_i].status, classes[_i].number) ==
                              classes[_i].class,
                      "%d %lld", classes[_i].status, (long long) classes[_i].number);
}
END_TEST

START_TEST(classes_and_requests_have_names)
{
        ck_assert_str_eq(dps_class_to_string(DPS_CLASS_UNKNOWN_OPERATION), "unknown-operation");
        ck_assert_int_eq(dps_class_from_string("throttled"), DPS_CLASS_THROTTLED);
        ck_assert_int_eq(dps_class_from_string("?"), DPS_CLASS_INVALID);
        ck_assert_ptr_null(dps_class_to_string(DPS_CLASS_MAX));
        ck_assert_str_eq(dps_request_to_string(REG), "register");
        ck_assert_int_eq(dps_request_from_string("query"), QUERY);
        ck_assert_int_eq(dps_request_from_string("x"), DPS_REQUEST_INVALID);
        ck_assert_ptr_null(dps_request_to_string(DPS_REQUEST_INVALID));
}
END_TEST

int main(void) {
        Suite *s = suite_create("protocol/dps refusals");
        TCase *c = tcase_create("refusals");

        tcase_add_loop_test(c, what_the_service_said_is_kept, 0, N(kept));
        tcase_add_test(c, long_texts_are_cut_between_characters);
        tcase_add_test(c, very_long_refusal_is_a_refusal);
        tcase_add_loop_test(c, refusal_has_its_class, 0, N(classes));
        tcase_add_test(c, classes_and_requests_have_names);
        suite_add_tcase(s, c);
        return suite_run(s);
}
