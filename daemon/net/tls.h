/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* One TLS client connection over a descriptor that is already connected. Non-blocking, and without
 * an event loop: each call says what it waits for. The one file that knows wolfSSL's TLS (tls.c),
 * together with what makes sentences of its errors (tls-errors.c).
 *
 * Rules, since wolfSSL's defaults let any server in (see tls.c): the server has a certificate that
 * leads to a trusted anchor, is valid today and is for our host; the version is TLS 1.2 or 1.3; the
 * cipher is on our list; ALPN, where asked for, was agreed to. All of it is asserted again after
 * the handshake, before a byte of ours is sent. One thread for a Tls: the one that made it. */

#include "daemon/base/secret.h"
#include "daemon/crypto/token-key.h"
#include "daemon/model/failure.h"

typedef struct Tls Tls;

typedef struct TlsParameters {
        const char *host;          /* DNS name or address, as the user wrote it */
        uint16_t port;             /* for messages */
        const char *alpn;          /* NULL: none */
        const Secret *trusted;     /* PEM bundle of anchors */
        const Secret *certificate; /* PEM, the leaf first; NULL: none */
        const Secret *private_key; /* PEM, decrypted; NULL with `certificate` */
        TokenKey *token_key; /* in the place of private_key; then tls_handshake() is for the thread
                                of the tokens (handshake.h) */
        const char *cipher_list; /* NULL: ours; else see tls_ciphers_parse() */

        /* What messages call the two, of static storage; NULL: Certificate= and PrivateKey=. */
        const char *certificate_name;
        const char *private_key_name;
} TlsParameters;

typedef enum TlsStatus {
        TLS_DONE,
        TLS_WANT_READ,
        TLS_WANT_WRITE,
        TLS_CLOSED, /* the server closed in good order; only from tls_read() */
        TLS_FAILED, /* *ret_failure says why; nothing but tls_free() makes sense after it */
} TlsStatus;

/* fd stays the caller's and must live longer. Nothing is sent yet. False: *ret_failure. Parameters
 * are used up: nothing of them is referred to later but copies. */
bool tls_new(int fd, const TlsParameters *p, Tls **ret, Failure **ret_failure);

/* Tries to tell the server that we close; wipes what was secret. */
Tls *tls_free(Tls *t);
DEFINE_CLEANUP(Tls *, tls_free);

/* One step. TLS_DONE: it is finished, all was asserted, and the memory it needed is given back. */
TlsStatus tls_handshake(Tls *t, Failure **ret_failure);

/* Reads decrypted bytes, at most `size`. TLS_DONE: *ret_size bytes, at least one. Decrypted bytes
 * may wait inside with nothing to read on the descriptor: read until it says TLS_WANT_READ. */
TlsStatus tls_read(Tls *t, void *buffer, size_t size, size_t *ret_size, Failure **ret_failure);

/* Writes all of it as one record (up to 16 KiB), or asks to be called again with the very same
 * bytes. Not TLS_CLOSED. */
TlsStatus tls_write(Tls *t, const void *data, size_t size, Failure **ret_failure);
