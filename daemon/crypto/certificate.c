/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Only the parts that we show or compare are read; the signature and most extensions are TLS's
 * business, and nothing here follows from them. */

#include "daemon/crypto/certificate.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>

#include "daemon/crypto/certificate-time.h"
#include "daemon/crypto/der.h"
#include "daemon/crypto/digest.h"
#include "daemon/crypto/distinguished-name.h"
#include "daemon/crypto/key-internal.h"
#include "daemon/crypto/pem.h"
#include "daemon/crypto/why.h"
#include "daemon/crypto/wolfcrypt.h"

/* The parts of a TBSCertificate (RFC 5280, 4.1.2), each pointing into the DER. */
typedef struct Parts {
        bool version_1;
        DerItem serial, issuer, subject, spki;
        usec_t not_before, not_after;
        DerReader extensions; /* empty where there are none */
} Parts;

static int read_extensions(DerReader *tbs, Parts *p) {
        DerItem item;
        DerReader wrapper;
        int r;

        /* issuerUniqueID and subjectUniqueID are implicitly tagged and primitive */
        if (der_optional(tbs, 0x81, &item) < 0 || der_optional(tbs, 0x82, &item) < 0)
                return -EBADMSG;
        r = der_optional(tbs, DER_CONTEXT(3), &item);
        if (r <= 0)
                return r;
        wrapper = der_inside(&item);
        if (der_enter(&wrapper, DER_SEQUENCE, &p->extensions) < 0)
                return -EBADMSG;
        return der_end(&wrapper);
}

static int read_parts(const Secret *der, Parts *ret) {
        Parts p = {};
        DerReader outer = der_reader(der->data, der->size), certificate, tbs, validity;
        DerItem item;
        int r;

        if (der_enter(&outer, DER_SEQUENCE, &certificate) < 0 || der_end(&outer) < 0 ||
            der_enter(&certificate, DER_SEQUENCE, &tbs) < 0 ||
            der_expect(&certificate, DER_SEQUENCE, &item) < 0 ||
            der_expect(&certificate, DER_BIT_STRING, &item) < 0 || der_end(&certificate) < 0)
                return -EBADMSG;
        r = der_optional(&tbs, DER_CONTEXT(0), &item);
        if (r < 0)
                return r;
        p.version_1 = r == 0;
        /* Negative serials and long ones are met in old certificates: they are shown, not judged.
         */
        if (der_expect(&tbs, DER_INTEGER, &p.serial) < 0 || p.serial.size == 0 ||
            p.serial.size > CERTIFICATE_SERIAL_MAX || der_expect(&tbs, DER_SEQUENCE, &item) < 0 ||
            der_expect(&tbs, DER_SEQUENCE, &p.issuer) < 0 ||
            der_enter(&tbs, DER_SEQUENCE, &validity) < 0 ||
            certificate_time_read(&validity, &p.not_before) < 0 ||
            certificate_time_read(&validity, &p.not_after) < 0 || der_end(&validity) < 0 ||
            der_expect(&tbs, DER_SEQUENCE, &p.subject) < 0 ||
            der_expect(&tbs, DER_SEQUENCE, &p.spki) < 0 || read_extensions(&tbs, &p) < 0 ||
            der_end(&tbs) < 0)
                return -EBADMSG;
        *ret = p;
        return 0;
}

/* BasicConstraints, RFC 5280, 4.2.1.9. 1: a CA; 0: none. */
static int read_basic_constraints(const DerItem *value) {
        DerReader outer = der_inside(value), inner;
        DerItem ca;
        int r;

        if (der_enter(&outer, DER_SEQUENCE, &inner) < 0 || der_end(&outer) < 0)
                return -EBADMSG;
        r = der_optional(&inner, DER_BOOLEAN, &ca);
        if (r <= 0)
                return r;
        return ca.size == 1 && ca.content[0] != 0;
}

/* 1: a CA; 0: none; -EBADMSG */
static int read_is_ca(const Parts *p) {
        static const uint8_t basic_constraints[] = {0x55, 0x1d, 0x13};
        DerReader extensions = p->extensions;

        /* Version 1 knows no extensions: a self-issued one in a list of roots is a root. */
        if (p->version_1)
                return der_content_equal(&p->issuer, p->subject.content, p->subject.size);
        while (der_end(&extensions) < 0) {
                DerReader extension;
                DerItem oid, critical, value;

                if (der_enter(&extensions, DER_SEQUENCE, &extension) < 0 ||
                    der_expect(&extension, DER_OID, &oid) < 0 ||
                    der_optional(&extension, DER_BOOLEAN, &critical) < 0 ||
                    der_expect(&extension, DER_OCTET_STRING, &value) < 0 || der_end(&extension) < 0)
                        return -EBADMSG;
                if (der_content_equal(&oid, basic_constraints, sizeof(basic_constraints)))
                        return read_basic_constraints(&value);
        }
        return 0;
}

static void write_hex(char *out, const uint8_t *data, size_t size) {
        for (size_t i = 0; i < size; i++)
                (void) snprintf(out + 2 * i, 3, "%02x", data[i]);
}

static int fill_serial(Certificate *c, const DerItem *serial) {
        const uint8_t *data = serial->content;
        size_t size = serial->size;

        while (size > 1 && *data == 0) {
                data++;
                size--;
        }
        c->serial = malloc(2 * size + 1);
        if (!c->serial)
                return -ENOMEM;
        write_hex(c->serial, data, size);
        return 0;
}

