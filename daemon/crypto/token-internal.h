/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* What the token-*.c share. */

#include <stdatomic.h>

#include "daemon/base/list.h"
#include "daemon/crypto/pkcs11-standard.h"
#include "daemon/crypto/token-latch.h"
#include "daemon/crypto/token.h"

typedef struct TokenModule {
        char *path;
        CK_FUNCTION_LIST *f;
        bool initialized; /* by us, so that we end it */
        LIST_LINK(struct TokenModule, modules);
} TokenModule;

/* An open session, and what the token said of itself when it was opened. */
typedef struct TokenSession {
        TokenModule *module;
        CK_SLOT_ID slot;
        CK_TOKEN_INFO info;
        CK_SESSION_HANDLE handle;
        bool writable;
        LIST_LINK(struct TokenSession, sessions);
} TokenSession;

struct TokenPool {
        atomic_uint references;
        TokenLatchStore latches;
        void *userdata;
        LIST_HEAD(TokenModule, modules);
        LIST_HEAD(TokenSession, sessions);
};

struct Token {
        atomic_uint references;
        TokenPool *pool;
        char *module;
        Pkcs11Uri *uri;
        Secret *pin; /* NULL: none */
};

/* --- token-error.c */

const char *token_error_text(CK_RV rv); /* "CKR_PIN_LOCKED" …; static */

/* The session is of no use any more, and a new one may be. */
bool token_error_is_loss(CK_RV rv);

/* -EIO, with a sentence: what failed, and how. */
int token_error_why(CK_RV rv, const char *what, char **ret_why);

/* --- token-module.c */

int token_module_load(TokenPool *p, const char *path, TokenModule **ret, char **ret_why);
void token_module_end(TokenModule *m);

/* A token as people know it, into `text`: "'label' (serial 17)". The caller's to free. */
char *token_describe(const CK_TOKEN_INFO *info);

/* Whether the token is one that the URI means. */
bool token_is_meant(const Pkcs11Uri *u, CK_SLOT_ID slot, const CK_TOKEN_INFO *info);

/* The one slot whose token is meant. -ENODEV: none, or several. */
int token_find_slot(TokenModule *m, const Pkcs11Uri *u, CK_SLOT_ID *ret_slot,
                    CK_TOKEN_INFO *ret_info, char **ret_why);

/* --- token-login.c */

/* Logs in where that is needed and has not happened yet. Errors as of token_open(). */
int token_login(Token *t, TokenSession *s, char **ret_why);

/* --- token.c */

/* A session in the token, open and logged in. It is the pool's. */
int token_session(Token *t, bool writable, TokenSession **ret, char **ret_why);

/* After token_error_is_loss(): closed and forgotten. */
void token_session_drop(TokenPool *p, TokenSession *s);
