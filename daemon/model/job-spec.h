/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* What an application asks for: the arguments of Submit, checked for form, not yet for sense. */

#include "daemon/base/secret.h"
#include "daemon/model/parameters.h"
#include "protocol/ipc/vocabulary.h"

typedef struct JobSpec {
        Operation operation;
        char *profile; /* "" until the default is put in */
        char *key;     /* idempotency key, or NULL */
        Parameters parameters;
        char *csr;            /* PEM, or NULL */
        KeyType key_type;     /* KEY_TYPE_INVALID: as the profile says */
        KeySource key_source; /* KEY_SOURCE_INVALID: as the profile says */
        char *payload;        /* JSON text, or NULL */
        char *registration_id;
        usec_t deadline_usec;    /* from the submission on, boot time; 0: as the profile says */
        char *certificate;       /* rotate: PEM */
        Secret *private_key;     /* rotate */
        Secret *ownership_token; /* register-thing */
} JobSpec;

JobSpec *job_spec_new(Operation operation, const char *profile);
JobSpec *job_spec_free(JobSpec *spec);
DEFINE_CLEANUP(JobSpec *, job_spec_free);
#define _cleanup_job_spec_ _cleanup_(job_spec_freep)

/* Whether `b` asks for the same identity as `a`, which stands under the same idempotency key: the
 * operation, the CSR, the registration id and the certificate to be rotated are what makes it
 * another. */
bool job_spec_same_request(const JobSpec *a, const JobSpec *b);

/* How much memory it takes as long as its job is there, roughly; without its secrets, which go to
 * the disk. */
size_t job_spec_bytes(const JobSpec *spec);
