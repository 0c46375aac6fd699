/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The requests that we make. */

#include "daemon/crypto/csr.h"

#include <errno.h>

#include <wolfssl/options.h>
#include <wolfssl/wolfcrypt/asn.h>
#include <wolfssl/wolfcrypt/asn_public.h>
#include <wolfssl/wolfcrypt/error-crypt.h>

#include "daemon/crypto/key-internal.h"
#include "daemon/crypto/pem.h"
#include "daemon/crypto/utf8.h"
#include "daemon/crypto/wolfcrypt.h"

#define CSR_DER_MAX ((size_t) 4096)       /* with RSA-4096: below 1200 bytes */
#define CSR_BODY_MAX (CSR_DER_MAX - 1024) /* there is room for a signature behind it */

/* RFC 2986, 4.1: version 1 is written as 0. wc_InitCert leaves 2, as certificates have it. */
#define CSR_VERSION 0

_Static_assert(CSR_COMMON_NAME_MAX < CTC_NAME_SIZE, "room for the terminator");

/* Bytes of the name that are used: whole characters. 0: this is no name. */
static size_t common_name_size(const char *name) {
        const uint8_t *text = (const uint8_t *) name;
        size_t all = strlen(name), fitting = 0;

        for (size_t at = 0; at < all;) {
                size_t n = utf8_character(text + at, all - at);

                if (n == 0 || text[at] < 0x20 || text[at] == 0x7f)
                        return 0;
                at += n;
                if (at <= CSR_COMMON_NAME_MAX)
                        fitting = at;
        }
        return fitting;
}

static int signature_type(const CryptoKey *key) {
        switch (key->algorithm) {
        case KEY_ALGORITHM_EC_P384:
                return CTC_SHA384wECDSA;
        case KEY_ALGORITHM_EC_P256:
                return CTC_SHA256wECDSA;
        case KEY_ALGORITHM_RSA:
        case KEY_ALGORITHM_OTHER:
                break;
        }
        return CTC_SHA256wRSA;
}

/* Where the signature comes from: the key itself, or somebody else. */
typedef struct Signing {
        CryptoKey *key;
        CsrSign sign; /* NULL: the key itself */
        void *userdata;
} Signing;

/* X.690, 8.1.3: the shortest form of a length. */
static size_t write_header(uint8_t *out, uint8_t tag, size_t size) {
        out[0] = tag;
        if (size < 0x80) {
                out[1] = (uint8_t) size;
                return 2;
        }
        if (size <= UINT8_MAX) {
                out[1] = 0x81;
                out[2] = (uint8_t) size;
                return 3;
        }
        out[1] = 0x82;
        out[2] = (uint8_t) (size >> 8);
        out[3] = (uint8_t) size;
        return 4;
}

static int make_digest(const CryptoKey *key, const uint8_t *body, size_t size, CsrDigest *ret) {
        const bool longer = key->algorithm == KEY_ALGORITHM_EC_P384;
        int r;

        *ret = (CsrDigest){.size = longer ? WC_SHA384_DIGEST_SIZE : WC_SHA256_DIGEST_SIZE};
        r = wc_Hash(longer ? WC_HASH_TYPE_SHA384 : WC_HASH_TYPE_SHA256, body, (word32) size,
                    ret->bytes, (word32) ret->size);
        if (r < 0)
                return wolfcrypt_errno(r);
        ret->info_size = wc_EncodeSignature(ret->info, ret->bytes, (word32) ret->size,
                                            longer ? SHA384h : SHA256h);
        return 0;
}

/* AlgorithmIdentifiers: RFC 5758, 3.2; RFC 8017, A.2.4. */
static const uint8_t ecdsa_sha256[] = {0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86,
                                       0x48, 0xce, 0x3d, 0x04, 0x03, 0x02};
static const uint8_t ecdsa_sha384[] = {0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86,
                                       0x48, 0xce, 0x3d, 0x04, 0x03, 0x03};
static const uint8_t rsa_sha256[] = {0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86,
                                     0xf7, 0x0d, 0x01, 0x01, 0x0b, 0x05, 0x00};

