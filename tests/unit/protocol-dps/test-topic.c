/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Topics and their query strings, as the service writes them and as a hostile broker may. */
#include "protocol/dps/topic.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/dps/url.h"
#include "tests/unit/protocol-aws/suite.h"

#define N(a) (int) (sizeof(a) / sizeof((a)[0]))
#define RES "$dps/registrations/res/"
#define RID64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static const struct {
        const char *topic;
        int status;
        const char *rid;
        bool has_retry_after;
        uint32_t retry_after_sec;
} answers[] = {
        {RES "200/?$rid=1", 200, "1", false, 0},
        {RES "202/?$rid=abc&retry-after=3", 202, "abc", true, 3},
        {RES "202/?retry-after=3&$rid=abc", 202, "abc", true, 3},
        {RES "202/?retry-after=3&new=1&$rid=abc&other", 202, "abc", true, 3},
        {RES "202/?%24rid=a%2Fb%20c&retry%2Dafter=%31%30", 202, "a/b c", true, 10},
        {RES "202/?$rid=a+b", 202, "a+b", false, 0},
        {RES "202/?$rid=1&", 202, "1", false, 0},
        {RES "202/?&&$rid=1", 202, "1", false, 0},
        {RES "202/?$rid=a=b", 202, "a=b", false, 0},
        {RES "429/?$rid=" RID64 "&retry-after=0", 429, RID64, true, 0},
        {RES "401/?$rid=1&retry-after=301", 401, "1", true, 301},
        {RES "202/?$rid=1&retry-after=86400", 202, "1", true, DPS_RETRY_AFTER_MAX_SEC},
        {RES "202/?$rid=1&retry-after=86401", 202, "1", true, DPS_RETRY_AFTER_MAX_SEC},
        {RES "202/?$rid=1&retry-after=4294967297", 202, "1", true, DPS_RETRY_AFTER_MAX_SEC},
        {RES "202/?$rid=1&retry-after=99999999999999999999999999999", 202, "1", true,
         DPS_RETRY_AFTER_MAX_SEC},
        {RES "202/?$rid=1&retry-after=000000003", 202, "1", true, 3},
        /* What cannot be read is none. */
        {RES "202/?$rid=1&retry-after=", 202, "1", false, 0},
        {RES "202/?$rid=1&retry-after", 202, "1", false, 0},
        {RES "202/?$rid=1&retry-after=-1", 202, "1", false, 0},
        {RES "202/?$rid=1&retry-after=1.5", 202, "1", false, 0},
        {RES "202/?$rid=1&retry-after=3s", 202, "1", false, 0},
        {RES "202/?$rid=1&retry-after=%3", 202, "1", false, 0},
        {RES "202/?$rid=1&retry-after=00000000000000000000000000000003", 202, "1", false, 0},
        {RES "202/?$rid=1&Retry-After=3", 202, "1", false, 0},
        {RES "202/?%zz=1&$rid=1", 202, "1", false, 0},
        {RES "999/?$rid=1", 999, "1", false, 0},
        {RES "100/?$rid=1", 100, "1", false, 0},
        {RES "200/?$rid=1&a&b&c&d&e&f&g&h&i&j&k&l&m&n&o", 200, "1", false, 0},
};

START_TEST(answer_is_read)
{
        /* Exactly as long as it is: what lies behind is not read. */
        char *exact = malloc(strlen(answers[_i].topic));
        DpsAnswerTopic t = {};

        memcpy(exact, answers[_i].topic, strlen(answers[_i].topic));
        ck_assert_msg(dps_topic_parse(exact, strlen(answers[_i].topic), &t), "%s",
                      answers[_i].topic);
        free(exact);
        ck_assert_int_eq(t.status, answers[_i].status);
        ck_assert_str_eq(t.rid, answers[_i].rid);
        ck_assert_int_eq(t.has_retry_after, answers[_i].has_retry_after);
        ck_assert_uint_eq(t.retry_after_sec, answers[_i].retry_after_sec);
}
END_TEST

static const char *const strangers[] = {
        "",
        "$dps",
        RES,
        RES "200",
        RES "200/",
        RES "200/?",
        RES "200?$rid=1",
        RES "200/$rid=1",
        RES "200/x?$rid=1",
        RES "20/?$rid=1",
        RES "2000/?$rid=1",
        RES "099/?$rid=1",
        RES "2x0/?$rid=1",
        RES "-20/?$rid=1",
        RES "200/?rid=1",
        RES "200/?$RID=1",
        RES "200/?retry-after=3",
        RES "200/?$rid=",
        RES "200/?$rid",
        RES "200/?$rid=1&$rid=1",
        RES "200/?$rid=1&%24rid=2",
        RES "200/?$rid=1&retry-after=1&retry-after=1",
        RES "200/?$rid=%",
        RES "200/?$rid=%1",
        RES "200/?$rid=%1g",
        RES "200/?$rid=%g1",
        RES "200/?$rid=%00",
        RES "200/?$rid=" RID64 "0",
        RES "200/?$rid=1&a&b&c&d&e&f&g&h&i&j&k&l&m&n&o&p",
        "$dps/registrations/RES/200/?$rid=1",
        "/" RES "200/?$rid=1",
        "$dps/registrations/PUT/iotdps-register/?$rid=1",
};

