/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/net/proxy-talk.h"

#include "tests/unit/net/run-suite.h"

/* One talk each: what is said and heard in turn, as texts, "" where nothing is. Bytes of zero are
 * written '~'. */
#define TURNS_MAX 4
#define HOST "cloud.example"
#define HELLO "CONNECT " HOST ":443 HTTP/1.1\r\nHost: " HOST ":443\r\n"
#define ASK "\x05\x01~\x03\x0d" HOST "\x01\xbb"
#define GIVEN "\x05~~\x01~~~~~~"

static const struct {
        const char *what;
        ProxyKind kind;
        const char *credentials, *host;
        const char *turns[2 * TURNS_MAX]; /* we, it, we, it, … */
        int status;                       /* of the failure; -1: open */
        const char *message;              /* in the failure */
} talks[] = {
        {"http", PROXY_HTTP, NULL, HOST, {HELLO "\r\n", "HTTP/1.1 200 OK\r\n\r\n"}, -1, NULL},
        {"http, another 2xx",
         PROXY_HTTP,
         NULL,
         HOST,
         {HELLO "\r\n", "HTTP/1.0 204 Fine\r\nContent-Length: 9\r\n\r\n"},
         -1,
         NULL},
        {"http, an address",
         PROXY_HTTP,
         NULL,
         "2001:db8::1",
         {"CONNECT [2001:db8::1]:443 HTTP/1.1\r\nHost: [2001:db8::1]:443\r\n\r\n",
          "HTTP/1.1 200 OK\r\n\r\n"},
         -1,
         NULL},
        {"http with a password",
         PROXY_HTTP,
         "Aladdin:open sesame",
         HOST,
         {HELLO "Proxy-Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n\r\n",
          "HTTP/1.1 200 OK\r\n\r\n"},
         -1,
         NULL},
        {"http wants a password",
         PROXY_HTTP,
         NULL,
         HOST,
         {HELLO "\r\n", "HTTP/1.1 407 Who\r\n\r\n"},
         407,
         "407 (Who): it wants a user and password; set ProxyCredentials="},
        {"http wants another password",
         PROXY_HTTP,
         "u:p",
         HOST,
         {HELLO "Proxy-Authorization: Basic dTpw\r\n\r\n", "HTTP/1.1 407 Who\r\n\r\n"},
         407,
         "does not take the user and password"},
        {"http wants another password, as tinyproxy says it",
         PROXY_HTTP,
         "u:p",
         HOST,
         {HELLO "Proxy-Authorization: Basic dTpw\r\n\r\n", "HTTP/1.1 401 Unauthorized\r\n\r\n"},
         401,
         "does not take the user and password"},
        {"http refuses",
         PROXY_HTTP,
         NULL,
         HOST,
         {HELLO "\r\n", "HTTP/1.1 403 Filtered\r\n\r\n"},
         403,
         "http://proxy:3128 refused the way to cloud.example:443 with the HTTP status 403 "
         "(Filtered): check its rules"},
        {"a redirection is no way",
         PROXY_HTTP,
         NULL,
         HOST,
         {HELLO "\r\n", "HTTP/1.1 302 \r\nLocation: x\r\n\r\n"},
         302,
         "status 302: "},
        {"no http", PROXY_HTTP, NULL, HOST, {HELLO "\r\n", "220 smtp"}, 0, "is no HTTP"},
        {"socks", PROXY_SOCKS5, NULL, HOST, {"\x05\x01~", "\x05~", ASK, GIVEN}, -1, NULL},
        {"socks, bound to a name",
         PROXY_SOCKS5,
         NULL,
         HOST,
         {"\x05\x01~", "\x05~", ASK, "\x05~~\x03\x02xy12"},
         -1,
         NULL},
        {"socks, bound to no name",
         PROXY_SOCKS5,
         NULL,
         HOST,
         {"\x05\x01~", "\x05~", ASK, "\x05~~\x03~12"},
         -1,
         NULL},
        {"socks, bound to IPv6",
         PROXY_SOCKS5,
         NULL,
         HOST,
         {"\x05\x01~", "\x05~", ASK,
          "\x05~~\x04"
          "0123456789abcdef12"},
         -1,
         NULL},
        {"socks, an address",
         PROXY_SOCKS5,
         NULL,
         "192.0.2.1",
         {"\x05\x01~", "\x05~", "\x05\x01~\x01\xc0~\x02\x01\x01\xbb", GIVEN},
         -1,
         NULL},
        {"socks, an address of IPv6",
         PROXY_SOCKS5,
         NULL,
         "2001:db8::1",
         {"\x05\x01~", "\x05~", "\x05\x01~\x04 \x01\x0d\xb8~~~~~~~~~~~\x01\x01\xbb", GIVEN},
         -1,
         NULL},
        {"socks with a password",
         PROXY_SOCKS5,
         "us:pass:word",
         HOST,
         {"\x05\x02~\x02", "\x05\x02", "\x01\x02us\x09pass:word", "\x01~", ASK, GIVEN},
         -1,
         NULL},
        {"socks with a password, answered oddly",
         PROXY_SOCKS5,
         "us:pass:word",
         HOST,
         {"\x05\x02~\x02", "\x05\x02", "\x01\x02us\x09pass:word", "\x05~", ASK, GIVEN},
         -1,
         NULL},
        {"socks with a password that it needs not",
         PROXY_SOCKS5,
         "us:pass:word",
         HOST,
         {"\x05\x02~\x02", "\x05~", ASK, GIVEN},
         -1,
         NULL},
        {"socks wants a password",
         PROXY_SOCKS5,
         NULL,
         HOST,
         {"\x05\x01~", "\x05\xff"},
         0,
         "wants a user and password; set ProxyCredentials="},
        {"socks wants a password, and says so",
         PROXY_SOCKS5,
         NULL,
         HOST,
         {"\x05\x01~", "\x05\x02"},
         0,
         "is no SOCKS5"},
        {"socks wants something else",
         PROXY_SOCKS5,
         "u:p",
         HOST,
         {"\x05\x02~\x02", "\x05\xff"},
         0,
         "takes neither nobody nor"},
        {"socks wants what was not offered",
         PROXY_SOCKS5,
         "u:p",
         HOST,
         {"\x05\x02~\x02", "\x05\x01"},
         0,
         "is no SOCKS5"},
        {"socks wants another password",
         PROXY_SOCKS5,
         "u:p",
         HOST,
         {"\x05\x02~\x02", "\x05\x02", "\x01\x01u\x01p", "\x01\x01"},
         0,
         "does not take the user and password"},
        {"socks refuses",
         PROXY_SOCKS5,
         NULL,
         HOST,
         {"\x05\x01~", "\x05~", ASK, "\x05\x05"},
         5,
         "SOCKS reply 5 (connection refused)"},
        {"socks refuses by rule",
         PROXY_SOCKS5,
         NULL,
         HOST,
         {"\x05\x01~", "\x05~", ASK, "\x05\x02"},
         2,
         "reply 2 (its rules do not allow it)"},
        {"socks refuses with an unknown reply",
         PROXY_SOCKS5,
         NULL,
         HOST,
         {"\x05\x01~", "\x05~", ASK, "\x05\x63"},
         99,
         "reply 99 (unknown reply)"},
        {"socks of another version",
         PROXY_SOCKS5,
         NULL,
         HOST,
         {"\x05\x01~", "\x04~"},
         0,
         "is no SOCKS5"},
        {"socks that replies in another version",
         PROXY_SOCKS5,
         NULL,
         HOST,
         {"\x05\x01~", "\x05~", ASK, "\x04~"},
         0,
         "is no SOCKS5"},
        {"socks with an unknown address",
         PROXY_SOCKS5,
         NULL,
         HOST,
         {"\x05\x01~", "\x05~", ASK, "\x05~~\x02"},
         0,
         "is no SOCKS5"},
        {"http where socks should be",
         PROXY_SOCKS5,
         NULL,
         HOST,
         {"\x05\x01~", "HT"},
         0,
         "is no SOCKS5"},
};

