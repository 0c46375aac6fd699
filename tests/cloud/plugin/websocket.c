/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/cloud/plugin/websocket.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <openssl/evp.h>

#include "daemon/base/macro.h"
#include "tests/cloud/plugin/alpn.h"

#define HEAD_MAX ((size_t) 4096)
#define OUT_MAX ((size_t) 1024 * 1024)
#define GUID "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
#define ACCEPT_MAX 64

typedef enum Stage {
        STAGE_NEW,
        STAGE_PLAIN,
        STAGE_HEAD,
        STAGE_HEADER, /* of a frame */
        STAGE_PAYLOAD,
        STAGE_OVER,
} Stage;

typedef struct Talk {
        Stage stage;
        char head[HEAD_MAX + 1];
        size_t n_head;
        uint8_t header[14];
        size_t n_header, wants;
        uint64_t left, at; /* of the payload */
        bool control;
        uint8_t *out; /* frames that are being written */
        size_t out_size, out_at;
} Talk;

typedef int (*SslRead)(SSL *ssl, void *buf, int num);

static void free_talk(_unused_ void *parent, void *p, _unused_ CRYPTO_EX_DATA *ad, _unused_ int i,
                      _unused_ long argl, _unused_ void *argp) {
        Talk *talk = p;

        if (talk)
                free(talk->out);
        free(talk);
}

static Talk *talk_of(SSL *ssl) {
        static int slot = -1;
        Talk *talk;

        if (slot < 0)
                slot = SSL_get_ex_new_index(0, NULL, NULL, NULL, free_talk);
        talk = SSL_get_ex_data(ssl, slot);
        if (!talk) {
                talk = calloc(1, sizeof(Talk));
                if (talk)
                        SSL_set_ex_data(ssl, slot, talk);
        }
        return talk;
}

/* --- the opening handshake */

static const char *header(const char *head, const char *name, size_t *ret_size) {
        for (const char *line = strstr(head, "\r\n"); line; line = strstr(line + 2, "\r\n"))
                if (strncasecmp(line + 2, name, strlen(name)) == 0 &&
                    line[2 + strlen(name)] == ':') {
                        const char *value = line + 3 + strlen(name);

                        value += strspn(value, " ");
                        *ret_size = strcspn(value, "\r");
                        return value;
                }
        *ret_size = 0;
        return NULL;
}

static bool header_is(const char *head, const char *name, const char *expected) {
        size_t size;
        const char *value = header(head, name, &size);

        return value && size == strlen(expected) && strncasecmp(value, expected, size) == 0;
}

static bool make_accept(const char *head, char ret[static ACCEPT_MAX]) {
        unsigned char text[128], sum[EVP_MAX_MD_SIZE];
        unsigned n = 0;
        size_t size;
        const char *key = header(head, "Sec-WebSocket-Key", &size);

        if (!key || size != 24)
                return false;
        memcpy(text, key, size);
        memcpy(text + size, GUID, strlen(GUID));
        return EVP_Digest(text, size + strlen(GUID), sum, &n, EVP_sha1(), NULL) == 1 &&
               EVP_EncodeBlock((unsigned char *) ret, sum, (int) n) > 0;
}

static const char *status_of(const char *head) {
        size_t size;

        if (strncmp(head, "GET /mqtt HTTP/1.1\r\n", 20) != 0 &&
            strncmp(head, "GET /$iothub/websocket HTTP/1.1\r\n", 33) != 0)
                return "404 Not Found";
        if (!header_is(head, "Upgrade", "websocket") || !header_is(head, "Connection", "Upgrade") ||
            !header_is(head, "Sec-WebSocket-Version", "13") ||
            !header_is(head, "Sec-WebSocket-Protocol", "mqtt") || !header(head, "Host", &size))
                return "400 Bad Request";
        return NULL;
}

static void answer(SSL *ssl, Talk *talk) {
        static SslWrite next;
        char text[512], accept[ACCEPT_MAX] = "";
        const char *status = status_of(talk->head);
        int n;

        if (!next)
                next = (SslWrite) dlsym(RTLD_NEXT, "SSL_write");
        if (!status && !make_accept(talk->head, accept))
                status = "400 Bad Request";
        fprintf(stderr, "WebSocket: %.*s: %s\n", (int) strcspn(talk->head, "\r"), talk->head,
                status ? status : "open");
        if (status)
                n = snprintf(text, sizeof(text), "HTTP/1.1 %s\r\nContent-Length: 0\r\n\r\n",
                             status);
        else
                n = snprintf(text, sizeof(text),
                             "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                             "Connection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n"
                             "Sec-WebSocket-Protocol: mqtt\r\n\r\n",
                             accept);
        (void) next(ssl, text, n);
        talk->stage = status ? STAGE_OVER : STAGE_HEADER;
        talk->wants = 2;
        talk->n_header = 0;
}

/* --- frames that come; false: they break the protocol */

