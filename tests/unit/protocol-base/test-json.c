/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "protocol/base/json.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "protocol/base/wipe.h"
#include "tests/unit/protocol-aws/suite.h"

#define N(a) (int) (sizeof(a) / sizeof((a)[0]))

static const struct {
        const char *text;
        bool object; /* else only a value */
} good[] = {
        {"{}", true},        {" { \"a\" : [1, 2.5, {\"a\": null}] }\n", true},
        {"[]", false},       {"7", false},
        {"\"text\"", false}, {"null", false},
};

START_TEST(json_is_parsed)
{
        json_t *json = NULL;
        char *why = NULL;

        ck_assert_int_eq(
                protocol_json_parse_value(good[_i].text, strlen(good[_i].text), &json, &why), 0);
        ck_assert_ptr_nonnull(json);
        protocol_json_wipep(&json);
        json = NULL;
        ck_assert_int_eq(
                protocol_json_parse_object(good[_i].text, strlen(good[_i].text), &json, &why),
                good[_i].object ? 0 : -EBADMSG);
        if (good[_i].object)
                ck_assert_ptr_null(why);
        ck_assert_int_eq(json != NULL, good[_i].object);
        free(why);
        protocol_json_wipep(&json);
}
END_TEST

static const struct {
        const char *text, *why;
} bad[] = {
        {"", "it ends too early, at byte 0"},
        {"{", "it ends too early, at byte 1"},
        {"{} {}", "more follows its end, at byte 4"},
        {"{\"a\":1,\"a\":2}", "a is there more than once"},
        {"{\"a b\":1,\"a b\":2}", "a field is there more than once, at byte 14"},
        {"{\"a\":\"\\u0000\"}", "a text has a NUL in it, at byte 13"},
        {"{\"a\\u0000\":1}", "a text has a NUL in it, at byte 10"},
        {"{\"a\":\"\xff\"}", "it is not valid UTF-8, at byte 6"},
        {"{\"a\":99999999999999999999}", "a number is too large, at byte 25"},
        {"{\"a\":secret}", "it is not valid JSON, at byte 11"},
};

START_TEST(what_is_wrong_is_said_without_a_value)
{
        json_t *json = NULL;
        char *why = NULL;

        ck_assert_int_eq(
                protocol_json_parse_object(bad[_i].text, strlen(bad[_i].text), &json, &why),
                -EBADMSG);
        ck_assert_str_eq(why, bad[_i].why);
        ck_assert_ptr_null(json);
        free(why);
        ck_assert_int_eq(protocol_json_parse_value(bad[_i].text, strlen(bad[_i].text), &json, NULL),
                         -EBADMSG);
}
END_TEST

START_TEST(very_deep_json_is_refused)
{
        char text[4096];
        json_t *json = NULL;
        char *why = NULL;

        memset(text, '[', sizeof(text));
        ck_assert_int_eq(protocol_json_parse_value(text, sizeof(text), &json, &why), -EBADMSG);
        ck_assert_str_eq(why, "it is nested too deeply, at byte 2049");
        free(why);
}
END_TEST

START_TEST(what_is_written_is_bounded)
{
        json_t *json = json_pack("{s:s, s:[i, b]}", "a", "\xc3\xa4", "b", 7, 1);
        static const char text[] = "{\"a\":\"\xc3\xa4\",\"b\":[7,true]}";
        char *written = NULL;
        size_t size = 0;

        ck_assert_int_eq(protocol_json_write(json, strlen(text) - 1, &written, &size), -E2BIG);
        ck_assert_ptr_null(written);
        ck_assert_int_eq(protocol_json_write(json, strlen(text), &written, &size), 0);
        ck_assert_str_eq(written, text);
        ck_assert_uint_eq(size, strlen(text));
        protocol_wipe_free(written);
        protocol_json_wipep(&json);
        ck_assert_int_eq(protocol_json_write(NULL, 100, &written, &size), -ENOMEM);
}
END_TEST

int main(void) {
        Suite *s = suite_create("protocol/base JSON");
        TCase *c = tcase_create("json");

        tcase_add_loop_test(c, json_is_parsed, 0, N(good));
        tcase_add_loop_test(c, what_is_wrong_is_said_without_a_value, 0, N(bad));
        tcase_add_test(c, very_deep_json_is_refused);
        tcase_add_test(c, what_is_written_is_bounded);
        suite_add_tcase(s, c);
        return suite_run(s);
}
