/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The scheme is looked at before wolfCrypt decrypts: its answers do not tell a wrong password from
 * a scheme that it does not know, and it would count to whatever number the file names. */

#include "daemon/crypto/key-encrypted.h"

#include <errno.h>

#include <wolfssl/options.h>
#include <wolfssl/wolfcrypt/asn_public.h>
#include <wolfssl/wolfcrypt/error-crypt.h>

#include "daemon/crypto/der.h"
#include "daemon/crypto/key.h"
#include "daemon/crypto/why.h"

#define ITERATIONS_MAX 2000000U /* OpenSSL writes 2048, OWASP asks for 600,000 */

/* RFC 8018, appendix A and B; NIST's aes object identifiers */
static const uint8_t oid_pbes2[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 5, 13};
static const uint8_t oid_pbkdf2[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 5, 12};
static const uint8_t oid_hmac_sha1[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 2, 7};
static const uint8_t oid_hmac_sha256[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 2, 9};
static const uint8_t oid_des3[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 3, 7};
static const uint8_t oid_aes128[] = {0x60, 0x86, 0x48, 1, 0x65, 3, 4, 1, 2};
static const uint8_t oid_aes256[] = {0x60, 0x86, 0x48, 1, 0x65, 3, 4, 1, 42};

static int malformed(char **ret_why) {
        return why(ret_why, -EINVAL,
                   "This is no readable private key: the block is cut off or damaged; copy the key "
                   "again.");
}

static int not_supported(char **ret_why, const char *what) {
        return why(ret_why, -EOPNOTSUPP,
                   "This private key is encrypted in a way that is not supported (%s); convert it "
                   "with: openssl pkcs8 -topk8 -v2 aes-256-cbc",
                   what);
}

/* wolfSSL 5.5 opens nothing that was made with a longer HMAC than SHA-256, and calls the password
 * wrong. Absent: HMAC-SHA-1. */
static int check_prf(DerReader *parameters, char **ret_why) {
        DerReader prf;
        DerItem oid;

        if (der_end(parameters) == 0)
                return 0;
        if (der_enter(parameters, DER_SEQUENCE, &prf) < 0 || der_expect(&prf, DER_OID, &oid) < 0 ||
            der_end(parameters) < 0)
                return malformed(ret_why);
        if (!der_content_equal(&oid, oid_hmac_sha1, sizeof(oid_hmac_sha1)) &&
            !der_content_equal(&oid, oid_hmac_sha256, sizeof(oid_hmac_sha256)))
                return not_supported(ret_why,
                                     "its PBKDF2 uses neither HMAC-SHA-1 nor HMAC-SHA-256");
        return 0;
}

/* PBKDF2-params */
static int check_pbkdf2(DerReader *reader, char **ret_why) {
        DerReader parameters;
        DerItem salt, iterations, key_length;
        uint64_t n = 0;

        if (der_enter(reader, DER_SEQUENCE, &parameters) < 0 ||
            der_expect(&parameters, DER_OCTET_STRING, &salt) < 0 ||
            der_unsigned(&parameters, &iterations) < 0)
                return malformed(ret_why);
        if (iterations.size > sizeof(uint32_t))
                return not_supported(ret_why, "too many iterations");
        for (size_t i = 0; i < iterations.size; i++)
                n = n << 8 | iterations.content[i];
        if (n == 0 || n > ITERATIONS_MAX)
                return not_supported(ret_why, "no iterations, or too many");
        if (der_optional(&parameters, DER_INTEGER, &key_length) < 0)
                return malformed(ret_why);
        return check_prf(&parameters, ret_why);
}

static int check_pbes2(DerReader *reader, char **ret_why) {
        DerReader parameters, kdf, cipher;
        DerItem oid;
        int r;

        if (der_enter(reader, DER_SEQUENCE, &parameters) < 0 ||
            der_enter(&parameters, DER_SEQUENCE, &kdf) < 0 ||
            der_enter(&parameters, DER_SEQUENCE, &cipher) < 0 || der_end(&parameters) < 0 ||
            der_expect(&kdf, DER_OID, &oid) < 0)
                return malformed(ret_why);
        if (!der_content_equal(&oid, oid_pbkdf2, sizeof(oid_pbkdf2)))
                return not_supported(ret_why, "its key derivation is not PBKDF2");
        r = check_pbkdf2(&kdf, ret_why);
        if (r < 0)
                return r;
        if (der_expect(&cipher, DER_OID, &oid) < 0)
                return malformed(ret_why);
        if (!der_content_equal(&oid, oid_aes128, sizeof(oid_aes128)) &&
            !der_content_equal(&oid, oid_aes256, sizeof(oid_aes256)) &&
            !der_content_equal(&oid, oid_des3, sizeof(oid_des3)))
                return not_supported(ret_why, "its cipher is neither AES-CBC nor 3DES");
        return 0;
}

static int check_scheme(const Secret *der, char **ret_why) {
        DerReader outer = der_reader(der->data, der->size), info, algorithm;
        DerItem oid, data;

        if (der_enter(&outer, DER_SEQUENCE, &info) < 0 || der_end(&outer) < 0 ||
            der_enter(&info, DER_SEQUENCE, &algorithm) < 0 ||
            der_expect(&info, DER_OCTET_STRING, &data) < 0 || der_end(&info) < 0 ||
            der_expect(&algorithm, DER_OID, &oid) < 0)
                return malformed(ret_why);
        if (!der_content_equal(&oid, oid_pbes2, sizeof(oid_pbes2)))
                return not_supported(ret_why, "not PBES2");
        return check_pbes2(&algorithm, ret_why);
}

/* Size of a password without the line end that an editor put behind it. */
static size_t password_size(const Secret *password) {
        size_t n = password->size;

        if (n > 0 && password->data[n - 1] == '\n')
                n--;
        if (n > 0 && password->data[n - 1] == '\r')
                n--;
        return n;
}

int encrypted_key_why_rejected(char **ret_why) {
        return why(ret_why, -EKEYREJECTED,
                   "The password does not fit this private key; correct PrivateKeyPassword=.");
}

int encrypted_key_open(Secret *der, const Secret *password, char **ret_why) {
        size_t n;
        int r;

        r = check_scheme(der, ret_why);
        if (r < 0)
                return r;
        if (!password)
                return why(
                        ret_why, -ENOKEY,
                        "This private key is encrypted and there is no password for it; give one "
                        "with PrivateKeyPassword=.");
        n = password_size(password);
        if (n == 0 || n > CRYPTO_KEY_PASSWORD_MAX)
                return why(ret_why, -EKEYREJECTED,
                           "The password of this private key is empty or longer than %zu bytes.",
                           CRYPTO_KEY_PASSWORD_MAX);
        r = wc_DecryptPKCS8Key(der->data, (word32) der->size, secret_text(password), (int) n);
        if (r == MEMORY_E)
                return -ENOMEM;
        if (r <= 0 || (size_t) r > der->size)
                return encrypted_key_why_rejected(ret_why);
        /* What lies behind is what is left of the ciphertext. */
        explicit_bzero(der->data + r, der->size - (size_t) r);
        der->size = (size_t) r;
        return 0;
}