static bool on_header(Talk *talk) {
        unsigned opcode = talk->header[0] & 0x0f, length = talk->header[1] & 0x7f;
        size_t more = length == 126 ? 2 : length == 127 ? 8 : 0;

        if (talk->n_header == 2) {
                /* A client masks (RFC 6455, 5.1), and MQTT is binary. */
                if (!(talk->header[1] & 0x80) || (talk->header[0] & 0x70) ||
                    (opcode != 0 && opcode != 2 && opcode != 8 && opcode != 9 && opcode != 10))
                        return false;
                talk->wants = 2 + more + 4;
                return true;
        }
        talk->left = more == 0 ? length : 0;
        for (size_t i = 0; i < more; i++)
                talk->left = talk->left << 8 | talk->header[2 + i];
        talk->at = 0;
        talk->control = opcode >= 8;
        talk->stage = opcode == 8 ? STAGE_OVER : talk->left > 0 ? STAGE_PAYLOAD : STAGE_HEADER;
        memcpy(talk->header, talk->header + 2 + more, 4); /* the mask */
        talk->n_header = 0;
        talk->wants = 2;
        return true;
}

/* Of `n` bytes of payload at `bytes`: how many are MQTT's. */
static int on_payload(Talk *talk, uint8_t *bytes, int n) {
        for (int i = 0; i < n; i++)
                bytes[i] ^= talk->header[talk->at++ % 4];
        talk->left -= (uint64_t) n;
        if (talk->left == 0)
                talk->stage = STAGE_HEADER;
        return talk->control ? 0 : n;
}

static int read_head(SslRead next, SSL *ssl, Talk *talk) {
        int n = next(ssl, talk->head + talk->n_head, 1);

        if (n <= 0)
                return n;
        if (++talk->n_head == HEAD_MAX)
                talk->stage = STAGE_OVER;
        else if (talk->n_head > 4 && memcmp(talk->head + talk->n_head - 4, "\r\n\r\n", 4) == 0)
                answer(ssl, talk);
        return n;
}

static int read_header(SslRead next, SSL *ssl, Talk *talk) {
        int n = next(ssl, talk->header + talk->n_header, (int) (talk->wants - talk->n_header));

        if (n <= 0)
                return n;
        talk->n_header += (size_t) n;
        if (talk->n_header == talk->wants && !on_header(talk))
                talk->stage = STAGE_OVER;
        return n;
}

/* Reads on until there is something for the broker, or OpenSSL itself has nothing: what it says of
 * its last call is right then. */
static int read_frames(SslRead next, SSL *ssl, Talk *talk, void *buf, int num) {
        for (;;) {
                int n = -1;

                switch (talk->stage) {
                case STAGE_HEAD:
                        n = read_head(next, ssl, talk);
                        break;
                case STAGE_HEADER:
                        n = read_header(next, ssl, talk);
                        break;
                case STAGE_PAYLOAD:
                        n = next(ssl, buf, (uint64_t) num < talk->left ? num : (int) talk->left);
                        if (n > 0 && (n = on_payload(talk, buf, n)) > 0)
                                return n;
                        if (n == 0 && talk->control)
                                n = 1;
                        break;
                case STAGE_OVER: /* the broker closes upon an end */
                        (void) SSL_shutdown(ssl);
                        errno = ECONNRESET;
                        return 0;
                case STAGE_NEW:
                case STAGE_PLAIN:
                        break;
                }
                if (n <= 0)
                        return n;
        }
}

__attribute__((visibility("default"))) int SSL_read(SSL *ssl, void *buf, int num) {
        static SslRead next;
        Talk *talk = talk_of(ssl);
        char first;

        if (!next)
                next = (SslRead) dlsym(RTLD_NEXT, "SSL_read");
        if (talk && talk->stage == STAGE_NEW && SSL_peek(ssl, &first, 1) == 1)
                talk->stage = first == 'G'           ? STAGE_HEAD
                              : alpn_is_missing(ssl) ? STAGE_OVER
                                                     : STAGE_PLAIN;
        if (!talk || talk->stage == STAGE_NEW || talk->stage == STAGE_PLAIN)
                return next(ssl, buf, num);
        return read_frames(next, ssl, talk, buf, num);
}

/* --- frames that go */

static bool begin_frame(Talk *talk, const void *buf, size_t size) {
        size_t n = 2;

        if (size > OUT_MAX)
                return false;
        talk->out = malloc(size + 10);
        if (!talk->out)
                return false;
        talk->out[0] = 0x82;
        talk->out[1] = size < 126 ? (uint8_t) size : size < 65536 ? 126 : 127;
        for (unsigned bytes = size < 126 ? 0 : size < 65536 ? 2 : 8; bytes > 0; bytes--)
                talk->out[n++] = (uint8_t) ((uint64_t) size >> 8 * (bytes - 1));
        memcpy(talk->out + n, buf, size);
        talk->out_size = n + size;
        talk->out_at = 0;
        return true;
}

int websocket_write(SslWrite next, SSL *ssl, const void *buf, int num) {
        Talk *talk = talk_of(ssl);

        if (!talk || (talk->stage != STAGE_HEADER && talk->stage != STAGE_PAYLOAD))
                return next(ssl, buf, num);
        /* What was asked for before is asked for again until it is done. */
        if (!talk->out && !begin_frame(talk, buf, (size_t) num))
                return 0;
        while (talk->out_at < talk->out_size) {
                int n = next(ssl, talk->out + talk->out_at, (int) (talk->out_size - talk->out_at));

                if (n <= 0)
                        return n;
                talk->out_at += (size_t) n;
        }
        free(talk->out);
        talk->out = NULL;
        return num;
}
