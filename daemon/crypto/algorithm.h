/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* AlgorithmIdentifiers (RFC 5280, 4.1.1.2) of keys and signatures: which of them we take, and what
 * people call those that we do not. */

#include <wolfssl/options.h>
#include <wolfssl/wolfcrypt/hash.h>

#include "daemon/crypto/der.h"

typedef enum KeyAlgorithm {
        KEY_ALGORITHM_EC_P256,
        KEY_ALGORITHM_EC_P384,
        KEY_ALGORITHM_RSA,
        KEY_ALGORITHM_OTHER, /* has a name, but is not supported */
} KeyAlgorithm;

/* Takes the AlgorithmIdentifier of a public key or of PKCS#8. `*ret_name` is for people, and
 * static. -EBADMSG: malformed. */
int key_algorithm_read(DerReader *reader, KeyAlgorithm *ret, const char **ret_name);

/* The same from a curve's name alone, as SEC 1 keys have it: takes the OBJECT IDENTIFIER. */
int key_algorithm_read_curve(DerReader *reader, KeyAlgorithm *ret, const char **ret_name);

typedef struct SignatureAlgorithm {
        bool supported;
        bool is_rsa; /* PKCS#1 v1.5; ECDSA otherwise */
        enum wc_HashType hash;
        const char *name; /* "SHA-1 with RSA" …; static */
} SignatureAlgorithm;

int signature_algorithm_read(DerReader *reader, SignatureAlgorithm *ret);
