/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/net/proxy-request.h"

#include "tests/unit/net/run-suite.h"

#define SECRET "ZmxlZXRwcm92ZDphYmM="
#define LINE "CONNECT real.example:8883 HTTP/1.1\r\n"
#define HOST "Host: real.example\r\n"
#define AUTHORIZATION "Proxy-authorization: Basic " SECRET "\r\n"

static const struct {
        const char *what, *text;
        ProxyRequest result;
} cases[] = {
        {"as the library says it", LINE HOST AUTHORIZATION "\r\n", PROXY_REQUEST_RIGHT},
        {"in other letters", LINE "PROXY-AUTHORIZATION: BASIC " SECRET "\r\n\r\n",
         PROXY_REQUEST_RIGHT},
        {"nothing yet", "", PROXY_REQUEST_INCOMPLETE},
        {"the first letters", "CONN", PROXY_REQUEST_INCOMPLETE},
        {"without its end", LINE HOST AUTHORIZATION, PROXY_REQUEST_INCOMPLETE},
        {"another method", "GET / HTTP/1.1\r\n" AUTHORIZATION "\r\n", PROXY_REQUEST_WRONG},
        {"the first letter wrong", "X", PROXY_REQUEST_WRONG},
        {"no secret", LINE HOST "\r\n", PROXY_REQUEST_WRONG},
        {"an empty secret", LINE "Proxy-authorization: Basic \r\n\r\n", PROXY_REQUEST_WRONG},
        {"half of the secret", LINE "Proxy-authorization: Basic ZmxlZXRwcm92\r\n\r\n",
         PROXY_REQUEST_WRONG},
        {"a secret and more", LINE "Proxy-authorization: Basic " SECRET "x\r\n\r\n",
         PROXY_REQUEST_WRONG},
        {"another secret", LINE "Proxy-authorization: Basic ZmxlZXRwcm92ZDphYmQ=\r\n\r\n",
         PROXY_REQUEST_WRONG},
        {"in another letter case", LINE "Proxy-authorization: Basic zmxlzxrwcm92zdphymm=\r\n\r\n",
         PROXY_REQUEST_WRONG},
        {"another scheme", LINE "Proxy-authorization: Bearer " SECRET "\r\n\r\n",
         PROXY_REQUEST_WRONG},
        {"the secret in another header", LINE "Authorization: Basic " SECRET "\r\n\r\n",
         PROXY_REQUEST_WRONG},
        {"the secret behind the end", LINE "\r\n" AUTHORIZATION, PROXY_REQUEST_WRONG},
        {"MQTT behind the end", LINE AUTHORIZATION "\r\n\x10\r\n\r\n", PROXY_REQUEST_RIGHT},
        {"MQTT behind the end, without the secret", LINE HOST "\r\n\x10", PROXY_REQUEST_WRONG},
};

START_TEST(only_connect_with_the_secret_is_right)
{
        _cleanup_secret_ Secret *secret = secret_new(SECRET, strlen(SECRET));
        const char *text = cases[_i].text;
        size_t size = 0;
        ProxyRequest r = proxy_request_check((const uint8_t *) text, strlen(text), secret, &size);

        ck_assert_msg(r == cases[_i].result, "%s: %d", cases[_i].what, r);
        if (r == PROXY_REQUEST_RIGHT)
                ck_assert_uint_eq(size, (size_t) (strstr(text, "\r\n\r\n") + 4 - text));
}
END_TEST

START_TEST(request_may_come_byte_by_byte)
{
        static const char text[] = LINE HOST AUTHORIZATION "\r\n";
        _cleanup_secret_ Secret *secret = secret_new(SECRET, strlen(SECRET));

        size_t size;

        for (size_t i = 0; i < strlen(text); i++)
                ck_assert_int_eq(proxy_request_check((const uint8_t *) text, i, secret, &size),
                                 PROXY_REQUEST_INCOMPLETE);
}
END_TEST

START_TEST(request_without_an_end_is_not_waited_for)
{
        _cleanup_secret_ Secret *secret = secret_new(SECRET, strlen(SECRET));
        uint8_t text[PROXY_REQUEST_MAX + 1];
        size_t size;

        memset(text, 'x', sizeof(text));
        memcpy(text, LINE, strlen(LINE));
        ck_assert_int_eq(proxy_request_check(text, PROXY_REQUEST_MAX - 1, secret, &size),
                         PROXY_REQUEST_INCOMPLETE);
        ck_assert_int_eq(proxy_request_check(text, PROXY_REQUEST_MAX, secret, &size),
                         PROXY_REQUEST_WRONG);
        ck_assert_int_eq(proxy_request_check(text, PROXY_REQUEST_MAX + 1, secret, &size),
                         PROXY_REQUEST_WRONG);
}
END_TEST

int main(void) {
        Suite *s = suite_create("proxy-request");
        TCase *t = tcase_create("proxy-request");

        tcase_add_loop_test(t, only_connect_with_the_secret_is_right, 0, ELEMENTSOF(cases));
        tcase_add_test(t, request_may_come_byte_by_byte);
        tcase_add_test(t, request_without_an_end_is_not_waited_for);
        suite_add_tcase(s, t);
        return run_suite(s);
}
