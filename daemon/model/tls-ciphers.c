/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/model/tls-ciphers.h"

#include <stdio.h>
#include <string.h>

typedef struct Suite {
        uint16_t id;
        const char *name; /* wolfSSL's, which for TLS 1.2 is OpenSSL's */
        const char *iana; /* for TLS 1.3 OpenSSL's, too */
        bool by_default;
} Suite;

/* https://www.iana.org/assignments/tls-parameters, in the order in which ours are offered. All
 * authenticate the server by a certificate, and all encrypt. The CBC suites and those without
 * forward secrecy are for old servers, and spoken only where CipherList= names them. */
static const Suite suites[] = {
        {0x1301, "TLS13-AES128-GCM-SHA256", "TLS_AES_128_GCM_SHA256", true},
        {0x1302, "TLS13-AES256-GCM-SHA384", "TLS_AES_256_GCM_SHA384", true},
        {0x1303, "TLS13-CHACHA20-POLY1305-SHA256", "TLS_CHACHA20_POLY1305_SHA256", true},
        {0x1304, "TLS13-AES128-CCM-SHA256", "TLS_AES_128_CCM_SHA256", false},
        {0xc02b, "ECDHE-ECDSA-AES128-GCM-SHA256", "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", true},
        {0xc02f, "ECDHE-RSA-AES128-GCM-SHA256", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", true},
        {0xc02c, "ECDHE-ECDSA-AES256-GCM-SHA384", "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", true},
        {0xc030, "ECDHE-RSA-AES256-GCM-SHA384", "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", true},
        {0xcca9, "ECDHE-ECDSA-CHACHA20-POLY1305", "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
         true},
        {0xcca8, "ECDHE-RSA-CHACHA20-POLY1305", "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
         true},
        {0x009e, "DHE-RSA-AES128-GCM-SHA256", "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256", false},
        {0x009f, "DHE-RSA-AES256-GCM-SHA384", "TLS_DHE_RSA_WITH_AES_256_GCM_SHA384", false},
        {0xc023, "ECDHE-ECDSA-AES128-SHA256", "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256", false},
        {0xc027, "ECDHE-RSA-AES128-SHA256", "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256", false},
        {0xc024, "ECDHE-ECDSA-AES256-SHA384", "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384", false},
        {0xc028, "ECDHE-RSA-AES256-SHA384", "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384", false},
        {0x009c, "AES128-GCM-SHA256", "TLS_RSA_WITH_AES_128_GCM_SHA256", false},
        {0x009d, "AES256-GCM-SHA384", "TLS_RSA_WITH_AES_256_GCM_SHA384", false},
};

_Static_assert(ELEMENTSOF(suites) <= TLS_CIPHERS_MAX, "a list can hold each suite once");

static void ciphers_add(TlsCiphers *c, size_t index) {
        for (size_t i = 0; i < c->n; i++)
                if (c->index[i] == index)
                        return;
        c->index[c->n++] = (uint8_t) index;
        if (suites[index].id >> 8 == 0x13)
                c->tls13 = true;
        else
                c->tls12 = true;
}

static bool name_is(const char *name, const char *s, size_t length) {
        return strlen(name) == length && strncasecmp(name, s, length) == 0;
}

static bool ciphers_add_by_name(TlsCiphers *c, const char *s, size_t length) {
        for (size_t i = 0; i < ELEMENTSOF(suites); i++)
                if (name_is(suites[i].name, s, length) || name_is(suites[i].iana, s, length)) {
                        ciphers_add(c, i);
                        return true;
                }
        return false;
}

bool tls_ciphers_parse(const char *list, TlsCiphers *ret, Failure **ret_failure) {
        TlsCiphers c = {};

        for (size_t i = 0; !list && i < ELEMENTSOF(suites); i++)
                if (suites[i].by_default)
                        ciphers_add(&c, i);

        while (list && *list) {
                size_t length = strcspn(list, ":, ");

                if (length > 0 && !ciphers_add_by_name(&c, list, length)) {
                        *ret_failure = failure_new(
                                ERROR_BAD_PARAMETER,
                                "'%.*s' is no cipher suite that is spoken here; write OpenSSL's or "
                                "TLS names of suites with a server certificate and encryption, "
                                "such as %s",
                                (int) (length > 64 ? 64 : length), list, suites[0].iana);
                        return false;
                }
                list += length;
                list += strspn(list, ":, ");
        }
        if (c.n == 0) {
                *ret_failure = failure_new(
                        ERROR_BAD_PARAMETER,
                        "no cipher suite is named; leave the key out, or name one such as %s",
                        suites[0].iana);
                return false;
        }
        *ret = c;
        return true;
}

char *tls_ciphers_to_string(const TlsCiphers *c) {
        char *s, *out;
        size_t size = 1;

        for (size_t i = 0; i < c->n; i++)
                size += strlen(suites[c->index[i]].name) + 1;
        s = out = malloc(size);
        if (!s)
                return NULL;
        *out = '\0';
        for (size_t i = 0; i < c->n; i++) {
                if (i > 0)
                        *out++ = ':';
                out = stpcpy(out, suites[c->index[i]].name);
        }
        return s;
}

bool tls_ciphers_contain(const TlsCiphers *c, int suite) {
        for (size_t i = 0; i < c->n; i++)
                if (suites[c->index[i]].id == suite)
                        return true;
        return false;
}
