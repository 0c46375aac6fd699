/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/net/proxy-talk.h"

#include <errno.h>
#include <stdio.h>

#include "daemon/crypto/base64.h"
#include "daemon/model/host-port.h"
#include "daemon/net/http-answer.h"
#include "daemon/net/socks5.h"

/* 407 is for whom it does not know (RFC 9110, 15.5.8). tinyproxy says 401 to a wrong password. */
#define HTTP_PROXY_AUTHENTICATION_REQUIRED 407
#define HTTP_UNAUTHORIZED 401

struct ProxyTalk {
        ProxyKind kind;
        char *name;   /* "http://proxy:3128" */
        char *host;   /* of the server */
        char *server; /* host:port */
        Secret *credentials;
        Secret *output;
        size_t sent;

        HttpAnswer answer;
        Socks5 socks;
        uint8_t input[SOCKS5_ANSWER_MAX];
        size_t input_size;
};

/* --- HTTP: one question, one answer (RFC 9110, 9.3.6; RFC 7617) */

static int make_authorization(const Secret *credentials, Secret **ret) {
        static const char form[] = "Proxy-Authorization: Basic %s\r\n";
        _cleanup_secret_ Secret *text = NULL, *line = NULL;
        size_t size;
        int r;

        if (!credentials) {
                *ret = secret_new("", 0);
                return *ret ? 0 : -ENOMEM;
        }
        r = base64_encode(credentials->data, credentials->size, &text);
        if (r < 0)
                return r;
        size = strlen(form) + text->size;
        line = secret_new(NULL, size);
        if (!line)
                return -ENOMEM;
        line->size = (size_t) snprintf((char *) line->data, size + 1, form, secret_text(text));
        *ret = TAKE_PTR(line);
        return 0;
}

static int ask_http(ProxyTalk *t) {
        static const char form[] = "CONNECT %s HTTP/1.1\r\nHost: %s\r\n%s\r\n";
        _cleanup_secret_ Secret *authorization = NULL;
        size_t size;
        int r;

        r = make_authorization(t->credentials, &authorization);
        if (r < 0)
                return r;
        size = strlen(form) + 2 * strlen(t->server) + authorization->size;
        t->output = secret_new(NULL, size);
        if (!t->output)
                return -ENOMEM;
        t->output->size = (size_t) snprintf((char *) t->output->data, size + 1, form, t->server,
                                            t->server, secret_text(authorization));
        return 0;
}

/* A key to mend is named where the answer is about who we are. */
static Failure *refused_by_http(const ProxyTalk *t) {
        int status = http_answer_status(&t->answer), size;
        const char *reason = http_answer_reason(&t->answer, &size), *mend;
        Failure *f;

        if (status != HTTP_PROXY_AUTHENTICATION_REQUIRED && status != HTTP_UNAUTHORIZED)
                mend = "check its rules, Endpoint= and Port=";
        else if (t->credentials)
                mend = "it does not take the user and password of ProxyCredentials= or Proxy=; "
                       "check them";
        else
                mend = "it wants a user and password; set ProxyCredentials=";
        f = failure_new(ERROR_PROXY_REFUSED,
                        "the proxy %s refused the way to %s with the HTTP status %d%s%.*s%s: %s",
                        t->name, t->server, status, size > 0 ? " (" : "", size, reason,
                        size > 0 ? ")" : "", mend);
        if (f)
                f->status_code = status;
        return f;
}

static Failure *not_that_kind(const ProxyTalk *t) {
        return failure_new(ERROR_PROXY_REFUSED,
                           "%s answered with something that is no %s, so it is no such proxy; "
                           "check Proxy=",
                           t->name, t->kind == PROXY_HTTP ? "HTTP" : "SOCKS5");
}

static ProxyTalkStatus feed_http(ProxyTalk *t, const uint8_t *data, size_t size,
                                 Failure **ret_failure) {
        int r = 0;

        for (size_t i = 0; i < size && r == 0; i++)
                r = http_answer_feed(&t->answer, data[i]);
        if (r == 0)
                return PROXY_TALK_GOES_ON;
        if (r < 0)
                *ret_failure = not_that_kind(t);
        else if (http_answer_status(&t->answer) / 100 == 2)
                return PROXY_TALK_OPEN;
        else
                *ret_failure = refused_by_http(t);
        return PROXY_TALK_OVER;
}

/* --- SOCKS5 */

