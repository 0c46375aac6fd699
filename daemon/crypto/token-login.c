/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Logging in, with each PIN that is wrong tried once: the rules stand in token-latch.h. */

#include <errno.h>
#include <stdio.h>

#include "daemon/crypto/digest.h"
#include "daemon/crypto/token-internal.h"
#include "daemon/crypto/why.h"

#define NAME_DIGITS 16 /* of the digest of what a token says of itself */

typedef struct LatchName {
        char text[sizeof("pin-.latch") + NAME_DIGITS];
} LatchName;

/* By the token alone, whatever module it is reached through. */
static int name_latch(const CK_TOKEN_INFO *info, LatchName *ret) {
        char digest[DIGEST_SHA256_HEX + 1];
        struct {
                uint8_t label[sizeof(info->label)];
                uint8_t manufacturer[sizeof(info->manufacturerID)];
                uint8_t model[sizeof(info->model)];
                uint8_t serial[sizeof(info->serialNumber)];
        } who;
        int r;

        memcpy(who.label, info->label, sizeof(who.label));
        memcpy(who.manufacturer, info->manufacturerID, sizeof(who.manufacturer));
        memcpy(who.model, info->model, sizeof(who.model));
        memcpy(who.serial, info->serialNumber, sizeof(who.serial));
        r = digest_sha256_hex(&who, sizeof(who), digest);
        if (r < 0)
                return r;
        (void) snprintf(ret->text, sizeof(ret->text), "pin-%.*s.latch", NAME_DIGITS, digest);
        return 0;
}

static int read_latch(TokenPool *p, const LatchName *name, TokenLatch *ret, char **ret_why) {
        _cleanup_secret_ Secret *text = NULL;
        int r;

        r = p->latches.read(p->userdata, name->text, TOKEN_LATCH_TEXT_MAX, &text);
        if (r == -ENOENT) {
                *ret = (TokenLatch){};
                return 0;
        }
        if (r >= 0)
                r = token_latch_read(secret_text(text), text->size, ret);
        if (r < 0 && r != -ENOMEM)
                return why(ret_why, -EKEYREJECTED,
                           "the PIN is not tried, since the record of what was tried before cannot "
                           "be read (%s); where the PIN is right, remove %s from the state "
                           "directory",
                           strerrordesc_np(-r), name->text);
        return r;
}

static int write_latch(TokenPool *p, const LatchName *name, const TokenLatch *l) {
        char text[TOKEN_LATCH_TEXT_MAX];

        token_latch_write(l, text);
        return p->latches.write(p->userdata, name->text, text, strlen(text));
}

static int refuse(TokenLatchVerdict verdict, const char *token, const LatchName *name,
                  char **ret_why) {
        switch (verdict) {
        case TOKEN_LATCH_WAS_REFUSED:
                return why(ret_why, -EKEYREJECTED,
                           "%s refused this PIN before, and it is not tried again until it "
                           "changes; put the right one there (or, where it was the token's PIN "
                           "that was changed, remove %s from the state directory)",
                           token, name->text);
        case TOKEN_LATCH_IN_DOUBT:
                return why(ret_why, -EKEYREJECTED,
                           "the daemon was cut off while it tried this PIN at %s, and it may have "
                           "been a wrong one, so it is not tried again; where it is right, remove "
                           "%s from the state directory",
                           token, name->text);
        case TOKEN_LATCH_FINAL_TRY:
                return why(ret_why, -EKEYREJECTED,
                           "%s takes one more wrong PIN before it locks, and the daemon never uses "
                           "up the last try; log in once with the right PIN by the token's own "
                           "tools",
                           token);
        case TOKEN_LATCH_LOCKED:
                return why(ret_why, -EKEYREJECTED,
                           "the PIN of %s is locked (CKR_PIN_LOCKED); unlock it with the security "
                           "officer's PIN by the token's own tools",
                           token);
        case TOKEN_LATCH_TRY:
                break;
        }
        return 0;
}

/* The token's word on a PIN. */
static bool is_about_the_pin(CK_RV rv) {
        return rv == CKR_PIN_INCORRECT || rv == CKR_PIN_INVALID || rv == CKR_PIN_LEN_RANGE ||
               rv == CKR_PIN_EXPIRED || rv == CKR_PIN_LOCKED;
}

