/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/config/claim-token.h"

#include <errno.h>
#include <stdio.h>

#include "daemon/config/secret-path.h"

/* Which key of the configuration a sentence is about. */
static int name_key(int r, const char *key, char *why, char **ret_why) {
        if (r != -ENOMEM && asprintf(ret_why, "%s %s", key, why ? why : strerrordesc_np(-r)) < 0)
                *ret_why = NULL;
        free(why);
        return r;
}

static int open_token(const Profile *p, TokenPool *tokens, const char *uri, Pkcs11UriUse use,
                      const char *pin_path, Token **ret, char **ret_why) {
        _cleanup_pkcs11_uri_ Pkcs11Uri *u = NULL;
        _cleanup_secret_ Secret *pin = NULL;
        int r;

        if (!tokens)
                return -EOPNOTSUPP;
        r = module_path_check(p->pkcs11_module, ret_why);
        if (r >= 0 && pin_path)
                r = secret_path_read(pin_path, "the PIN of the token", TOKEN_PIN_MAX, &pin,
                                     ret_why);
        if (r >= 0)
                r = pkcs11_uri_parse(uri, use, &u, ret_why);
        return r < 0 ? r : token_open(tokens, p->pkcs11_module, u, pin, ret, ret_why);
}

int claim_load_token_key(const Profile *p, TokenPool *tokens, Claim *c, ErrorCode *ret_code,
                         char **ret_why) {
        _cleanup_token_ Token *t = NULL;
        bool mismatch = false;
        char *why = NULL;
        int r;

        r = open_token(p, tokens, p->private_key, PKCS11_URI_KEY, p->private_key_pin, &t, &why);
        if (r >= 0)
                r = token_key_find(t, c->description, &c->token_key, &mismatch, &why);
        if (mismatch)
                *ret_code = ERROR_KEY_MISMATCH;
        return r < 0 ? name_key(r, "PrivateKey=pkcs11:…:", why, ret_why) : 0;
}

int claim_load_store_alone(const Profile *p, TokenPool *tokens, Token **ret) {
        if (!p->key_store) {
                *ret = NULL;
                return 0;
        }
        return open_token(p, tokens, p->key_store, PKCS11_URI_STORE, p->key_store_pin, ret, NULL);
}

int claim_load_key_store(const Profile *p, TokenPool *tokens, Claim *c, char **ret_why) {
        char *why = NULL;
        int r;

        r = open_token(p, tokens, p->key_store, PKCS11_URI_STORE, p->key_store_pin, &c->key_store,
                       &why);
        return r < 0 ? name_key(r, "KeyStore=pkcs11:…:", why, ret_why) : 0;
}
