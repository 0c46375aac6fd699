/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Answers: each row goes through JSON, definite and indefinite CBOR, and all must agree. */
#include "protocol/aws/answer.h"

#include <stdio.h>
#include <string.h>

#include "protocol/aws/document.h"
#include "tests/unit/protocol-aws/payload.h"
#include "tests/unit/protocol-aws/suite.h"

#define N(a) (int) (sizeof(a) / sizeof((a)[0]))

#define ID "\"certificateId\":\"0a1b\""
#define PEM "\"certificatePem\":\"-----BEGIN CERTIFICATE-----\\nMIIB\\n\""
#define TOKEN "\"certificateOwnershipToken\":\"eyJ0b2tlbiI6\""
#define KEY "\"privateKey\":\"-----BEGIN RSA PRIVATE KEY-----\\nMIIE\\n\""

static int parse(AwsOperation operation, Encoding encoding, const char *json, AwsAnswer *ret,
                 char **ret_why) {
        Payload p = payload_from_json(encoding, json);
        int r;

        r = aws_answer_parse(operation, p.format, p.data, p.size, ret, ret_why);
        payload_done(&p);
        return r;
}

START_TEST(certificate_from_csr_is_read)
{
        AwsAnswer a = {};

        ck_assert_int_eq(parse(AWS_OPERATION_CREATE_FROM_CSR, (Encoding) _i,
                               "{" TOKEN "," PEM "," ID "}", &a, NULL),
                         0);
        ck_assert_str_eq(a.certificate_id, "0a1b");
        ck_assert_str_eq(a.certificate_pem, "-----BEGIN CERTIFICATE-----\nMIIB\n");
        ck_assert_str_eq(a.ownership_token, "eyJ0b2tlbiI6");
        ck_assert_ptr_null(a.private_key);
        ck_assert_ptr_null(a.thing_name);
        ck_assert(!a.has_configuration);
        aws_answer_done(&a);
        ck_assert_ptr_null(a.certificate_id);
        aws_answer_done(&a);
}
END_TEST

START_TEST(keys_and_certificate_are_read)
{
        AwsAnswer a = {};

        ck_assert_int_eq(parse(AWS_OPERATION_CREATE_KEYS, (Encoding) _i,
                               "{" ID "," PEM "," KEY "," TOKEN "}", &a, NULL),
                         0);
        ck_assert_str_eq(a.private_key, "-----BEGIN RSA PRIVATE KEY-----\nMIIE\n");
        ck_assert_str_eq(a.ownership_token, "eyJ0b2tlbiI6");
        aws_answer_done(&a);
}
END_TEST

START_TEST(thing_and_configuration_are_read)
{
        static const char *const expected[][2] = {
                {"Url", "https://x/\xc3\xa4"},
                {"Empty", ""},
                {"Port", "8883"},
                {"Minus", "-12"},
                {"Ratio", "1.1"},
                {"On", "true"},
                {"Off", "false"},
                {"Big", "9223372036854775807"},
        };
        AwsAnswer a = {};

        ck_assert_int_eq(parse(AWS_OPERATION_REGISTER, (Encoding) _i,
                               "{\"deviceConfiguration\":{\"Url\":\"https://x/\xc3\xa4\","
                               "\"Empty\":\"\",\"Port\":8883,\"Minus\":-12,\"Ratio\":1.1,"
                               "\"On\":true,\"Off\":false,\"Big\":9223372036854775807},"
                               "\"thingName\":\"thing-1\"}",
                               &a, NULL),
                         0);
        ck_assert_str_eq(a.thing_name, "thing-1");
        ck_assert(a.has_configuration);
        ck_assert_uint_eq(a.n_configuration, N(expected));
        for (int i = 0; i < N(expected); i++) {
                ck_assert_str_eq(a.configuration[i].name, expected[i][0]);
                ck_assert_str_eq(a.configuration[i].value, expected[i][1]);
        }
        ck_assert_ptr_null(a.certificate_id);
        aws_answer_done(&a);
}
END_TEST