static ProxyTalk *begin(ProxyKind kind, const char *credentials, const char *host) {
        char name[] = "proxy";
        const Proxy proxy = {.kind = kind, .host = name, .port = 3128};
        _cleanup_secret_ Secret *secret =
                credentials ? secret_new(credentials, strlen(credentials)) : NULL;
        ProxyTalk *t;

        ck_assert_int_eq(proxy_talk_new(&proxy, secret, host, 443, &t), 0);
        return t;
}

static void must_say(ProxyTalk *t, const char *text) {
        size_t size;
        const uint8_t *data = proxy_talk_output(t, &size);

        ck_assert_uint_eq(size, strlen(text));
        for (size_t i = 0; i < size; i++)
                ck_assert_msg(data[i] == (text[i] == '~' ? 0 : (uint8_t) text[i]), "byte %zu", i);
        for (; size > 0; size--) /* a slow network */
                proxy_talk_sent(t, 1);
}

/* In pieces of at most `step`. Everything is taken. */
static ProxyTalkStatus hear(ProxyTalk *t, const char *text, size_t step, Failure **ret) {
        ProxyTalkStatus status = PROXY_TALK_GOES_ON;
        uint8_t bytes[PROXY_TALK_WANTS_MAX];

        while (*text) {
                size_t n = 0, most = proxy_talk_wants(t);

                ck_assert_int_eq(status, PROXY_TALK_GOES_ON);
                ck_assert_uint_gt(most, 0);
                ck_assert_uint_le(most, PROXY_TALK_WANTS_MAX);
                for (; n < most && n < step && *text; n++, text++)
                        bytes[n] = *text == '~' ? 0 : (uint8_t) *text;
                status = proxy_talk_feed(t, bytes, n, ret);
                if (status == PROXY_TALK_OVER)
                        break;
        }
        return status;
}

