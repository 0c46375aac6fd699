/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Private keys in memory: P-256, P-384 and RSA. They are wiped when freed, and so is every buffer
 * they pass through. An object belongs to one thread at a time, reading included: wolfCrypt writes
 * to a key that it signs with. */

#include "daemon/base/macro.h"
#include "daemon/base/secret.h"
#include "daemon/crypto/certificate.h"
#include "protocol/ipc/vocabulary.h"

#define CRYPTO_KEY_PEM_MAX ((size_t) 16 * 1024)
#define CRYPTO_KEY_PASSWORD_MAX ((size_t) 1024)

typedef struct CryptoKey CryptoKey;

/* Slow: some 10 ms for EC, up to several seconds for RSA-3072. -EINVAL: no such type. */
int crypto_key_generate(KeyType type, CryptoKey **ret);

/* Reads PKCS#8 ("PRIVATE KEY"), SEC 1 ("EC PRIVATE KEY"), PKCS#1 ("RSA PRIVATE KEY") and, with a
 * password, encrypted PKCS#8 ("ENCRYPTED PRIVATE KEY", PBES2 as OpenSSL writes it by default).
 * Keys: P-256, P-384, RSA of 2048 to 4096 bits. Text around the block is skipped; a second key in
 * it is refused. One line end behind the password is not part of it. `password` may be NULL; a key
 * that is not encrypted ignores it. An encrypted one may take a second and more, as its PBKDF2 is
 * meant to: not on the loop. -EINVAL: unreadable; -EMSGSIZE: too long; -EOPNOTSUPP: a kind of key
 * or of encryption that is not supported; -ENOKEY: encrypted, and no password; -EKEYREJECTED: the
 * password does not fit. */
int crypto_key_from_pem(const Secret *pem, const Secret *password, CryptoKey **ret, char **ret_why);

CryptoKey *crypto_key_free(CryptoKey *k); /* wipes; gives NULL */
DEFINE_CLEANUP(CryptoKey *, crypto_key_free);
#define _cleanup_crypto_key_ _cleanup_(crypto_key_freep)

/* PKCS#8, unencrypted, PEM. */
int crypto_key_to_pem(CryptoKey *k, Secret **ret);

/* The public half: DER of SubjectPublicKeyInfo, the caller's to free(). */
int crypto_key_public_der(CryptoKey *k, uint8_t **ret, size_t *ret_size);

/* "ec-p256", "ec-p384", "rsa-2048" ...; as long as the key lives. */
const char *crypto_key_type_text(const CryptoKey *k);

/* 0: the certificate carries this key: what is signed with the one is verified with the other.
 * -EKEYREJECTED: it does not; ret_why says so with both kinds. (wolfSSL_CTX_check_private_key takes
 * any EC key for any EC certificate, so it is not asked.) */
int crypto_key_matches_certificate(CryptoKey *k, const Certificate *certificate, char **ret_why);
