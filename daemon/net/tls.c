/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/net/tls.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>

#include "daemon/model/host-port.h"
#include "daemon/net/tls-internal.h"
#include "daemon/net/tls-trust.h"

#define RSA_BITS_MIN ((short) TLS_TRUST_RSA_BITS_MIN)
#define ECC_BITS_MIN ((short) TLS_TRUST_ECC_BITS_MIN)

static int on_tls_receive(WOLFSSL *ssl, char *buffer, int size, void *userdata) {
        Tls *t = userdata;
        ssize_t n = recv(t->fd, buffer, (size_t) size, MSG_DONTWAIT);

        if (n > 0)
                return (int) n;
        if (n == 0)
                return WOLFSSL_CBIO_ERR_CONN_CLOSE;
        if (errno == EAGAIN || errno == EINTR)
                return WOLFSSL_CBIO_ERR_WANT_READ;
        t->io_errno = errno;
        return errno == ECONNRESET ? WOLFSSL_CBIO_ERR_CONN_RST : WOLFSSL_CBIO_ERR_GENERAL;
}

static int on_tls_send(WOLFSSL *ssl, char *data, int size, void *userdata) {
        Tls *t = userdata;
        ssize_t n = send(t->fd, data, (size_t) size, MSG_DONTWAIT | MSG_NOSIGNAL);

        if (n >= 0)
                return (int) n;
        if (errno == EAGAIN || errno == EINTR)
                return WOLFSSL_CBIO_ERR_WANT_WRITE;
        t->io_errno = errno;
        return errno == ECONNRESET || errno == EPIPE ? WOLFSSL_CBIO_ERR_CONN_RST
                                                     : WOLFSSL_CBIO_ERR_GENERAL;
}

static WOLFSSL_METHOD *choose_method(const TlsCiphers *c) {
        if (!c->tls13)
                return wolfTLSv1_2_client_method();
        if (!c->tls12)
                return wolfTLSv1_3_client_method();
        return wolfTLS_client_method();
}

/* An anchor's own dates are no part of path validation (RFC 5280, 6.1.1 (d)): before the clock is
 * set none of them would load, or only some; the server's certificate says the rest. wolfSSL 5.5.4
 * looks at them whatever WOLFSSL_LOAD_FLAG_DATE_ERR_OKAY says, but not where nobody is verified.
 * What else it would look at, tls_trust_check() has seen. */
static bool load_anchors(Tls *t, const TlsParameters *p, Failure **ret_failure) {
        int r;

        wolfSSL_CTX_set_verify(t->context, WOLFSSL_VERIFY_NONE, NULL);
        r = wolfSSL_CTX_load_verify_buffer(t->context, p->trusted->data, (long) p->trusted->size,
                                           WOLFSSL_FILETYPE_PEM);
        wolfSSL_CTX_set_verify(t->context, WOLFSSL_VERIFY_PEER, NULL);
        if (r == WOLFSSL_SUCCESS)
                return true;
        *ret_failure = failure_new(ERROR_TLS_TRUST,
                                   "the trusted certificates for %s cannot be loaded: %s; check "
                                   "TrustedCertificates=",
                                   t->endpoint, tls_error_text(r));
        return false;
}

/* A context holds for this one connection: it is finished before the WOLFSSL is made of it. */
static bool make_context(Tls *t, const TlsParameters *p, Failure **ret_failure) {
        _cleanup_free_ char *list = tls_ciphers_to_string(&t->ciphers);

        t->context = list ? wolfSSL_CTX_new(choose_method(&t->ciphers)) : NULL;
        if (!t->context) {
                *ret_failure = NULL; /* reads as no-memory */
                return false;
        }
        if (!load_anchors(t, p, ret_failure))
                return false;
        /* This build is OPENSSL_COMPATIBLE_DEFAULTS: without these three it verifies nobody, speaks
         * TLS 1.1, and offers anonymous suites. */
        wolfSSL_CTX_set_verify(t->context, WOLFSSL_VERIFY_PEER, NULL);
        if (wolfSSL_CTX_SetMinVersion(t->context, WOLFSSL_TLSV1_2) != WOLFSSL_SUCCESS ||
            wolfSSL_CTX_set_cipher_list(t->context, list) != WOLFSSL_SUCCESS ||
            wolfSSL_CTX_SetMinRsaKey_Sz(t->context, RSA_BITS_MIN) != WOLFSSL_SUCCESS ||
            wolfSSL_CTX_SetMinEccKey_Sz(t->context, ECC_BITS_MIN) != WOLFSSL_SUCCESS) {
                *ret_failure =
                        failure_new(ERROR_INTERNAL_FAILURE,
                                    "wolfSSL does not take the TLS settings for %s", t->endpoint);
                return false;
        }
        (void) wolfSSL_CTX_set_session_cache_mode(t->context, WOLFSSL_SESS_CACHE_OFF);
        if (p->token_key)
                tls_token_context(t->context);
        wolfSSL_CTX_SetIORecv(t->context, on_tls_receive);
        wolfSSL_CTX_SetIOSend(t->context, on_tls_send);
        return true;
}

