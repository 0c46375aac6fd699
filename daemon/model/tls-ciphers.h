/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The cipher suites that may be spoken, and their names. An allow list: wolfSSL's own default holds
 * anonymous, NULL, RC4, 3DES and PSK suites, with which a server needs no certificate at all, and
 * its parser skips what it does not know. So names are looked up here, and after the handshake the
 * suite that was chosen is looked up again. PURE. */

#include "daemon/model/failure.h"

#define TLS_CIPHERS_MAX 32U

typedef struct TlsCiphers {
        uint8_t index[TLS_CIPHERS_MAX]; /* into the table, in the order of preference */
        size_t n;
        bool tls12, tls13; /* has suites of that version */
} TlsCiphers;

/* `list`: names as OpenSSL, IANA or wolfSSL write them, with ':' between them; NULL: ours, AEAD
 * with forward secrecy alone. False: *ret_failure (bad-parameter) names the one that is refused. */
bool tls_ciphers_parse(const char *list, TlsCiphers *ret, Failure **ret_failure);

/* The list as wolfSSL takes it; NULL where memory is short. */
char *tls_ciphers_to_string(const TlsCiphers *c);

/* `suite` as on the wire, e.g. 0x1301. */
bool tls_ciphers_contain(const TlsCiphers *c, int suite);
