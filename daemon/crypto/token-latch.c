/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/crypto/token-latch.h"

#include <errno.h>
#include <stdio.h>

#include <wolfssl/options.h>
#include <wolfssl/wolfcrypt/hash.h>
#include <wolfssl/wolfcrypt/pwdbased.h>

#include "daemon/crypto/pkcs11-standard.h"
#include "daemon/crypto/wolfcrypt.h"

/* Tens of milliseconds: a login is rare. */
#define STRETCH_ROUNDS 100000
#define FORMAT "pin 1 %s %u "
#define STATE_BEGUN "begun"
#define STATE_REFUSED "refused"

static int digest_pin(const TokenLatch *l, const Secret *pin,
                      uint8_t ret[static TOKEN_LATCH_DIGEST_SIZE]) {
        int r = wc_PBKDF2(ret, pin->data, (int) pin->size, l->salt, (int) sizeof(l->salt),
                          STRETCH_ROUNDS, (int) TOKEN_LATCH_DIGEST_SIZE, WC_SHA256);

        return r < 0 ? wolfcrypt_errno(r) : 0;
}

/* 1: this PIN; 0: another one, or no record. */
static int is_same(const TokenLatch *l, const Secret *pin) {
        uint8_t digest[TOKEN_LATCH_DIGEST_SIZE];
        int r;

        if (l->state == TOKEN_LATCH_NONE)
                return 0;
        r = digest_pin(l, pin, digest);
        return r < 0 ? r : memcmp(digest, l->digest, sizeof(digest)) == 0;
}

static TokenLatchVerdict judge(const TokenLatch *l, bool same, unsigned long flags) {
        if (flags & CKF_USER_PIN_LOCKED)
                return TOKEN_LATCH_LOCKED;
        if (same && l->state == TOKEN_LATCH_REFUSED)
                return TOKEN_LATCH_WAS_REFUSED;
        if (flags & CKF_USER_PIN_FINAL_TRY)
                return TOKEN_LATCH_FINAL_TRY;
        if (same && (flags & CKF_USER_PIN_COUNT_LOW || l->begun >= TOKEN_LATCH_BEGUN_MAX))
                return TOKEN_LATCH_IN_DOUBT;
        return TOKEN_LATCH_TRY;
}

int token_latch_decide(const TokenLatch *l, const Secret *pin, unsigned long flags,
                       TokenLatchVerdict *ret) {
        int same = is_same(l, pin);

        if (same < 0)
                return same;
        *ret = judge(l, same > 0, flags);
        return 0;
}

int token_latch_begin(TokenLatch *l, const Secret *pin) {
        _cleanup_rng_ WC_RNG *rng = NULL;
        int same = is_same(l, pin), r;

        if (same < 0)
                return same;
        if (same) {
                l->state = TOKEN_LATCH_BEGUN;
                l->begun++;
                return 0;
        }
        r = wolfcrypt_rng(&rng);
        if (r < 0)
                return r;
        *l = (TokenLatch){.state = TOKEN_LATCH_BEGUN, .begun = 1};
        r = wc_RNG_GenerateBlock(rng, l->salt, sizeof(l->salt));
        if (r < 0)
                return wolfcrypt_errno(r);
        return digest_pin(l, pin, l->digest);
}

/* --- its text: pin 1 STATE BEGUN SALT DIGEST */

static char *write_hex(char *out, const uint8_t *data, size_t size) {
        static const char digits[] = "0123456789abcdef";

        for (size_t i = 0; i < size; i++) {
                *out++ = digits[data[i] >> 4];
                *out++ = digits[data[i] & 0xf];
        }
        return out;
}

void token_latch_write(const TokenLatch *l, char text[static TOKEN_LATCH_TEXT_MAX]) {
        int n = snprintf(text, TOKEN_LATCH_TEXT_MAX, FORMAT,
                         l->state == TOKEN_LATCH_REFUSED ? STATE_REFUSED : STATE_BEGUN, l->begun);
        char *at = write_hex(text + n, l->salt, sizeof(l->salt));

        *at++ = ' ';
        at = write_hex(at, l->digest, sizeof(l->digest));
        *at++ = '\n';
        *at = '\0';
}

static int digit(char c) {
        if (c >= '0' && c <= '9')
                return c - '0';
        return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool read_hex(const char *text, uint8_t *data, size_t size) {
        for (size_t i = 0; i < size; i++) {
                int high = digit(text[2 * i]), low = high < 0 ? -1 : digit(text[2 * i + 1]);

                if (low < 0)
                        return false;
                data[i] = (uint8_t) (high << 4 | low);
        }
        return true;
}

int token_latch_read(const char *text, size_t size, TokenLatch *ret) {
        static const TokenLatchState states[] = {TOKEN_LATCH_BEGUN, TOKEN_LATCH_REFUSED};
        static const char *const names[] = {STATE_BEGUN, STATE_REFUSED};
        char head[TOKEN_LATCH_TEXT_MAX];

        for (size_t i = 0; i < ELEMENTSOF(states); i++)
                for (unsigned begun = 0; begun <= TOKEN_LATCH_BEGUN_MAX; begun++) {
                        TokenLatch l = {.state = states[i], .begun = begun};
                        size_t n = (size_t) snprintf(head, sizeof(head), FORMAT, names[i], begun);
                        const char *salt = text + n;

                        if (size != n + 2 * sizeof(l.salt) + 1 + 2 * sizeof(l.digest) + 1 ||
                            memcmp(text, head, n) != 0)
                                continue;
                        if (!read_hex(salt, l.salt, sizeof(l.salt)) ||
                            salt[2 * sizeof(l.salt)] != ' ' ||
                            !read_hex(salt + 2 * sizeof(l.salt) + 1, l.digest, sizeof(l.digest)))
                                return -EBADMSG;
                        *ret = l;
                        return 0;
                }
        return -EBADMSG;
}
