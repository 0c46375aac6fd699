/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/crypto/token.h"

#include <errno.h>

#include "daemon/crypto/token-internal.h"
#include "daemon/crypto/why.h"

/* --- the pool */

int token_pool_new(const TokenLatchStore *latches, void *userdata, TokenPool **ret) {
        TokenPool *p = calloc(1, sizeof(*p));

        if (!p)
                return -ENOMEM;
        atomic_init(&p->references, 1);
        p->latches = *latches;
        p->userdata = userdata;
        *ret = p;
        return 0;
}

TokenPool *token_pool_ref(TokenPool *p) {
        if (p)
                atomic_fetch_add(&p->references, 1);
        return p;
}

TokenPool *token_pool_unref(TokenPool *p) {
        TokenModule *m;

        if (!p || atomic_fetch_sub(&p->references, 1) > 1)
                return NULL;
        while (p->sessions_first)
                token_session_drop(p, p->sessions_first);
        while ((m = p->modules_first)) {
                LIST_REMOVE(modules, p, m);
                token_module_end(m);
        }
        if (p->latches.free)
                p->latches.free(p->userdata);
        free(p);
        return NULL;
}

/* --- sessions */

void token_session_drop(TokenPool *p, TokenSession *s) {
        (void) s->module->f->C_CloseSession(s->handle);
        LIST_REMOVE(sessions, p, s);
        free(s);
}

static bool is_same_token(const CK_TOKEN_INFO *a, const CK_TOKEN_INFO *b) {
        return memcmp(a->label, b->label, sizeof(a->label)) == 0 &&
               memcmp(a->manufacturerID, b->manufacturerID, sizeof(a->manufacturerID)) == 0 &&
               memcmp(a->model, b->model, sizeof(a->model)) == 0 &&
               memcmp(a->serialNumber, b->serialNumber, sizeof(a->serialNumber)) == 0;
}

/* One that is open in this slot. Another token may have come into it, or this one anew. */
static TokenSession *find_session(const Token *t, const TokenModule *m, CK_SLOT_ID slot,
                                  const CK_TOKEN_INFO *info, bool writable) {
        TokenSession *s, *next;

        LIST_FOREACH_SAFE(sessions, s, next, t->pool) {
                CK_SESSION_INFO session = {};

                if (s->module != m || s->slot != slot)
                        continue;
                if (!is_same_token(&s->info, info) ||
                    m->f->C_GetSessionInfo(s->handle, &session) != CKR_OK) {
                        token_session_drop(t->pool, s);
                        continue;
                }
                s->info = *info; /* its flags change */
                if (s->writable || !writable)
                        return s;
        }
        return NULL;
}

static int open_session(Token *t, TokenModule *m, CK_SLOT_ID slot, const CK_TOKEN_INFO *info,
                        bool writable, TokenSession **ret, char **ret_why) {
        const CK_FLAGS flags = CKF_SERIAL_SESSION | (writable ? CKF_RW_SESSION : 0);
        TokenSession *s = calloc(1, sizeof(*s));
        CK_RV rv;

        if (!s)
                return -ENOMEM;
        *s = (TokenSession){.module = m, .slot = slot, .info = *info, .writable = writable};
        rv = m->f->C_OpenSession(s->slot, flags, NULL, NULL, &s->handle);
        if (rv != CKR_OK) {
                free(s);
                return token_error_why(rv, "cannot open a session", ret_why);
        }
        LIST_APPEND(sessions, t->pool, s);
        *ret = s;
        return 0;
}

/* The slots are looked at each time: that a URI has come to mean two tokens must show, and which
 * PINs a token still takes is known now alone. */
int token_session(Token *t, bool writable, TokenSession **ret, char **ret_why) {
        CK_TOKEN_INFO info;
        CK_SLOT_ID slot;
        TokenSession *s;
        TokenModule *m;
        int r;

        r = token_module_load(t->pool, t->module, &m, ret_why);
        if (r >= 0)
                r = token_find_slot(m, t->uri, &slot, &info, ret_why);
        if (r < 0)
                return r;
        s = find_session(t, m, slot, &info, writable);
        r = s ? 0 : open_session(t, m, slot, &info, writable, &s, ret_why);
        if (r < 0)
                return r;
        r = token_login(t, s, ret_why);
        if (r < 0) {
                token_session_drop(t->pool, s);
                return r;
        }
        *ret = s;
        return 0;
}

/* --- tokens */

static int copy_uri(const Pkcs11Uri *u, Pkcs11Uri **ret) {
        _cleanup_pkcs11_uri_ Pkcs11Uri *copy = calloc(1, sizeof(*copy));

        if (!copy || free_and_strdup(&copy->token, u->token) < 0 ||
            free_and_strdup(&copy->manufacturer, u->manufacturer) < 0 ||
            free_and_strdup(&copy->model, u->model) < 0 ||
            free_and_strdup(&copy->serial, u->serial) < 0 ||
            free_and_strdup(&copy->object, u->object) < 0)
                return -ENOMEM;
        copy->has_slot_id = u->has_slot_id;
        copy->slot_id = u->slot_id;
        if (u->id) {
                copy->id = malloc(u->id_size);
                if (!copy->id)
                        return -ENOMEM;
                memcpy(copy->id, u->id, u->id_size);
                copy->id_size = u->id_size;
        }
        *ret = TAKE_PTR(copy);
        return 0;
}

int token_open(TokenPool *p, const char *module, const Pkcs11Uri *uri, const Secret *pin,
               Token **ret, char **ret_why) {
        _cleanup_token_ Token *t = calloc(1, sizeof(*t));
        TokenSession *s;
        int r;

        if (!t)
                return -ENOMEM;
        atomic_init(&t->references, 1);
        t->pool = token_pool_ref(p);
        t->module = strdup(module);
        t->pin = secret_copy(pin);
        if (!t->module || (pin && !t->pin))
                return -ENOMEM;
        r = copy_uri(uri, &t->uri);
        if (r >= 0)
                r = token_session(t, false, &s, ret_why);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(t);
        return 0;
}

Token *token_ref(Token *t) {
        if (t)
                atomic_fetch_add(&t->references, 1);
        return t;
}

Token *token_unref(Token *t) {
        if (!t || atomic_fetch_sub(&t->references, 1) > 1)
                return NULL;
        free(t->module);
        pkcs11_uri_free(t->uri);
        secret_free(t->pin);
        token_pool_unref(t->pool);
        free(t);
        return NULL;
}

static bool uri_equal(const Pkcs11Uri *a, const Pkcs11Uri *b) {
        _cleanup_free_ char *a_text = NULL, *b_text = NULL;

        return pkcs11_uri_format(a, &a_text) == 0 && pkcs11_uri_format(b, &b_text) == 0 &&
               streq(a_text, b_text);
}

bool token_equal(const Token *a, const Token *b) {
        if (a == b || !a || !b)
                return a == b;
        return streq(a->module, b->module) && uri_equal(a->uri, b->uri) &&
               (a->pin && b->pin ? secret_equal(a->pin, b->pin) : a->pin == b->pin);
}