START_TEST(what_is_no_answer_is_refused)
{
        char *exact = malloc(strlen(strangers[_i]) + 1);
        DpsAnswerTopic t = {.status = -1};

        /* At the end of its block, so that what reads on is found. */
        memcpy(exact + 1, strangers[_i], strlen(strangers[_i]));
        ck_assert_msg(!dps_topic_parse(exact + 1, strlen(strangers[_i]), &t), "%s", strangers[_i]);
        free(exact);
        ck_assert_int_eq(t.status, -1);
}
END_TEST

START_TEST(nul_in_a_request_id_is_refused)
{
        static const char topic[] = RES "200/?$rid=1\0002";
        DpsAnswerTopic t;

        ck_assert(!dps_topic_parse(topic, sizeof(topic) - 1, &t));
}
END_TEST

START_TEST(requests_have_their_topics)
{
        char *topic = NULL;

        ck_assert_int_eq(dps_topic_register("7", &topic), 0);
        ck_assert_str_eq(topic, "$dps/registrations/PUT/iotdps-register/?$rid=7");
        free(topic);
        ck_assert_int_eq(dps_topic_query("a b", "5.4/+#\xc3\xa4~x", &topic), 0);
        ck_assert_str_eq(topic, "$dps/registrations/GET/iotdps-get-operationstatus/?$rid=a%20b"
                                "&operationId=5.4%2F%2B%23%C3%A4~x");
        free(topic);
        ck_assert_str_eq(DPS_TOPIC_ANSWERS, RES "#");
}
END_TEST

START_TEST(ids_out_of_bounds_make_no_topic)
{
        char *topic = NULL, id[DPS_OPERATION_ID_MAX + 2] = "";

        ck_assert_int_eq(dps_topic_register("", &topic), -EINVAL);
        ck_assert_int_eq(dps_topic_register(RID64 "0", &topic), -EINVAL);
        ck_assert_int_eq(dps_topic_query("", "x", &topic), -EINVAL);
        ck_assert_int_eq(dps_topic_query("1", "", &topic), -EINVAL);
        memset(id, 'i', DPS_OPERATION_ID_MAX + 1);
        ck_assert_int_eq(dps_topic_query("1", id, &topic), -EINVAL);
        ck_assert_ptr_null(topic);
        id[DPS_OPERATION_ID_MAX] = '\0';
        ck_assert_int_eq(dps_topic_query(RID64, id, &topic), 0);
        free(topic);
}
END_TEST

START_TEST(what_is_encoded_is_decoded)
{
        char all[256], decoded[256];
        char *encoded;

        for (int c = 1; c < 256; c++)
                all[c - 1] = (char) c;
        all[255] = '\0';
        encoded = dps_url_encode(all);
        ck_assert_ptr_null(strpbrk(encoded, "+#&=?/ $"));
        ck_assert(dps_url_decode(encoded, strlen(encoded), decoded, sizeof(decoded)));
        ck_assert_str_eq(decoded, all);
        ck_assert(!dps_url_decode(encoded, strlen(encoded), decoded, sizeof(decoded) - 1));
        free(encoded);
        ck_assert(dps_url_decode("%2f", 3, decoded, 2));
        ck_assert_str_eq(decoded, "/");
        ck_assert(!dps_url_decode("", 0, decoded, 0));
        ck_assert(dps_url_decode("", 0, decoded, 1));
        ck_assert_str_eq(decoded, "");
}
END_TEST

int main(void) {
        Suite *s = suite_create("protocol/dps topics");
        TCase *c = tcase_create("topics");

        tcase_add_loop_test(c, answer_is_read, 0, N(answers));
        tcase_add_loop_test(c, what_is_no_answer_is_refused, 0, N(strangers));
        tcase_add_test(c, nul_in_a_request_id_is_refused);
        tcase_add_test(c, requests_have_their_topics);
        tcase_add_test(c, ids_out_of_bounds_make_no_topic);
        tcase_add_test(c, what_is_encoded_is_decoded);
        suite_add_tcase(s, c);
        return suite_run(s);
}
