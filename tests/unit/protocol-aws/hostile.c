/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What no service sends: cut, flipped, nested, claiming more than there is. Nothing may be read
 * beyond the payload, nothing taken that is not whole, and every refusal says why. */
#include <stdio.h>
#include <string.h>

#include "protocol/aws/answer.h"
#include "protocol/aws/document.h"
#include "protocol/aws/rejection.h"
#include "tests/unit/protocol-aws/payload.h"
#include "tests/unit/protocol-aws/suite.h"

#define N(a) (int) (sizeof(a) / sizeof((a)[0]))

/* An answer to anything. */
#define SAMPLE                                                                                    \
        "{\"certificateId\":\"0a1b\",\"certificatePem\":\"-----BEGIN\\n\\u00e4\","                \
        "\"privateKey\":\"key\",\"certificateOwnershipToken\":\"token\",\"thingName\":\"thing\"," \
        "\"deviceConfiguration\":{\"a\":\"b\",\"n\":-70000,\"r\":1.5,\"t\":true},"                \
        "\"statusCode\":400,\"errorCode\":\"Code\",\"errorMessage\":\"text\","                    \
        "\"more\":[null,{\"x\":[\"y\"]}]}"

/* Parses it as everything; how many were taken. */
static int parse_as_all(const Payload *p) {
        AwsRejection rejection = {};
        char *why = NULL;
        int taken = 0;

        for (AwsOperation o = 0; o < AWS_OPERATION_MAX; o++) {
                AwsAnswer a = {};
                int r;

                r = aws_answer_parse(o, p->format, p->data, p->size, &a, &why);
                if (r == 0)
                        taken++;
                else {
                        ck_assert_int_eq(r, -EBADMSG);
                        ck_assert_ptr_nonnull(why);
                        ck_assert_ptr_null(a.certificate_id);
                        free(why);
                        why = NULL;
                }
                ck_assert_ptr_null(why);
                aws_answer_done(&a);
        }
        if (aws_rejection_parse(p->format, p->data, p->size, &rejection, &why) == 0)
                taken++;
        free(why);
        aws_rejection_done(&rejection);
        return taken;
}

START_TEST(sample_is_an_answer_to_anything)
{
        Payload p = payload_from_json((Encoding) _i, SAMPLE);

        ck_assert_int_eq(parse_as_all(&p), 4);
        payload_done(&p);
}
END_TEST

START_TEST(no_proper_beginning_is_an_answer)
{
        Payload whole = payload_from_json((Encoding) _i, SAMPLE);

        for (size_t n = 0; n < whole.size; n++) {
                Payload p = payload_from_bytes(whole.format, whole.data, n);

                ck_assert_msg(parse_as_all(&p) == 0, "%zu bytes of %zu", n, whole.size);
                payload_done(&p);
        }
        payload_done(&whole);
}
END_TEST

START_TEST(nothing_may_follow)
{
        static const char after[] = {'\0', 'x', '}', '{', '"', '\xff', '\xa0', '\x60'};

        for (size_t i = 0; i < sizeof(after); i++) {
                Payload whole = payload_from_json((Encoding) _i, SAMPLE), p;
                uint8_t *longer = malloc(whole.size + 1);

                memcpy(longer, whole.data, whole.size);
                longer[whole.size] = (uint8_t) after[i];
                p = payload_from_bytes(whole.format, longer, whole.size + 1);
                ck_assert_int_eq(parse_as_all(&p), 0);
                payload_done(&p);
                payload_done(&whole);
                free(longer);
        }
}
END_TEST

/* All single bits, and what means something to one of the decoders. */
START_TEST(any_byte_may_be_another)
{
        static const uint8_t telling[] = {0x00, 0xff, 0x7f, 0x9f, 0xbf, 0x5f, 0xf6, '"', '\\', '}'};
        Payload p = payload_from_json((Encoding) _i, SAMPLE);

        for (size_t at = 0; at < p.size; at++) {
                uint8_t was = p.data[at];

                for (unsigned bit = 0; bit < 8; bit++) {
                        p.data[at] = (uint8_t) (was ^ (1U << bit));
                        (void) parse_as_all(&p);
                }
                for (int i = 0; i < N(telling); i++) {
                        p.data[at] = telling[i];
                        (void) parse_as_all(&p);
                }
                p.data[at] = was;
        }
        ck_assert_int_eq(parse_as_all(&p), 4);
        payload_done(&p);
}
END_TEST

/* Always the same numbers: a failure is seen again. xorshift32. */
static uint32_t next_random(uint32_t *state) {
        *state ^= *state << 13;
        *state ^= *state >> 17;
        *state ^= *state << 5;
        return *state;
}