#define IPV6_GROUPS 8U
#define ADDRESS_TEXT_MAX sizeof("0000:0000:0000:0000:0000:0000:0000:0000")

/* An address as wolfSSL writes those of a certificate, for it compares texts: IPv6 with all its
 * digits, in upper case. False: it is a name. */
static bool address_as_compared(const char *host, char text[static ADDRESS_TEXT_MAX]) {
        struct in6_addr in6;
        struct in_addr in;

        if (inet_pton(AF_INET, host, &in) == 1)
                return inet_ntop(AF_INET, &in, text, ADDRESS_TEXT_MAX);
        if (inet_pton(AF_INET6, host, &in6) != 1)
                return false;
        for (size_t i = 0; i < IPV6_GROUPS; i++)
                (void) snprintf(text + 5 * i - (i > 0), ADDRESS_TEXT_MAX - 5 * i + (i > 0),
                                i > 0 ? ":%04X" : "%04X", ntohs(in6.s6_addr16[i]));
        return true;
}

/* Who the server must be: by name with SNI, or by address, which SNI cannot carry (RFC 6066, 3). */
static bool expect_host(Tls *t, const char *host) {
        char address[ADDRESS_TEXT_MAX];

        if (address_as_compared(host, address))
                return wolfSSL_X509_VERIFY_PARAM_set1_ip_asc(wolfSSL_get0_param(t->ssl), address) ==
                       WOLFSSL_SUCCESS;
        return wolfSSL_UseSNI(t->ssl, WOLFSSL_SNI_HOST_NAME, host, (unsigned short) strlen(host)) ==
                       WOLFSSL_SUCCESS &&
               wolfSSL_check_domain_name(t->ssl, host) == WOLFSSL_SUCCESS;
}

/* On the WOLFSSL, not on the context: there they can be wiped after the handshake. */
static bool use_own_certificate(Tls *t, const TlsParameters *p, Failure **ret_failure) {
        int r;

        if (!p->certificate)
                return true;
        r = wolfSSL_use_certificate_chain_buffer(t->ssl, p->certificate->data,
                                                 (long) p->certificate->size);
        if (r != WOLFSSL_SUCCESS) {
                *ret_failure = tls_failure_own_certificate(t->endpoint, t->certificate_name, r);
                return false;
        }
        t->has_certificate = true;
        if (p->token_key) {
                tls_token_use(t, p->token_key);
                return true;
        }
        r = wolfSSL_use_PrivateKey_buffer(t->ssl, p->private_key->data, (long) p->private_key->size,
                                          WOLFSSL_FILETYPE_PEM);
        if (r != WOLFSSL_SUCCESS) {
                *ret_failure = tls_failure_own_certificate(t->endpoint, t->private_key_name, r);
                return false;
        }
        return true;
}

static bool make_ssl(Tls *t, const TlsParameters *p, Failure **ret_failure) {
        t->ssl = wolfSSL_new(t->context);
        if (!t->ssl) {
                *ret_failure = NULL;
                return false;
        }
        wolfSSL_SetIOReadCtx(t->ssl, t);
        wolfSSL_SetIOWriteCtx(t->ssl, t);
        if (!expect_host(t, p->host)) {
                *ret_failure = failure_new(ERROR_BAD_PARAMETER,
                                           "\"%s\" is no host name that a certificate could be "
                                           "for; check Endpoint=",
                                           p->host);
                return false;
        }
        if (t->alpn && wolfSSL_UseALPN(t->ssl, t->alpn, (unsigned) strlen(t->alpn),
                                       WOLFSSL_ALPN_FAILED_ON_MISMATCH) != WOLFSSL_SUCCESS) {
                *ret_failure = failure_new(ERROR_INTERNAL_FAILURE,
                                           "wolfSSL does not take the protocol name %s", t->alpn);
                return false;
        }
        return use_own_certificate(t, p, ret_failure);
}

bool tls_new(int fd, const TlsParameters *p, Tls **ret, Failure **ret_failure) {
        _cleanup_(tls_freep) Tls *t = NULL;

        *ret_failure = NULL;
        t = calloc(1, sizeof(Tls));
        if (!t)
                return false;
        t->fd = fd;
        t->broken = true; /* until there is something to close */
        t->certificate_name = p->certificate_name ? p->certificate_name : "Certificate=";
        t->private_key_name = p->private_key_name ? p->private_key_name : "PrivateKey=";
        t->endpoint = host_port_text(p->host, p->port);
        if (!t->endpoint || free_and_strdup(&t->host, p->host) < 0 ||
            free_and_strdup(&t->alpn, p->alpn) < 0)
                return false;
        if (!tls_ciphers_parse(p->cipher_list, &t->ciphers, ret_failure) ||
            !tls_trust_check(p->trusted, ret_failure) || !make_context(t, p, ret_failure) ||
            !make_ssl(t, p, ret_failure))
                return false;
        *ret = TAKE_PTR(t);
        return true;
}

