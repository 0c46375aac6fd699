/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/cloud/plugin/dps-issue.h"

#include <stdio.h>
#include <string.h>

#include "daemon/base/macro.h"

#define LINE_LENGTH 64
#define COMMON_NAME_MAX 128

DEFINE_CLEANUP(X509_REQ *, X509_REQ_free);

static bool is_of(X509_REQ *request, const char *registration_id) {
        char name[COMMON_NAME_MAX + 1];

        return X509_NAME_get_text_by_NID(X509_REQ_get_subject_name(request), NID_commonName, name,
                                         sizeof(name)) >= 0 &&
               streq(name, registration_id);
}

static const char *sign(Authority *authority, const char *registration_id, const char *pem,
                        char **ret_pem) {
        _cleanup_(X509_REQ_freep) X509_REQ *request = NULL;
        const char *why = NULL;
        Fingerprint id;

        request = authority_read_request(pem, &why);
        if (!request)
                return why;
        if (!is_of(request, registration_id))
                return "The common name of the request is not the registration id.";
        if (authority_sign(authority, X509_REQ_get_X509_PUBKEY(request), ret_pem, &id) < 0)
                return "The certificate cannot be signed.";
        return NULL;
}

/* The request as PEM, in lines as they ought to be. */
static char *armour(const char *base64) {
        char *pem = NULL;
        size_t size = 0;
        FILE *out = open_memstream(&pem, &size);

        if (!out)
                return NULL;
        fputs("-----BEGIN CERTIFICATE REQUEST-----\n", out);
        for (size_t n = strlen(base64), i = 0; i < n; i += LINE_LENGTH)
                fprintf(out, "%.*s\n", LINE_LENGTH, base64 + i);
        fputs("-----END CERTIFICATE REQUEST-----\n", out);
        return fclose(out) == 0 ? pem : NULL;
}

/* PEM without its armour and line ends. */
static char *bare(const char *pem) {
        const char *p = strchr(pem, '\n'), *end = strstr(pem, "\n-----END");
        char *text = malloc(strlen(pem) + 1), *out = text;

        for (; text && p && p < end; p++)
                if (*p != '\n')
                        *out++ = *p;
        if (out)
                *out = '\0';
        return text;
}

const char *dps_issue(Authority *authority, const char *api_version, const char *registration_id,
                      const json_t *body, json_t **ret) {
        bool chain = streq(api_version, "2025-07-01-preview");
        bool single = streq(api_version, "2021-11-01-preview");
        const char *csr =
                json_string_value(json_object_get(body, chain ? "csr" : "clientCertificateCsr"));
        _cleanup_free_ char *request = NULL, *certificate = NULL, *text = NULL;
        const char *why;

        if (!csr || (!chain && !single))
                return NULL;
        if (single)
                request = strdup(csr);
        else if (strpbrk(csr, "-\n"))
                return "The request wants to be base64 without armour and line ends.";
        else
                request = armour(csr);
        if (!request)
                return "Out of memory.";
        why = sign(authority, registration_id, request, &certificate);
        if (why)
                return why;
        text = chain ? bare(certificate) : NULL;
        *ret = chain ? json_pack("{s:[s]}", "issuedCertificateChain", text)
                     : json_pack("{s:s}", "issuedClientCertificate", certificate);
        return NULL;
}