START_TEST(several_bytes_may_change_at_once)
{
        Payload whole = payload_from_json((Encoding) _i, SAMPLE);
        uint32_t state = 1;

        for (int round = 0; round < 1000; round++) {
                Payload p = payload_from_bytes(whole.format, whole.data, whole.size);

                for (int i = 0; i < 4; i++) {
                        size_t at = next_random(&state) % p.size;

                        p.data[at] = (uint8_t) next_random(&state);
                }
                (void) parse_as_all(&p);
                payload_done(&p);
        }
        payload_done(&whole);
}
END_TEST

#define THING "69 7468696e674e616d65" /* thingName */
#define CONF "73 646576696365436f6e66696775726174696f6e"

static const struct {
        const char *hex, *why;
} cbor[] = {
        {"9a04000000", "it claims more items than can follow, at byte 0"},
        {"ba04000000", "it claims more items than can follow, at byte 0"},
        {"bbffffffffffffffff", "it claims more items than can follow, at byte 0"},
        {"bb8000000000000000 61 61 61 62", "it claims more items than can follow, at byte 0"},
        {"a2 6161 01", "it claims more items than can follow, at byte 0"},
        {"a2 6161 61 62", "it ends too early, in what begins at byte 5"},
        {"a1 6161 9a04000000", "it claims more items than can follow, at byte 3"},
        {"a1 6161 9bffffffffffffffff", "it claims more items than can follow, at byte 3"},
        {"a1 6161 7bffffffffffffffff 61", "it ends too early, in what begins at byte 3"},
        {"a1 6161 7a7fffffff 61", "it ends too early, in what begins at byte 3"},
        {"a1 6161 5bffffffffffffffff", "it ends too early, in what begins at byte 3"},
        {"a1 7bfffffffffffffff6 61", "it ends too early, in what begins at byte 1"},
        {"80", "it is no CBOR map"},
        {"60", "it is no CBOR map"},
        {"01", "it is no CBOR map"},
        {"ff", "it is no CBOR map"},
        {"d9d9f7 a0", "it is no CBOR map"},
        {"a0 00", "more follows its end, at byte 1"},
        {"a1 1c 00", "it is not valid CBOR, at byte 1"},
        {"a1 6161 1f", "it is not valid CBOR, at byte 3"},
        {"a1 01 02", "a field name is no text, before byte 2"},
        {"a1 4161 02", "a field name is no text, before byte 3"},
        {"a1 a0 02", "a field name is no text, before byte 2"},
        {"a1 ff 00", "there is a break with nothing to end, at byte 1"},
        {"a1 6161 ff", "there is a break with nothing to end, at byte 3"},
        {"bf 6161 ff", "there is a break with nothing to end, at byte 3"},
        {"bf 6161 01", "it ends too early, in what begins at byte 4"},
        {"a1 6161 82 01 ff", "there is a break with nothing to end, at byte 5"},
        {"a1 6161 c0 ff", "there is a break with nothing to end, at byte 4"},
        {"a1 6161 7f 41 62 ff", "a text has a piece that is none, before byte 6"},
        {"a1 6161 7f 7f 6162 ff ff", "a text has a piece that is none, before byte 5"},
        {"a1 6161 7f 6162", "it ends too early, in what begins at byte 6"},
        {"a1 7f 6161 01 ff", "a text has a piece that is none, before byte 5"},
        {"a2 6161 01 6161 02", "a is there more than once"},
        {"bf 6161 01 7f 6161 ff 02 ff", "a is there more than once"},
        {"a2 " THING " 6174 " THING " 6175", "thingName is there more than once"},
        {"a2 " THING " 6174 " CONF " a2 6161 6162 6161 6163", "a is there more than once"},
        {"a1 " THING " 63 610062", "thingName has a NUL in it"},
        {"a1 " THING " 62 c328", "thingName is not valid UTF-8"},
        {"a1 " THING " 7f 61c3 61 ff", "it ends too early, in what begins at byte 16"},
        {"a1 " THING " 7f 61c3 6128 ff", "thingName is not valid UTF-8"},
        {"a1 63 610062 01", "field name a?b has a NUL in it"},
        {"a1 61 ff 01", "field name ? is not valid UTF-8"},
        {"a1 6161 63 610062", "a has a NUL in it"},
        {"a1 " THING " 43 616263", "thingName must be a text, and is neither text nor number"},
        {"a1 " THING " c0 6161", "thingName must be a text, and is neither text nor number"},
        {"a1 " THING " 5f 4161 ff", "thingName must be a text, and is neither text nor number"},
        {"a1 " THING " f97e00", "thingName must be a text, and is neither text nor number"},
        {"a1 " THING " f97c00", "thingName must be a text, and is neither text nor number"},
        {"a1 " THING " f7", "thingName must be a text, and is null"},
        {"a1 " THING " f0", "it is not valid CBOR, at byte 11"},
        {"a1 " THING " 7f ff", "thingName is empty"},
        {"a2 " THING " 6174 " CONF " a1 6161 a1 6162 6163",
         "deviceConfiguration must hold texts, and a in it is neither text nor number"},
};

