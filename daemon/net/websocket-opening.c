/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/net/websocket-opening.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <sys/random.h>

#include <wolfssl/options.h>

#include <wolfssl/wolfcrypt/coding.h>
#include <wolfssl/wolfcrypt/hash.h>

#include "daemon/model/host-port.h"

#define KEY_BYTES 16U
#define KEY_SIZE 24U /* in base64 */
#define GUID "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
#define SUBPROTOCOL "mqtt"
#define PORT_HTTPS 443
#define SWITCHING_PROTOCOLS 101

static int make_key(char ret[static KEY_SIZE + 1]) {
        uint8_t bytes[KEY_BYTES];
        word32 size = KEY_SIZE + 1;

        if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t) sizeof(bytes))
                return -errno;
        if (Base64_Encode_NoNl(bytes, sizeof(bytes), (byte *) ret, &size) != 0 || size != KEY_SIZE)
                return -EIO;
        ret[KEY_SIZE] = '\0';
        return 0;
}

static int make_accept(const char *key, char ret[static WEBSOCKET_ACCEPT_SIZE + 1]) {
        char text[KEY_SIZE + sizeof(GUID)];
        word32 size = WEBSOCKET_ACCEPT_SIZE + 1;
        uint8_t sum[WC_SHA_DIGEST_SIZE];

        (void) snprintf(text, sizeof(text), "%s%s", key, GUID);
        if (wc_ShaHash((const byte *) text, (word32) strlen(text), sum) != 0 ||
            Base64_Encode_NoNl(sum, sizeof(sum), (byte *) ret, &size) != 0 ||
            size != WEBSOCKET_ACCEPT_SIZE)
                return -EIO;
        ret[WEBSOCKET_ACCEPT_SIZE] = '\0';
        return 0;
}

/* The port stands there only where it is not the scheme's own (RFC 6455, 4.1, 4). */
static char *make_host(const char *host, uint16_t port) {
        char *text;

        if (port != PORT_HTTPS)
                return host_port_text(host, port);
        return asprintf(&text, strchr(host, ':') ? "[%s]" : "%s", host) < 0 ? NULL : text;
}

int websocket_opening_begin(WebsocketOpening *o, const char *host, uint16_t port,
                            const char *path) {
        _cleanup_free_ char *host_text = make_host(host, port);
        char key[KEY_SIZE + 1];
        int r;

        *o = (WebsocketOpening){};
        if (!host_text)
                return -ENOMEM;
        r = make_key(key);
        if (r >= 0)
                r = make_accept(key, o->accept);
        if (r >= 0)
                r = free_and_strdup(&o->path, path);
        if (r < 0)
                return r;
        if (asprintf(&o->request,
                     "GET %s HTTP/1.1\r\n"
                     "Host: %s\r\n"
                     "Upgrade: websocket\r\n"
                     "Connection: Upgrade\r\n"
                     "Sec-WebSocket-Key: %s\r\n"
                     "Sec-WebSocket-Version: 13\r\n"
                     "Sec-WebSocket-Protocol: " SUBPROTOCOL "\r\n\r\n",
                     path, host_text, key) < 0) {
                o->request = NULL;
                websocket_opening_done(o);
                return -ENOMEM;
        }
        return 0;
}

void websocket_opening_done(WebsocketOpening *o) {
        free(o->request);
        free(o->path);
        o->request = o->path = NULL;
}

static bool header_is(const HttpAnswer *a, const char *name, const char *value) {
        size_t size;
        const char *found = http_answer_header(a, name, &size);

        return found && size == strlen(value) && memcmp(found, value, size) == 0;
}

/* What is missing of a switch of protocols; NULL: nothing (RFC 6455, 4.1, the list at its end). We
 * ask for no extension, and so there must be none. */
static const char *find_fault(const WebsocketOpening *o) {
        const HttpAnswer *a = &o->answer;
        size_t size;

        if (!http_answer_has_token(a, "Upgrade", "websocket") ||
            !http_answer_has_token(a, "Connection", "Upgrade"))
                return "it does not say that it switches to a WebSocket";
        if (!header_is(a, "Sec-WebSocket-Accept", o->accept))
                return "its Sec-WebSocket-Accept is not for our key";
        if (!header_is(a, "Sec-WebSocket-Protocol", SUBPROTOCOL))
                return "it does not agree to the subprotocol " SUBPROTOCOL;
        if (http_answer_header(a, "Sec-WebSocket-Extensions", &size))
                return "it has an extension that nobody asked for";
        return NULL;
}

static Failure *refused(const WebsocketOpening *o, const char *endpoint) {
        int status = http_answer_status(&o->answer), size;
        const char *reason = http_answer_reason(&o->answer, &size);
        Failure *f;

        f = failure_new(ERROR_SERVER_REFUSED,
                        "%s refused a WebSocket at %s with the HTTP status %d%s%.*s%s; check "
                        "Endpoint= and Port=, or use Transport=mqtt",
                        endpoint, o->path, status, size > 0 ? " (" : "", size, reason,
                        size > 0 ? ")" : "");
        if (f)
                f->status_code = status;
        return f;
}

int websocket_opening_feed(WebsocketOpening *o, uint8_t byte, const char *endpoint,
                           Failure **ret_failure) {
        const char *fault = "it is no HTTP";
        int r = http_answer_feed(&o->answer, byte);

        if (r == 0)
                return 0;
        if (r > 0 && http_answer_status(&o->answer) != SWITCHING_PROTOCOLS) {
                *ret_failure = refused(o, endpoint);
                return -EPROTO;
        }
        if (r > 0)
                fault = find_fault(o);
        if (!fault)
                return 1;
        *ret_failure = failure_new(ERROR_BAD_RESPONSE,
                                   "the answer of %s to the wish for a WebSocket is none: %s; "
                                   "check Endpoint=, Port= and Transport=",
                                   endpoint, fault);
        return -EPROTO;
}
