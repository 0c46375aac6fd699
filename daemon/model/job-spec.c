/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/model/job-spec.h"

JobSpec *job_spec_new(Operation operation, const char *profile) {
        _cleanup_job_spec_ JobSpec *spec = calloc(1, sizeof(JobSpec));

        if (!spec || free_and_strdup(&spec->profile, profile) < 0)
                return NULL;
        spec->operation = operation;
        spec->key_type = KEY_TYPE_INVALID;
        spec->key_source = KEY_SOURCE_INVALID;
        return TAKE_PTR(spec);
}

JobSpec *job_spec_free(JobSpec *spec) {
        if (!spec)
                return NULL;
        free(spec->profile);
        free(spec->key);
        parameters_done(&spec->parameters);
        free(spec->csr);
        free(spec->payload);
        free(spec->registration_id);
        free(spec->certificate);
        secret_free(spec->private_key);
        secret_free(spec->ownership_token);
        free(spec);
        return NULL;
}

bool job_spec_same_request(const JobSpec *a, const JobSpec *b) {
        return a->operation == b->operation && streq_ptr(a->csr, b->csr) &&
               streq_ptr(a->registration_id, b->registration_id) &&
               streq_ptr(a->certificate, b->certificate);
}
