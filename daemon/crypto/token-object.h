/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Inside daemon/crypto's token-*.c: objects in a token. */

#include "daemon/crypto/key-internal.h"
#include "daemon/crypto/token-internal.h"
#include "daemon/crypto/token-key.h"

struct TokenKey {
        atomic_uint references;
        Token *token;
        Pkcs11Uri *object; /* label and id alone */
        char *uri;
        uint8_t *spki;
        size_t spki_size;
        KeyAlgorithm algorithm;
};

/* *ret_found: 0, 1 or 2, which stands for more. */
CK_RV token_object_find(TokenSession *s, CK_ATTRIBUTE *template, CK_ULONG n, CK_OBJECT_HANDLE *ret,
                        size_t *ret_found);
CK_RV token_object_find_key(TokenSession *s, CK_OBJECT_CLASS class, const Pkcs11Uri *u,
                            CK_OBJECT_HANDLE *ret, size_t *ret_found);

/* False where the key has no such attribute. */
CK_RV token_object_flag(TokenSession *s, CK_OBJECT_HANDLE key, CK_ATTRIBUTE_TYPE type, bool *ret);
CK_RV token_object_key_type(TokenSession *s, CK_OBJECT_HANDLE key, CK_KEY_TYPE *ret);

/* The public key that an object holds. */
int token_object_public(TokenSession *s, CK_OBJECT_HANDLE public, KeyAlgorithm algorithm,
                        CryptoKey **ret, char **ret_why);

/* --- token-key.c */

/* The token as it is named, and the object. */
int token_object_uri(const Token *t, const Pkcs11Uri *object, char **ret);

/* A nonce, signed by the token, verified by us. 0; -EKEYREJECTED: not a pair. */
int token_object_check_pair(TokenSession *s, CK_OBJECT_HANDLE key, CryptoKey *public,
                            char **ret_why);

/* A key of that label and id, with this public half. */
int token_key_new(Token *t, const Pkcs11Uri *object, CryptoKey *public, TokenKey **ret);

/* Signs with that very object, and no second try. */
CK_RV token_key_sign_with(TokenSession *s, CK_OBJECT_HANDLE key, TokenSignature how,
                          KeyAlgorithm algorithm, const void *data, size_t data_size,
                          uint8_t *signature, size_t *size);
