/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The key of a certificate that is to be rotated, where nobody can bring it: it is in the token of
 * KeyStore=. No option names it, since callers name no keys in tokens: it is found by its
 * certificate. A certificate is no secret, so that alone gives nobody the right to a new identity:
 * the key must have been made for the same owner, as its label says (provider/key-name.h); root may
 * have anybody's rotated. */

#include <errno.h>

#include "daemon/crypto/certificate.h"
#include "daemon/manager/manager-internal.h"
#include "daemon/provider/key-name.h"

struct RotationKey {
        Token *store;
        Certificate *certificate;
        char *prefix;
        TokenKey *key;
        int error;
        char *why;
        /* Loop thread only. */
        Slot *slot; /* NULL: nobody waits for it any more */
        RotationKeyDone done;
};

static void key_run(void *task) {
        RotationKey *k = task;

        k->error = token_key_find_of(k->store, k->certificate, k->prefix, &k->key, &k->why);
}

static void key_complete(void *task, void *userdata) {
        RotationKey *k = task;

        if (k->slot)
                k->done(k->slot, k->key, k->error, k->why);
}

static void key_destroy(void *task) {
        RotationKey *k = task;

        token_unref(k->store);
        certificate_free(k->certificate);
        token_key_unref(k->key);
        free(k->prefix);
        free(k->why);
        free(k);
}

static const WorkerTaskType key_type = {
        .run = key_run, .complete = key_complete, .destroy = key_destroy};

int rotation_key_find(Slot *s, const Job *job, RotationKeyDone done, RotationKey **ret) {
        const char *pem = job->spec->certificate;
        RotationKey *k;
        int r;

        if (!s->key_store)
                return -ENODEV;
        k = calloc(1, sizeof(RotationKey));
        if (!k)
                return -ENOMEM;
        *k = (RotationKey){.store = token_ref(s->key_store), .slot = s, .done = done};
        r = certificate_parse(pem, strlen(pem), &k->certificate, NULL);
        if (r >= 0)
                r = key_name_prefix(job->owner, &k->prefix);
        if (r < 0) {
                key_destroy(k);
                return r;
        }
        r = worker_submit(s->manager->tokens, &key_type, k, NULL);
        if (r < 0)
                return r; /* the worker destroyed it */
        *ret = k;
        return 0;
}

RotationKey *rotation_key_forget(RotationKey *k) {
        if (k)
                k->slot = NULL;
        return NULL;
}
