/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/net/http-answer.h"

#include <errno.h>

#include "tests/unit/net/run-suite.h"

/* Feeds until it is whole or refused; *ret_used: bytes of it. */
static int feed(HttpAnswer *a, const char *text, size_t size, size_t *ret_used) {
        int r = 0;

        *a = (HttpAnswer){};
        for (*ret_used = 0; *ret_used < size && r == 0; (*ret_used)++)
                r = http_answer_feed(a, (uint8_t) text[*ret_used]);
        return r;
}

static const struct {
        const char *text;
        int result, status;
        const char *reason;
} cases[] = {
        {"HTTP/1.1 200 OK\r\n\r\n", 1, 200, "OK"},
        {"HTTP/1.0 200 Connection established\r\nProxy-agent: x\r\n\r\n", 1, 200,
         "Connection established"},
        {"HTTP/1.1 200\r\n\r\n", 1, 200, ""},
        {"HTTP/1.1 200 \r\n\r\n", 1, 200, ""},
        {"HTTP/1.1 407 Proxy Authentication Required\nA: b\n\n", 1, 407,
         "Proxy Authentication Required"},
        {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 502 Bad\r\n\r\n", 1, 502, "Bad"},
        {"HTTP/1.1 101 Switching\r\n\r\n", 1, 101, "Switching"},
        {"HTTP/1.1 999 \xc3\xa4\r\n\r\n", 1, 999, ""},
        {"HTTP/1.1 200 OK\r\n", 0, 0, NULL},
        {"", 0, 0, NULL},
        {"HTTP/2 200\r\n\r\n", -EBADMSG, 0, NULL},
        {"HTTP/1.x 200\r\n\r\n", -EBADMSG, 0, NULL},
        {"HTTP/1.1  200\r\n\r\n", -EBADMSG, 0, NULL},
        {"HTTP/1.1 020 OK\r\n\r\n", -EBADMSG, 0, NULL},
        {"HTTP/1.1 20\r\n\r\n", -EBADMSG, 0, NULL},
        {"HTTP/1.1 2000\r\n\r\n", -EBADMSG, 0, NULL},
        {"HTTP/1.1 200 OK\rX", -EBADMSG, 0, NULL},
        {"HTTP/1.1 200 OK\r\nA: b\r\n folded\r\n\r\n", -EBADMSG, 0, NULL},
        {"HTTP/1.1 200 \x01\r\n\r\n", -EBADMSG, 0, NULL},
        {"\x05\x00", -EBADMSG, 0, NULL},
        {"\x15\x03\x01", -EBADMSG, 0, NULL},
        {"\r\nHTTP/1.1 200 OK\r\n\r\n", -EBADMSG, 0, NULL},
};

START_TEST(head_is_taken_and_nothing_else_is)
{
        const char *text = cases[_i].text, *reason;
        HttpAnswer a;
        size_t used;
        int size;

        ck_assert_msg(feed(&a, text, strlen(text), &used) == cases[_i].result, "%s", text);
        if (cases[_i].result != 1)
                return;
        ck_assert_uint_eq(used, strlen(text));
        ck_assert_int_eq(http_answer_status(&a), cases[_i].status);
        reason = http_answer_reason(&a, &size);
        ck_assert_int_eq(size, (int) strlen(cases[_i].reason));
        ck_assert_mem_eq(reason, cases[_i].reason, (size_t) size);
}
END_TEST

START_TEST(what_stands_behind_it_is_left)
{
        static const char text[] = "HTTP/1.1 200 OK\r\n\r\n\x16\x03";
        HttpAnswer a;
        size_t used;

        ck_assert_int_eq(feed(&a, text, sizeof(text) - 1, &used), 1);
        ck_assert_uint_eq(used, sizeof(text) - 3);
}
END_TEST

START_TEST(byte_of_zero_is_no_http)
{
        static const char text[] = "HTTP/1.1 200 O\0K\r\n\r\n";
        HttpAnswer a;
        size_t used;

        ck_assert_int_eq(feed(&a, text, sizeof(text) - 1, &used), -EBADMSG);
}
END_TEST

START_TEST(head_without_end_is_bounded)
{
        static const char begin[] = "HTTP/1.1 200 OK\r\nX: ";
        HttpAnswer a;
        size_t n;
        int r;

        ck_assert_int_eq(feed(&a, begin, strlen(begin), &n), 0);
        for (r = 0; r == 0; n++)
                r = http_answer_feed(&a, 'x');
        ck_assert_int_eq(r, -EMSGSIZE);
        ck_assert_uint_eq(n, HTTP_ANSWER_MAX + 1);
}
END_TEST

START_TEST(interim_answers_without_end_are_bounded)
{
        static const char interim[] = "HTTP/1.1 100 Continue\r\n\r\n";
        HttpAnswer a = {};
        size_t n = 0;
        int r;

        for (r = 0; r == 0; n++)
                r = http_answer_feed(&a, (uint8_t) interim[n % strlen(interim)]);
        ck_assert_int_eq(r, -EMSGSIZE);
        ck_assert_uint_eq(n, HTTP_ANSWER_MAX + 1);
}
END_TEST

START_TEST(headers_are_found)
{
        static const char text[] = "HTTP/1.1 101 Upgrade: lie\r\n"
                                   "Upgrade: WebSocket\r\n"
                                   "Connection: keep-alive, Upgrade \r\n"
                                   "connection: x\r\n"
                                   "Twice: a\r\nTwice: b\r\n"
                                   "Empty:\r\n"
                                   "Sec-WebSocket-Accept:  abc=\t\r\n\r\n";
        const char *value;
        HttpAnswer a;
        size_t size;

        ck_assert_int_eq(feed(&a, text, strlen(text), &size), 1);
        ck_assert(http_answer_has_token(&a, "upgrade", "websocket"));
        ck_assert(http_answer_has_token(&a, "Connection", "upgrade"));
        ck_assert(http_answer_has_token(&a, "Connection", "X"));
        ck_assert(!http_answer_has_token(&a, "Connection", "up"));
        ck_assert(!http_answer_has_token(&a, "HTTP/1.1 101 Upgrade", "lie"));
        value = http_answer_header(&a, "sec-websocket-accept", &size);
        ck_assert_uint_eq(size, 4);
        ck_assert_mem_eq(value, "abc=", 4);
        ck_assert_ptr_nonnull(http_answer_header(&a, "Empty", &size));
        ck_assert_uint_eq(size, 0);
        ck_assert_ptr_null(http_answer_header(&a, "Twice", &size));
        ck_assert_ptr_null(http_answer_header(&a, "Sec-WebSocket", &size));
}
END_TEST

int main(void) {
        Suite *s = suite_create("http-answer");
        TCase *t = tcase_create("http-answer");

        tcase_add_loop_test(t, head_is_taken_and_nothing_else_is, 0, ELEMENTSOF(cases));
        tcase_add_test(t, what_stands_behind_it_is_left);
        tcase_add_test(t, byte_of_zero_is_no_http);
        tcase_add_test(t, head_without_end_is_bounded);
        tcase_add_test(t, interim_answers_without_end_are_bounded);
        tcase_add_test(t, headers_are_found);
        suite_add_tcase(s, t);
        return run_suite(s);
}
