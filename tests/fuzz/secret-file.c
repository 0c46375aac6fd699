/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The file of a job's sealed secrets, as it is found beside the job. An input is the whole file,
 * read under the job and the keys of this target: keys that have sealed nothing but the secrets
 * named here, in files of the corpus.
 *
 *   - 0, -EBADMSG or -ENOKEY
 *   - what opens is what was sealed, each field in its place; whatever else was done to the file
 *   - what opens was found good without being opened, too
 *   - nothing opens as another job's */

#include <errno.h>
#include <stdio.h>

#include "daemon/crypto/crypto.h"
#include "daemon/model/peer.h"
#include "daemon/store/secret-file.h"
#include "tests/fuzz/fuzz.h"

#define KEY "private key"
#define TOKEN "token"
#define SYMMETRIC "symmetric"
#define CLAIM "claim"

typedef struct World {
        StateKeys keys;
        SecretContext context, other;
} World;

static void make_context(const char *id, SecretContext *ret) {
        Peer owner = {.door = (char[]){"main"}, .uid = 1000};
        JobSpec spec = {.operation = OPERATION_PROVISION};
        Job job = {.owner = &owner, .spec = &spec, .profile_fingerprint = (char[]){"00ff"}};

        (void) snprintf(job.id, sizeof(job.id), "%s", id);
        must(secret_context_make(&job, ret) == 0);
}

static void make_key(uint8_t byte, SealKey **ret) {
        uint8_t bytes[SEAL_KEY_SIZE];
        _cleanup_secret_ Secret *secret = NULL;

        memset(bytes, byte, sizeof(bytes));
        secret = secret_new(bytes, sizeof(bytes));
        must(seal_key_from_secret(secret, ret) == 0);
}

static void world_make(World *w) {
        must(crypto_init() == 0);
        make_key(1, &w->keys.keys[0]);
        make_key(2, &w->keys.keys[1]);
        w->keys.n = 2;
        make_context("00112233445566778899aabbccddeeff", &w->context);
        make_context("00112233445566778899aabbccddeefe", &w->other);
}

static void world_done(World *w) {
        state_keys_done(&w->keys);
        secret_context_done(&w->context);
        secret_context_done(&w->other);
}

static void check_secret(const Secret *secret, const char *text) {
        must(!secret ||
             (secret->size == strlen(text) && memcmp(secret->data, text, strlen(text)) == 0));
}

static void check_good(const World *w, const uint8_t *data, size_t size,
                       const JobSecrets *secrets) {
        char id[SEAL_KEY_ID_LENGTH + 1];

        check_secret(secrets->private_key, KEY);
        check_secret(secrets->ownership_token, TOKEN);
        check_secret(secrets->symmetric_key, SYMMETRIC);
        check_secret(secrets->claim_key, CLAIM);
        must(secret_file_check(&w->keys, data, size, id) == 0);
}

static void try_open(const World *w, const uint8_t *data, size_t size) {
        _cleanup_(job_secrets_done) JobSecrets secrets = {}, none = {};
        char id[SEAL_KEY_ID_LENGTH + 1];
        int r, checked;

        r = secret_file_unseal(&w->keys, &w->context, data, size, &secrets);
        checked = secret_file_check(&w->keys, data, size, id);
        must(r == 0 || r == -EBADMSG || r == -ENOKEY);
        must(checked == 0 || checked == -EBADMSG || checked == -ENOKEY);
        if (checked == -ENOKEY)
                must(strspn(id, "0123456789abcdef") == SEAL_KEY_ID_LENGTH && r < 0);
        if (r < 0) {
                must(job_secrets_is_empty(&secrets));
                return;
        }
        check_good(w, data, size, &secrets);
        r = secret_file_unseal(&w->keys, &w->other, data, size, &none);
        must(r == -EBADMSG || job_secrets_is_empty(&secrets));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_(world_done) World w = {};

        world_make(&w);
        try_open(&w, data, size);
        return 0;
}
