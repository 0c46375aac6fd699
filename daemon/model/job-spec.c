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

/* What the allocator adds to a string, and a list to its items, is below this. */
#define STRING_OVERHEAD ((size_t) 32)

static size_t string_bytes(const char *s) {
        return s ? strlen(s) + STRING_OVERHEAD : 0;
}

size_t job_spec_bytes(const JobSpec *spec) {
        size_t bytes = sizeof(JobSpec) + string_bytes(spec->profile) + string_bytes(spec->key) +
                       string_bytes(spec->csr) + string_bytes(spec->payload) +
                       string_bytes(spec->registration_id) + string_bytes(spec->certificate);

        for (size_t i = 0; i < spec->parameters.n; i++)
                bytes += string_bytes(spec->parameters.items[i].name) +
                         string_bytes(spec->parameters.items[i].value);
        return bytes;
}
