/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/provider/job-run.h"

#include <errno.h>

#include "daemon/crypto/csr.h"
#include "daemon/provider/key-place.h"
#include "daemon/provider/lane.h"

KeySource job_run_key_source(const Job *job, const Profile *profile) {
        if (job->spec->csr)
                return KEY_SOURCE_CALLER;
        if (job->spec->operation == OPERATION_CREATE_KEYS_AND_CERTIFICATE)
                return KEY_SOURCE_CLOUD;
        return job->spec->key_source == KEY_SOURCE_INVALID ? profile->key_source
                                                           : job->spec->key_source;
}

int job_run_adopt_csr(JobRun *run, const char *pem) {
        _cleanup_free_ uint8_t *spki = NULL;
        size_t size;
        int r;

        r = csr_public_key(pem, strlen(pem), &spki, &size);
        if (r < 0)
                return r == -ENOMEM ? r : -EINVAL;
        if (free_and_strdup(&run->csr, pem) < 0)
                return -ENOMEM;
        free(run->spki);
        run->spki = TAKE_PTR(spki);
        run->spki_size = size;
        return 0;
}

/* A certificate that an earlier try made is used first, as long as its token lives. It is
 * registered where it has a thing: that was stored when RegisterThing was answered. */
static int adopt_certificate(Job *job, usec_t now_boot) {
        JobRun *run = job->run;

        if (!exchange_goes_whole_way(job->spec->operation) || !job->result.certificate_id)
                return 0;
        if (job->result.thing_name &&
            (run->secrets.private_key || job->spec->csr || run->exchange.key_in_token)) {
                exchange_is_registered(&run->exchange);
                return 0;
        }
        if (run->secrets.ownership_token && now_boot - job->token_made_boot < TOKEN_USABLE_USEC) {
                exchange_has_certificate(&run->exchange);
                return 0;
        }
        return job_give_up_certificate(job);
}

/* It stays where it is, also where its profile has new ones made elsewhere. */
static bool has_key_in_token(const Job *job, const Profile *profile) {
        return job_run_key_source(job, profile) == KEY_SOURCE_DAEMON &&
               exchange_goes_whole_way(job->spec->operation) &&
               (profile->key_store || (job->result.private_key_uri && job->result.certificate_id));
}

static int fill_run(Job *job, const Profile *profile, const JobSecrets *stored, usec_t now_boot) {
        int r;

        exchange_init(&job->run->exchange, job->spec->operation, job_run_key_source(job, profile));
        if (profile->verify_certificate && exchange_goes_whole_way(job->spec->operation))
                exchange_wants_verify(&job->run->exchange);
        if (has_key_in_token(job, profile))
                exchange_keeps_key_in_token(&job->run->exchange);
        else
                key_place_leave(job);
        if (job->attempts > 1) /* this one counts already */
                exchange_was_tried(&job->run->exchange, job->attempts - 1);
        if (stored) {
                r = job_secrets_copy(stored, &job->run->secrets);
                if (r < 0)
                        return r;
        }
        if (job->spec->csr) {
                r = job_run_adopt_csr(job->run, job->spec->csr);
                if (r < 0)
                        return r;
        }
        return adopt_certificate(job, now_boot);
}

int job_run_begin(Job *job, const Profile *profile, const JobSecrets *stored, usec_t now_boot) {
        int r;

        if (job->run)
                return 0;
        job->run = calloc(1, sizeof(JobRun));
        if (!job->run)
                return -ENOMEM;
        r = fill_run(job, profile, stored, now_boot);
        if (r < 0)
                job_run_free(job);
        return r;
}

void job_run_free(Job *job) {
        JobRun *run = TAKE_PTR(job->run);

        if (!run)
                return;
        free(run->csr);
        free(run->spki);
        token_key_unref(run->token_key);
        job_secrets_done(&run->secrets);
        failure_free(run->failure);
        free(run);
}

KeyType job_run_key_type(const Job *job, const Profile *profile) {
        return job->spec->key_type == KEY_TYPE_INVALID ? profile->key_type : job->spec->key_type;
}

void job_run_take_key(JobRun *run, MadeKey *made) {
        free(run->csr);
        free(run->spki);
        secret_free(run->secrets.private_key);
        token_key_unref(run->token_key);
        run->csr = TAKE_PTR(made->csr);
        run->spki = TAKE_PTR(made->spki);
        run->spki_size = made->spki_size;
        run->secrets.private_key = TAKE_PTR(made->key);
        run->token_key = TAKE_PTR(made->token_key);
}

Failure *job_run_final_failure(const JobRun *run, JobState outcome) {
        Failure *cause = failure_copy(run->failure);

        switch (outcome) {
        case JOB_CANCELLED:
                return failure_with_cause(
                        failure_new(ERROR_CANCELLED, "The job was cancelled on request"), cause);
        case JOB_EXPIRED:
                return failure_with_cause(
                        failure_new(ERROR_EXPIRED, "The job's deadline passed before it was done"),
                        cause);
        case JOB_FAILED:
                return cause;
        case JOB_SUCCEEDED:
        case JOB_QUEUED:
        case JOB_RUNNING:
        case JOB_STATE_MAX:
        case JOB_STATE_INVALID:
                break;
        }
        failure_free(cause);
        return NULL;
}

int job_give_up_certificate(Job *job) {
        int r;

        r = job_note_left_certificate(job);
        if (r < 0)
                return r;
        free(TAKE_PTR(job->result.certificate_id));
        free(TAKE_PTR(job->result.certificate_pem));
        free(TAKE_PTR(job->result.thing_name));
        parameters_done(&job->result.device_configuration);
        job->result.has_device_configuration = false;
        job->token_made_boot = 0;
        if (job->run) {
                job->run->secrets.ownership_token = secret_free(job->run->secrets.ownership_token);
                job->run->secrets.private_key = secret_free(job->run->secrets.private_key);
        }
        return 0;
}
