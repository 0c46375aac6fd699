/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Keys that are made in a token and stay there, and the requests for their certificates. */

#include <errno.h>

#include "daemon/crypto/csr.h"
#include "daemon/crypto/token-object.h"
#include "daemon/crypto/why.h"

#define RSA_EXPONENT 0x01, 0x00, 0x01

/* Its curve as CKA_EC_PARAMS has it: the curve's OBJECT IDENTIFIER in DER (RFC 5480, 2.1.1.1). */
static const uint8_t p256[] = {0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07};
static const uint8_t p384[] = {0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22};

typedef struct Recipe {
        KeyAlgorithm algorithm;
        CK_MECHANISM_TYPE mechanism;
        const uint8_t *curve;
        size_t curve_size;
        CK_ULONG bits; /* RSA */
} Recipe;

static int recipe_of(KeyType type, Recipe *ret) {
        switch (type) {
        case KEY_TYPE_EC_P256:
                *ret = (Recipe){KEY_ALGORITHM_EC_P256, CKM_EC_KEY_PAIR_GEN, p256, sizeof(p256), 0};
                return 0;
        case KEY_TYPE_EC_P384:
                *ret = (Recipe){KEY_ALGORITHM_EC_P384, CKM_EC_KEY_PAIR_GEN, p384, sizeof(p384), 0};
                return 0;
        case KEY_TYPE_RSA_2048:
                *ret = (Recipe){KEY_ALGORITHM_RSA, CKM_RSA_PKCS_KEY_PAIR_GEN, NULL, 0, 2048};
                return 0;
        case KEY_TYPE_RSA_3072:
                *ret = (Recipe){KEY_ALGORITHM_RSA, CKM_RSA_PKCS_KEY_PAIR_GEN, NULL, 0, 3072};
                return 0;
        case KEY_TYPE_MAX:
        case KEY_TYPE_INVALID:
                break;
        }
        return -EINVAL;
}

static CK_RV generate(TokenSession *s, const Recipe *recipe, const Pkcs11Uri *object,
                      CK_OBJECT_HANDLE *ret_public) {
        CK_BBOOL yes = CK_TRUE, no = CK_FALSE;
        uint8_t exponent[] = {RSA_EXPONENT}, curve[sizeof(p256)];
        CK_ULONG bits = recipe->bits;
        CK_ATTRIBUTE label = {CKA_LABEL, object->object, strlen(object->object)};
        CK_ATTRIBUTE id = {CKA_ID, object->id, object->id_size};
        CK_ATTRIBUTE private[] = {{CKA_TOKEN, &yes, sizeof(yes)},
                                  {CKA_PRIVATE, &yes, sizeof(yes)},
                                  {CKA_SENSITIVE, &yes, sizeof(yes)},
                                  {CKA_EXTRACTABLE, &no, sizeof(no)},
                                  {CKA_SIGN, &yes, sizeof(yes)},
                                  label,
                                  id};
        CK_ATTRIBUTE public[6] = {
                {CKA_TOKEN, &yes, sizeof(yes)}, {CKA_VERIFY, &yes, sizeof(yes)}, label, id};
        CK_MECHANISM mechanism = {.mechanism = recipe->mechanism};
        CK_OBJECT_HANDLE made = CK_INVALID_HANDLE;
        CK_ULONG n = 4;

        if (recipe->curve) {
                memcpy(curve, recipe->curve, recipe->curve_size);
                public[n++] = (CK_ATTRIBUTE){CKA_EC_PARAMS, curve, recipe->curve_size};
        } else {
                public[n++] = (CK_ATTRIBUTE){CKA_MODULUS_BITS, &bits, sizeof(bits)};
                public[n++] = (CK_ATTRIBUTE){CKA_PUBLIC_EXPONENT, exponent, sizeof(exponent)};
        }
        return s->module->f->C_GenerateKeyPair(s->handle, &mechanism, public, n, private,
                                               ELEMENTSOF(private), ret_public, &made);
}

