/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Tokens by PKCS#11: modules, the sessions in their tokens, and the login.
 *
 * A module is loaded when it is first named, and stays: programs that unload one end badly. A token
 * is found by asking each slot for what is in it. A session is kept, since opening one costs a
 * login; where it is lost (the token was taken out, or reset), it is opened anew when it is wanted
 * next, and logged in anew only where the token has forgotten that it was.
 *
 * Any of this may take seconds, and a broken token or reader may never answer: it all runs on one
 * thread that is there for nothing else, and which may hang. Of a TokenPool and of a Token that
 * thread alone calls more than what says "any thread". */

#include "daemon/base/secret.h"
#include "daemon/crypto/pkcs11-uri.h"

#define TOKEN_PIN_MAX ((size_t) 255)

typedef struct TokenPool TokenPool;

/* Where the records of tried PINs stand (token-latch.h): small files by name, durable when `write`
 * and `erase` return. Called on the thread of the tokens. */
typedef struct TokenLatchStore {
        int (*read)(void *userdata, const char *name, size_t max, Secret **ret); /* -ENOENT: none */
        int (*write)(void *userdata, const char *name, const void *data, size_t size);
        int (*erase)(void *userdata, const char *name);
        void (*free)(void *userdata);
} TokenLatchStore;

/* Takes `userdata` on success alone. Any thread. */
int token_pool_new(const TokenLatchStore *latches, void *userdata, TokenPool **ret);
TokenPool *token_pool_ref(TokenPool *p); /* any thread */

/* The last one ends all sessions. Any thread, when the thread of the tokens has ended. */
TokenPool *token_pool_unref(TokenPool *p);
DEFINE_CLEANUP(TokenPool *, token_pool_unref);

/* A token as the configuration names it. It never changes, and has any number of owners. */
typedef struct Token Token;

/* Loads the module, finds the token and logs in, so that what is wrong is known now. `pin` may be
 * NULL; all is copied. *ret_why says what is wrong and the mend.
 *   -ELIBACC     the module cannot be loaded
 *   -ENODEV      there is no such token now, or several
 *   -EKEYREJECTED the PIN was refused, or is not tried, or is missing
 *   -EIO         the token failed
 *   -ENOMEM */
int token_open(TokenPool *p, const char *module, const Pkcs11Uri *uri, const Secret *pin,
               Token **ret, char **ret_why);

/* All on any thread. */
Token *token_ref(Token *t);
Token *token_unref(Token *t); /* wipes the PIN with the last; gives NULL */
DEFINE_CLEANUP(Token *, token_unref);
#define _cleanup_token_ _cleanup_(token_unrefp)
bool token_equal(const Token *a,
                 const Token *b); /* the same place, PIN and all; NULL equals NULL */
