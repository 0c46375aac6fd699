/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* ALPN, as AWS IoT Core has it: who proposes x-amzn-mqtt-ca gets it, on any port, and on port 443
 * nobody speaks MQTT as it is without ("Protocols, port mappings, and authentication"). A line in
 * the broker's log tells of each. */

#include <stdbool.h>

#include <openssl/ssl.h>

void alpn_take(SSL_CTX *ctx);

/* A handshake that has come to no agreement where there has to be one. */
bool alpn_is_missing(SSL *ssl);
