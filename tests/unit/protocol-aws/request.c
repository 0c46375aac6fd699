/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Requests: each is read back by the decoders of jansson and libcbor, not by ours. */
#include "protocol/aws/request.h"

#include <cbor.h>
#include <jansson.h>
#include <string.h>

#include "tests/unit/protocol-aws/payload.h"
#include "tests/unit/protocol-aws/suite.h"

#define N(a) (sizeof(a) / sizeof((a)[0]))

/* Looks a text up in a decoded CBOR map; fails where it is not there. */
static cbor_item_t *cbor_get(cbor_item_t *map, const char *name) {
        ck_assert(cbor_isa_map(map));
        for (size_t i = 0; i < cbor_map_size(map); i++) {
                struct cbor_pair pair = cbor_map_handle(map)[i];

                ck_assert(cbor_isa_string(pair.key));
                if (cbor_string_length(pair.key) == strlen(name) &&
                    memcmp(cbor_string_handle(pair.key), name, strlen(name)) == 0)
                        return pair.value;
        }
        ck_abort_msg("no %s", name);
        return NULL;
}

static void assert_cbor_text(cbor_item_t *item, const char *text) {
        ck_assert(cbor_isa_string(item));
        ck_assert(cbor_string_is_definite(item));
        ck_assert_uint_eq(cbor_string_length(item), strlen(text));
        ck_assert_mem_eq(cbor_string_handle(item), text, strlen(text));
}

static cbor_item_t *cbor_read(const AwsBuffer *b) {
        struct cbor_load_result result;
        cbor_item_t *root = cbor_load(b->data, b->size, &result);

        ck_assert_ptr_nonnull(root);
        ck_assert_uint_eq(result.read, b->size);
        return root;
}

static json_t *json_read(const AwsBuffer *b) {
        json_t *root = json_loadb((const char *) b->data, b->size, JSON_REJECT_DUPLICATES, NULL);

        ck_assert_ptr_nonnull(root);
        return root;
}

#define CSR "-----BEGIN CERTIFICATE REQUEST-----\nMIIB\n-----END CERTIFICATE REQUEST-----\n"

START_TEST(csr_goes_out_in_json)
{
        AwsBuffer b = {};
        json_t *root;

        ck_assert_int_eq(aws_request_create_from_csr(AWS_FORMAT_JSON, CSR, &b, NULL), 0);
        root = json_read(&b);
        ck_assert_uint_eq(json_object_size(root), 1);
        ck_assert_str_eq(json_string_value(json_object_get(root, "certificateSigningRequest")),
                         CSR);
        json_decref(root);
        aws_buffer_wipe(&b);
        ck_assert_ptr_null(b.data);
        ck_assert_uint_eq(b.size, 0);
        aws_buffer_wipe(&b);
}
END_TEST

START_TEST(csr_goes_out_in_cbor)
{
        AwsBuffer b = {};
        cbor_item_t *root;

        ck_assert_int_eq(aws_request_create_from_csr(AWS_FORMAT_CBOR, CSR, &b, NULL), 0);
        root = cbor_read(&b);
        ck_assert_uint_eq(cbor_map_size(root), 1);
        assert_cbor_text(cbor_get(root, "certificateSigningRequest"), CSR);
        cbor_decref(&root);
        aws_buffer_wipe(&b);
}
END_TEST

START_TEST(keys_are_asked_for_with_zero_bytes)
{
        AwsBuffer b = {.size = 7};
        char *why = NULL;

        ck_assert_int_eq(aws_request_create_keys((AwsFormat) _i, &b, &why), 0);
        ck_assert_ptr_null(b.data);
        ck_assert_uint_eq(b.size, 0);
        ck_assert_ptr_null(why);
        ck_assert_int_eq(aws_request_create_keys(AWS_FORMAT_MAX, &b, &why), -EINVAL);
        ck_assert_str_eq(why, "no such payload format");
        free(why);
}
END_TEST

static const AwsParameter some[] = {
        {"SerialNumber", "A-1"},
        {"Empty", ""},
        {"Quote\"\\x01", "line\nfeed \xc3\xa4 \xf0\x9f\x98\x80 \x7f"},
};
#define TOKEN "tok/en+=\"x\""

START_TEST(register_goes_out_in_json)
{
        AwsBuffer b = {};
        json_t *root, *parameters;

        /* One byte more is there than belongs to the token. */
        ck_assert_int_eq(aws_request_register(AWS_FORMAT_JSON, TOKEN "?", strlen(TOKEN), some,
                                              N(some), &b, NULL),
                         0);
        root = json_read(&b);
        ck_assert_uint_eq(json_object_size(root), 2);
        ck_assert_str_eq(json_string_value(json_object_get(root, "certificateOwnershipToken")),
                         TOKEN);
        parameters = json_object_get(root, "parameters");
        ck_assert_uint_eq(json_object_size(parameters), N(some));
        for (size_t i = 0; i < N(some); i++)
                ck_assert_str_eq(json_string_value(json_object_get(parameters, some[i].name)),
                                 some[i].value);
        json_decref(root);
        aws_buffer_wipe(&b);
}
END_TEST

