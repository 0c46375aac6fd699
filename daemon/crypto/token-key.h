/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Private keys in tokens: found there, or made there, and used there. What is here of one is where
 * it is, and its public half. Calls are for the thread of the tokens (token.h) but where it says
 * any thread. */

#include "daemon/crypto/certificate.h"
#include "daemon/crypto/token.h"
#include "protocol/ipc/vocabulary.h"

#define TOKEN_SIGNATURE_MAX ((size_t) 512) /* RSA-4096 */

typedef struct TokenKey TokenKey;

/* Finds the one private key that the token's URI names, and has it sign a nonce, which must verify
 * with the certificate's key: a key of another pair is told now and not by a server.
 *   -ENOKEY        the token has no such key, or several, or one of no use
 *   -EKEYREJECTED  *ret_mismatch: it is not the certificate's; else about the PIN
 * and what token_open() says. */
int token_key_find(Token *t, const Certificate *certificate, TokenKey **ret, bool *ret_mismatch,
                   char **ret_why);

/* The key of that name in the token, or a new one: a pair made by the token, sensitive and not
 * extractable. `name` becomes the label, `id` its CKA_ID; so a key that a former life of the daemon
 * made is found, and no second one is made. One of another type is replaced. Slow: seconds.
 * -ENOSPC: the token is full; else the errors of token_open(). */
int token_key_make(Token *t, KeyType type, const char *name, const uint8_t *id, size_t id_size,
                   TokenKey **ret, char **ret_why);

/* The pair of that name, of whatever type. -ENOKEY: it is not there, or not whole; and the errors
 * of token_open(). */
int token_key_find_made(Token *t, const char *name, const uint8_t *id, size_t id_size,
                        TokenKey **ret, char **ret_why);

/* The key of that certificate, whatever it is called behind `prefix`. It must sign a nonce.
 * -ENOKEY: there is none; -EKEYREJECTED: it does not sign for it, or is about the PIN; and the
 * errors of token_open(). */
int token_key_find_of(Token *t, const Certificate *certificate, const char *prefix, TokenKey **ret,
                      char **ret_why);

/* Removes the pair of that name, if it is there. */
int token_key_destroy(Token *t, const char *name, const uint8_t *id, size_t id_size,
                      char **ret_why);

/* A request for its certificate, signed by the token; see csr_make(). */
int token_key_csr(TokenKey *k, const char *common_name, char **ret_pem, char **ret_why);

/* What is signed: a digest with ECDSA (the signature in DER), a DigestInfo with RSA by PKCS#1 v1.5,
 * or a digest with RSA-PSS, its salt as long as the digest, MGF1 with the same hash. */
typedef enum TokenSignature {
        TOKEN_SIGN_ECDSA,
        TOKEN_SIGN_RSA_PKCS1,
        TOKEN_SIGN_RSA_PSS,
} TokenSignature;

/* `signature` has room for *size bytes. Where the session is lost, another one is opened. */
int token_key_sign(TokenKey *k, TokenSignature how, const void *data, size_t data_size,
                   uint8_t *signature, size_t *size, char **ret_why);

/* --- any thread */

TokenKey *token_key_ref(TokenKey *k);
TokenKey *token_key_unref(TokenKey *k); /* gives NULL */
DEFINE_CLEANUP(TokenKey *, token_key_unref);
#define _cleanup_token_key_ _cleanup_(token_key_unrefp)

/* The same key in the same token, by the same PIN; NULL equals NULL. */
bool token_key_equal(const TokenKey *a, const TokenKey *b);

/* The URI that a key of that name has in the token, made or not; as token_key_uri(). -ENOMEM. */
int token_key_uri_of(const Token *t, const char *name, const uint8_t *id, size_t id_size,
                     char **ret);

/* Its SubjectPublicKeyInfo, DER; as long as the key. */
const uint8_t *token_key_public_der(const TokenKey *k, size_t *ret_size);

/* pkcs11:…, without where the PIN is; as long as the key. */
const char *token_key_uri(const TokenKey *k);
