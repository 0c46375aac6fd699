/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/net/tls-trust.h"

#include <string.h>

#include <wolfssl/options.h>

#include <wolfssl/ssl.h>

#define BLOCK_BEGIN "-----BEGIN "
#define CERTIFICATE_BEGIN "-----BEGIN CERTIFICATE-----"
#define CERTIFICATE_END "-----END CERTIFICATE-----"

static size_t line_of(const char *start, const char *at) {
        size_t line = 1;

        for (; start < at; start++)
                line += *start == '\n';
        return line;
}

static Failure *failure_about(size_t n, size_t line, const char *what) {
        return failure_new(ERROR_TLS_TRUST,
                           "certificate %zu of TrustedCertificates= (its line %zu) %s", n, line,
                           what);
}

static bool key_is_short(WOLFSSL_X509 *certificate) {
        WOLFSSL_EVP_PKEY *key = wolfSSL_X509_get_pubkey(certificate);
        bool is_rsa = key && wolfSSL_EVP_PKEY_base_id(key) == EVP_PKEY_RSA;
        int bits = key ? wolfSSL_EVP_PKEY_bits(key) : 0;

        wolfSSL_EVP_PKEY_free(key);
        return bits < (is_rsa ? TLS_TRUST_RSA_BITS_MIN : TLS_TRUST_ECC_BITS_MIN);
}

/* A block other than a certificate (a key, a certificate with OpenSSL's trust settings) is a
 * misunderstanding, and would be silently left out. */
static Failure *check_block(const char *begin, const char *end, size_t n, size_t line) {
        WOLFSSL_X509 *certificate;
        bool authority, is_short;

        if (strncmp(begin, CERTIFICATE_BEGIN, strlen(CERTIFICATE_BEGIN)) != 0)
                return failure_about(n, line,
                                     "is no \"BEGIN CERTIFICATE\" block; leave certificates of "
                                     "authorities alone in that file");
        if (!end)
                return failure_about(n, line, "has no end; the file seems cut off");
        certificate = wolfSSL_X509_load_certificate_buffer(
                (const unsigned char *) begin, (int) (end - begin), WOLFSSL_FILETYPE_PEM);
        if (!certificate)
                return failure_about(n, line, "is broken: it cannot be read as a certificate");
        authority = wolfSSL_X509_get_isCA(certificate) != 0;
        is_short = key_is_short(certificate);
        wolfSSL_X509_free(certificate);
        if (!authority)
                return failure_about(n, line,
                                     "is no authority's (CA:TRUE is missing), so nothing can be "
                                     "verified by it; give the root that signed it");
        if (is_short)
                return failure_about(n, line,
                                     "has a key that is too short (RSA of 2048 bits or an elliptic "
                                     "curve of 256 is the least), or of another kind");
        return NULL;
}

bool tls_trust_check(const Secret *bundle, Failure **ret_failure) {
        const char *start, *begin;
        size_t n = 0;

        if (!bundle || strlen(secret_text(bundle)) != bundle->size) {
                *ret_failure = failure_new(ERROR_TLS_TRUST, "TrustedCertificates= is no PEM text");
                return false;
        }
        start = secret_text(bundle);
        for (begin = strstr(start, BLOCK_BEGIN); begin; begin = strstr(begin, BLOCK_BEGIN)) {
                const char *end = strstr(begin, CERTIFICATE_END);
                const char *next = strstr(begin + 1, BLOCK_BEGIN);

                if (end && next && next < end)
                        end = NULL; /* that end is another block's */
                if (end)
                        end += strlen(CERTIFICATE_END);
                *ret_failure = ++n > TLS_TRUST_CERTIFICATES_MAX
                                       ? failure_about(n, line_of(start, begin), "is one too many")
                                       : check_block(begin, end, n, line_of(start, begin));
                if (*ret_failure)
                        return false;
                begin = end;
        }
        if (n == 0)
                *ret_failure = failure_new(ERROR_TLS_TRUST,
                                           "TrustedCertificates= holds no certificate in PEM");
        return n > 0;
}
