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
                     : json_pack("{s:s, s:{s:s, s:[{s:s}]}}", "issuedClientCertificate",
                                 certificate, "trustBundle", "id", "bundle", "certificates",
                                 "certificate", certificate);
        return NULL;
}

#define CHAIN "issuedCertificateChain"
#define TOO_MANY 9 /* than a chain that anybody takes */

/* For a key of nobody's, in the form of the chain. */
static char *issue_for_nobody(Authority *authority) {
        _cleanup_free_ char *pem = NULL;
        EVP_PKEY *key = EVP_EC_gen("P-256");
        X509_PUBKEY *public_key = NULL;
        char *text = NULL;
        Fingerprint id;

        if (key && X509_PUBKEY_set(&public_key, key) == 1 &&
            authority_sign(authority, public_key, &pem, &id) >= 0)
                text = bare(pem);
        X509_PUBKEY_free(public_key);
        EVP_PKEY_free(key);
        return text;
}

static json_t *repeat(const char *leaf, size_t n) {
        json_t *list = json_array();

        for (size_t i = 0; i < n; i++)
                json_array_append_new(list, json_string(leaf));
        return list;
}

static json_t *spoil_chain(Authority *authority, const char *leaf, const char *how) {
        _cleanup_free_ char *text = NULL;

        if (streq(how, "empty"))
                return json_array();
        if (streq(how, "one-text"))
                return json_string(leaf);
        if (streq(how, "number"))
                return json_pack("[i]", 7);
        if (streq(how, "no-base64"))
                return json_pack("[s]", "no base64!");
        if (streq(how, "no-certificate"))
                return json_pack("[s]", "bm8gY2VydGlmaWNhdGU=");
        if (streq(how, "torn"))
                return json_pack("[s%]", leaf, strlen(leaf) / 8 * 4);
        if (streq(how, "other-key")) {
                text = issue_for_nobody(authority);
                return json_pack("[s]", text ? text : "");
        }
        if (streq(how, "chain"))
                return repeat(leaf, 2);
        if (streq(how, "too-many"))
                return repeat(leaf, TOO_MANY);
        return repeat(leaf, 1);
}

json_t *dps_issue_spoiled(Authority *authority, const json_t *issued, const char *how) {
        const char *leaf = json_string_value(json_array_get(json_object_get(issued, CHAIN), 0));
        json_t *spoiled;

        if (!leaf || streq(how, "none"))
                return NULL;
        spoiled = json_pack("{s:o}", CHAIN, spoil_chain(authority, leaf, how));
        if (streq(how, "unknown"))
                json_object_set_new(spoiled, "issuedWithLove",
                                    json_pack("{s:[i, n], s:f}", "by", 7, "degree", 0.5));
        return spoiled;
}
