/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/crypto/algorithm.h"

#include <errno.h>

/* Content bytes of an OBJECT IDENTIFIER. */
#define OID(...) \
        .oid = (const uint8_t[]){__VA_ARGS__}, .size = sizeof((const uint8_t[]){__VA_ARGS__})

typedef struct NamedOid {
        const uint8_t *oid;
        size_t size;
        const char *name;
        KeyAlgorithm algorithm;
} NamedOid;

/* RFC 5480, 2.1.1.1; SEC 2; RFC 5639 */
static const NamedOid curves[] = {
        {OID(0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7), "P-256", KEY_ALGORITHM_EC_P256},
        {OID(0x2b, 0x81, 0x04, 0, 34), "P-384", KEY_ALGORITHM_EC_P384},
        {OID(0x2b, 0x81, 0x04, 0, 35), "P-521", KEY_ALGORITHM_OTHER},
        {OID(0x2b, 0x81, 0x04, 0, 33), "P-224", KEY_ALGORITHM_OTHER},
        {OID(0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 1), "P-192", KEY_ALGORITHM_OTHER},
        {OID(0x2b, 0x81, 0x04, 0, 10), "secp256k1", KEY_ALGORITHM_OTHER},
        {OID(0x2b, 0x24, 3, 3, 2, 8, 1, 1, 7), "brainpoolP256r1", KEY_ALGORITHM_OTHER},
        {OID(0x2b, 0x24, 3, 3, 2, 8, 1, 1, 11), "brainpoolP384r1", KEY_ALGORITHM_OTHER},
        {OID(0x2b, 0x24, 3, 3, 2, 8, 1, 1, 13), "brainpoolP512r1", KEY_ALGORITHM_OTHER},
};

static const uint8_t oid_ec[] = {0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1}; /* RFC 5480 */

/* RFC 3279, RFC 8410 */
static const NamedOid algorithms[] = {
        {OID(0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1), "RSA", KEY_ALGORITHM_RSA},
        {OID(0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 10), "RSASSA-PSS", KEY_ALGORITHM_OTHER},
        {OID(0x2b, 0x65, 112), "Ed25519", KEY_ALGORITHM_OTHER},
        {OID(0x2b, 0x65, 113), "Ed448", KEY_ALGORITHM_OTHER},
        {OID(0x2b, 0x65, 110), "X25519", KEY_ALGORITHM_OTHER},
        {OID(0x2b, 0x65, 111), "X448", KEY_ALGORITHM_OTHER},
        {OID(0x2a, 0x86, 0x48, 0xce, 0x38, 4, 1), "DSA", KEY_ALGORITHM_OTHER},
};

static const NamedOid *find(const NamedOid *table, size_t n, const DerItem *oid) {
        for (size_t i = 0; i < n; i++)
                if (der_content_equal(oid, table[i].oid, table[i].size))
                        return &table[i];
        return NULL;
}

int key_algorithm_read_curve(DerReader *reader, KeyAlgorithm *ret, const char **ret_name) {
        const NamedOid *known;
        DerItem item;
        int r;

        r = der_next(reader, &item);
        if (r < 0)
                return r;
        if (item.tag != DER_OID) {
                /* RFC 5480 forbids curves that are spelled out; CVE-2020-0601 says why. */
                *ret = KEY_ALGORITHM_OTHER;
                *ret_name = "elliptic curve with explicit parameters";
                return 0;
        }
        known = find(curves, ELEMENTSOF(curves), &item);
        *ret = known ? known->algorithm : KEY_ALGORITHM_OTHER;
        *ret_name = known ? known->name : "unknown elliptic curve";
        return 0;
}

int key_algorithm_read(DerReader *reader, KeyAlgorithm *ret, const char **ret_name) {
        const NamedOid *known;
        DerReader inner;
        DerItem oid, parameters;

        if (der_enter(reader, DER_SEQUENCE, &inner) < 0 || der_expect(&inner, DER_OID, &oid) < 0)
                return -EBADMSG;
        if (der_content_equal(&oid, oid_ec, sizeof(oid_ec))) {
                if (key_algorithm_read_curve(&inner, ret, ret_name) < 0)
                        return -EBADMSG;
                return der_end(&inner);
        }
        known = find(algorithms, ELEMENTSOF(algorithms), &oid);
        /* RFC 3279 demands NULL for RSA; some leave it out. The others are refused anyway. */
        if (known && known->algorithm == KEY_ALGORITHM_RSA &&
            (der_optional(&inner, DER_NULL, &parameters) < 0 || der_end(&inner) < 0))
                return -EBADMSG;
        *ret = known ? known->algorithm : KEY_ALGORITHM_OTHER;
        *ret_name = known ? known->name : "unknown algorithm";
        return 0;
}

typedef struct NamedSignature {
        const uint8_t *oid;
        size_t size;
        SignatureAlgorithm algorithm;
} NamedSignature;

/* RFC 3279, RFC 5758, RFC 4055, RFC 8410 */
static const NamedSignature signatures[] = {
        {OID(0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2),
         {true, false, WC_HASH_TYPE_SHA256, "ECDSA with SHA-256"}},
        {OID(0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 3),
         {true, false, WC_HASH_TYPE_SHA384, "ECDSA with SHA-384"}},
        {OID(0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 4),
         {true, false, WC_HASH_TYPE_SHA512, "ECDSA with SHA-512"}},
        {OID(0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 11),
         {true, true, WC_HASH_TYPE_SHA256, "RSA with SHA-256"}},
        {OID(0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 12),
         {true, true, WC_HASH_TYPE_SHA384, "RSA with SHA-384"}},
        {OID(0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 13),
         {true, true, WC_HASH_TYPE_SHA512, "RSA with SHA-512"}},
        {OID(0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 1), {.name = "ECDSA with SHA-1"}},
        {OID(0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 1), {.name = "ECDSA with SHA-224"}},
        {OID(0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 4), {.name = "RSA with MD5"}},
        {OID(0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 5), {.name = "RSA with SHA-1"}},
        {OID(0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 14), {.name = "RSA with SHA-224"}},
        {OID(0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 10), {.name = "RSASSA-PSS"}},
        {OID(0x2b, 0x65, 112), {.name = "Ed25519"}},
        {OID(0x2b, 0x65, 113), {.name = "Ed448"}},
};

int signature_algorithm_read(DerReader *reader, SignatureAlgorithm *ret) {
        SignatureAlgorithm algorithm = {.name = "unknown algorithm"};
        DerReader inner;
        DerItem oid, parameters;

        if (der_enter(reader, DER_SEQUENCE, &inner) < 0 || der_expect(&inner, DER_OID, &oid) < 0)
                return -EBADMSG;
        for (size_t i = 0; i < ELEMENTSOF(signatures); i++)
                if (der_content_equal(&oid, signatures[i].oid, signatures[i].size))
                        algorithm = signatures[i].algorithm;
        /* NULL for RSA (RFC 4055), nothing for ECDSA (RFC 5758): both are met for both. */
        if (algorithm.supported &&
            (der_optional(&inner, DER_NULL, &parameters) < 0 || der_end(&inner) < 0))
                return -EBADMSG;
        *ret = algorithm;
        return 0;
}
