/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The requests that we make. */

#include "daemon/crypto/csr.h"

#include <errno.h>

#include <wolfssl/options.h>
#include <wolfssl/wolfcrypt/asn_public.h>
#include <wolfssl/wolfcrypt/error-crypt.h>

#include "daemon/crypto/key-internal.h"
#include "daemon/crypto/pem.h"
#include "daemon/crypto/utf8.h"
#include "daemon/crypto/wolfcrypt.h"

#define CSR_DER_MAX ((size_t) 4096) /* with RSA-4096: below 1200 bytes */

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

/* Returns the size of the DER, or wolfCrypt's error. */
static int make(Cert *request, CryptoKey *key, WC_RNG *rng, uint8_t *der) {
        int type = crypto_key_is_rsa(key) ? RSA_TYPE : ECC_TYPE, r;
        word32 size;
        void *handle = crypto_key_handle(key, &size);

        r = wc_MakeCertReq_ex(request, der, CSR_DER_MAX, type, handle);
        if (r < 0)
                return r;
        return wc_SignCert_ex(request->bodySz, request->sigType, der, CSR_DER_MAX, type, handle,
                              rng);
}

int csr_make(CryptoKey *key, const char *common_name, char **ret_pem) {
        _cleanup_rng_ WC_RNG *rng = NULL;
        _cleanup_free_ Cert *request = NULL; /* 25 KB: not for the stack */
        _cleanup_free_ uint8_t *der = NULL;
        _cleanup_secret_ Secret *pem = NULL;
        size_t name_size = common_name_size(common_name);
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
        request->sigType = signature_type(key);
        request->subject.commonNameEnc = CTC_UTF8;
        memcpy(request->subject.commonName, common_name, name_size);
        request->subject.commonName[name_size] = '\0';
        r = make(request, key, rng, der);
        if (r < 0)
                return wolfcrypt_errno(r);
        r = pem_encode("CERTIFICATE REQUEST", der, (size_t) r, &pem);
        if (r < 0)
                return r;
        text = strdup(secret_text(pem));
        if (!text)
                return -ENOMEM;
        *ret_pem = text;
        return 0;
}