static int say_refused(CK_RV rv, const char *token, char **ret_why) {
        if (rv == CKR_PIN_LOCKED)
                return why(ret_why, -EKEYREJECTED,
                           "the PIN of %s is locked (CKR_PIN_LOCKED); unlock it with the security "
                           "officer's PIN by the token's own tools",
                           token);
        return why(ret_why, -EKEYREJECTED,
                   "%s refuses the PIN (%s); it was tried this once and will not be again until it "
                   "changes: put the right one into the file of PrivateKeyPassword= or pin-source",
                   token, token_error_text(rv));
}

/* PINs that were typed into a file end with a line. */
static int copy_pin(const Secret *pin, Secret **ret) {
        size_t size = pin->size;

        if (size > 0 && pin->data[size - 1] == '\n')
                size--;
        if (size > 0 && pin->data[size - 1] == '\r')
                size--;
        *ret = secret_new(pin->data, size);
        return *ret ? 0 : -ENOMEM;
}

static int try_pin(TokenPool *p, TokenSession *s, Secret *pin, const LatchName *name, TokenLatch *l,
                   const char *token, char **ret_why) {
        CK_RV rv;
        int r;

        r = token_latch_begin(l, pin);
        if (r >= 0)
                r = write_latch(p, name, l);
        if (r == -ENOMEM)
                return r;
        if (r < 0)
                return why(ret_why, -EIO,
                           "the disk takes nothing (%s), so that a wrong PIN could not be "
                           "remembered; none is tried",
                           strerrordesc_np(-r));
        rv = s->module->f->C_Login(s->handle, CKU_USER, pin->data, pin->size);
        if (rv == CKR_OK || rv == CKR_USER_ALREADY_LOGGED_IN) {
                r = p->latches.erase(p->userdata, name->text);
                return r == -ENOENT ? 0 : r;
        }
        if (!is_about_the_pin(rv)) /* the record stays: what the token made of it is not known */
                return token_error_why(rv, "cannot log in", ret_why);
        l->state = TOKEN_LATCH_REFUSED;
        l->begun = 0;
        /* What was begun is on record in any case. */
        (void) write_latch(p, name, l);
        return say_refused(rv, token, ret_why);
}

static bool is_logged_in(TokenSession *s) {
        CK_SESSION_INFO info = {};

        return s->module->f->C_GetSessionInfo(s->handle, &info) == CKR_OK &&
               (info.state == CKS_RO_USER_FUNCTIONS || info.state == CKS_RW_USER_FUNCTIONS);
}

static int check_pin(const Token *t, const TokenSession *s, const char *token, char **ret_why) {
        if (s->info.flags & CKF_PROTECTED_AUTHENTICATION_PATH)
                return why(ret_why, -EKEYREJECTED,
                           "%s wants its PIN typed at its own keys, which nobody does for a daemon",
                           token);
        if (!(s->info.flags & CKF_USER_PIN_INITIALIZED))
                return why(ret_why, -EKEYREJECTED, "%s has no user PIN yet; set one", token);
        if (!t->pin)
                return why(ret_why, -EKEYREJECTED,
                           "%s wants a PIN; name its file or credential with PrivateKeyPassword=, "
                           "or with pin-source in the URI",
                           token);
        return 0;
}

int token_login(Token *t, TokenSession *s, char **ret_why) {
        _cleanup_free_ char *token = token_describe(&s->info);
        _cleanup_secret_ Secret *pin = NULL;
        TokenLatchVerdict verdict;
        TokenLatch latch;
        LatchName name;
        int r;

        if (!(s->info.flags & CKF_LOGIN_REQUIRED) || is_logged_in(s))
                return 0;
        r = token ? check_pin(t, s, token, ret_why) : -ENOMEM;
        if (r >= 0)
                r = copy_pin(t->pin, &pin);
        if (r >= 0)
                r = name_latch(&s->info, &name);
        if (r >= 0)
                r = read_latch(t->pool, &name, &latch, ret_why);
        if (r >= 0)
                r = token_latch_decide(&latch, pin, s->info.flags, &verdict);
        if (r >= 0)
                r = refuse(verdict, token, &name, ret_why);
        return r < 0 ? r : try_pin(t->pool, s, pin, &name, &latch, token, ret_why);
}
