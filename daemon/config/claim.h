/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* What a profile connects with: trusted roots, a proxy's credentials, and the claim's certificate
 * and its private key, or the symmetric keys of a profile of azure-dps, as they stand in the files
 * now. Files come late (a factory puts them there), so that they are missing is no error of the
 * configuration, and loading can be tried again whenever they may have changed. */

#include "daemon/base/secret.h"
#include "daemon/crypto/certificate.h"
#include "daemon/crypto/token-key.h"
#include "daemon/model/failure.h"
#include "daemon/model/profile.h"

/* Roots that "system" means, and the folder of the single ones (Debian's ca-certificates). */
#define CLAIM_SYSTEM_ROOTS "/etc/ssl/certs/ca-certificates.crt"
#define CLAIM_ROOTS_FOLDER "/usr/share/ca-certificates/mozilla"

typedef struct Claim {
        Secret *trusted;          /* PEM, one certificate at least by its look; TLS checks them */
        Secret *certificate;      /* PEM, as in the file: the leaf, perhaps followed by its chain */
        Secret *private_key;      /* PEM, PKCS#8, not encrypted; it fits the certificate; or … */
        TokenKey *token_key;      /* … it is in a token, and fits likewise */
        Token *key_store;         /* where device keys are made; NULL: in memory */
        Certificate *description; /* of the leaf: subject, fingerprint, dates */
        Secret *symmetric_key;    /* azure-dps: bytes, in the place of the pair */
        Secret *secondary_key;    /* likewise; NULL: none */
        Secret *proxy_credentials; /* user:password; NULL: none, or no proxy */
} Claim;

/* Blocks for a handful of small files, and for an encrypted key's derivation (some 100 ms). On
 * failure *ret_failure says for people which file, and the mend: `not-initialized`, where something
 * is missing, refused or unreadable; `key-mismatch`; `no-memory`. An expired claim is loaded: that
 * the clock is wrong is as likely, and the server judges. Any
 * thread, but where profile_uses_token(), the thread of the tokens: a token may take seconds, and
 * be asked for a PIN (see token-latch.h). `tokens` may be NULL else. Of the profile it reads what
 * profile_copy_claim_source() copies, and nothing else. */
int claim_load(const Profile *p, TokenPool *tokens, Claim **ret, Failure **ret_failure);

/* The token of KeyStore= alone, where there may be no claim: 0 with NULL where the profile has
 * none. Threads and errors as of claim_load(); why it is not there is told by that. */
int claim_load_store_alone(const Profile *p, TokenPool *tokens, Token **ret);

/* What the way to the right server takes, for whoever brings a certificate and key of his own: the
 * trusted roots, and the proxy's credentials (NULL: none). */
int claim_load_way(const Profile *p, Secret **ret_trusted, Secret **ret_proxy_credentials,
                   Failure **ret_failure);

Claim *claim_free(Claim *c);
DEFINE_CLEANUP(Claim *, claim_free);
#define _cleanup_claim_ _cleanup_(claim_freep)

/* The same bytes: a session under the one need not be renewed for the other. NULL equals NULL. */
bool claim_equal(const Claim *a, const Claim *b);

/* The files that a claim is made of, to be watched: paths, or "credential:NAME" where there is no
 * credentials directory; entries may be NULL. They belong to the profile. */
#define CLAIM_FILES 9
void claim_files(const Profile *p, const char *ret[static CLAIM_FILES]);
