/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* A wrong PIN is tried once, ever, until it changes: a token locks after a few wrong ones, and a
 * daemon that tries again at each connect, reload and restart would lock it within minutes.
 *
 * A record for each token, on disk, says which PIN was tried, and how that ended. It is written
 * before the token is asked, and taken away when the token has taken the PIN: so a PIN that was
 * refused is not tried again by any later life of the daemon. The record holds no PIN but a salted,
 * stretched digest of one, and outlives a login only where the PIN was wrong.
 *
 * A record that says no end is left by a crash or power cut amid a login. Then the token is asked:
 * CKF_USER_PIN_COUNT_LOW says that a wrong PIN was tried since the last right one (PKCS#11 v2.40,
 * 3.2). Where it is not set, the PIN gets another try, TOKEN_LATCH_BEGUN_MAX at most: a right PIN
 * must not be lost to a power cut.
 *
 * Never at CKF_USER_PIN_FINAL_TRY: the last try belongs to people. CKF_USER_PIN_COUNT_LOW alone
 * forbids no PIN that was not tried yet: it may be another program's fault, and a mended PIN must
 * be let in.
 *
 * Pure but for the random salt. */

#include "daemon/base/secret.h"

#define TOKEN_LATCH_SALT_SIZE ((size_t) 16)
#define TOKEN_LATCH_DIGEST_SIZE ((size_t) 32)
#define TOKEN_LATCH_BEGUN_MAX 2U
#define TOKEN_LATCH_TEXT_MAX ((size_t) 256) /* of a record */

typedef enum TokenLatchState {
        TOKEN_LATCH_NONE,    /* no record */
        TOKEN_LATCH_BEGUN,   /* a try was begun, and its end is not on record */
        TOKEN_LATCH_REFUSED, /* the token did not take it */
} TokenLatchState;

typedef struct TokenLatch {
        TokenLatchState state;
        unsigned begun; /* tries without an end */
        uint8_t salt[TOKEN_LATCH_SALT_SIZE];
        uint8_t digest[TOKEN_LATCH_DIGEST_SIZE];
} TokenLatch;

typedef enum TokenLatchVerdict {
        TOKEN_LATCH_TRY,
        TOKEN_LATCH_WAS_REFUSED,
        TOKEN_LATCH_IN_DOUBT, /* begun, and a wrong one was tried since */
        TOKEN_LATCH_FINAL_TRY,
        TOKEN_LATCH_LOCKED,
} TokenLatchVerdict;

/* What the record, or none, says of this PIN, at these flags of CK_TOKEN_INFO. -ENOMEM, -EIO. */
int token_latch_decide(const TokenLatch *l, const Secret *pin, unsigned long flags,
                       TokenLatchVerdict *ret);

/* The try begins: counts it where it is the same PIN as before. -ENOMEM, -EIO. */
int token_latch_begin(TokenLatch *l, const Secret *pin);

/* One line; `text` has room for TOKEN_LATCH_TEXT_MAX bytes. */
void token_latch_write(const TokenLatch *l, char text[static TOKEN_LATCH_TEXT_MAX]);

/* -EBADMSG: that is no record. */
int token_latch_read(const char *text, size_t size, TokenLatch *ret);
