/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The public face of a job: getters alone. */

#include "libclient/job.h"

_public_ const char *fleetprov_job_get_id(const fleetprov_job *job) {
        return job ? job->id : NULL;
}

_public_ const char *fleetprov_job_get_key(const fleetprov_job *job) {
        return job && job->key && *job->key ? job->key : NULL;
}

_public_ const char *fleetprov_job_get_operation(const fleetprov_job *job) {
        return job ? job->operation : NULL;
}

_public_ const char *fleetprov_job_get_profile(const fleetprov_job *job) {
        return job ? job->profile : NULL;
}

_public_ uint32_t fleetprov_job_get_owner(const fleetprov_job *job) {
        return job ? job->owner : 0;
}

_public_ int fleetprov_job_get_state(const fleetprov_job *job) {
        return job ? job->state : FLEETPROV_STATE_UNKNOWN;
}

_public_ const char *fleetprov_job_get_phase(const fleetprov_job *job) {
        return job && job->phase ? job->phase : "";
}

_public_ uint32_t fleetprov_job_get_attempts(const fleetprov_job *job) {
        return job ? job->attempts : 0;
}

_public_ uint64_t fleetprov_job_get_created(const fleetprov_job *job) {
        return job ? job->created : 0;
}

_public_ uint64_t fleetprov_job_get_started(const fleetprov_job *job) {
        return job ? job->started : 0;
}

_public_ uint64_t fleetprov_job_get_finished(const fleetprov_job *job) {
        return job ? job->finished : 0;
}

_public_ uint64_t fleetprov_job_get_deadline(const fleetprov_job *job) {
        return job ? job->deadline : FLEETPROV_FOREVER;
}

_public_ int fleetprov_job_get_acknowledged(const fleetprov_job *job) {
        return job && job->acknowledged;
}

_public_ int fleetprov_job_enumerate_parameters(const fleetprov_job *job, size_t index,
                                                const char **ret_name, const char **ret_value) {
        return job ? string_map_enumerate(&job->parameters, index, ret_name, ret_value) : 0;
}

_public_ uint32_t fleetprov_job_get_n_left_certificates(const fleetprov_job *job) {
        return job ? job->n_left_certificates : 0;
}

_public_ const char *fleetprov_job_get_left_certificate(const fleetprov_job *job, size_t index) {
        return job && index < job->left_certificates.n ? job->left_certificates.strings[index]
                                                       : NULL;
}

_public_ int fleetprov_job_enumerate_history(const fleetprov_job *job, size_t index,
                                             uint64_t *ret_time, const char **ret_state,
                                             const char **ret_phase, const char **ret_message) {
        const HistoryEntry *e;

        if (!job || index >= job->n_history)
                return 0;
        e = &job->history[index];
        if (ret_time)
                *ret_time = e->time;
        if (ret_state)
                *ret_state = e->state;
        if (ret_phase)
                *ret_phase = e->phase;
        if (ret_message)
                *ret_message = e->message;
        return 1;
}

_public_ const fleetprov_error *fleetprov_job_get_error(const fleetprov_job *job) {
        return job ? job->error : NULL;
}

_public_ const fleetprov_error *fleetprov_job_get_waiting_for(const fleetprov_job *job) {
        return job ? job->waiting_for : NULL;
}
