/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>

#include "tests/unit/manager/bench.h"

const char *claim_key = "a key";
unsigned claims_loaded;

int claim_load(const Profile *p, TokenPool *tokens, Claim **ret, Failure **ret_failure) {
        Claim *c;

        claims_loaded++;
        if (!claim_key) {
                *ret_failure = failure_new(ERROR_NOT_INITIALIZED, "no claim");
                return -ENOENT;
        }
        c = calloc(1, sizeof(Claim));
        ck_assert_ptr_nonnull(c);
        c->trusted = secret_new("roots", 5);
        c->certificate = secret_new("certificate", 11);
        c->private_key = secret_new(claim_key, strlen(claim_key));
        *ret = c;
        return 0;
}

int claim_load_way(const Profile *p, Secret **ret_trusted, Secret **ret_proxy_credentials,
                   Failure **ret_failure) {
        *ret_trusted = secret_new("roots", 5);
        *ret_proxy_credentials = NULL;
        return 0;
}

Claim *claim_free(Claim *c) {
        if (!c)
                return NULL;
        secret_free(c->trusted);
        secret_free(c->certificate);
        secret_free(c->private_key);
        free(c);
        return NULL;
}

bool claim_equal(const Claim *a, const Claim *b) {
        return a && b && secret_equal(a->private_key, b->private_key);
}

void claim_files(const Profile *p, const char *ret[static CLAIM_FILES]) {
        ret[0] = p->trusted_certificates;
        ret[1] = p->certificate;
        ret[2] = p->private_key;
        ret[3] = p->private_key_password;
}
