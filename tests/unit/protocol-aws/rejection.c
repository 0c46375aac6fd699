/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "protocol/aws/rejection.h"

#include <stdio.h>
#include <string.h>

#include "tests/unit/protocol-aws/payload.h"
#include "tests/unit/protocol-aws/suite.h"

#define N(a) (int) (sizeof(a) / sizeof((a)[0]))

static int parse(Encoding encoding, const char *json, AwsRejection *ret, char **ret_why) {
        Payload p = payload_from_json(encoding, json);
        int r;

        r = aws_rejection_parse(p.format, p.data, p.size, ret, ret_why);
        payload_done(&p);
        return r;
}

static const struct {
        const char *json;
        int status;
        const char *code, *message;
} kept[] = {
        {"{\"statusCode\":400,\"errorCode\":\"InvalidPayload\",\"errorMessage\":\"no \xc3\xa4\"}",
         400, "InvalidPayload", "no \xc3\xa4"},
        {"{\"errorMessage\":\"m\",\"x\":[],\"statusCode\":100}", 100, NULL, "m"},
        {"{\"statusCode\":999}", 999, NULL, NULL},
        {"{\"statusCode\":503,\"errorCode\":null,\"errorMessage\":\"\"}", 503, NULL, NULL},
        {"{\"statusCode\":403,\"errorCode\":\"ACCESS_DENIED\",\"errorMessage\":\"a\\nb\\u001b\"}",
         403, "ACCESS_DENIED", "a\nb\x1b"},
};

START_TEST(what_the_service_said_is_kept)
{
        for (Encoding e = 0; e < ENCODING_MAX; e++) {
                AwsRejection r = {};

                ck_assert_int_eq(parse(e, kept[_i].json, &r, NULL), 0);
                ck_assert_int_eq(r.status_code, kept[_i].status);
                ck_assert_pstr_eq(r.error_code, kept[_i].code);
                ck_assert_pstr_eq(r.error_message, kept[_i].message);
                aws_rejection_done(&r);
                ck_assert_ptr_null(r.error_message);
                aws_rejection_done(&r);
        }
}
END_TEST

static const struct {
        const char *json, *why;
} refused[] = {
        {"{}", "statusCode is missing"},
        {"{\"errorCode\":\"a\",\"errorMessage\":\"b\"}", "statusCode is missing"},
        {"{\"statusCode\":\"400\"}", "statusCode must be an integer, and is a text"},
        {"{\"statusCode\":400.0}", "statusCode must be an integer, and is a fraction"},
        {"{\"statusCode\":null}", "statusCode must be an integer, and is null"},
        {"{\"statusCode\":99}", "statusCode is 99, and must be from 100 to 999"},
        {"{\"statusCode\":1000}", "statusCode is 1000, and must be from 100 to 999"},
        {"{\"statusCode\":-400}", "statusCode is -400, and must be from 100 to 999"},
        {"{\"statusCode\":4294967696}", "statusCode is 4294967696, and must be from 100 to 999"},
        {"{\"statusCode\":400,\"errorCode\":7}", "errorCode must be a text, and is an integer"},
        {"{\"statusCode\":400,\"errorMessage\":[]}",
         "errorMessage must be a text, and is neither text nor number"},
        {"{\"statusCode\":400,\"errorMessage\":false}",
         "errorMessage must be a text, and is a boolean"},
        {"[]", NULL},
        {"{\"thingName\":\"t\"}", "statusCode is missing"},
};

START_TEST(wrong_rejection_is_refused_by_field)
{
        for (Encoding e = 0; e < ENCODING_MAX; e++) {
                AwsRejection r = {};
                char *why = NULL;

                ck_assert_int_eq(parse(e, refused[_i].json, &r, &why), -EBADMSG);
                ck_assert_str_eq(why, refused[_i].why      ? refused[_i].why
                                      : e == ENCODING_JSON ? "it is no JSON object"
                                                           : "it is no CBOR map");
                ck_assert_ptr_null(r.error_code);
                free(why);
                ck_assert_int_eq(parse(e, refused[_i].json, &r, NULL), -EBADMSG);
        }
}
END_TEST

START_TEST(status_beyond_64_bits_is_no_status)
{
        Payload p = payload_from_hex("a1 6a 737461747573436f6465 1b ffffffffffffffff");
        AwsRejection r = {};
        char *why = NULL;

        ck_assert_int_eq(aws_rejection_parse(p.format, p.data, p.size, &r, &why), -EBADMSG);
        ck_assert_str_eq(why, "statusCode is 18446744073709551615, and must be from 100 to 999");
        free(why);
        payload_done(&p);

        p = payload_from_hex("a1 6a 737461747573436f6465 3b ffffffffffffffff");
        ck_assert_int_eq(aws_rejection_parse(p.format, p.data, p.size, &r, &why), -EBADMSG);
        ck_assert_str_eq(why, "statusCode must be an integer, and is neither text nor number");
        free(why);
        payload_done(&p);
}
END_TEST

