/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/cloud/plugin/alpn.h"

#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>

#include "daemon/base/macro.h"

#define PORT_OF_HTTPS 443

static const unsigned char mqtt[] = "\x0ex-amzn-mqtt-ca";

static int on_proposal(_unused_ SSL *ssl, const unsigned char **ret, unsigned char *ret_size,
                       const unsigned char *list, unsigned size, _unused_ void *userdata) {
        unsigned char *chosen;

        if (SSL_select_next_proto(&chosen, ret_size, mqtt, sizeof(mqtt) - 1, list, size) !=
            OPENSSL_NPN_NEGOTIATED)
                return SSL_TLSEXT_ERR_NOACK;
        fprintf(stderr, "ALPN: %.*s\n", *ret_size, (const char *) chosen);
        *ret = chosen;
        return SSL_TLSEXT_ERR_OK;
}

void alpn_take(SSL_CTX *ctx) {
        SSL_CTX_set_alpn_select_cb(ctx, on_proposal, NULL);
}

static in_port_t port_of(SSL *ssl) {
        union {
                struct sockaddr any;
                struct sockaddr_in v4;
                struct sockaddr_in6 v6;
        } at = {};
        socklen_t size = sizeof(at);

        if (getsockname(SSL_get_fd(ssl), &at.any, &size) < 0)
                return 0;
        return ntohs(at.any.sa_family == AF_INET6 ? at.v6.sin6_port : at.v4.sin_port);
}

bool alpn_is_missing(SSL *ssl) {
        const unsigned char *chosen;
        unsigned size;

        SSL_get0_alpn_selected(ssl, &chosen, &size);
        return size == 0 && port_of(ssl) == PORT_OF_HTTPS;
}