/* Both halves, and each of them as often as it is there. */
static CK_RV destroy(TokenSession *s, const Pkcs11Uri *object) {
        static const CK_OBJECT_CLASS classes[] = {CKO_PRIVATE_KEY, CKO_PUBLIC_KEY};

        for (size_t i = 0; i < ELEMENTSOF(classes); i++) {
                CK_OBJECT_HANDLE handle = CK_INVALID_HANDLE;
                size_t found = 0;
                CK_RV rv;

                do {
                        rv = token_object_find_key(s, classes[i], object, &handle, &found);
                        if (rv == CKR_OK && found > 0)
                                rv = s->module->f->C_DestroyObject(s->handle, handle);
                        if (rv != CKR_OK)
                                return rv;
                } while (found > 1);
        }
        return CKR_OK;
}

/* The pair of that name, if it is whole, and of that algorithm. */
static bool read_pair(TokenSession *s, KeyAlgorithm algorithm, const Pkcs11Uri *object,
                      CryptoKey **ret) {
        CK_OBJECT_HANDLE private, public;
        size_t n_private = 0, n_public = 0;
        CK_KEY_TYPE type = 0;

        return token_object_find_key(s, CKO_PRIVATE_KEY, object, &private, &n_private) == CKR_OK &&
               token_object_find_key(s, CKO_PUBLIC_KEY, object, &public, &n_public) == CKR_OK &&
               n_private == 1 && n_public == 1 &&
               token_object_key_type(s, public, &type) == CKR_OK &&
               type == (algorithm == KEY_ALGORITHM_RSA ? CKK_RSA : CKK_EC) &&
               token_object_public(s, public, algorithm, ret, NULL) >= 0;
}

/* What a former life of the daemon left: a whole pair of that type, or nothing. */
static bool find_pair(TokenSession *s, const Recipe *recipe, const Pkcs11Uri *object,
                      CryptoKey **ret) {
        CryptoKey *k = NULL;

        if (!read_pair(s, recipe->algorithm, object, &k))
                return false;
        if (crypto_key_is_rsa(k) && mp_count_bits(&k->rsa.n) != (int) recipe->bits) {
                crypto_key_free(k);
                return false;
        }
        *ret = k;
        return true;
}

static int why_not_made(CK_RV rv, char **ret_why) {
        if (rv == CKR_MECHANISM_INVALID)
                return why(ret_why, -EIO,
                           "the token makes no keys of this type; set KeyType= to another one");
        if (rv == CKR_DEVICE_MEMORY)
                return why(ret_why, -ENOSPC,
                           "the token has no room for another key (CKR_DEVICE_MEMORY); remove some "
                           "that nobody uses by the token's own tools");
        return token_error_why(rv, "cannot make a key", ret_why);
}

static int make_once(Token *t, const Recipe *recipe, const Pkcs11Uri *object, CryptoKey **ret,
                     char **ret_why) {
        CK_OBJECT_HANDLE public = CK_INVALID_HANDLE;
        TokenSession *s;
        CK_RV rv;
        int r;

        r = token_session(t, true, &s, ret_why);
        if (r < 0)
                return r;
        if (find_pair(s, recipe, object, ret))
                return 0;
        rv = destroy(s, object);
        if (rv == CKR_OK)
                rv = generate(s, recipe, object, &public);
        if (rv == CKR_OK)
                return token_object_public(s, public, recipe->algorithm, ret, ret_why);
        r = why_not_made(rv, ret_why);
        if (!token_error_is_loss(rv))
                return r;
        token_session_drop(t->pool, s);
        return r == -ENOMEM ? r : -EAGAIN;
}

static int name_object(const char *name, const uint8_t *id, size_t id_size, Pkcs11Uri **ret) {
        _cleanup_pkcs11_uri_ Pkcs11Uri *u = calloc(1, sizeof(*u));

        if (!u || free_and_strdup(&u->object, name) < 0)
                return -ENOMEM;
        u->id = malloc(id_size);
        if (!u->id)
                return -ENOMEM;
        memcpy(u->id, id, id_size);
        u->id_size = id_size;
        *ret = TAKE_PTR(u);
        return 0;
}

