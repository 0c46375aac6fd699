/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The requests that callers bring. What passes here is sent to the service as it stands, so the
 * frame is strict; and since a certificate is bound to this key, the caller must have shown by the
 * signature that it holds it. */

#include "daemon/crypto/csr.h"

#include <errno.h>

#include "daemon/crypto/der.h"
#include "daemon/crypto/key-internal.h"
#include "daemon/crypto/pem.h"
#include "daemon/crypto/why.h"
#include "daemon/crypto/wolfcrypt.h"

/* CertificationRequest of RFC 2986, 4.2. */
typedef struct Parts {
        DerItem info; /* what is signed */
        DerItem spki;
        SignatureAlgorithm algorithm;
        DerItem signature;
} Parts;

static bool only_space(const char *from, const char *to) {
        for (; from < to; from++)
                if (*from == '\0' || !strchr(" \t\r\n", *from))
                        return false;
        return true;
}

/* The text's only block. */
static int find_block(const char *pem, size_t size, PemBlock *ret, char **ret_why) {
        const char *end = pem + size;
        PemBlock block, more;
        int r;

        r = pem_find(pem, end, &block);
        if (r < 0)
                return why(ret_why, -EINVAL,
                           "The certificate request is cut off: its \"-----END CERTIFICATE "
                           "REQUEST-----\" is missing.");
        if (r == 0)
                return why(ret_why, -EINVAL,
                           "This is no certificate request in PEM: there is no \"-----BEGIN "
                           "CERTIFICATE REQUEST-----\" in it.");
        /* RFC 7468, 7: older programs write NEW. */
        if (!pem_has_label(&block, "CERTIFICATE REQUEST") &&
            !pem_has_label(&block, "NEW CERTIFICATE REQUEST"))
                return why(ret_why, -EINVAL,
                           "This is no certificate request but another PEM block; make one with: "
                           "openssl req -new");
        if (pem_find(block.end, end, &more) != 0)
                return why(ret_why, -EINVAL,
                           "There is more than one block in this text; give the certificate "
                           "request alone.");
        if (!only_space(pem, block.start) || !only_space(block.end, end))
                return why(ret_why, -EINVAL,
                           "There is text before or behind the certificate request; give the block "
                           "alone.");
        *ret = block;
        return 0;
}

static int read_parts(const Secret *der, Parts *ret) {
        Parts p = {};
        DerReader outer = der_reader(der->data, der->size), request, info;
        DerItem version, subject, attributes;

        if (der_enter(&outer, DER_SEQUENCE, &request) < 0 || der_end(&outer) < 0 ||
            der_expect(&request, DER_SEQUENCE, &p.info) < 0 ||
            signature_algorithm_read(&request, &p.algorithm) < 0 ||
            der_bits(&request, &p.signature) < 0 || der_end(&request) < 0)
                return -EBADMSG;
        info = der_inside(&p.info);
        /* The attributes are demanded, even if empty; some programs leave them out all the same. */
        if (der_unsigned(&info, &version) < 0 ||
            !der_content_equal(&version, (const uint8_t[]){0}, 1) ||
            der_expect(&info, DER_SEQUENCE, &subject) < 0 ||
            der_expect(&info, DER_SEQUENCE, &p.spki) < 0 ||
            der_optional(&info, DER_CONTEXT(0), &attributes) < 0 || der_end(&info) < 0)
                return -EBADMSG;
        *ret = p;
        return 0;
}

static int check_signature(const Parts *p, CryptoKey *key, char **ret_why) {
        int r;

        if (!p->algorithm.supported)
                return why(ret_why, -EOPNOTSUPP,
                           "The certificate request is signed in a way that is not supported (%s); "
                           "use SHA-256, SHA-384 or SHA-512 with ECDSA or with RSA (PKCS#1 v1.5).",
                           p->algorithm.name);
        r = -EBADMSG;
        if (p->algorithm.is_rsa == crypto_key_is_rsa(key))
                r = public_key_verify(key, p->algorithm.hash, p->info.whole, p->info.whole_size,
                                      p->signature.content, p->signature.size);
        if (r == -EBADMSG)
                return why(
                        ret_why, -EBADMSG,
                        "The certificate request's signature is wrong: it was damaged, or signed "
                        "with another key than it names; make it again.");
        return r;
}

static int copy_spki(const Parts *p, uint8_t **ret, size_t *ret_size) {
        uint8_t *spki = malloc(p->spki.whole_size);

        if (!spki)
                return -ENOMEM;
        memcpy(spki, p->spki.whole, p->spki.whole_size);
        *ret = spki;
        *ret_size = p->spki.whole_size;
        return 0;
}

static int make_csr(const Parts *p, CryptoKey *key, Csr **ret) {
        _cleanup_csr_ Csr *csr = calloc(1, sizeof(*csr));

        if (!csr)
                return -ENOMEM;
        csr->key_type = strdup(crypto_key_type_text(key));
        if (!csr->key_type || copy_spki(p, &csr->spki, &csr->spki_size) < 0)
                return -ENOMEM;
        *ret = TAKE_PTR(csr);
        return 0;
}

/* The parts point into the DER. */
static int open_request(const char *pem, size_t size, Secret **ret_der, Parts *ret_parts,
                        char **ret_why) {
        _cleanup_secret_ Secret *der = NULL;
        PemBlock block;
        int r;

        if (size > IPC_CSR_MAX)
                return why(ret_why, -EMSGSIZE,
                           "A certificate request of more than %zu bytes is refused.", IPC_CSR_MAX);
        r = find_block(pem, size, &block, ret_why);
        if (r < 0)
                return r;
        r = pem_decode(&block, &der);
        if (r == -EINVAL || (r == 0 && read_parts(der, ret_parts) < 0))
                return why(
                        ret_why, -EINVAL,
                        "The certificate request is malformed: it is cut off or damaged; copy it "
                        "again.");
        if (r < 0)
                return r;
        *ret_der = TAKE_PTR(der);
        return 0;
}

int csr_parse(const char *pem, size_t size, Csr **ret, char **ret_why) {
        _cleanup_secret_ Secret *der = NULL;
        _cleanup_crypto_key_ CryptoKey *key = NULL;
        Parts parts = {};
        int r;

        r = open_request(pem, size, &der, &parts, ret_why);
        if (r < 0)
                return r;
        r = public_key_read(parts.spki.whole, parts.spki.whole_size, &key, ret_why);
        if (r < 0)
                return r;
        r = check_signature(&parts, key, ret_why);
        if (r < 0)
                return r;
        return make_csr(&parts, key, ret);
}

int csr_public_key(const char *pem, size_t size, uint8_t **ret_spki, size_t *ret_size) {
        _cleanup_secret_ Secret *der = NULL;
        Parts parts = {};
        int r;

        r = open_request(pem, size, &der, &parts, NULL);
        return r < 0 ? r : copy_spki(&parts, ret_spki, ret_size);
}

Csr *csr_free(Csr *csr) {
        if (!csr)
                return NULL;
        free(csr->spki);
        free(csr->key_type);
        free(csr);
        return NULL;
}
