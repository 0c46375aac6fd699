/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The client's half of SOCKS version 5, CONNECT alone (RFC 1928), with a user's name and password
 * where the proxy wants them (RFC 1929). The name of the server is the proxy's to resolve. PURE:
 * what is to be sent stands in the machine, what has come is fed. */

#include "daemon/base/secret.h"

/* The longest answer: a bound address that is a name (RFC 1928, 6). */
#define SOCKS5_ANSWER_MAX ((size_t) 4 + 1 + 255 + 2)
#define SOCKS5_HOST_MAX ((size_t) 255)

typedef enum Socks5Step {
        SOCKS5_METHOD,       /* which of our ways to authenticate? */
        SOCKS5_CREDENTIALS,  /* are they good? */
        SOCKS5_REPLY,        /* is there a connection? */
        SOCKS5_ADDRESS_TYPE, /* yes; the rest tells of an address that nobody needs */
        SOCKS5_ADDRESS_SIZE,
        SOCKS5_ADDRESS,
        SOCKS5_OPEN,
        SOCKS5_REFUSED,
} Socks5Step;

typedef enum Socks5Refusal {
        SOCKS5_NOT_SOCKS,       /* it speaks something else */
        SOCKS5_WANTS_MORE,      /* authentication, of which we have none, or not that */
        SOCKS5_BAD_CREDENTIALS, /* they are not taken */
        SOCKS5_NO_CONNECTION,   /* `reply` says why */
} Socks5Refusal;

typedef struct Socks5 {
        Socks5Step step;
        Socks5Refusal refusal; /* where refused */
        uint8_t reply;         /* where there is no connection: REP (RFC 1928, 6), never 0 */
        const char *host;
        uint16_t port;
        const Secret *credentials; /* or NULL */
        Secret *output;            /* to be sent next, and taken away; NULL: nothing */
        size_t wants;              /* bytes to be fed next, not fewer and not more; 0: at an end */
} Socks5;

/* `host` (SOCKS5_HOST_MAX bytes at most: else -EINVAL) and `credentials`, which
 * proxy_credentials_check() has seen, must live as long. */
int socks5_begin(Socks5 *s, const char *host, uint16_t port, const Secret *credentials);

/* `data` has s->wants bytes. Looks at s->step are what it gives; -ENOMEM alone is an error. */
int socks5_feed(Socks5 *s, const uint8_t *data);

void socks5_done(Socks5 *s); /* wipes */

/* "connection refused"; static storage. Also for numbers that nobody has given a meaning. */
const char *socks5_reply_text(uint8_t reply);