static int fill(Certificate *c, const Secret *der, const Parts *p) {
        int r;

        static_assert(CERTIFICATE_FINGERPRINT_LENGTH == DIGEST_SHA256_HEX, "a digest in hex");
        r = digest_sha256_hex(der->data, der->size, c->fingerprint);
        if (r < 0)
                return r;
        r = fill_serial(c, &p->serial);
        if (r < 0)
                return r;
        r = distinguished_name_to_text(&p->subject, &c->subject);
        if (r >= 0)
                r = distinguished_name_common_name(&p->subject, &c->common_name);
        if (r < 0)
                return r;
        c->spki = malloc(p->spki.whole_size);
        if (!c->spki)
                return -ENOMEM;
        memcpy(c->spki, p->spki.whole, p->spki.whole_size);
        c->spki_size = p->spki.whole_size;
        c->not_before = p->not_before;
        c->not_after = p->not_after;
        r = read_is_ca(p);
        if (r < 0)
                return r;
        c->is_ca = r > 0;
        return 0;
}

/* -EINVAL: no base64; -EBADMSG: no certificate */
static int read_block(const PemBlock *block, Certificate **ret) {
        _cleanup_certificate_ Certificate *c = NULL;
        _cleanup_secret_ Secret *der = NULL;
        Parts parts = {};
        int r;

        r = pem_decode(block, &der);
        if (r < 0)
                return r;
        r = read_parts(der, &parts);
        if (r < 0)
                return r;
        c = calloc(1, sizeof(*c));
        if (!c)
                return -ENOMEM;
        r = fill(c, der, &parts);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(c);
        return 0;
}

static int why_unreadable(int r, size_t number, char **ret_why) {
        if (r == -EINVAL || r == -EBADMSG)
                return why(ret_why, -EINVAL,
                           "Certificate %zu of this text is unreadable: it is cut off or damaged; "
                           "copy it again.",
                           number);
        return r;
}

/* Finds the next CERTIFICATE block and moves `*at` behind it. 1, 0, -EINVAL as pem_find. Keys and
 * whatever else stands in the text are passed over. */
static int next_certificate(const char **at, const char *end, PemBlock *ret) {
        int r;

        do {
                r = pem_find(*at, end, ret);
                if (r <= 0)
                        return r;
                *at = ret->end;
        } while (!pem_has_label(ret, "CERTIFICATE"));
        return 1;
}

int certificate_parse(const char *pem, size_t size, Certificate **ret, char **ret_why) {
        _cleanup_certificate_ Certificate *leaf = NULL;
        const char *at = pem, *end = pem + size;
        PemBlock block;
        size_t n = 0;
        int r;

        if (size > CERTIFICATE_PEM_MAX)
                return why(ret_why, -EMSGSIZE, "A certificate of more than %zu bytes is refused.",
                           CERTIFICATE_PEM_MAX);
        while ((r = next_certificate(&at, end, &block)) > 0) {
                _cleanup_certificate_ Certificate *c = NULL;

                if (++n > CERTIFICATE_CHAIN_MAX)
                        return why(ret_why, -EMSGSIZE,
                                   "A chain of more than %zu certificates is refused.",
                                   CERTIFICATE_CHAIN_MAX);
                r = read_block(&block, &c);
                if (r < 0)
                        return why_unreadable(r, n, ret_why);
                if (!leaf)
                        leaf = TAKE_PTR(c);
        }
        if (r < 0)
                return why_unreadable(r, n + 1, ret_why);
        if (!leaf)
                return why(ret_why, -EINVAL,
                           "This is no certificate in PEM: there is no \"-----BEGIN "
                           "CERTIFICATE-----\" in it.");
        leaf->chain_count = n;
        *ret = TAKE_PTR(leaf);
        return 0;
}

Certificate *certificate_free(Certificate *c) {
        if (!c)
                return NULL;
        free(c->subject);
        free(c->common_name);
        free(c->serial);
        free(c->spki);
        free(c);
        return NULL;
}

bool certificate_carries_key(const Certificate *c, const uint8_t *spki, size_t spki_size) {
        _cleanup_crypto_key_ CryptoKey *ours = NULL, *theirs = NULL;

        if (c->spki_size == spki_size && memcmp(c->spki, spki, spki_size) == 0)
                return true;
        return public_key_read(c->spki, c->spki_size, &theirs, NULL) == 0 &&
               public_key_read(spki, spki_size, &ours, NULL) == 0 && public_key_equal(ours, theirs);
}

int certificate_check_bundle(const char *pem, size_t size, size_t *ret_count, char **ret_why) {
        const char *at = pem, *end = pem + size;
        PemBlock block;
        size_t n = 0;
        int r;

        if (size > CERTIFICATE_BUNDLE_MAX)
                return why(ret_why, -EMSGSIZE,
                           "A file of trusted certificates of more than %zu bytes is refused.",
                           CERTIFICATE_BUNDLE_MAX);
        while ((r = next_certificate(&at, end, &block)) > 0) {
                _cleanup_certificate_ Certificate *c = NULL;

                n++;
                r = read_block(&block, &c);
                if (r < 0)
                        return why_unreadable(r, n, ret_why);
                if (!c->is_ca)
                        return why(ret_why, -EINVAL,
                                   "Certificate %zu of the trusted ones (%s) does not belong to a "
                                   "CA; give the certificate of the CA that issued it.",
                                   n, c->subject);
        }
        if (r < 0)
                return why_unreadable(r, n + 1, ret_why);
        if (n == 0)
                return why(ret_why, -EINVAL,
                           "There is no trusted certificate in this text: no \"-----BEGIN "
                           "CERTIFICATE-----\".");
        *ret_count = n;
        return 0;
}
