/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/crypto/token-key.h"

#include <errno.h>
#include <stdio.h>

#include <wolfssl/options.h>
#include <wolfssl/wolfcrypt/asn.h>

#include "daemon/crypto/token-object.h"
#include "daemon/crypto/why.h"
#include "daemon/crypto/wolfcrypt.h"

#define CHALLENGE_SIZE ((size_t) 32)

/* --- the object */

static int copy_object(const Pkcs11Uri *from, Pkcs11Uri **ret) {
        _cleanup_pkcs11_uri_ Pkcs11Uri *u = calloc(1, sizeof(*u));

        if (!u || free_and_strdup(&u->object, from->object) < 0)
                return -ENOMEM;
        if (from->id) {
                u->id = malloc(from->id_size);
                if (!u->id)
                        return -ENOMEM;
                memcpy(u->id, from->id, from->id_size);
                u->id_size = from->id_size;
        }
        *ret = TAKE_PTR(u);
        return 0;
}

int token_object_uri(const Token *t, const Pkcs11Uri *object, char **ret) {
        Pkcs11Uri both = *t->uri; /* borrows */

        both.object = object->object;
        both.id = object->id;
        both.id_size = object->id_size;
        return pkcs11_uri_format(&both, ret);
}

int token_key_new(Token *t, const Pkcs11Uri *object, CryptoKey *public, TokenKey **ret) {
        _cleanup_token_key_ TokenKey *k = calloc(1, sizeof(*k));
        int r;

        if (!k)
                return -ENOMEM;
        atomic_init(&k->references, 1);
        k->token = token_ref(t);
        k->algorithm = public->algorithm;
        r = crypto_key_public_der(public, &k->spki, &k->spki_size);
        if (r >= 0)
                r = copy_object(object, &k->object);
        if (r >= 0)
                r = token_object_uri(t, object, &k->uri);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(k);
        return 0;
}

TokenKey *token_key_ref(TokenKey *k) {
        if (k)
                atomic_fetch_add(&k->references, 1);
        return k;
}

TokenKey *token_key_unref(TokenKey *k) {
        if (!k || atomic_fetch_sub(&k->references, 1) > 1)
                return NULL;
        token_unref(k->token);
        pkcs11_uri_free(k->object);
        free(k->uri);
        free(k->spki);
        free(k);
        return NULL;
}

bool token_key_equal(const TokenKey *a, const TokenKey *b) {
        if (a == b || !a || !b)
                return a == b;
        return token_equal(a->token, b->token) && streq(a->uri, b->uri) &&
               a->spki_size == b->spki_size && memcmp(a->spki, b->spki, a->spki_size) == 0;
}

const uint8_t *token_key_public_der(const TokenKey *k, size_t *ret_size) {
        *ret_size = k->spki_size;
        return k->spki;
}

const char *token_key_uri(const TokenKey *k) {
        return k->uri;
}

/* --- finding */

static int find_object(TokenSession *s, const Pkcs11Uri *u, CK_OBJECT_HANDLE *ret, char **ret_why) {
        CK_OBJECT_HANDLE key = CK_INVALID_HANDLE;
        bool each_time = false;
        size_t found = 0;
        CK_RV rv;

        rv = token_object_find_key(s, CKO_PRIVATE_KEY, u, &key, &found);
        if (rv == CKR_OK && found == 1)
                rv = token_object_flag(s, key, CKA_ALWAYS_AUTHENTICATE, &each_time);
        if (rv != CKR_OK)
                return token_error_why(rv, "cannot look for the key", ret_why);
        if (found == 0)
                return why(ret_why, -ENOKEY,
                           "the token has no private key of that object= and id=; its own tools "
                           "list what it has");
        if (found > 1)
                return why(ret_why, -ENOKEY,
                           "the token has several private keys like that; name the one by id=");
        if (each_time)
                return why(ret_why, -ENOKEY,
                           "the key wants the PIN for each signature (CKA_ALWAYS_AUTHENTICATE), "
                           "which is not supported; use another key");
        *ret = key;
        return 0;
}

int token_object_check_pair(TokenSession *s, CK_OBJECT_HANDLE key, CryptoKey *public,
                            char **ret_why) {
        const bool rsa = crypto_key_is_rsa(public);
        uint8_t challenge[CHALLENGE_SIZE], digest[WC_SHA256_DIGEST_SIZE];
        uint8_t info[MAX_DER_DIGEST_SZ], signature[TOKEN_SIGNATURE_MAX];
        _cleanup_rng_ WC_RNG *rng = NULL;
        size_t size = sizeof(signature);
        word32 info_size;
        CK_RV rv;
        int r;

        r = wolfcrypt_rng(&rng);
        if (r < 0)
                return r;
        if (wc_RNG_GenerateBlock(rng, challenge, sizeof(challenge)) < 0 ||
            wc_Hash(WC_HASH_TYPE_SHA256, challenge, sizeof(challenge), digest, sizeof(digest)) < 0)
                return -EIO;
        info_size = wc_EncodeSignature(info, digest, sizeof(digest), SHA256h);
        rv = token_key_sign_with(s, key, rsa ? TOKEN_SIGN_RSA_PKCS1 : TOKEN_SIGN_ECDSA,
                                 public->algorithm, rsa ? info : digest,
                                 rsa ? info_size : sizeof(digest), signature, &size);
        if (rv != CKR_OK && rv != CKR_SIGNATURE_INVALID)
                return token_error_why(rv, "cannot sign with the key", ret_why);
        r = rv != CKR_OK ? -EBADMSG
                         : public_key_verify(public, WC_HASH_TYPE_SHA256, challenge,
                                             sizeof(challenge), signature, size);
        return r == -EBADMSG ? why(ret_why, -EKEYREJECTED,
                                   "the certificate does not belong to the private key in the "
                                   "token; give the two that were made together")
                             : r;
}

static int check_type(TokenSession *s, CK_OBJECT_HANDLE key, CryptoKey *public, char **ret_why) {
        CK_KEY_TYPE type = 0;
        CK_RV rv = token_object_key_type(s, key, &type);

        if (rv != CKR_OK)
                return token_error_why(rv, "cannot read the key's type", ret_why);
        if (type == (crypto_key_is_rsa(public) ? CKK_RSA : CKK_EC))
                return 0;
        return why(ret_why, -EKEYREJECTED,
                   "the certificate does not belong to the private key: the certificate's is %s, "
                   "the token's of another kind",
                   crypto_key_type_text(public));
}

int token_key_find(Token *t, const Certificate *certificate, TokenKey **ret, bool *ret_mismatch,
                   char **ret_why) {
        _cleanup_crypto_key_ CryptoKey *public = NULL;
        CK_OBJECT_HANDLE key = CK_INVALID_HANDLE;
        TokenSession *s;
        int r;

        *ret_mismatch = false;
        r = token_session(t, false, &s, ret_why);
        if (r >= 0)
                r = find_object(s, t->uri, &key, ret_why);
        if (r >= 0)
                r = public_key_read(certificate->spki, certificate->spki_size, &public, ret_why);
        if (r < 0)
                return r;
        r = check_type(s, key, public, ret_why);
        if (r >= 0)
                r = token_object_check_pair(s, key, public, ret_why);
        if (r < 0) {
                *ret_mismatch = r == -EKEYREJECTED;
                return r;
        }
        return token_key_new(t, t->uri, public, ret);
}