static const struct {
        const char *json;
        bool has;
} no_settings[] = {
        {"{\"thingName\":\"t\"}", false},
        {"{\"thingName\":\"t\",\"deviceConfiguration\":null}", false},
        {"{\"thingName\":\"t\",\"deviceConfiguration\":{}}", true},
};

START_TEST(configuration_may_be_missing_null_or_empty)
{
        for (Encoding e = 0; e < ENCODING_MAX; e++) {
                AwsAnswer a = {};

                ck_assert_int_eq(parse(AWS_OPERATION_REGISTER, e, no_settings[_i].json, &a, NULL),
                                 0);
                ck_assert_int_eq(a.has_configuration, no_settings[_i].has);
                ck_assert_uint_eq(a.n_configuration, 0);
                aws_answer_done(&a);
        }
}
END_TEST

START_TEST(unknown_fields_of_any_shape_are_ignored)
{
        AwsAnswer a = {};

        ck_assert_int_eq(
                parse(AWS_OPERATION_CREATE_FROM_CSR, (Encoding) _i,
                      "{\"z\":[1,[2,{\"a\":[]}],\"x\"],\"y\":{\"a\":{\"b\":{\"c\":[null]}},"
                      "\"l\":[true]},\"\":\"\",\"n\":null,\"r\":-1.5e3,\"privateKey\":7," ID "," PEM
                      "," TOKEN ",\"last\":{}}",
                      &a, NULL),
                0);
        ck_assert_str_eq(a.certificate_id, "0a1b");
        ck_assert_ptr_null(a.private_key);
        aws_answer_done(&a);
}
END_TEST

#define CSR AWS_OPERATION_CREATE_FROM_CSR
#define KEYS AWS_OPERATION_CREATE_KEYS
#define REG AWS_OPERATION_REGISTER
#define CONF(json) "{\"thingName\":\"t\",\"deviceConfiguration\":" json "}"

static const struct {
        AwsOperation operation;
        const char *json, *why;
} refused[] = {
        {CSR, "{}", "certificateId is missing"},
        {CSR, "{" ID "," PEM "}", "certificateOwnershipToken is missing"},
        {CSR, "{" ID "," TOKEN "}", "certificatePem is missing"},
        {CSR, "{" PEM "," TOKEN "}", "certificateId is missing"},
        {CSR, "{" PEM "," TOKEN ",\"CertificateId\":\"a\"}", "certificateId is missing"},
        {CSR, "{" PEM "," TOKEN ",\"certificateId\":\"\"}", "certificateId is empty"},
        {CSR, "{" PEM "," TOKEN ",\"certificateId\":7}",
         "certificateId must be a text, and is an integer"},
        {CSR, "{" PEM "," TOKEN ",\"certificateId\":7.5}",
         "certificateId must be a text, and is a fraction"},
        {CSR, "{" PEM "," TOKEN ",\"certificateId\":null}",
         "certificateId must be a text, and is null"},
        {CSR, "{" PEM "," TOKEN ",\"certificateId\":true}",
         "certificateId must be a text, and is a boolean"},
        {CSR, "{" PEM "," TOKEN ",\"certificateId\":[\"a\"]}",
         "certificateId must be a text, and is neither text nor number"},
        {CSR, "{" PEM "," TOKEN ",\"certificateId\":{\"a\":\"b\"}}",
         "certificateId must be a text, and is an object"},
        {CSR, "{" PEM "," TOKEN ",\"certificateId\":\"a\\u001b\"}",
         "certificateId has a control character in it"},
        {CSR, "{" PEM "," TOKEN ",\"certificateId\":\"a\\u007f\"}",
         "certificateId has a control character in it"},
        {KEYS, "{" ID "," PEM "," TOKEN "}", "privateKey is missing"},
        {KEYS, "{" ID "," PEM "," TOKEN ",\"privateKey\":\"\"}", "privateKey is empty"},
        {KEYS, "{" KEY "}", "certificateId is missing"},
        {REG, "{}", "thingName is missing"},
        {REG, "{\"thingName\":\"\"}", "thingName is empty"},
        {REG, "{\"thingName\":{}}", "thingName must be a text, and is an object"},
        {REG, "{\"thingName\":\"a\\nb\"}", "thingName has a control character in it"},
        {REG, CONF("\"\""), "deviceConfiguration must be an object, and is a text"},
        {REG, CONF("[]"), "deviceConfiguration must be an object, and is neither text nor number"},
        {REG, CONF("{\"a\":null}"), "deviceConfiguration must hold texts, and a in it is null"},
        {REG, CONF("{\"ok\":\"1\",\"a\":{}}"),
         "deviceConfiguration must hold texts, and a in it is neither text nor number"},
        {REG, CONF("{\"ok\":\"1\",\"a\":[\"b\"]}"),
         "deviceConfiguration must hold texts, and a in it is neither text nor number"},
        {REG, CONF("{\"\":\"1\"}"), "deviceConfiguration has an empty name in it"},
        {AWS_OPERATION_MAX, "{}", "no such operation"},
        {AWS_OPERATION_INVALID, "{}", "no such operation"},
};

