/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* X.509 certificates as data (RFC 5280): what the daemon shows of one, and whether it carries a
 * certain key. Nothing here decides whom to trust; that is TLS's business. */

#include "daemon/base/macro.h"
#include "protocol/ipc/limits.h"

#define CERTIFICATE_PEM_MAX IPC_CERTIFICATE_MAX
#define CERTIFICATE_CHAIN_MAX ((size_t) 16)           /* certificates in one text */
#define CERTIFICATE_BUNDLE_MAX ((size_t) 1024 * 1024) /* bytes of a file with trusted roots */
#define CERTIFICATE_FINGERPRINT_LENGTH ((size_t) 64)  /* hex digits of a SHA-256 */
#define CERTIFICATE_SERIAL_MAX ((size_t) 64)          /* bytes; RFC 5280 allows 20 */

typedef struct Certificate {
        char *subject;     /* RFC 4514: most specific first, "CN=device-7,O=Example"; "" if empty */
        char *common_name; /* the subject's most specific one, as it stands there; NULL: none */
        char *serial;      /* hex, lower case, no leading zero bytes; no sign */
        usec_t not_before; /* real clock; 0 for 1970 and before */
        usec_t not_after;
        uint8_t *spki; /* its public key: DER of SubjectPublicKeyInfo */
        size_t spki_size;
        size_t chain_count; /* certificates in the text, the leaf included */
        bool is_ca;         /* basicConstraints say so, or it is of version 1 and self-issued */
        /* SHA-256 of the DER. Shown as it stands, in lower case and without colons, as AWS IoT
         * shows certificate ids (which are this very number). */
        char fingerprint[CERTIFICATE_FINGERPRINT_LENGTH + 1];
} Certificate;

/* Reads a PEM text of one certificate or a chain; the first one is the leaf and fills the object,
 * each of the others must be readable as well. Text around the blocks is skipped. `pem` needs no
 * terminator. -EINVAL: this is no certificate; -EMSGSIZE: too long. */
int certificate_parse(const char *pem, size_t size, Certificate **ret, char **ret_why);

Certificate *certificate_free(Certificate *c); /* gives NULL */
DEFINE_CLEANUP(Certificate *, certificate_free);
#define _cleanup_certificate_ _cleanup_(certificate_freep)

/* Whether the certificate's public key is this one (SubjectPublicKeyInfo, DER). The keys are
 * compared, not their spelling: a CA may write a point or the parameters in another form. */
bool certificate_carries_key(const Certificate *c, const uint8_t *spki, size_t spki_size);

/* Checks a text of trusted roots: each certificate in it is readable and belongs to a CA. TLS
 * libraries take a broken or a leaf certificate in a bundle silently. -EINVAL, -EMSGSIZE. */
int certificate_check_bundle(const char *pem, size_t size, size_t *ret_count, char **ret_why);