Tls *tls_free(Tls *t) {
        if (!t)
                return NULL;
        if (t->ssl && t->established && !t->broken)
                (void) wolfSSL_shutdown(t->ssl); /* one close_notify, where it fits */
        wolfSSL_free(t->ssl);
        wolfSSL_CTX_free(t->context);
        tls_token_done(t);
        free(t->host);
        free(t->endpoint);
        free(t->alpn);
        free(t);
        return NULL;
}

static TlsStatus fail(Tls *t, Failure *failure, Failure **ret_failure) {
        t->broken = true;
        *ret_failure = failure;
        return TLS_FAILED;
}

static TlsStatus status_from_error(Tls *t, int error, Failure **ret_failure) {
        Failure *token;

        if (error == WOLFSSL_ERROR_WANT_READ)
                return TLS_WANT_READ;
        if (error == WOLFSSL_ERROR_WANT_WRITE)
                return TLS_WANT_WRITE;
        token = tls_token_failure(t);
        return fail(t, token ? token : tls_failure_from_error(t, error), ret_failure);
}

static bool version_is_ours(WOLFSSL *ssl) {
        int version = wolfSSL_version(ssl);

        return version == TLS1_2_VERSION || version == TLS1_3_VERSION;
}

static Failure *assert_alpn(Tls *t) {
        char *chosen = NULL;
        unsigned short size = 0;

        if (!t->alpn)
                return NULL;
        /* FAILED_ON_MISMATCH does not fail where the server leaves the extension out, as RFC 7301,
         * 3.2 allows a server that does not know it. */
        if (wolfSSL_ALPN_GetProtocol(t->ssl, &chosen, &size) == WOLFSSL_SUCCESS &&
            size == strlen(t->alpn) && memcmp(chosen, t->alpn, size) == 0)
                return NULL;
        return failure_new(ERROR_TLS_FAILED,
                           "%s did not agree to the protocol \"%s\" (ALPN), so what would answer "
                           "there is no MQTT; check Endpoint= and Port=, or use Port=8883",
                           t->endpoint, t->alpn);
}

/* True: all that makes the server the right one holds. The second lock on the door: wolfSSL should
 * have refused before. */
static bool assert_server(Tls *t, Failure **ret_failure) {
        WOLFSSL_X509 *certificate = wolfSSL_get_peer_certificate(t->ssl);
        bool has_certificate = certificate != NULL;
        int suite = wolfSSL_get_current_cipher_suite(t->ssl);
        Failure *alpn;

        wolfSSL_X509_free(certificate);
        if (!has_certificate) {
                *ret_failure =
                        failure_new(ERROR_TLS_TRUST,
                                    "%s showed no certificate, so it may be anybody", t->endpoint);
                return false;
        }
        if (!tls_ciphers_contain(&t->ciphers, suite) || !version_is_ours(t->ssl)) {
                *ret_failure =
                        failure_new(ERROR_TLS_FAILED,
                                    "%s chose %s with cipher suite 0x%04x, which was never "
                                    "offered",
                                    t->endpoint, wolfSSL_get_version(t->ssl), (unsigned) suite);
                return false;
        }
        alpn = assert_alpn(t);
        if (alpn) {
                *ret_failure = alpn;
                return false;
        }
        return true;
}

TlsStatus tls_handshake(Tls *t, Failure **ret_failure) {
        Failure *failure = NULL;

        t->io_errno = 0;
        if (wolfSSL_connect(t->ssl) != WOLFSSL_SUCCESS)
                return status_from_error(t, wolfSSL_get_error(t->ssl, 0), ret_failure);
        t->established = true;
        if (!assert_server(t, &failure))
                return fail(t, failure, ret_failure);
        t->broken = false;

        /* Nothing is renegotiated: the anchors, our chain and our key have done their work. */
        (void) wolfSSL_CTX_UnloadCAs(t->context);
        (void) wolfSSL_UnloadCertsKeys(t->ssl);
        tls_token_done(t);
        return TLS_DONE;
}

TlsStatus tls_read(Tls *t, void *buffer, size_t size, size_t *ret_size, Failure **ret_failure) {
        int n, error;

        t->io_errno = 0;
        n = wolfSSL_read(t->ssl, buffer, (int) size);
        if (n > 0) {
                t->received = true;
                *ret_size = (size_t) n;
                return TLS_DONE;
        }
        error = wolfSSL_get_error(t->ssl, n);
        if (error == WOLFSSL_ERROR_ZERO_RETURN)
                return TLS_CLOSED;
        return status_from_error(t, error, ret_failure);
}

TlsStatus tls_write(Tls *t, const void *data, size_t size, Failure **ret_failure) {
        int n;

        t->io_errno = 0;
        n = wolfSSL_write(t->ssl, data, (int) size);
        if (n == (int) size)
                return TLS_DONE;
        return status_from_error(t, wolfSSL_get_error(t->ssl, n), ret_failure);
}