START_TEST(register_goes_out_in_cbor)
{
        cbor_item_t *root, *parameters;
        AwsBuffer b = {};

        ck_assert_int_eq(aws_request_register(AWS_FORMAT_CBOR, TOKEN "?", strlen(TOKEN), some,
                                              N(some), &b, NULL),
                         0);
        root = cbor_read(&b);
        ck_assert_uint_eq(cbor_map_size(root), 2);
        assert_cbor_text(cbor_get(root, "certificateOwnershipToken"), TOKEN);
        parameters = cbor_get(root, "parameters");
        ck_assert_uint_eq(cbor_map_size(parameters), N(some));
        for (size_t i = 0; i < N(some); i++)
                assert_cbor_text(cbor_get(parameters, some[i].name), some[i].value);
        cbor_decref(&root);
        aws_buffer_wipe(&b);
}
END_TEST

START_TEST(bytes_of_register_are_those_of_the_standards)
{
        static const AwsParameter one[] = {{"S", "1"}};
        static const char json[] =
                "{\"certificateOwnershipToken\":\"t\",\"parameters\":{\"S\":\"1\"}}";
        static const char cbor[] = "\xa2\x78\x19"
                                   "certificateOwnershipToken"
                                   "\x61"
                                   "t"
                                   "\x6a"
                                   "parameters"
                                   "\xa1\x61"
                                   "S"
                                   "\x61"
                                   "1";
        AwsBuffer b = {};

        ck_assert_int_eq(aws_request_register(AWS_FORMAT_JSON, "t", 1, one, 1, &b, NULL), 0);
        ck_assert_uint_eq(b.size, sizeof(json) - 1);
        ck_assert_mem_eq(b.data, json, b.size);
        aws_buffer_wipe(&b);
        ck_assert_int_eq(aws_request_register(AWS_FORMAT_CBOR, "t", 1, one, 1, &b, NULL), 0);
        ck_assert_uint_eq(b.size, sizeof(cbor) - 1);
        ck_assert_mem_eq(b.data, cbor, b.size);
        aws_buffer_wipe(&b);
}
END_TEST

START_TEST(without_parameters_the_member_is_left_out)
{
        static const char json[] = "{\"certificateOwnershipToken\":\"t\"}";
        static const char cbor[] = "\xa1\x78\x19"
                                   "certificateOwnershipToken"
                                   "\x61"
                                   "t";
        AwsBuffer b = {};

        ck_assert_int_eq(aws_request_register(AWS_FORMAT_JSON, "t", 1, NULL, 0, &b, NULL), 0);
        ck_assert_uint_eq(b.size, sizeof(json) - 1);
        ck_assert_mem_eq(b.data, json, b.size);
        aws_buffer_wipe(&b);
        ck_assert_int_eq(aws_request_register(AWS_FORMAT_CBOR, "t", 1, NULL, 0, &b, NULL), 0);
        ck_assert_uint_eq(b.size, sizeof(cbor) - 1);
        ck_assert_mem_eq(b.data, cbor, b.size);
        aws_buffer_wipe(&b);
}
END_TEST

static void assert_register_refused(const char *token, size_t size, const AwsParameter *p, size_t n,
                                    int error, const char *part) {
        for (AwsFormat f = 0; f < AWS_FORMAT_MAX; f++) {
                AwsBuffer b = {};
                char *why = NULL;

                ck_assert_int_eq(aws_request_register(f, token, size, p, n, &b, &why), error);
                ck_assert_ptr_null(b.data);
                ck_assert_msg(why && strstr(why, part), "'%s' in '%s'", part, why);
                free(why);
                ck_assert_int_eq(aws_request_register(f, token, size, p, n, &b, NULL), error);
        }
}

START_TEST(bad_token_is_refused)
{
        char *longest = repeat('t', AWS_TOKEN_MAX + 1);
        AwsBuffer b = {};

        assert_register_refused("", 0, NULL, 0, -EINVAL, "token is empty");
        assert_register_refused("a\0b", 3, NULL, 0, -EINVAL, "NUL");
        assert_register_refused("a\xff", 2, NULL, 0, -EINVAL, "UTF-8");
        assert_register_refused(longest, AWS_TOKEN_MAX + 1, NULL, 0, -E2BIG, "32769 bytes");
        ck_assert_int_eq(
                aws_request_register(AWS_FORMAT_CBOR, longest, AWS_TOKEN_MAX, NULL, 0, &b, NULL),
                0);
        aws_buffer_wipe(&b);
        free(longest);
}
END_TEST

