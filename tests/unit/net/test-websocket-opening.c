/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/net/websocket-opening.h"

#include <errno.h>
#include <stdio.h>

#include "tests/unit/net/run-suite.h"

#define SWITCH "HTTP/1.1 101 Switching Protocols\r\n"
#define UPGRADE "Upgrade: websocket\r\nConnection: Upgrade\r\n"
#define PROTOCOL "Sec-WebSocket-Protocol: mqtt\r\n"
#define ACCEPT "Sec-WebSocket-Accept: %s\r\n" /* the right one is put in */

/* The key of RFC 6455, 1.3, whose answer stands there, too: "dGhlIHNhbXBsZSBub25jZQ==". */
ssize_t __wrap_getrandom(void *buffer, size_t size, unsigned flags);
ssize_t __wrap_getrandom(void *buffer, size_t size, unsigned flags) {
        ck_assert_uint_eq(size, 16);
        memcpy(buffer, "the sample nonce", size);
        return (ssize_t) size;
}

START_TEST(request_is_as_the_standard_has_it)
{
        static const struct {
                const char *host, *line;
                uint16_t port;
        } rows[] = {
                {"h.example", "Host: h.example\r\n", 443},
                {"h.example", "Host: h.example:8443\r\n", 8443},
                {"::1", "Host: [::1]\r\n", 443},
                {"::1", "Host: [::1]:9\r\n", 9},
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_free_ char *expected = NULL;
                WebsocketOpening o;

                ck_assert_int_eq(websocket_opening_begin(&o, rows[i].host, rows[i].port,
                                                         "/$iothub/websocket"),
                                 0);
                ck_assert_int_ge(asprintf(&expected,
                                          "GET /$iothub/websocket HTTP/1.1\r\n%s" UPGRADE
                                          "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                                          "Sec-WebSocket-Version: 13\r\n" PROTOCOL "\r\n",
                                          rows[i].line),
                                 0);
                ck_assert_str_eq(o.request, expected);
                ck_assert_str_eq(o.accept, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
                websocket_opening_done(&o);
        }
}
END_TEST

static const struct {
        const char *answer;
        ErrorCode code; /* ERROR_CODE_MAX: it stands */
        int status;
        const char *message;
} answers[] = {
        {SWITCH UPGRADE ACCEPT PROTOCOL "\r\n", ERROR_CODE_MAX, 0, NULL},
        {"HTTP/1.1 101 \r\nupgrade: WebSocket\r\nconnection: keep-alive, upgrade\r\n" ACCEPT
         "sec-websocket-protocol: mqtt\r\nServer: x\r\n\r\n",
         ERROR_CODE_MAX, 0, NULL},
        {"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n", ERROR_SERVER_REFUSED, 403,
         "server:443 refused a WebSocket at /mqtt with the HTTP status 403 (Forbidden)"},
        {"HTTP/1.1 404 Not Found\r\n\r\n", ERROR_SERVER_REFUSED, 404, "Transport=mqtt"},
        {"HTTP/1.1 200 OK\r\n\r\n", ERROR_SERVER_REFUSED, 200, "status 200"},
        {"HTTP/1.1 302\r\nLocation: /\r\n\r\n", ERROR_SERVER_REFUSED, 302, "status 302;"},
        {"\x20\x02", ERROR_BAD_RESPONSE, 0, "no HTTP"},
        {SWITCH "Connection: Upgrade\r\n" ACCEPT PROTOCOL "\r\n", ERROR_BAD_RESPONSE, 0,
         "does not say that it switches"},
        {SWITCH "Upgrade: websocket\r\n" ACCEPT PROTOCOL "\r\n", ERROR_BAD_RESPONSE, 0,
         "does not say that it switches"},
        {SWITCH "Upgrade: h2c\r\nConnection: Upgrade\r\n" ACCEPT PROTOCOL "\r\n",
         ERROR_BAD_RESPONSE, 0, "does not say that it switches"},
        {SWITCH UPGRADE PROTOCOL "\r\n", ERROR_BAD_RESPONSE, 0, "not for our key"},
        {SWITCH UPGRADE ACCEPT ACCEPT PROTOCOL "\r\n", ERROR_BAD_RESPONSE, 0, "not for our key"},
        {SWITCH UPGRADE "Sec-WebSocket-Accept: S3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n" PROTOCOL "\r\n",
         ERROR_BAD_RESPONSE, 0, "not for our key"},
        {SWITCH UPGRADE ACCEPT "\r\n", ERROR_BAD_RESPONSE, 0, "subprotocol mqtt"},
        {SWITCH UPGRADE ACCEPT "Sec-WebSocket-Protocol: amqp\r\n\r\n", ERROR_BAD_RESPONSE, 0,
         "subprotocol mqtt"},
        {SWITCH UPGRADE ACCEPT PROTOCOL "Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n",
         ERROR_BAD_RESPONSE, 0, "extension"},
};

START_TEST(answer_is_taken_only_where_it_is_one)
{
        _cleanup_failure_ Failure *f = NULL;
        _cleanup_free_ char *text = NULL;
        WebsocketOpening o;
        FILE *out;
        size_t n = 0;
        int r = 0;

        ck_assert_int_eq(websocket_opening_begin(&o, "server", 443, "/mqtt"), 0);
        out = open_memstream(&text, &n);
        for (const char *p = answers[_i].answer; *p; p++)
                if (p[0] == '%' && p[1] == 's') {
                        fputs(o.accept, out);
                        p++;
                } else
                        fputc(*p, out);
        fclose(out);
        for (size_t i = 0; i < n && r == 0; i++) {
                r = websocket_opening_feed(&o, (uint8_t) text[i], "server:443", &f);
                ck_assert_int_eq(r == 1, answers[_i].code == ERROR_CODE_MAX && i == n - 1);
        }
        if (answers[_i].code != ERROR_CODE_MAX) {
                ck_assert_int_eq(r, -EPROTO);
                ck_assert_int_eq(failure_code(f), answers[_i].code);
                ck_assert_int_eq(f->status_code, answers[_i].status);
                ck_assert_msg(strstr(f->message, answers[_i].message), "%s", f->message);
        }
        websocket_opening_done(&o);
}
END_TEST

int main(void) {
        Suite *s = suite_create("websocket-opening");
        TCase *t = tcase_create("websocket-opening");

        tcase_add_test(t, request_is_as_the_standard_has_it);
        tcase_add_loop_test(t, answer_is_taken_only_where_it_is_one, 0, ELEMENTSOF(answers));
        suite_add_tcase(s, t);
        return run_suite(s);
}
