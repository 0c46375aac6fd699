/* SPDX-License-Identifier: GPL-2.0-or-later */

/* What a job brings along to its registration, from its request and from an earlier try or life. */

#include <errno.h>

#include "daemon/crypto/csr.h"
#include "daemon/crypto/key.h"
#include "daemon/provider/dps-internal.h"
#include "daemon/provider/key-place.h"
#include "daemon/provider/lane.h"

const char *registrar_id_of(const Profile *profile, const JobSpec *spec) {
        return profile->dps.registration_id ? profile->dps.registration_id : spec->registration_id;
}

/* A version that does is chosen for it. */
bool registrar_issues(const Profile *profile) {
        return dps_issuance_of_version(profile->dps.api_version) != DPS_ISSUANCE_NONE;
}

bool dps_run_wants_certificate(const Job *job) {
        return job->run->assignment.issues;
}

/* The key of an earlier try, and a request with it. A key that cannot be read is none. */
static int adopt_key(JobRun *run, const char *id) {
        _cleanup_crypto_key_ CryptoKey *key = NULL;
        int r;

        r = crypto_key_from_pem(run->secrets.private_key, NULL, &key, NULL);
        if (r >= 0)
                r = crypto_key_public_der(key, &run->spki, &run->spki_size);
        if (r >= 0)
                r = csr_make(key, id, &run->csr);
        if (r == -ENOMEM)
                return r;
        if (r >= 0)
                assignment_has_key(&run->assignment);
        return 0;
}

static int fill_run(const Registrar *r, Job *job, const JobSecrets *stored) {
        JobRun *run = job->run;
        bool makes_key = !job->spec->csr && registrar_issues(r->profile);
        int k;

        assignment_init(&run->assignment, makes_key, r->secondary_key != NULL);
        if (stored) {
                k = job_secrets_copy(stored, &run->secrets);
                if (k < 0)
                        return k;
        }
        if (makes_key && r->profile->key_store)
                assignment_keeps_key_in_token(&run->assignment);
        else
                key_place_leave(job);
        k = 0;
        if (job->spec->csr) {
                assignment_certifies(&run->assignment);
                k = job_run_adopt_csr(run, job->spec->csr);
        } else if (makes_key && !r->profile->key_store && run->secrets.private_key)
                k = adopt_key(run, registrar_id_of(r->profile, job->spec));
        if (k >= 0 && job->result.operation_id)
                assignment_has_operation(&run->assignment);
        return k;
}

int dps_run_begin(const Registrar *r, Job *job, const JobSecrets *stored) {
        int k;

        if (!dps_registration_id_is_valid(registrar_id_of(r->profile, job->spec)))
                return -EINVAL;
        if (job->run)
                return 0;
        job->run = calloc(1, sizeof(JobRun));
        if (!job->run)
                return -ENOMEM;
        k = fill_run(r, job, stored);
        if (k < 0)
                job_run_free(job);
        return k;
}

void dps_run_forget_operation(Job *job) {
        free(TAKE_PTR(job->result.operation_id));
}