START_TEST(bad_parameter_is_refused_by_name)
{
        char *name = repeat('n', AWS_PARAMETER_NAME_MAX + 1);
        char *value = repeat('v', AWS_PARAMETER_VALUE_MAX + 1);
        const AwsParameter long_name[] = {{name, ""}}, long_value[] = {{"Big", value}};
        static const AwsParameter empty[] = {{"", "x"}};
        static const AwsParameter bad_name[] = {{"\xc3", "x"}};
        static const AwsParameter bad_value[] = {{"Good", "1"}, {"Bad", "\xed\xa0\x80"}};
        static const AwsParameter twice[] = {{"Good", "1"}, {"Two", "1"}, {"Two", "2"}};
        AwsBuffer b = {};

        assert_register_refused("t", 1, long_name, 1, -E2BIG, "129 bytes");
        assert_register_refused("t", 1, long_value, 1, -E2BIG, "Big has 4097 bytes");
        assert_register_refused("t", 1, empty, 1, -EINVAL, "is empty");
        assert_register_refused("t", 1, bad_name, 1, -EINVAL, "UTF-8");
        assert_register_refused("t", 1, bad_value, 2, -EINVAL, "Bad is not valid UTF-8");
        assert_register_refused("t", 1, twice, 3, -EINVAL, "Two is there more than once");

        name[AWS_PARAMETER_NAME_MAX] = '\0';
        value[AWS_PARAMETER_VALUE_MAX] = '\0';
        ck_assert_int_eq(aws_request_register(AWS_FORMAT_JSON, "t", 1, long_name, 1, &b, NULL), 0);
        aws_buffer_wipe(&b);
        ck_assert_int_eq(aws_request_register(AWS_FORMAT_CBOR, "t", 1, long_value, 1, &b, NULL), 0);
        aws_buffer_wipe(&b);
        free(name);
        free(value);
}
END_TEST

START_TEST(too_many_parameters_are_refused)
{
        static AwsParameter many[AWS_PARAMETERS_MAX + 1];
        static char names[AWS_PARAMETERS_MAX + 1][8];
        char *value = repeat('v', AWS_PARAMETER_VALUE_MAX);
        AwsBuffer b = {};

        for (size_t i = 0; i < N(many); i++) {
                snprintf(names[i], sizeof(names[i]), "p%zu", i);
                many[i] = (AwsParameter){names[i], "x"};
        }
        assert_register_refused("t", 1, many, N(many), -E2BIG, "129 template parameters");
        ck_assert_int_eq(aws_request_register(AWS_FORMAT_CBOR, "t", 1, many, N(many) - 1, &b, NULL),
                         0);
        aws_buffer_wipe(&b);

        /* Each within its bound, all together too long. */
        for (size_t i = 0; i < N(many); i++)
                many[i].value = value;
        assert_register_refused("t", 1, many, N(many) - 1, -E2BIG, "more than 65536 bytes");
        free(value);
}
END_TEST

START_TEST(bad_csr_is_refused)
{
        char *csr = repeat('c', AWS_CSR_MAX + 1);
        AwsBuffer b = {};
        char *why = NULL;

        ck_assert_int_eq(aws_request_create_from_csr(AWS_FORMAT_JSON, "", &b, &why), -EINVAL);
        ck_assert_str_eq(why, "the certificate signing request is empty");
        free(why);
        ck_assert_int_eq(aws_request_create_from_csr(AWS_FORMAT_JSON, csr, &b, &why), -E2BIG);
        ck_assert_ptr_nonnull(strstr(why, "8193 bytes"));
        free(why);
        ck_assert_int_eq(aws_request_create_from_csr(AWS_FORMAT_CBOR, "\xff", &b, NULL), -EINVAL);
        csr[AWS_CSR_MAX] = '\0';
        ck_assert_int_eq(aws_request_create_from_csr(AWS_FORMAT_MAX, csr, &b, &why), -EINVAL);
        ck_assert_str_eq(why, "no such payload format");
        free(why);
        ck_assert_ptr_null(b.data);
        ck_assert_int_eq(aws_request_create_from_csr(AWS_FORMAT_JSON, csr, &b, NULL), 0);
        aws_buffer_wipe(&b);
        free(csr);
}
END_TEST

int main(void) {
        Suite *s = suite_create("protocol/aws requests");
        TCase *c = tcase_create("requests");

        tcase_add_test(c, csr_goes_out_in_json);
        tcase_add_test(c, csr_goes_out_in_cbor);
        tcase_add_loop_test(c, keys_are_asked_for_with_zero_bytes, 0, AWS_FORMAT_MAX);
        tcase_add_test(c, register_goes_out_in_json);
        tcase_add_test(c, register_goes_out_in_cbor);
        tcase_add_test(c, bytes_of_register_are_those_of_the_standards);
        tcase_add_test(c, without_parameters_the_member_is_left_out);
        tcase_add_test(c, bad_token_is_refused);
        tcase_add_test(c, bad_parameter_is_refused_by_name);
        tcase_add_test(c, too_many_parameters_are_refused);
        tcase_add_test(c, bad_csr_is_refused);
        suite_add_tcase(s, c);
        return suite_run(s);
}