static void play(size_t i, size_t step) {
        _cleanup_(proxy_talk_freep) ProxyTalk *t =
                begin(talks[i].kind, talks[i].credentials, talks[i].host);
        ProxyTalkStatus status = PROXY_TALK_GOES_ON;
        _cleanup_failure_ Failure *f = NULL;

        for (size_t turn = 0; turn < 2 * TURNS_MAX && talks[i].turns[turn]; turn += 2) {
                ck_assert_int_eq(status, PROXY_TALK_GOES_ON);
                must_say(t, talks[i].turns[turn]);
                status = hear(t, talks[i].turns[turn + 1], step, &f);
        }
        if (talks[i].status < 0) {
                ck_assert_int_eq(status, PROXY_TALK_OPEN);
                return;
        }
        ck_assert_int_eq(status, PROXY_TALK_OVER);
        ck_assert_int_eq(failure_code(f), ERROR_PROXY_REFUSED);
        ck_assert_int_eq(f->status_code, talks[i].status);
        ck_assert_msg(strstr(f->message, talks[i].message), "%s", f->message);
        ck_assert_ptr_nonnull(strstr(f->message, "://proxy:3128"));
        if (talks[i].credentials)
                ck_assert_ptr_null(strstr(f->message, "u:p"));
}

START_TEST(talk_goes_as_it_should)
{
        play((size_t) _i, SIZE_MAX);
        play((size_t) _i, 1);
}
END_TEST

START_TEST(broken_talk_names_proxy_and_server)
{
        _cleanup_(proxy_talk_freep) ProxyTalk *t = begin(PROXY_HTTP, "u:p", HOST);
        _cleanup_failure_ Failure *broken = proxy_talk_broken(t, "closed the connection"),
                                  *late = proxy_talk_timeout(t);

        ck_assert_int_eq(failure_code(broken), ERROR_PROXY_REFUSED);
        ck_assert_ptr_nonnull(strstr(broken->message, "http://proxy:3128 closed the connection"));
        ck_assert_int_eq(failure_code(late), ERROR_CONNECT_FAILED);
        ck_assert_ptr_nonnull(strstr(late->message, HOST ":443"));
}
END_TEST

START_TEST(host_too_long_for_socks_is_no_host)
{
        char name[] = "proxy", host[257];
        const Proxy proxy = {.kind = PROXY_SOCKS5, .host = name, .port = 1080};
        ProxyTalk *t = NULL;

        memset(host, 'x', sizeof(host) - 1);
        host[256] = '\0';
        ck_assert_int_eq(proxy_talk_new(&proxy, NULL, host, 443, &t), -EINVAL);
        host[255] = '\0';
        ck_assert_int_eq(proxy_talk_new(&proxy, NULL, host, 443, &t), 0);
        proxy_talk_free(t);
}
END_TEST

int main(void) {
        Suite *s = suite_create("proxy-talk");
        TCase *t = tcase_create("proxy-talk");

        tcase_add_loop_test(t, talk_goes_as_it_should, 0, ELEMENTSOF(talks));
        tcase_add_test(t, broken_talk_names_proxy_and_server);
        tcase_add_test(t, host_too_long_for_socks_is_no_host);
        suite_add_tcase(s, t);
        return run_suite(s);
}