static Failure *refused_by_socks(const ProxyTalk *t) {
        Failure *f;

        switch (t->socks.refusal) {
        case SOCKS5_NOT_SOCKS:
                return not_that_kind(t);
        case SOCKS5_WANTS_MORE:
                if (t->credentials)
                        return failure_new(ERROR_PROXY_REFUSED,
                                           "the proxy %s takes neither nobody nor a user and "
                                           "password; check its rules",
                                           t->name);
                return failure_new(
                        ERROR_PROXY_REFUSED,
                        "the proxy %s wants a user and password; set ProxyCredentials=", t->name);
        case SOCKS5_BAD_CREDENTIALS:
                return failure_new(ERROR_PROXY_REFUSED,
                                   "the proxy %s does not take the user and password of "
                                   "ProxyCredentials= or Proxy=; check them",
                                   t->name);
        case SOCKS5_NO_CONNECTION:
                break;
        }
        f = failure_new(ERROR_PROXY_REFUSED,
                        "the proxy %s refused the way to %s with the SOCKS reply %u (%s); check "
                        "its rules, Endpoint= and Port=",
                        t->name, t->server, t->socks.reply, socks5_reply_text(t->socks.reply));
        if (f)
                f->status_code = t->socks.reply;
        return f;
}

static void take_output(ProxyTalk *t) {
        if (!t->socks.output)
                return;
        secret_free(t->output);
        t->output = TAKE_PTR(t->socks.output);
        t->sent = 0;
}

static ProxyTalkStatus feed_socks(ProxyTalk *t, const uint8_t *data, size_t size,
                                  Failure **ret_failure) {
        memcpy(t->input + t->input_size, data, size);
        t->input_size += size;
        if (t->input_size < t->socks.wants)
                return PROXY_TALK_GOES_ON;
        t->input_size = 0;
        if (socks5_feed(&t->socks, t->input) < 0) {
                *ret_failure = NULL;
                return PROXY_TALK_OVER;
        }
        take_output(t);
        if (t->socks.step == SOCKS5_REFUSED) {
                *ret_failure = refused_by_socks(t);
                return PROXY_TALK_OVER;
        }
        return t->socks.step == SOCKS5_OPEN ? PROXY_TALK_OPEN : PROXY_TALK_GOES_ON;
}

/* --- either */

int proxy_talk_new(const Proxy *proxy, const Secret *credentials, const char *host, uint16_t port,
                   ProxyTalk **ret) {
        _cleanup_(proxy_talk_freep) ProxyTalk *t = calloc(1, sizeof(ProxyTalk));
        int r;

        if (!t)
                return -ENOMEM;
        t->kind = proxy->kind;
        t->name = proxy_text(proxy);
        t->server = host_port_text(host, port);
        t->credentials = secret_copy(credentials);
        if (!t->name || !t->server || (credentials && !t->credentials) ||
            free_and_strdup(&t->host, host) < 0)
                return -ENOMEM;
        if (t->kind == PROXY_HTTP)
                r = ask_http(t);
        else
                r = socks5_begin(&t->socks, t->host, port, t->credentials);
        if (r < 0)
                return r;
        take_output(t);
        *ret = TAKE_PTR(t);
        return 0;
}

ProxyTalk *proxy_talk_free(ProxyTalk *t) {
        if (!t)
                return NULL;
        socks5_done(&t->socks);
        secret_free(t->output);
        secret_free(t->credentials);
        free(t->name);
        free(t->host);
        free(t->server);
        free(t);
        return NULL;
}

const uint8_t *proxy_talk_output(const ProxyTalk *t, size_t *ret_size) {
        *ret_size = t->output->size - t->sent;
        return t->output->data + t->sent;
}

void proxy_talk_sent(ProxyTalk *t, size_t size) {
        t->sent += size;
}

size_t proxy_talk_wants(const ProxyTalk *t) {
        return t->kind == PROXY_HTTP ? 1 : t->socks.wants - t->input_size;
}

ProxyTalkStatus proxy_talk_feed(ProxyTalk *t, const uint8_t *data, size_t size,
                                Failure **ret_failure) {
        return t->kind == PROXY_HTTP ? feed_http(t, data, size, ret_failure)
                                     : feed_socks(t, data, size, ret_failure);
}

Failure *proxy_talk_broken(const ProxyTalk *t, const char *how) {
        return failure_new(ERROR_PROXY_REFUSED,
                           "the proxy %s %s before it said that %s can be reached; check Proxy= "
                           "and its rules",
                           t->name, how, t->server);
}

Failure *proxy_talk_timeout(const ProxyTalk *t) {
        return failure_new(ERROR_CONNECT_FAILED,
                           "the proxy %s did not say in time that %s can be reached; check Proxy=, "
                           "Endpoint=, Port= and the network",
                           t->name, t->server);
}
