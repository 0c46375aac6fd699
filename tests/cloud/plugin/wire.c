/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/cloud/plugin/wire.h"

#include <dlfcn.h>
#include <string.h>

#include <openssl/rand.h>
#include <openssl/ssl.h>

#include "daemon/base/macro.h"
#include "tests/cloud/plugin/alpn.h"
#include "tests/cloud/plugin/websocket.h"

/* CONNACK, two bytes, no session, "not authorised" (MQTT 3.1.1, 3.2). */
static const uint8_t refusal[] = {0x20, 0x02, 0x00, 0x05};

/* SSL_write() has no userdata: what it is to do can only be kept beside it. All of it belongs to
 * the broker's one thread. */
static struct {
        WireMarker marker;
        void *bytes;
        size_t n;
} replacements[WIRE_REPLACEMENTS_MAX];
static size_t n_replacements;
static int connack_code = -1;

typedef void (*SslCtxSetVerify)(SSL_CTX *ctx, int mode, SSL_verify_cb callback);

void wire_set_connack(int code) {
        connack_code = code;
}

bool wire_replace(const void *bytes, size_t n, WireMarker *ret) {
        static const char digits[] = "0123456789abcdef";
        unsigned char random[sizeof(ret->text) / 2];
        void *copy;

        if (n_replacements >= WIRE_REPLACEMENTS_MAX || RAND_bytes(random, sizeof(random)) != 1)
                return false;
        copy = malloc(n);
        if (!copy)
                return false;
        memcpy(copy, bytes, n);
        for (size_t i = 0; i < sizeof(random); i++) {
                ret->text[2 * i] = digits[random[i] >> 4];
                ret->text[2 * i + 1] = digits[random[i] & 0xf];
        }
        replacements[n_replacements].marker = *ret;
        replacements[n_replacements].bytes = copy;
        replacements[n_replacements].n = n;
        n_replacements++;
        return true;
}

/* The index of the replacement whose marker is in the packet, or n_replacements. */
static size_t find_replacement(const void *buf, int num) {
        size_t i;

        for (i = 0; i < n_replacements; i++)
                if (memmem(buf, (size_t) num, replacements[i].marker.text,
                           sizeof(replacements[i].marker.text)))
                        break;
        return i;
}

static void write_replacement(SslWrite next, SSL *ssl, size_t i) {
        /* Best effort: a full socket may cut it short, and then it is as broken as it was meant. */
        (void) websocket_write(next, ssl, replacements[i].bytes, (int) replacements[i].n);
        free(replacements[i].bytes);
        replacements[i] = replacements[--n_replacements];
}

__attribute__((visibility("default"))) int SSL_write(SSL *ssl, const void *buf, int num) {
        static SslWrite next;
        uint8_t connack[sizeof(refusal)];
        size_t i;

        if (!next)
                next = (SslWrite) dlsym(RTLD_NEXT, "SSL_write");
        if (connack_code >= 0 && num == (int) sizeof(refusal) &&
            memcmp(buf, refusal, sizeof(refusal)) == 0) {
                memcpy(connack, refusal, sizeof(refusal));
                connack[3] = (uint8_t) connack_code;
                connack_code = -1;
                return websocket_write(next, ssl, connack, num);
        }
        if (n_replacements > 0 && (i = find_replacement(buf, num)) < n_replacements) {
                write_replacement(next, ssl, i);
                return num;
        }
        return websocket_write(next, ssl, buf, num);
}

/* Mosquitto asks for a certificate where it requires one, and else not at all; DPS takes one where
 * there is one. What is presented is checked against the listener's authorities. */
__attribute__((visibility("default"))) void SSL_CTX_set_verify(SSL_CTX *ctx, int mode,
                                                               SSL_verify_cb callback) {
        static SslCtxSetVerify next;

        if (!next)
                next = (SslCtxSetVerify) dlsym(RTLD_NEXT, "SSL_CTX_set_verify");
        next(ctx, mode == SSL_VERIFY_NONE ? SSL_VERIFY_PEER : mode, callback);
        alpn_take(ctx); /* here, since each listener comes this way */
}
