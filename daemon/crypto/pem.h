/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* PEM texts (RFC 7468): finding blocks, decoding and writing them. Whatever passes through is
 * treated as a secret, since private keys do. */

#include "daemon/base/macro.h"
#include "daemon/base/secret.h"

/* A block of a text, and where it stands in there. */
typedef struct PemBlock {
        const char *label; /* "CERTIFICATE"; no terminator */
        size_t label_size;
        const char *body; /* between the two marker lines */
        size_t body_size;
        const char *start; /* of the BEGIN line */
        const char *end;   /* behind the END line's last dash */
} PemBlock;

/* Finds the first block at or behind `from`, a position in the text that ends at `end`. 1: found;
 * 0: there is none; -EINVAL: a BEGIN line without an END line of the same label. */
int pem_find(const char *from, const char *end, PemBlock *ret);

bool pem_has_label(const PemBlock *block, const char *label);

/* Whether it has the header lines of RFC 1421, which OpenSSL once used to encrypt keys. */
bool pem_is_legacy_encrypted(const PemBlock *block);

/* -EINVAL: this is no base64, or nothing. */
int pem_decode(const PemBlock *block, Secret **ret);

/* One block with its final newline. */
int pem_encode(const char *label, const uint8_t *der, size_t size, Secret **ret);
