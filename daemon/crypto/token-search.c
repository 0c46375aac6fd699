/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The key of a certificate, among those that a token has. */

#include <errno.h>

#include "daemon/crypto/token-object.h"
#include "daemon/crypto/why.h"

#define POINT_MAX ((size_t) 1 + 2 * 48) /* uncompressed, P-384 */
#define DER_LENGTH_SIZE ((size_t) 2)    /* of a tag and a length below 128 */

/* What the token's public object has of the key: the modulus, or the point, which v2.40 puts into
 * an OCTET STRING, and some tokens do not. */
typedef struct PublicNumber {
        CK_ATTRIBUTE_TYPE type;
        uint8_t data[RSA_BITS_MAX / 8 + DER_LENGTH_SIZE];
        size_t start, size; /* the number itself, behind what wraps it */
} PublicNumber;

static int number_of(CryptoKey *k, PublicNumber *ret) {
        PublicNumber n = {.start = DER_LENGTH_SIZE};
        uint8_t exponent[RSA_BITS_MAX / 8];
        word32 size = sizeof(n.data) - DER_LENGTH_SIZE, exponent_size = sizeof(exponent);
        int r;

        n.type = crypto_key_is_rsa(k) ? CKA_MODULUS : CKA_EC_POINT;
        r = crypto_key_is_rsa(k) ? wc_RsaFlattenPublicKey(&k->rsa, exponent, &exponent_size,
                                                          n.data + DER_LENGTH_SIZE, &size)
                                 : wc_ecc_export_x963(&k->ec, n.data + DER_LENGTH_SIZE, &size);
        if (r < 0)
                return -EIO;
        n.size = size;
        if (n.type == CKA_EC_POINT) {
                n.data[0] = DER_OCTET_STRING;
                n.data[1] = (uint8_t) size;
        }
        *ret = n;
        return 0;
}

static CK_RV find_number(TokenSession *s, PublicNumber *n, bool wrapped, CK_OBJECT_HANDLE *ret,
                         size_t *ret_found) {
        CK_OBJECT_CLASS class = CKO_PUBLIC_KEY;
        size_t start = wrapped ? 0 : n->start;
        CK_ATTRIBUTE template[] = {{CKA_CLASS, &class, sizeof(class)},
                                   {n->type, n->data + start, n->size + n->start - start}};

        return token_object_find(s, template, ELEMENTSOF(template), ret, ret_found);
}

static CK_RV find_public(TokenSession *s, PublicNumber *n, CK_OBJECT_HANDLE *ret,
                         size_t *ret_found) {
        CK_RV rv = CKR_OK;

        *ret_found = 0;
        if (n->type == CKA_EC_POINT)
                rv = find_number(s, n, true, ret, ret_found);
        if (rv == CKR_OK && *ret_found == 0)
                rv = find_number(s, n, false, ret, ret_found);
        return rv;
}

/* Label and id, which its private half has likewise. */
static int name_of(TokenSession *s, CK_OBJECT_HANDLE public, Pkcs11Uri **ret, char **ret_why) {
        _cleanup_pkcs11_uri_ Pkcs11Uri *u = calloc(1, sizeof(*u));
        char label[PKCS11_OBJECT_MAX + 1];
        uint8_t id[PKCS11_ID_MAX];
        CK_ATTRIBUTE attributes[] = {{CKA_LABEL, label, sizeof(label) - 1},
                                     {CKA_ID, id, sizeof(id)}};
        CK_RV rv;

        if (!u)
                return -ENOMEM;
        rv = s->module->f->C_GetAttributeValue(s->handle, public, attributes, 2);
        if (rv != CKR_OK || attributes[0].ulValueLen >= sizeof(label) ||
            attributes[1].ulValueLen > sizeof(id))
                return token_error_why(rv, "cannot read the key's name", ret_why);
        label[attributes[0].ulValueLen] = '\0';
        u->id = malloc(sizeof(id));
        if (!u->id || free_and_strdup(&u->object, label) < 0)
                return -ENOMEM;
        memcpy(u->id, id, attributes[1].ulValueLen);
        u->id_size = attributes[1].ulValueLen;
        *ret = TAKE_PTR(u);
        return 0;
}

static int find_private(TokenSession *s, CryptoKey *public, const char *prefix, Pkcs11Uri **ret,
                        CK_OBJECT_HANDLE *ret_key, char **ret_why) {
        _cleanup_pkcs11_uri_ Pkcs11Uri *name = NULL;
        CK_OBJECT_HANDLE handle = CK_INVALID_HANDLE;
        PublicNumber number;
        size_t found = 0;
        CK_RV rv;
        int r;

        r = number_of(public, &number);
        if (r < 0)
                return r;
        rv = find_public(s, &number, &handle, &found);
        if (rv == CKR_OK && found == 1) {
                r = name_of(s, handle, &name, ret_why);
                if (r < 0)
                        return r;
                found = 0;
                if (strncmp(name->object, prefix, strlen(prefix)) == 0)
                        rv = token_object_find_key(s, CKO_PRIVATE_KEY, name, ret_key, &found);
        }
        if (rv != CKR_OK)
                return token_error_why(rv, "cannot look for the key", ret_why);
        if (found != 1)
                return why(ret_why, -ENOKEY,
                           "the token has no key of this certificate that was made for its owner");
        *ret = TAKE_PTR(name);
        return 0;
}

int token_key_find_of(Token *t, const Certificate *certificate, const char *prefix, TokenKey **ret,
                      char **ret_why) {
        _cleanup_crypto_key_ CryptoKey *public = NULL;
        _cleanup_pkcs11_uri_ Pkcs11Uri *name = NULL;
        CK_OBJECT_HANDLE key = CK_INVALID_HANDLE;
        TokenSession *s;
        int r;

        r = public_key_read(certificate->spki, certificate->spki_size, &public, ret_why);
        if (r >= 0)
                r = token_session(t, false, &s, ret_why);
        if (r >= 0)
                r = find_private(s, public, prefix, &name, &key, ret_why);
        if (r >= 0)
                r = token_object_check_pair(s, key, public, ret_why);
        return r < 0 ? r : token_key_new(t, name, public, ret);
}
