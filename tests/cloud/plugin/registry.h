/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The certificates that were issued, and the tokens that own them. In memory alone: a cloud that is
 * started again knows nobody. */

#include <stdbool.h>

#include "daemon/base/macro.h"
#include "tests/cloud/plugin/authority.h"

typedef enum CertificateState {
        CERTIFICATE_PENDING,
        CERTIFICATE_ACTIVE,
        CERTIFICATE_INACTIVE,
} CertificateState;

typedef struct Certificate {
        Fingerprint id;
        CertificateState state;
        usec_t active_from_usec; /* an ACTIVE one is refused before: activation takes time to spread
                                  */
        char *thing;             /* NULL before it is registered */
} Certificate;

/* What is kept of a token is its digest. */
typedef struct Token {
        char digest[FINGERPRINT_LENGTH + 1];
        Certificate *certificate;
        Fingerprint owner; /* the certificate of the connection that it was given to */
        usec_t expires_usec;
        bool spent;
        bool answered; /* the client was sent the answer to the registration that spent it */
} Token;

typedef struct Registry Registry;

/* Negative errno on failure. */
int registry_new(Registry **ret);
Registry *registry_free(Registry *registry);

/* Notes a new certificate, PENDING, and makes a token for it that lives for ttl_usec. The caller
 * frees *ret_token. -ENOSPC above the bound, -EEXIST for an id that was issued before. */
int registry_issue(Registry *registry, const Fingerprint *id, const Fingerprint *owner,
                   usec_t ttl_usec, char **ret_token);

/* NULL when there is none. The registry keeps what it gives out. */
Certificate *registry_find(Registry *registry, const char *id);
Token *registry_find_token(Registry *registry, const char *token);

/* May a client connect with it now? */
bool certificate_is_active(const Certificate *certificate);

const char *certificate_state_to_string(CertificateState state);