START_TEST(hostile_cbor_is_refused)
{
        Payload p = payload_from_hex(cbor[_i].hex);
        AwsAnswer a = {};
        char *why = NULL;

        ck_assert_int_eq(
                aws_answer_parse(AWS_OPERATION_REGISTER, p.format, p.data, p.size, &a, &why),
                -EBADMSG);
        ck_assert_ptr_nonnull(why);
        ck_assert_str_eq(why, cbor[_i].why);
        free(why);
        payload_done(&p);
}
END_TEST

static const struct {
        const char *value, *text;
} scalars[] = {
        {"17", "23"},
        {"18 64", "100"},
        {"19 03e8", "1000"},
        {"1a 000f4240", "1000000"},
        {"1b 000000e8d4a51000", "1000000000000"},
        {"1b ffffffffffffffff", "18446744073709551615"},
        {"20", "-1"},
        {"38 63", "-100"},
        {"39 03e7", "-1000"},
        {"3a 000f423f", "-1000000"},
        {"3b 7fffffffffffffff", "-9223372036854775808"},
        {"f9 3e00", "1.5"},
        {"fa 47c35000", "100000.0"},
        {"fb 3ff199999999999a", "1.1"},
        {"f4", "false"},
        {"7f 60 6178 60 6179 ff", "xy"},
};

START_TEST(scalars_of_cbor_become_their_text)
{
        AwsAnswer a = {};
        Payload p;
        char *hex;

        ck_assert_int_gt(
                asprintf(&hex, "bf " THING " 6174 " CONF " a1 6161 %s ff", scalars[_i].value), 0);
        p = payload_from_hex(hex);
        ck_assert_int_eq(
                aws_answer_parse(AWS_OPERATION_REGISTER, p.format, p.data, p.size, &a, NULL), 0);
        ck_assert_uint_eq(a.n_configuration, 1);
        ck_assert_str_eq(a.configuration[0].value, scalars[_i].text);
        aws_answer_done(&a);
        payload_done(&p);
        free(hex);
}
END_TEST

/* {"a": heads, and the ends that they want, "thingName": "t"} */
static Payload nested_cbor(unsigned depth, uint8_t head, int end) {
        uint8_t *data = malloc(64 + 2 * (size_t) depth);
        size_t n = 0;
        Payload p;

        data[n++] = 0xa2;
        data[n++] = 0x61;
        data[n++] = 'a';
        for (unsigned i = 0; i < depth; i++)
                data[n++] = head;
        if (end < 0)
                data[n++] = 0x00;
        for (unsigned i = 0; i < depth && end >= 0; i++)
                data[n++] = (uint8_t) end;
        memcpy(data + n, "\x69thingName\x61t", 12);
        p = payload_from_bytes(AWS_FORMAT_CBOR, data, n + 12);
        free(data);
        return p;
}

START_TEST(deep_cbor_is_refused)
{
        static const struct {
                uint8_t head;
                int end;
        } kinds[] = {{0x81, -1}, {0x9f, 0xff}, {0xc1, -1}};

        for (unsigned i = 0; i < N(kinds); i++) {
                static const unsigned depths[] = {1, AWS_DEPTH_MAX - 1, AWS_DEPTH_MAX, 30000};

                for (int d = 0; d < N(depths); d++) {
                        Payload p = nested_cbor(depths[d], kinds[i].head, kinds[i].end);
                        AwsAnswer a = {};
                        char *why = NULL;
                        int r;

                        r = aws_answer_parse(AWS_OPERATION_REGISTER, p.format, p.data, p.size, &a,
                                             &why);
                        if (depths[d] < AWS_DEPTH_MAX)
                                ck_assert_int_eq(r, 0);
                        else {
                                ck_assert_int_eq(r, -EBADMSG);
                                ck_assert_str_eq(why, "it is nested more than 16 deep");
                        }
                        aws_answer_done(&a);
                        free(why);
                        payload_done(&p);
                }
        }
}
END_TEST

