/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/cloud/plugin/registry.h"

#include <errno.h>
#include <search.h>
#include <stddef.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/rand.h>

#include "tests/cloud/plugin/wake.h"

/* Of certificates, and so of tokens: some 500 bytes each. */
#define CERTIFICATES_MAX 1000000

/* Random bytes in a token; a multiple of 3, so that its base64 form has no padding. The service's
 * own tokens are of about this length. */
#define TOKEN_BYTES 351
#define TOKEN_LENGTH (TOKEN_BYTES / 3 * 4)

struct Registry {
        void *certificates; /* a tsearch(3) tree by id */
        void *tokens;       /* … by digest */
        size_t n_certificates;
};

static const char *const state_table[] = {
        [CERTIFICATE_PENDING] = "PENDING_ACTIVATION",
        [CERTIFICATE_ACTIVE] = "ACTIVE",
        [CERTIFICATE_INACTIVE] = "INACTIVE",
};

/* Both kinds of node begin with their key. */
_Static_assert(offsetof(Certificate, id) == 0, "certificates are compared by their first member");
_Static_assert(offsetof(Token, digest) == 0, "tokens are compared by their first member");

static int compare_keys(const void *a, const void *b) {
        return strcmp(a, b);
}

static void free_certificate(void *p) {
        Certificate *certificate = p;

        free(certificate->thing);
        free(certificate);
}

int registry_new(Registry **ret) {
        *ret = calloc(1, sizeof(**ret));
        return *ret ? 0 : -ENOMEM;
}

Registry *registry_free(Registry *registry) {
        if (!registry)
                return NULL;
        tdestroy(registry->tokens, free);
        tdestroy(registry->certificates, free_certificate);
        free(registry);
        return NULL;
}

static int digest_token(const char *token, char ret[FINGERPRINT_LENGTH + 1]) {
        static const char digits[] = "0123456789abcdef";
        unsigned char digest[EVP_MAX_MD_SIZE];
        unsigned n = 0;

        if (EVP_Digest(token, strlen(token), digest, &n, EVP_sha256(), NULL) != 1)
                return -EIO;
        for (unsigned i = 0; i < n; i++) {
                ret[2 * i] = digits[digest[i] >> 4];
                ret[2 * i + 1] = digits[digest[i] & 0xf];
        }
        ret[FINGERPRINT_LENGTH] = '\0';
        return 0;
}

static char *make_token(void) {
        unsigned char bytes[TOKEN_BYTES];
        char *token = malloc(TOKEN_LENGTH + 1);

        if (!token)
                return NULL;
        if (RAND_bytes(bytes, sizeof(bytes)) != 1) {
                free(token);
                return NULL;
        }
        EVP_EncodeBlock((unsigned char *) token, bytes, sizeof(bytes));
        return token;
}

int registry_issue(Registry *registry, const Fingerprint *id, const Fingerprint *owner,
                   usec_t ttl_usec, char **ret_token) {
        _cleanup_free_ char *text = NULL;
        _cleanup_free_ Certificate *certificate = NULL;
        _cleanup_free_ Token *token = NULL;
        int r;

        if (registry->n_certificates >= CERTIFICATES_MAX)
                return -ENOSPC;
        if (registry_find(registry, id->hex))
                return -EEXIST;
        text = make_token();
        certificate = calloc(1, sizeof(*certificate));
        token = calloc(1, sizeof(*token));
        if (!text || !certificate || !token)
                return -ENOMEM;
        certificate->id = *id;
        token->certificate = certificate;
        token->owner = *owner;
        token->expires_usec = usec_add(wake_now(), ttl_usec);
        r = digest_token(text, token->digest);
        if (r < 0)
                return r;
        if (!tsearch(certificate, &registry->certificates, compare_keys))
                return -ENOMEM;
        registry->n_certificates++;
        TAKE_PTR(certificate);
        if (!tsearch(token, &registry->tokens, compare_keys))
                return -ENOMEM;
        TAKE_PTR(token);
        *ret_token = TAKE_PTR(text);
        return 0;
}

Certificate *registry_find(Registry *registry, const char *id) {
        Certificate *const *found = tfind(id, &registry->certificates, compare_keys);

        return found ? *found : NULL;
}

Token *registry_find_token(Registry *registry, const char *token) {
        char digest[FINGERPRINT_LENGTH + 1];
        Token *const *found;

        if (digest_token(token, digest) < 0)
                return NULL;
        found = tfind(digest, &registry->tokens, compare_keys);
        return found ? *found : NULL;
}

bool certificate_is_active(const Certificate *certificate) {
        return certificate->state == CERTIFICATE_ACTIVE &&
               wake_now() >= certificate->active_from_usec;
}

const char *certificate_state_to_string(CertificateState state) {
        return state_table[state];
}
