/* SPDX-License-Identifier: GPL-2.0-or-later */

/* What went wrong in TLS, as one of our codes and a sentence with the mend. wolfSSL's number
 * decides, not its texts; `wolfSSL_get_verify_result` is no help: it stays 0 on a name mismatch. */

#include "daemon/net/tls-internal.h"

#include <errno.h>
#include <stdio.h>
#include <time.h>

#include <wolfssl/error-ssl.h>
#include <wolfssl/wolfcrypt/error-crypt.h>

#include "daemon/base/clock.h"

/* A certificate may hold hundreds of names: show as many as one can read. */
#define NAMES_SHOWN_MAX 4U
#define NAME_SHOWN_BYTES_MAX 128

const char *tls_error_text(int error) {
        const char *text = wolfSSL_ERR_reason_error_string((unsigned long) error);

        return text && *text ? text : "unknown error";
}

Failure *tls_failure_own_certificate(const char *endpoint, const char *what, int error) {
        return failure_new(ERROR_NOT_INITIALIZED,
                           "%s cannot be used for TLS to %s: %s; it must be PEM, and "
                           "certificate and key must belong together",
                           what, endpoint, tls_error_text(error));
}

/* "a.example, b.example"; NULL where there is no certificate to see, or no memory. */
static char *names_of_server(WOLFSSL *ssl) {
        WOLFSSL_X509 *certificate = wolfSSL_get_peer_certificate(ssl);
        _cleanup_free_ char *names = NULL;
        size_t size = 0, n = 0;
        const char *name;
        FILE *f;

        if (!certificate)
                return NULL;
        f = open_memstream(&names, &size);
        if (f) {
                while ((name = wolfSSL_X509_get_next_altname(certificate)) && n < NAMES_SHOWN_MAX)
                        fprintf(f, "%s%.*s", n++ > 0 ? ", " : "", NAME_SHOWN_BYTES_MAX, name);
                if (name)
                        fprintf(f, " and more");
                /* The common name counts only without alternative names (RFC 6125, 6.4.4). */
                name = n == 0 ? wolfSSL_X509_get_subjectCN(certificate) : NULL;
                if (name)
                        fprintf(f, "%.*s", NAME_SHOWN_BYTES_MAX, name);
                if (fclose(f) != 0 || size == 0) {
                        wolfSSL_X509_free(certificate);
                        return NULL;
                }
        }
        wolfSSL_X509_free(certificate);
        return TAKE_PTR(names);
}

static Failure *failure_from_name(Tls *t) {
        _cleanup_free_ char *names = names_of_server(t->ssl);

        if (!names)
                return failure_new(ERROR_TLS_HOSTNAME,
                                   "the certificate of %s is for another host, not for %s; check "
                                   "Endpoint=",
                                   t->endpoint, t->host);
        return failure_new(ERROR_TLS_HOSTNAME,
                           "the certificate of %s is for %s, not for %s; check Endpoint=",
                           t->endpoint, names, t->host);
}

static Failure *failure_from_date(Tls *t, const char *what) {
        time_t now = (time_t) (clock_real_usec() / USEC_PER_SEC);
        char text[sizeof("2000-01-01 00:00:00")] = "?";
        struct tm tm;

        if (gmtime_r(&now, &tm))
                (void) strftime(text, sizeof(text), "%F %T", &tm);
        return failure_new(ERROR_TLS_CLOCK,
                           "a certificate of %s %s; this machine's clock says %s UTC: if that is "
                           "wrong set the clock, else the server's certificate must be renewed",
                           t->endpoint, what, text);
}

/* The alerts by which a server refuses a client's certificate (RFC 8446, 6.2). */
static bool alert_is_about_our_certificate(int alert) {
        switch (alert) {
        case no_certificate:
        case bad_certificate:
        case unsupported_certificate:
        case certificate_revoked:
        case certificate_expired:
        case certificate_unknown:
        case unknown_ca:
        case access_denied:
        case certificate_required:
                return true;
        default:
                return false;
        }
}