START_TEST(wrong_answer_is_refused_by_field)
{
        for (Encoding e = 0; e < ENCODING_MAX; e++) {
                AwsAnswer a = {};
                char *why = NULL;

                ck_assert_int_eq(parse(refused[_i].operation, e, refused[_i].json, &a, &why),
                                 refused[_i].operation < 0 || refused[_i].operation > REG
                                         ? -EINVAL
                                         : -EBADMSG);
                ck_assert_ptr_nonnull(why);
                ck_assert_str_eq(why, refused[_i].why);
                ck_assert_ptr_null(a.certificate_id);
                ck_assert_ptr_null(a.thing_name);
                free(why);
                ck_assert_int_lt(parse(refused[_i].operation, e, refused[_i].json, &a, NULL), 0);
        }
}
END_TEST

/* The longest that is taken, and one byte more. */
static const struct {
        AwsOperation operation;
        size_t max;
        const char *before;
        const char *after;
        const char *why;
} bounded[] = {
        {CSR, AWS_CERTIFICATE_ID_MAX, "{" PEM "," TOKEN ",\"certificateId\":\"", "\"}",
         "certificateId has 257 bytes, and 256 are allowed"},
        {CSR, AWS_CERTIFICATE_PEM_MAX, "{" ID "," TOKEN ",\"certificatePem\":\"", "\"}",
         "certificatePem has 32769 bytes, and 32768 are allowed"},
        {CSR, AWS_TOKEN_MAX, "{" ID "," PEM ",\"certificateOwnershipToken\":\"", "\"}",
         "certificateOwnershipToken has 32769 bytes, and 32768 are allowed"},
        {KEYS, AWS_PRIVATE_KEY_MAX, "{" ID "," PEM "," TOKEN ",\"privateKey\":\"", "\"}",
         "privateKey has 16385 bytes, and 16384 are allowed"},
        {REG, AWS_THING_NAME_MAX, "{\"thingName\":\"", "\"}",
         "thingName has 129 bytes, and 128 are allowed"},
        {REG, AWS_FIELD_NAME_MAX, "{\"thingName\":\"t\",\"", "\":1}",
         "field name xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx... is "
         "longer than 256 bytes"},
};

START_TEST(each_text_has_its_bound)
{
        for (Encoding e = 0; e < ENCODING_MAX; e++)
                for (size_t over = 0; over < 2; over++) {
                        char *filling = repeat('x', bounded[_i].max + over), *json, *why = NULL;
                        AwsAnswer a = {};
                        int r;

                        ck_assert_int_gt(asprintf(&json, "%s%s%s", bounded[_i].before, filling,
                                                  bounded[_i].after),
                                         0);
                        r = parse(bounded[_i].operation, e, json, &a, &why);
                        if (over) {
                                ck_assert_int_eq(r, -EBADMSG);
                                ck_assert_str_eq(why, bounded[_i].why);
                        } else
                                ck_assert_int_eq(r, 0);
                        aws_answer_done(&a);
                        free(why);
                        free(json);
                        free(filling);
                }
}
END_TEST

