/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Objects in a token: looking for them, and reading what is public of a key. */

#include <errno.h>

#include "daemon/crypto/key-internal.h"
#include "daemon/crypto/token-object.h"
#include "daemon/crypto/why.h"
#include "daemon/crypto/wolfcrypt.h"

#define EC_POINT_MAX ((size_t) 1 + 2 * 48 + 3) /* of P-384, in an OCTET STRING */

CK_RV token_object_find(TokenSession *s, CK_ATTRIBUTE *template, CK_ULONG n, CK_OBJECT_HANDLE *ret,
                        size_t *ret_found) {
        CK_OBJECT_HANDLE handles[2];
        CK_ULONG found = 0;
        CK_RV rv;

        rv = s->module->f->C_FindObjectsInit(s->handle, template, n);
        if (rv != CKR_OK)
                return rv;
        rv = s->module->f->C_FindObjects(s->handle, handles, ELEMENTSOF(handles), &found);
        (void) s->module->f->C_FindObjectsFinal(s->handle);
        if (rv != CKR_OK)
                return rv;
        if (found > 0)
                *ret = handles[0];
        *ret_found = found;
        return CKR_OK;
}

CK_RV token_object_find_key(TokenSession *s, CK_OBJECT_CLASS class, const Pkcs11Uri *u,
                            CK_OBJECT_HANDLE *ret, size_t *ret_found) {
        CK_ATTRIBUTE template[3] = {{CKA_CLASS, &class, sizeof(class)}};
        CK_ULONG n = 1;

        if (u->object)
                template[n++] = (CK_ATTRIBUTE){CKA_LABEL, u->object, strlen(u->object)};
        if (u->id)
                template[n++] = (CK_ATTRIBUTE){CKA_ID, u->id, u->id_size};
        return token_object_find(s, template, n, ret, ret_found);
}

CK_RV token_object_flag(TokenSession *s, CK_OBJECT_HANDLE key, CK_ATTRIBUTE_TYPE type, bool *ret) {
        CK_BBOOL value = CK_FALSE;
        CK_ATTRIBUTE attribute = {type, &value, sizeof(value)};
        CK_RV rv = s->module->f->C_GetAttributeValue(s->handle, key, &attribute, 1);

        *ret = rv == CKR_OK && attribute.ulValueLen == sizeof(value) && value;
        return token_error_is_loss(rv) ? rv : CKR_OK;
}

CK_RV token_object_key_type(TokenSession *s, CK_OBJECT_HANDLE key, CK_KEY_TYPE *ret) {
        CK_ATTRIBUTE attribute = {CKA_KEY_TYPE, ret, sizeof(*ret)};

        return s->module->f->C_GetAttributeValue(s->handle, key, &attribute, 1);
}

/* v2.40 writes the point into an OCTET STRING (mechanisms, 2.3.3); some tokens leave that out. */
static int read_point(const uint8_t *data, size_t size, CryptoKey *k) {
        const int curve = crypto_key_curve(k->algorithm);
        DerReader reader = der_reader(data, size);
        DerItem point;

        if (der_expect(&reader, DER_OCTET_STRING, &point) == 0 && der_end(&reader) == 0) {
                data = point.content;
                size = point.size;
        }
        if (wc_ecc_import_x963_ex(data, (word32) size, &k->ec, curve) < 0 || ec_point_check(k) < 0)
                return -EBADMSG;
        return 0;
}

static int read_ec(TokenSession *s, CK_OBJECT_HANDLE public, CryptoKey *k, char **ret_why) {
        uint8_t data[EC_POINT_MAX];
        CK_ATTRIBUTE attribute = {CKA_EC_POINT, data, sizeof(data)};
        CK_RV rv = s->module->f->C_GetAttributeValue(s->handle, public, &attribute, 1);

        if (rv != CKR_OK)
                return token_error_why(rv, "cannot read the public point", ret_why);
        if (attribute.ulValueLen > sizeof(data) || read_point(data, attribute.ulValueLen, k) < 0)
                return why(ret_why, -EIO, "the token's public point is not on its curve");
        return 0;
}

static int read_rsa(TokenSession *s, CK_OBJECT_HANDLE public, CryptoKey *k, char **ret_why) {
        uint8_t modulus[RSA_BITS_MAX / 8], exponent[sizeof(uint64_t)];
        CK_ATTRIBUTE attributes[] = {{CKA_MODULUS, modulus, sizeof(modulus)},
                                     {CKA_PUBLIC_EXPONENT, exponent, sizeof(exponent)}};
        CK_RV rv = s->module->f->C_GetAttributeValue(s->handle, public, attributes, 2);

        if (rv != CKR_OK)
                return token_error_why(rv, "cannot read the public key", ret_why);
        if (attributes[0].ulValueLen > sizeof(modulus) ||
            attributes[1].ulValueLen > sizeof(exponent) ||
            wc_RsaPublicKeyDecodeRaw(modulus, (word32) attributes[0].ulValueLen, exponent,
                                     (word32) attributes[1].ulValueLen, &k->rsa) < 0)
                return why(ret_why, -EIO, "the token's public key is none");
        return 0;
}

int token_object_public(TokenSession *s, CK_OBJECT_HANDLE public, KeyAlgorithm algorithm,
                        CryptoKey **ret, char **ret_why) {
        _cleanup_crypto_key_ CryptoKey *k = NULL;
        int r;

        r = crypto_key_new(algorithm, &k);
        if (r < 0)
                return r;
        r = crypto_key_is_rsa(k) ? read_rsa(s, public, k, ret_why) : read_ec(s, public, k, ret_why);
        if (r < 0)
                return r;
        crypto_key_name(k);
        *ret = TAKE_PTR(k);
        return 0;
}
