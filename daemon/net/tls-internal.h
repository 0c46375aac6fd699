/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* What tls.c and tls-errors.c share. */

#include <wolfssl/options.h>

#include <wolfssl/ssl.h>

#include "daemon/model/tls-ciphers.h"
#include "daemon/net/tls.h"

struct Tls {
        WOLFSSL_CTX *context;
        WOLFSSL *ssl;
        int fd;
        int io_errno; /* of the last recv() or send() that failed; 0: none */
        char *host;
        char *endpoint; /* host:port, for messages */
        char *alpn;
        const char *certificate_name, *private_key_name; /* for messages */
        TlsCiphers ciphers;
        bool has_certificate;
        TokenKey *token_key; /* NULL: the key is not in a token */
        int token_error;     /* of the last signature, and … */
        char *token_why;     /* … what there is to say of it */
        bool established;
        bool received; /* application data: the server has taken our certificate */
        bool broken;   /* closing it politely makes no sense */
};

/* --- tls-token.c */
void tls_token_context(WOLFSSL_CTX *context);
void tls_token_use(Tls *t, TokenKey *key);
Failure *tls_token_failure(const Tls *t); /* NULL: it was not the token that failed */
void tls_token_done(Tls *t);

/* From wolfSSL's error of the last call on t. Take wolfSSL_get_error() before anything else. */
Failure *tls_failure_from_error(Tls *t, int error);

/* A wolfSSL error number as a word or two. Static storage. */
const char *tls_error_text(int error);

/* What wolfSSL says about a private key or certificate of ours that it does not take. */
Failure *tls_failure_own_certificate(const char *endpoint, const char *what, int error);