START_TEST(long_texts_are_cut_between_characters)
{
        for (Encoding e = 0; e < ENCODING_MAX; e++) {
                char *code = repeat('c', AWS_ERROR_CODE_MAX + 1);
                char *message = repeat('m', AWS_ERROR_MESSAGE_MAX - 1), *json;
                AwsRejection r = {};

                ck_assert_int_gt(asprintf(&json,
                                          "{\"statusCode\":500,\"errorCode\":\"%s\","
                                          "\"errorMessage\":\"%s\xc3\xa4\"}",
                                          code, message),
                                 0);
                ck_assert_int_eq(parse(e, json, &r, NULL), 0);
                ck_assert_uint_eq(strlen(r.error_code), AWS_ERROR_CODE_MAX);
                ck_assert_str_eq(r.error_message, message); /* the last one did not fit whole */
                aws_rejection_done(&r);
                free(json);
                free(code);
                free(message);
        }
}
END_TEST

#define CSR AWS_OPERATION_CREATE_FROM_CSR
#define KEYS AWS_OPERATION_CREATE_KEYS
#define REG AWS_OPERATION_REGISTER

static const struct {
        AwsOperation operation;
        int status;
        const char *code;
        AwsClass class;
} classes[] = {
        {CSR, 400, "InvalidCSR", AWS_CLASS_PERMANENT},
        {CSR, 400, "The CSR is invalid", AWS_CLASS_PERMANENT},
        {REG, 400, "InvalidCertificateOwnershipToken", AWS_CLASS_START_AGAIN},
        {REG, 403, "InvalidCertificateOwnershipTokenException", AWS_CLASS_START_AGAIN},
        {REG, 400, "InvalidCertificateOwnershipTokens", AWS_CLASS_PERMANENT},
        {CSR, 400, "InvalidCertificateOwnershipToken", AWS_CLASS_PERMANENT},
        {KEYS, 400, "InvalidCertificateOwnershipToken", AWS_CLASS_PERMANENT},
        {REG, 400, "InvalidPayload", AWS_CLASS_PERMANENT},
        {REG, 403, "ACCESS_DENIED", AWS_CLASS_PERMANENT},
        {REG, 500, "ACCESS_DENIED", AWS_CLASS_PERMANENT},
        {REG, 403, NULL, AWS_CLASS_PERMANENT},
        {REG, 404, "ResourceNotFoundException", AWS_CLASS_PERMANENT},
        {REG, 404, NULL, AWS_CLASS_PERMANENT},
        {REG, 409, "ResourceConflictsException", AWS_CLASS_PERMANENT},
        {REG, 500, "ResourceConflictsException", AWS_CLASS_PERMANENT},
        {CSR, 429, NULL, AWS_CLASS_THROTTLED},
        {CSR, 429, "Whatever", AWS_CLASS_THROTTLED},
        {KEYS, 400, "ThrottlingException", AWS_CLASS_THROTTLED},
        {KEYS, 503, "Throttled", AWS_CLASS_THROTTLED},
        {REG, 400, "THROTTLING", AWS_CLASS_THROTTLED},
        {REG, 400, "TooManyRequestsException", AWS_CLASS_THROTTLED},
        {REG, 500, NULL, AWS_CLASS_TRANSIENT},
        {REG, 500, "InternalFailure", AWS_CLASS_TRANSIENT},
        {CSR, 503, "ServiceUnavailable", AWS_CLASS_TRANSIENT},
        {CSR, 999, "New", AWS_CLASS_TRANSIENT},
        {CSR, 499, "New", AWS_CLASS_PERMANENT},
        {CSR, 408, NULL, AWS_CLASS_TRANSIENT},
        {CSR, 200, NULL, AWS_CLASS_PERMANENT},
        {CSR, 400, "", AWS_CLASS_PERMANENT},
};

START_TEST(rejection_has_its_class)
{
        ck_assert_msg(aws_rejection_classify(classes[_i].operation, classes[_i].status,
                                             classes[_i].code) == classes[_i].class,
                      "%d %s", classes[_i].status, classes[_i].code);
}
END_TEST

START_TEST(classes_have_names)
{
        ck_assert_str_eq(aws_class_to_string(AWS_CLASS_START_AGAIN), "start-again");
        ck_assert_int_eq(aws_class_from_string("throttled"), AWS_CLASS_THROTTLED);
        ck_assert_int_eq(aws_class_from_string("?"), AWS_CLASS_INVALID);
        ck_assert_ptr_null(aws_class_to_string(AWS_CLASS_MAX));
}
END_TEST

int main(void) {
        Suite *s = suite_create("protocol/aws rejections");
        TCase *c = tcase_create("rejections");

        tcase_add_loop_test(c, what_the_service_said_is_kept, 0, N(kept));
        tcase_add_loop_test(c, wrong_rejection_is_refused_by_field, 0, N(refused));
        tcase_add_test(c, status_beyond_64_bits_is_no_status);
        tcase_add_test(c, long_texts_are_cut_between_characters);
        tcase_add_loop_test(c, rejection_has_its_class, 0, N(classes));
        tcase_add_test(c, classes_have_names);
        suite_add_tcase(s, c);
        return suite_run(s);
}