static const struct {
        const char *json, *why;
} json[] = {
        {"[]", "it is no JSON object"},
        {"\"x\"", "it is not valid JSON, at byte 3"},
        {"7", "it is not valid JSON, at byte 1"},
        {"nul", "it is not valid JSON, at byte 3"},
        {"{", "it ends too early, at byte 1"},
        {"{} {}", "more follows its end, at byte 4"},
        {"{}x", "more follows its end, at byte 3"},
        {"{\"a\":01}", "it is not valid JSON, at byte 6"},
        {"{\"a\":1,}", "it is not valid JSON, at byte 8"},
        {"{'a':1}", "it is not valid JSON, at byte 2"},
        {"{\"a\":\"\\u0000\"}", "a text has a NUL in it, at byte 13"},
        {"{\"a\\u0000\":1}", "a text has a NUL in it, at byte 10"},
        {"{\"a\":\"\xff\"}", "it is not valid UTF-8, at byte 6"},
        {"{\"a\":\"\xed\xa0\x80\"}", "it is not valid UTF-8, at byte 6"},
        {"{\"a\":\"\\ud800\"}", "it is not valid JSON, at byte 13"},
        {"{\"a\":1e999}", "a number is too large, at byte 10"},
        {"{\"a\":99999999999999999999}", "a number is too large, at byte 25"},
        {"{\"a\":NaN}", "it is not valid JSON, at byte 8"},
        {"{\"certificateOwnershipToken\":1,\"certificateOwnershipToken\" : 2}",
         "certificateOwnershipToken is there more than once"},
        {"{\"x\":{\"deep\":[{\"d\":1,\"d\":2}]}}", "d is there more than once"},
        {"{\"d\":1,\"\\u0064\":2}", "a field is there more than once, at byte 15"},
        {"{\"\":1,\"\":2}", "a field is there more than once, at byte 8"},
        {"{\"\xc3\xa4\":1,\"\xc3\xa4\":2}", "a field is there more than once, at byte 12"},
        {"{\"a b\":1,\"a b\":2}", "a field is there more than once, at byte 14"},
        {"\xef\xbb\xbf{}", "it is not valid JSON, at byte 3"},
};

START_TEST(hostile_json_is_refused)
{
        Payload p = payload_from_text(AWS_FORMAT_JSON, json[_i].json);
        AwsAnswer a = {};
        char *why = NULL;

        ck_assert_int_eq(
                aws_answer_parse(AWS_OPERATION_REGISTER, p.format, p.data, p.size, &a, &why),
                -EBADMSG);
        ck_assert_ptr_nonnull(why);
        ck_assert_str_eq(why, json[_i].why);
        free(why);
        payload_done(&p);
}
END_TEST

START_TEST(deep_json_is_refused)
{
        char *deep = repeat('[', AWS_PAYLOAD_MAX);
        AwsAnswer a = {};
        char *why = NULL;

        memcpy(deep, "{\"a\":", 5);
        ck_assert_int_eq(aws_answer_parse(AWS_OPERATION_REGISTER, AWS_FORMAT_JSON, deep,
                                          AWS_PAYLOAD_MAX, &a, &why),
                         -EBADMSG);
        ck_assert_ptr_nonnull(strstr(why, "nested too deeply"));
        free(why);
        free(deep);
}
END_TEST

START_TEST(refusals_quote_no_value)
{
        /* Each is broken right behind the key, where a parser would quote what it read last. */
        static const char *const broken[] = {
                "{\"privateKey\":\"hush\"x}",       "{\"privateKey\":\"hush\" \"hush\"}",
                "{\"privateKey\":\"hush",           "{\"privateKey\":\"hush\",\"certificateId\":1}",
                "{\"privateKey\":[\"hush\",hush]}", "{\"a\":\"b\"}hush",
        };

        for (int i = 0; i < N(broken); i++) {
                Payload p = payload_from_text(AWS_FORMAT_JSON, broken[i]);
                AwsAnswer a = {};
                char *why = NULL;

                ck_assert_int_eq(aws_answer_parse(AWS_OPERATION_CREATE_KEYS, p.format, p.data,
                                                  p.size, &a, &why),
                                 -EBADMSG);
                ck_assert_ptr_null(strstr(why, "hush"));
                free(why);
                payload_done(&p);
        }
}
END_TEST

int main(void) {
        Suite *s = suite_create("protocol/aws hostile input");
        TCase *c = tcase_create("hostile");

        /* Byte by byte under valgrind takes its time; nothing is measured here. */
        tcase_set_timeout(c, 300);
        tcase_add_loop_test(c, sample_is_an_answer_to_anything, 0, ENCODING_MAX);
        tcase_add_loop_test(c, no_proper_beginning_is_an_answer, 0, ENCODING_MAX);
        tcase_add_loop_test(c, nothing_may_follow, 0, ENCODING_MAX);
        tcase_add_loop_test(c, any_byte_may_be_another, 0, ENCODING_MAX);
        tcase_add_loop_test(c, several_bytes_may_change_at_once, 0, ENCODING_MAX);
        tcase_add_loop_test(c, hostile_cbor_is_refused, 0, N(cbor));
        tcase_add_loop_test(c, scalars_of_cbor_become_their_text, 0, N(scalars));
        tcase_add_test(c, deep_cbor_is_refused);
        tcase_add_loop_test(c, hostile_json_is_refused, 0, N(json));
        tcase_add_test(c, deep_json_is_refused);
        tcase_add_test(c, refusals_quote_no_value);
        suite_add_tcase(s, c);
        return suite_run(s);
}