/* Puts the algorithm and the signature behind the body, and a SEQUENCE around all of it. */
static size_t assemble(const CryptoKey *key, size_t body_size, const uint8_t *signature,
                       size_t size, uint8_t *der) {
        const bool rsa = crypto_key_is_rsa(key), longer = key->algorithm == KEY_ALGORITHM_EC_P384;
        const uint8_t *algorithm = rsa ? rsa_sha256 : longer ? ecdsa_sha384 : ecdsa_sha256;
        const size_t algorithm_size = rsa ? sizeof(rsa_sha256) : sizeof(ecdsa_sha256);
        uint8_t header[4];
        size_t n, all = body_size;

        memcpy(der + all, algorithm, algorithm_size);
        all += algorithm_size;
        all += write_header(der + all, DER_BIT_STRING, size + 1);
        der[all++] = 0; /* no unused bits */
        memcpy(der + all, signature, size);
        all += size;
        n = write_header(header, DER_SEQUENCE, all);
        memmove(der + n, der, all);
        memcpy(der, header, n);
        return n + all;
}

static int sign_elsewhere(const Signing *s, size_t body_size, uint8_t *der, size_t *ret_size) {
        uint8_t signature[KEY_SIGNATURE_MAX];
        size_t size = sizeof(signature);
        CsrDigest digest;
        int r;

        r = make_digest(s->key, der, body_size, &digest);
        if (r < 0)
                return r;
        r = s->sign(&digest, signature, &size, s->userdata);
        if (r < 0)
                return r;
        *ret_size = assemble(s->key, body_size, signature, size, der);
        return 0;
}

static int make(Cert *request, const Signing *s, WC_RNG *rng, uint8_t *der, size_t *ret_size) {
        int type = crypto_key_is_rsa(s->key) ? RSA_TYPE : ECC_TYPE, r;
        word32 size;
        void *handle = crypto_key_handle(s->key, &size);

        r = wc_MakeCertReq_ex(request, der, CSR_BODY_MAX, type, handle);
        if (r < 0)
                return wolfcrypt_errno(r);
        if (s->sign)
                return sign_elsewhere(s, (size_t) r, der, ret_size);
        r = wc_SignCert_ex(request->bodySz, request->sigType, der, CSR_DER_MAX, type, handle, rng);
        if (r < 0)
                return wolfcrypt_errno(r);
        *ret_size = (size_t) r;
        return 0;
}

static int make_pem(const Signing *s, const char *common_name, char **ret_pem) {
        _cleanup_rng_ WC_RNG *rng = NULL;
        _cleanup_free_ Cert *request = NULL; /* 25 KB: not for the stack */
        _cleanup_free_ uint8_t *der = NULL;
        _cleanup_secret_ Secret *pem = NULL;
        size_t name_size = common_name_size(common_name), size = 0;
        char *text;
        int r;

        if (name_size == 0)
                return -EINVAL;
        request = malloc(sizeof(*request));
        der = malloc(CSR_DER_MAX);
        if (!request || !der)
                return -ENOMEM;
        r = wolfcrypt_rng(&rng);
        if (r < 0)
                return r;
        r = wc_InitCert(request);
        if (r < 0)
                return wolfcrypt_errno(r);
        request->version = CSR_VERSION;
        request->sigType = signature_type(s->key);
        request->subject.commonNameEnc = CTC_UTF8;
        memcpy(request->subject.commonName, common_name, name_size);
        request->subject.commonName[name_size] = '\0';
        r = make(request, s, rng, der, &size);
        if (r < 0)
                return r;
        r = pem_encode("CERTIFICATE REQUEST", der, size, &pem);
        if (r < 0)
                return r;
        text = strdup(secret_text(pem));
        if (!text)
                return -ENOMEM;
        *ret_pem = text;
        return 0;
}

int csr_make(CryptoKey *key, const char *common_name, char **ret_pem) {
        return make_pem(&(Signing){.key = key}, common_name, ret_pem);
}

int csr_make_elsewhere(CryptoKey *public, const char *common_name, CsrSign sign, void *userdata,
                       char **ret_pem) {
        return make_pem(&(Signing){.key = public, .sign = sign, .userdata = userdata}, common_name,
                        ret_pem);
}
