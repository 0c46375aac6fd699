/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The private key that a rotation is handed. It is sealed with the request, before the caller is
 * answered; it stays while the job may need it; and it goes when the job has ended.
 *
 * It goes right after the end is on record, and not with it: the secrets are written before the
 * line that tells of them, and a power cut between the two would leave a job that is at work
 * without the key that it works with. */

#include <errno.h>

#include "daemon/base/log.h"
#include "daemon/crypto/certificate.h"
#include "daemon/crypto/key.h"
#include "daemon/manager/manager-internal.h"

/* --- is it one */

static Failure *bad(const char *option, const char *why) {
        return failure_new(ERROR_BAD_PARAMETER, "Option '%s': %s", option,
                           why ? why : "out of memory");
}

static Failure *missing(const char *option) {
        return failure_new(ERROR_BAD_PARAMETER,
                           "Option '%s' is missing: rotate needs the certificate in force and its "
                           "key%s",
                           option,
                           streq(option, "private-key")
                                   ? "; it may be left out where that is in the token of KeyStore="
                                   : "");
}

static Failure *check_certificate(const JobSpec *spec) {
        _cleanup_certificate_ Certificate *certificate = NULL;
        _cleanup_free_ char *why = NULL;

        return certificate_parse(spec->certificate, strlen(spec->certificate), &certificate, &why) <
                               0
                       ? bad("certificate", why)
                       : NULL;
}

static Failure *check_pair(JobSpec *spec, CryptoKey *key) {
        _cleanup_certificate_ Certificate *certificate = NULL;
        _cleanup_free_ char *why = NULL;
        Secret *pem;
        int r;

        if (certificate_parse(spec->certificate, strlen(spec->certificate), &certificate, &why) < 0)
                return bad("certificate", why);
        r = crypto_key_matches_certificate(key, certificate, &why);
        if (r == -EKEYREJECTED)
                return failure_new(ERROR_KEY_MISMATCH,
                                   "Options 'certificate' and 'private-key' are no pair: %s",
                                   why ? why : "");
        if (r >= 0)
                r = crypto_key_to_pem(key, &pem);
        if (r < 0)
                return failure_from_errno(r, "Option 'private-key'");
        secret_free(spec->private_key);
        spec->private_key = pem;
        return NULL;
}

Failure *claim_key_check(JobSpec *spec, const Profile *profile) {
        _cleanup_crypto_key_ CryptoKey *key = NULL;
        _cleanup_free_ char *why = NULL;

        if (!spec->certificate)
                return missing("certificate");
        if (!spec->private_key) /* see rotation-key.c */
                return profile->key_store ? check_certificate(spec) : missing("private-key");
        if (crypto_key_from_pem(spec->private_key, NULL, &key, &why) < 0)
                return bad("private-key", why);
        return check_pair(spec, key);
}

/* --- at its end */

static void on_erased(Job *job, int error, void *userdata) {
        /* RetainSec= erases all of it, and so does the next start. */
        if (error < 0)
                log_error_errno(error, "Job %s: the key that was handed in cannot be erased yet",
                                job->id);
}

/* Between its end and this, the caller may have fetched the result and have had all erased, or may
 * have asked for the job again. */
static bool still_stands(const Job *job) {
        return job_state_is_final(job->state) && job->secrets_stored && !job->errand->releasing &&
               !job->errand->creating && job->errand->secrets_coming == SECRETS_KEEP;
}

static void on_read_at_end(Job *job, int error, const JobSecrets *secrets, void *userdata) {
        JobSecrets kept = {};

        if (!still_stands(job) || error < 0 || !secrets->claim_key)
                return;
        /* A certificate that was made, and is not delivered, wants its key, and its token until it
         * is registered. */
        if (job->result.certificate_id) {
                kept.private_key = secrets->private_key;
                kept.ownership_token = job->result.thing_name ? NULL : secrets->ownership_token;
        }
        change_commit(
                &(Change){.job = job,
                          .state = job->state,
                          .phase = job->phase,
                          .failure = failure_copy(job->failure),
                          .secrets = job_secrets_is_empty(&kept) ? SECRETS_ERASE : SECRETS_REPLACE,
                          .new_secrets = &kept,
                          .acknowledged = job->acknowledged,
                          .done = on_erased});
}

void claim_key_erase(Job *job) {
        if (job->spec->operation == OPERATION_ROTATE && job->secrets_stored)
                (void) errand_read_secrets(job, on_read_at_end, NULL);
}

/* --- at a second submission */

typedef struct Merge {
        JobSpec *spec;
        ClaimKeyThen then;
} Merge;

/* What stands there may be unreadable: then the job begins from nothing. */
static void merge(Job *job, JobSpec *spec, const JobSecrets *stored, ClaimKeyThen then) {
        JobSecrets secrets = {};

        if (stored && job_secrets_copy(stored, &secrets) < 0)
                secrets = (JobSecrets){};
        secret_free(secrets.claim_key);
        secrets.claim_key = TAKE_PTR(spec->private_key);
        then(job, spec, &secrets);
        job_secrets_done(&secrets);
}

static void on_read_to_merge(Job *job, int error, const JobSecrets *stored, void *userdata) {
        _cleanup_free_ Merge *m = userdata;

        merge(job, m->spec, stored, m->then);
}

void claim_key_merge(Job *job, JobSpec *spec, ClaimKeyThen then) {
        Merge *m = job->secrets_stored ? calloc(1, sizeof(Merge)) : NULL;

        if (m) {
                *m = (Merge){.spec = spec, .then = then};
                /* The job is being submitted, and cannot go meanwhile. */
                if (errand_read_secrets(job, on_read_to_merge, m) >= 0)
                        return;
                free(m);
        }
        merge(job, spec, NULL, then);
}