static Failure *failure_from_alert(Tls *t) {
        WOLFSSL_ALERT_HISTORY history = {};
        const char *text;
        int alert;

        (void) wolfSSL_get_alert_history(t->ssl, &history);
        alert = history.last_rx.code;
        text = wolfSSL_alert_desc_string_long(alert);

        if (t->received)
                return failure_new(ERROR_CONNECTION_LOST,
                                   "%s ended the connection with the TLS alert %d (%s)",
                                   t->endpoint, alert, text);
        if (!t->has_certificate && (alert_is_about_our_certificate(alert) ||
                                    (t->established && alert == handshake_failure)))
                return failure_new(ERROR_CREDENTIALS_REFUSED,
                                   "%s wants a client certificate, and none was given (TLS alert "
                                   "%d, %s); set %s and %s",
                                   t->endpoint, alert, text, t->certificate_name,
                                   t->private_key_name);
        /* decrypt_error: the signature of our CertificateVerify is wrong. */
        if (t->has_certificate && alert == decrypt_error)
                return failure_new(ERROR_CREDENTIALS_REFUSED,
                                   "%s could not verify our signature (TLS alert %d, %s); check "
                                   "that %s belongs to %s, and that the server knows the "
                                   "CA that signed it, not another one of the same name",
                                   t->endpoint, alert, text, t->private_key_name,
                                   t->certificate_name);
        if (alert_is_about_our_certificate(alert) || (t->established && alert == handshake_failure))
                return failure_new(ERROR_CREDENTIALS_REFUSED,
                                   "%s refused our certificate (TLS alert %d, %s); check that "
                                   "%s is registered and active there, and not expired",
                                   t->endpoint, alert, text, t->certificate_name);
        return failure_new(ERROR_TLS_FAILED,
                           "%s ended the TLS handshake with the alert %d (%s); check Port=, "
                           "CipherList= and what TLS versions the server speaks",
                           t->endpoint, alert, text);
}

static Failure *failure_from_close(Tls *t) {
        const char *how = t->io_errno != 0 ? strerrordesc_np(t->io_errno) : "it closed";

        if (!t->established)
                return failure_new(ERROR_TLS_FAILED,
                                   "%s broke off the TLS handshake (%s); check that Port= is a TLS "
                                   "port, and that %s is registered and active there",
                                   t->endpoint, how, t->certificate_name);
        return failure_new(ERROR_CONNECTION_LOST, "the connection to %s was lost (%s)", t->endpoint,
                           how);
}

static Failure *failure_from_trust(Tls *t, int error) {
        return failure_new(ERROR_TLS_TRUST,
                           "the certificate of %s does not lead to a trusted root (%s); check "
                           "TrustedCertificates= and Endpoint=",
                           t->endpoint, tls_error_text(error));
}

static Failure *failure_from_version(Tls *t) {
        return failure_new(ERROR_TLS_FAILED,
                           "%s speaks no TLS version and cipher suite in common with us; TLS 1.2 "
                           "with AEAD suites is the least",
                           t->endpoint);
}

Failure *tls_failure_from_error(Tls *t, int error) {
        switch (error) {
        case ASN_BEFORE_DATE_E:
                return failure_from_date(t, "is not yet valid");
        case ASN_AFTER_DATE_E:
                return failure_from_date(t, "has expired");
        case DOMAIN_NAME_MISMATCH:
        case IPADDR_MISMATCH:
                return failure_from_name(t);
        case ASN_NO_SIGNER_E:
        case ASN_SELF_SIGNED_E:
        case ASN_SIG_CONFIRM_E:
        case ASN_SIG_HASH_E:
        case ASN_SIG_KEY_E:
        case ASN_SIG_OID_E:
        case ASN_PARSE_E:
        case ASN_NAME_INVALID_E:
        case ASN_PATHLEN_SIZE_E:
        case ASN_PATHLEN_INV_E:
        case ASN_CRIT_EXT_E:
        case EXTKEYUSE_AUTH_E:
        case KEYUSE_SIGNATURE_E:
        case KEYUSE_ENCIPHER_E:
        case NOT_CA_ERROR:
        case MAX_CHAIN_ERROR:
        case NO_PEER_CERT:
        case NO_PEER_VERIFY:
        case RSA_KEY_SIZE_E:
        case ECC_KEY_SIZE_E:
        case VERIFY_CERT_ERROR:
                return failure_from_trust(t, error);
        case FATAL_ERROR: /* an alert came */
                return failure_from_alert(t);
        case SOCKET_ERROR_E:
        case SOCKET_PEER_CLOSED_E:
        case WOLFSSL_ERROR_ZERO_RETURN:
        case WOLFSSL_ERROR_SYSCALL:
                return failure_from_close(t);
        case VERSION_ERROR:
        case UNSUPPORTED_SUITE:
        case MATCH_SUITE_ERROR:
                return failure_from_version(t);
        case UNKNOWN_ALPN_PROTOCOL_NAME_E:
                return failure_new(ERROR_TLS_FAILED,
                                   "%s does not speak the protocol \"%s\" (ALPN); check Endpoint= "
                                   "and Port=, or use Port=8883",
                                   t->endpoint, t->alpn ? t->alpn : "");
        case MEMORY_E:
        case MEMORY_ERROR:
                return failure_new(ERROR_NO_MEMORY, "out of memory in TLS with %s", t->endpoint);
        default:
                return failure_new(t->established ? ERROR_CONNECTION_LOST : ERROR_TLS_FAILED,
                                   "TLS with %s failed: %s (%d); check Endpoint= and Port=",
                                   t->endpoint, tls_error_text(error), error);
        }
}
