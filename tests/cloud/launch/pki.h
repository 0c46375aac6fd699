/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* A certificate and its key: made, signed, read and written. */

#include <openssl/evp.h>
#include <openssl/x509.h>

typedef struct Pair {
        X509 *certificate;
        EVP_PKEY *key;
} Pair;

typedef enum PairKind {
        PAIR_AUTHORITY,
        PAIR_SERVER,
        PAIR_CLIENT,
} PairKind;

void pair_clear(Pair *pair);

/* Makes a pair. issuer NULL: it signs itself. alternative_names as OpenSSL's configuration has
 * them, "DNS:localhost,IP:::1"; NULL for none. Negative errno on failure. */
int pair_make(PairKind kind, EVP_PKEY *key, const char *common_name, const char *alternative_names,
              const Pair *issuer, Pair *ret);

/* NAME.pem and NAME.key below the directory. -ENOENT when one of them is missing. */
int pair_read(int dir_fd, const char *name, Pair *ret);
int pair_write(int dir_fd, const char *name, const Pair *pair);

/* The certificate in PEM, to be freed by the caller; NULL when memory is out. */
char *certificate_to_pem(X509 *certificate);