/* {"thingName":"t","deviceConfiguration":{"k0":"v", ...}} */
static char *configuration_of(size_t n) {
        char *json = NULL;
        size_t size = 0;
        FILE *f = open_memstream(&json, &size);

        fprintf(f, "{\"thingName\":\"t\",\"deviceConfiguration\":{");
        for (size_t i = 0; i < n; i++)
                fprintf(f, "%s\"k%zu\":\"v\"", i > 0 ? "," : "", i);
        fprintf(f, "}}");
        fclose(f);
        return json;
}

START_TEST(configuration_has_a_bounded_count)
{
        char *most = configuration_of(AWS_FIELDS_MAX), *more = configuration_of(AWS_FIELDS_MAX + 1);
        AwsAnswer a = {};
        char *why = NULL;

        ck_assert_int_eq(parse(REG, (Encoding) _i, most, &a, NULL), 0);
        ck_assert_uint_eq(a.n_configuration, AWS_FIELDS_MAX);
        ck_assert_str_eq(a.configuration[AWS_FIELDS_MAX - 1].name, "k255");
        aws_answer_done(&a);
        ck_assert_int_eq(parse(REG, (Encoding) _i, more, &a, &why), -EBADMSG);
        ck_assert_str_eq(why, "an object has more than 256 fields");
        free(why);
        free(most);
        free(more);
}
END_TEST

START_TEST(payload_has_a_bound_and_a_minimum)
{
        char *blank = repeat(' ', AWS_PAYLOAD_MAX + 1);
        static const char good[] = "{\"thingName\":\"t\"}";
        AwsFormat format = (AwsFormat) _i;
        AwsAnswer a = {};
        char *why = NULL;

        ck_assert_int_eq(aws_answer_parse(REG, format, blank, AWS_PAYLOAD_MAX + 1, &a, &why),
                         -EBADMSG);
        ck_assert_str_eq(why, "it has 65537 bytes, and 65536 are allowed");
        free(why);
        ck_assert_int_eq(aws_answer_parse(REG, format, NULL, 0, &a, &why), -EBADMSG);
        ck_assert_str_eq(why, "it is empty");
        free(why);
        ck_assert_int_eq(aws_answer_parse(REG, AWS_FORMAT_MAX, good, 2, &a, &why), -EINVAL);
        ck_assert_str_eq(why, "no such payload format");
        free(why);
        memcpy(blank, good, sizeof(good) - 1);
        ck_assert_int_eq(aws_answer_parse(REG, AWS_FORMAT_JSON, blank, AWS_PAYLOAD_MAX, &a, NULL),
                         0);
        aws_answer_done(&a);
        free(blank);
}
END_TEST

int main(void) {
        Suite *s = suite_create("protocol/aws answers");
        TCase *c = tcase_create("answers");

        tcase_add_loop_test(c, certificate_from_csr_is_read, 0, ENCODING_MAX);
        tcase_add_loop_test(c, keys_and_certificate_are_read, 0, ENCODING_MAX);
        tcase_add_loop_test(c, thing_and_configuration_are_read, 0, ENCODING_MAX);
        tcase_add_loop_test(c, configuration_may_be_missing_null_or_empty, 0, N(no_settings));
        tcase_add_loop_test(c, unknown_fields_of_any_shape_are_ignored, 0, ENCODING_MAX);
        tcase_add_loop_test(c, wrong_answer_is_refused_by_field, 0, N(refused));
        tcase_add_loop_test(c, each_text_has_its_bound, 0, N(bounded));
        tcase_add_loop_test(c, configuration_has_a_bounded_count, 0, ENCODING_MAX);
        tcase_add_loop_test(c, payload_has_a_bound_and_a_minimum, 0, AWS_FORMAT_MAX);
        suite_add_tcase(s, c);
        return suite_run(s);
}
