/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/provider/key-place.h"

#include <errno.h>

#include "daemon/base/log.h"
#include "daemon/crypto/token-key.h"
#include "daemon/provider/key-name.h"

bool key_place_may_come(int error) {
        /* -EAGAIN: too many wait for a token that hangs. */
        return error == -ENODEV || error == -EAGAIN;
}

static ErrorCode code_of(int error) {
        switch (error) {
        case -ENOMEM:
                return ERROR_NO_MEMORY;
        case -ENOSPC:
                return ERROR_STORAGE;
        case -EIO:
        case -EINVAL:
                return ERROR_INTERNAL_FAILURE;
        default: /* the token, its module, its PIN */
                return ERROR_NOT_INITIALIZED;
        }
}

Failure *key_place_failure(const Profile *profile, int error, const char *why) {
        Failure *f;

        f = failure_new(code_of(error), "Profile %s: KeyStore=pkcs11:…: %s", profile->name,
                        why ? why : strerrordesc_np(-error));
        if (f)
                f->retriable = key_place_may_come(error);
        return f;
}

Failure *key_place_silence(const Profile *profile) {
        return key_place_failure(profile, -EAGAIN,
                                 "the token does not answer; look at the token and its reader");
}

static Failure *elsewhere(const Job *job, const Profile *profile) {
        return failure_new(
                ERROR_NOT_INITIALIZED,
                "The certificate of job %s belongs to the key %s, which is not in the token that "
                "KeyStore= of [Profile %s] names; name that one again, or release the job",
                job->id, job->result.private_key_uri, profile->name);
}

void key_place_leave(Job *job) {
        const LogField fields[] = {{"FLEETPROV_JOB", job->id}};

        if (!job->result.private_key_uri)
                return;
        log_message(LOG_WARNING, fields, ELEMENTSOF(fields),
                    "Job %s: KeyStore= is another one now; where the token has the key %s, remove "
                    "it by the token's own tools: nobody uses it.",
                    job->id, job->result.private_key_uri);
        free(TAKE_PTR(job->result.private_key_uri));
}

int key_place_choose(Job *job, const Profile *profile, const Token *store, Failure **ret_failure) {
        _cleanup_free_ char *uri = NULL;
        KeyName name;
        int r;

        if (!store) {
                *ret_failure = profile->key_store ? key_place_failure(profile, -ENODEV,
                                                                      "the token is not there yet")
                                                  : elsewhere(job, profile);
                return profile->key_store ? -ENODEV : -ENOKEY;
        }
        r = key_name_make(job->id, job->owner, &name);
        if (r >= 0)
                r = token_key_uri_of(store, name.label, name.id, sizeof(name.id), &uri);
        if (r < 0) {
                *ret_failure = failure_from_errno(r, "The key of job %s cannot be named", job->id);
                return r;
        }
        if (streq_ptr(uri, job->result.private_key_uri))
                return 0;
        if (job->result.private_key_uri && job->result.certificate_id) {
                *ret_failure = elsewhere(job, profile);
                return -ENOKEY;
        }
        key_place_leave(job);
        job->result.private_key_uri = TAKE_PTR(uri);
        return 1;
}
