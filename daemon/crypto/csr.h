/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Certificate signing requests (PKCS#10, RFC 2986): ours, and those that callers bring. */

#include "daemon/base/macro.h"
#include "daemon/crypto/key.h"
#include "protocol/ipc/limits.h"

/* Bytes of a common name. X.520 allows 64 characters, wolfCrypt has room for 63 bytes. */
#define CSR_COMMON_NAME_MAX ((size_t) 63)

#define CSR_DIGEST_MAX ((size_t) 48) /* SHA-384 */
#define CSR_DIGEST_INFO_MAX ((size_t) 128)

/* Makes a request whose subject is CN=common_name (UTF-8, of 1 byte at least) and which carries
 * nothing else; signed with SHA-256, with P-384 SHA-384. A longer name is cut at the last character
 * that fits CSR_COMMON_NAME_MAX: the subject is a label; what identifies a device is its key.
 * -EINVAL: the name is empty, no UTF-8 or has a control character. The text is the caller's. */
int csr_make(CryptoKey *key, const char *common_name, char **ret_pem);

/* What a key that is not here is asked to sign. */
typedef struct CsrDigest {
        uint8_t bytes[CSR_DIGEST_MAX];
        size_t size;
        uint8_t info[CSR_DIGEST_INFO_MAX]; /* DigestInfo (RFC 8017, 9.2) around it */
        size_t info_size;
} CsrDigest;

/* `signature` has room for *size bytes; ECDSA in DER, RSA by PKCS#1 v1.5. */
typedef int (*CsrSign)(CsrDigest *digest, uint8_t *signature, size_t *size, void *userdata);

/* The same for a key of which the public half is known, and which `sign` has sign. Errors also as
 * `sign` gives them. */
int csr_make_elsewhere(CryptoKey *public, const char *common_name, CsrSign sign, void *userdata,
                       char **ret_pem);

typedef struct Csr {
        uint8_t *spki; /* the public key that the certificate must carry: SubjectPublicKeyInfo, DER
                        */
        size_t spki_size;
        char *key_type; /* "ec-p256", "ec-p384", "rsa-2048" ... */
} Csr;

/* Takes a caller's request: exactly one PEM block and nothing else, IPC_CSR_MAX bytes at most, a
 * P-256, P-384 or RSA key of 2048 to 4096 bits, a valid signature over SHA-256, SHA-384 or SHA-512.
 * `pem` needs no terminator. -EMSGSIZE: too long; -EOPNOTSUPP: a kind of key or signature that is
 * not supported; -EBADMSG: the signature is wrong; -EINVAL: anything else. */
int csr_parse(const char *pem, size_t size, Csr **ret, char **ret_why);

/* The public key (SubjectPublicKeyInfo, DER) of a request that csr_parse() took before: its key and
 * signature are not checked again, which costs more than all else of a job. -EMSGSIZE, -EINVAL as
 * there, -ENOMEM. The bytes are the caller's. */
int csr_public_key(const char *pem, size_t size, uint8_t **ret_spki, size_t *ret_size);

Csr *csr_free(Csr *csr); /* gives NULL */
DEFINE_CLEANUP(Csr *, csr_free);
#define _cleanup_csr_ _cleanup_(csr_freep)