int token_key_make(Token *t, KeyType type, const char *name, const uint8_t *id, size_t id_size,
                   TokenKey **ret, char **ret_why) {
        _cleanup_pkcs11_uri_ Pkcs11Uri *object = NULL;
        _cleanup_crypto_key_ CryptoKey *public = NULL;
        _cleanup_free_ char *lost = NULL;
        Recipe recipe;
        int r;

        r = recipe_of(type, &recipe);
        if (r >= 0)
                r = name_object(name, id, id_size, &object);
        if (r < 0)
                return r;
        r = make_once(t, &recipe, object, &public, &lost);
        if (r == -EAGAIN) {
                free(TAKE_PTR(lost));
                r = make_once(t, &recipe, object, &public, &lost);
        }
        if (r < 0) {
                if (ret_why)
                        *ret_why = TAKE_PTR(lost);
                return r == -EAGAIN ? -EIO : r;
        }
        return token_key_new(t, object, public, ret);
}

int token_key_find_made(Token *t, const char *name, const uint8_t *id, size_t id_size,
                        TokenKey **ret, char **ret_why) {
        static const KeyAlgorithm algorithms[] = {KEY_ALGORITHM_EC_P256, KEY_ALGORITHM_EC_P384,
                                                  KEY_ALGORITHM_RSA};
        _cleanup_pkcs11_uri_ Pkcs11Uri *object = NULL;
        TokenSession *s;
        int r;

        r = name_object(name, id, id_size, &object);
        if (r >= 0)
                r = token_session(t, false, &s, ret_why);
        if (r < 0)
                return r;
        for (size_t i = 0; i < ELEMENTSOF(algorithms); i++) {
                _cleanup_crypto_key_ CryptoKey *public = NULL;

                if (read_pair(s, algorithms[i], object, &public))
                        return token_key_new(t, object, public, ret);
        }
        return why(ret_why, -ENOKEY, "the token does not have the key %s (any more)", name);
}

int token_key_uri_of(const Token *t, const char *name, const uint8_t *id, size_t id_size,
                     char **ret) {
        _cleanup_pkcs11_uri_ Pkcs11Uri *object = NULL;
        int r;

        r = name_object(name, id, id_size, &object);
        return r < 0 ? r : token_object_uri(t, object, ret);
}

int token_key_destroy(Token *t, const char *name, const uint8_t *id, size_t id_size,
                      char **ret_why) {
        _cleanup_pkcs11_uri_ Pkcs11Uri *object = NULL;
        TokenSession *s;
        CK_RV rv;
        int r;

        r = name_object(name, id, id_size, &object);
        if (r >= 0)
                r = token_session(t, true, &s, ret_why);
        if (r < 0)
                return r;
        rv = destroy(s, object);
        if (rv == CKR_OK)
                return 0;
        if (token_error_is_loss(rv))
                token_session_drop(t->pool, s);
        return token_error_why(rv, "cannot remove the key", ret_why);
}

/* --- requests */

typedef struct Signer {
        TokenKey *key;
        char **ret_why;
} Signer;

static int on_csr_sign(CsrDigest *digest, uint8_t *signature, size_t *size, void *userdata) {
        Signer *s = userdata;

        if (s->key->algorithm == KEY_ALGORITHM_RSA)
                return token_key_sign(s->key, TOKEN_SIGN_RSA_PKCS1, digest->info, digest->info_size,
                                      signature, size, s->ret_why);
        return token_key_sign(s->key, TOKEN_SIGN_ECDSA, digest->bytes, digest->size, signature,
                              size, s->ret_why);
}

int token_key_csr(TokenKey *k, const char *common_name, char **ret_pem, char **ret_why) {
        _cleanup_crypto_key_ CryptoKey *public = NULL;
        Signer signer = {.key = k, .ret_why = ret_why};
        int r;

        r = public_key_read(k->spki, k->spki_size, &public, ret_why);
        if (r < 0)
                return r;
        return csr_make_elsewhere(public, common_name, on_csr_sign, &signer, ret_pem);
}
