/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The certificate authority of the devices: reads signing requests, and signs what is asked. It
 * stands on OpenSSL, so that the certificates the daemon gets are made by other code than its own.
 */

#include <openssl/evp.h>
#include <openssl/x509.h>

/* SHA-256 in hex. */
#define FINGERPRINT_LENGTH 64

typedef struct Fingerprint {
        char hex[FINGERPRINT_LENGTH + 1];
} Fingerprint;

typedef struct Authority Authority;

/* Reads device-ca.pem and device-ca.key from the working directory. Negative errno on failure. */
int authority_new(Authority **ret);
Authority *authority_free(Authority *authority);

/* SHA-256 over the DER form: what the service calls the certificate's id. */
int fingerprint_of(const X509 *certificate, Fingerprint *ret);

/* A request whose own signature is right, and whose key is P-256, P-384 or RSA of 2048 to 4096
 * bits; NULL with *ret_why (static text) otherwise. Free with X509_REQ_free(). */
X509_REQ *authority_read_request(const char *pem, const char **ret_why);

/* A certificate for the public key, as the service makes them: CN=AWS IoT Certificate, valid to the
 * end of 2049. The caller frees *ret_pem. Negative errno on failure. */
int authority_sign(Authority *authority, const X509_PUBKEY *key, char **ret_pem,
                   Fingerprint *ret_id);
