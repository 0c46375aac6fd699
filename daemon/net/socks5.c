/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/net/socks5.h"

#include <arpa/inet.h>
#include <errno.h>

#include "daemon/model/proxy.h"

#define VERSION 5U
#define AUTHENTICATION_VERSION 1U /* RFC 1929, 2 */
#define METHOD_NONE 0U
#define METHOD_PASSWORD 2U
#define METHOD_UNACCEPTABLE 0xffU
#define COMMAND_CONNECT 1U
#define ADDRESS_IPV4 1U
#define ADDRESS_NAME 3U
#define ADDRESS_IPV6 4U
#define PORT_BYTES 2U

typedef struct Writer {
        Secret *to;
        size_t n;
} Writer;

static void put(Writer *w, const void *data, size_t size) {
        memcpy(w->to->data + w->n, data, size);
        w->n += size;
}

static void put_byte(Writer *w, size_t byte) {
        w->to->data[w->n++] = (uint8_t) byte;
}

static int begin(Socks5 *s, size_t size, Writer *w) {
        *w = (Writer){.to = secret_new(NULL, size)};
        if (!w->to)
                return -ENOMEM;
        s->output = secret_free(s->output);
        s->output = w->to;
        return 0;
}

static void expect(Socks5 *s, Socks5Step step, size_t wants) {
        s->step = step;
        s->wants = wants;
}

static void refuse(Socks5 *s, Socks5Refusal refusal) {
        s->refusal = refusal;
        expect(s, SOCKS5_REFUSED, 0);
}

int socks5_begin(Socks5 *s, const char *host, uint16_t port, const Secret *credentials) {
        Writer w;
        int r;

        if (strlen(host) > SOCKS5_HOST_MAX)
                return -EINVAL;
        *s = (Socks5){.host = host, .port = port, .credentials = credentials};
        r = begin(s, credentials ? 4 : 3, &w);
        if (r < 0)
                return r;
        put_byte(&w, VERSION);
        put_byte(&w, credentials ? 2 : 1);
        put_byte(&w, METHOD_NONE);
        if (credentials)
                put_byte(&w, METHOD_PASSWORD);
        expect(s, SOCKS5_METHOD, 2);
        return 0;
}

static int send_credentials(Socks5 *s) {
        size_t user = proxy_credentials_user_size(s->credentials);
        size_t password = s->credentials->size - user - 1;
        Writer w;
        int r;

        r = begin(s, 3 + user + password, &w);
        if (r < 0)
                return r;
        put_byte(&w, AUTHENTICATION_VERSION);
        put_byte(&w, user);
        put(&w, s->credentials->data, user);
        put_byte(&w, password);
        put(&w, s->credentials->data + user + 1, password);
        expect(s, SOCKS5_CREDENTIALS, 2);
        return 0;
}

static int send_request(Socks5 *s) {
        uint16_t port = htons(s->port);
        struct in6_addr in6;
        struct in_addr in;
        Writer w;
        int r;

        r = begin(s, 3 + 2 + strlen(s->host) + sizeof(in6) + PORT_BYTES, &w);
        if (r < 0)
                return r;
        put_byte(&w, VERSION);
        put_byte(&w, COMMAND_CONNECT);
        put_byte(&w, 0); /* reserved */
        if (inet_pton(AF_INET, s->host, &in) == 1) {
                put_byte(&w, ADDRESS_IPV4);
                put(&w, &in, sizeof(in));
        } else if (inet_pton(AF_INET6, s->host, &in6) == 1) {
                put_byte(&w, ADDRESS_IPV6);
                put(&w, &in6, sizeof(in6));
        } else {
                put_byte(&w, ADDRESS_NAME);
                put_byte(&w, strlen(s->host));
                put(&w, s->host, strlen(s->host));
        }
        put(&w, &port, sizeof(port));
        s->output->size = w.n;
        expect(s, SOCKS5_REPLY, 2);
        return 0;
}

static int on_method(Socks5 *s, uint8_t version, uint8_t method) {
        if (version != VERSION)
                refuse(s, SOCKS5_NOT_SOCKS);
        else if (method == METHOD_NONE)
                return send_request(s);
        else if (method == METHOD_PASSWORD && s->credentials)
                return send_credentials(s);
        else
                refuse(s, method == METHOD_UNACCEPTABLE ? SOCKS5_WANTS_MORE : SOCKS5_NOT_SOCKS);
        return 0;
}

static void on_address_type(Socks5 *s, uint8_t type) {
        if (type == ADDRESS_IPV4)
                expect(s, SOCKS5_ADDRESS, sizeof(struct in_addr) + PORT_BYTES);
        else if (type == ADDRESS_IPV6)
                expect(s, SOCKS5_ADDRESS, sizeof(struct in6_addr) + PORT_BYTES);
        else if (type == ADDRESS_NAME)
                expect(s, SOCKS5_ADDRESS_SIZE, 1);
        else
                refuse(s, SOCKS5_NOT_SOCKS);
}

int socks5_feed(Socks5 *s, const uint8_t *data) {
        switch (s->step) {
        case SOCKS5_METHOD:
                return on_method(s, data[0], data[1]);
        case SOCKS5_CREDENTIALS:
                /* The version of the answer is wrong in more than one proxy; its status counts. */
                if (data[1] == 0)
                        return send_request(s);
                refuse(s, SOCKS5_BAD_CREDENTIALS);
                return 0;
        case SOCKS5_REPLY:
                s->reply = data[1];
                if (data[0] != VERSION)
                        refuse(s, SOCKS5_NOT_SOCKS);
                else if (s->reply != 0)
                        refuse(s, SOCKS5_NO_CONNECTION);
                else
                        expect(s, SOCKS5_ADDRESS_TYPE, 2);
                return 0;
        case SOCKS5_ADDRESS_TYPE:
                on_address_type(s, data[1]);
                return 0;
        case SOCKS5_ADDRESS_SIZE:
                expect(s, SOCKS5_ADDRESS, (size_t) data[0] + PORT_BYTES);
                return 0;
        case SOCKS5_ADDRESS:
                expect(s, SOCKS5_OPEN, 0);
                return 0;
        case SOCKS5_OPEN:
        case SOCKS5_REFUSED:
                break;
        }
        return 0;
}

void socks5_done(Socks5 *s) {
        s->output = secret_free(s->output);
}

const char *socks5_reply_text(uint8_t reply) {
        static const char *const texts[] = {
                [1] = "general failure",          [2] = "its rules do not allow it",
                [3] = "network unreachable",      [4] = "host unreachable, or its name unknown",
                [5] = "connection refused",       [6] = "no answer in time",
                [7] = "it does not know CONNECT", [8] = "it does not know this type of address",
        };

        return reply < ELEMENTSOF(texts) && texts[reply] ? texts[reply] : "unknown reply";
}
