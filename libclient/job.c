/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "libclient/job.h"

#include <errno.h>

#include "protocol/ipc/error-code.h"
#include "protocol/ipc/limits.h"
#include "protocol/ipc/vocabulary.h"

_Static_assert((int) FLEETPROV_STATE_QUEUED == (int) JOB_QUEUED, "states differ");
_Static_assert((int) FLEETPROV_STATE_RUNNING == (int) JOB_RUNNING, "states differ");
_Static_assert((int) FLEETPROV_STATE_SUCCEEDED == (int) JOB_SUCCEEDED, "states differ");
_Static_assert((int) FLEETPROV_STATE_FAILED == (int) JOB_FAILED, "states differ");
_Static_assert((int) FLEETPROV_STATE_CANCELLED == (int) JOB_CANCELLED, "states differ");
_Static_assert((int) FLEETPROV_STATE_EXPIRED == (int) JOB_EXPIRED, "states differ");

_public_ const char *fleetprov_state_to_string(int state) {
        return job_state_to_string((JobState) state);
}

_public_ int fleetprov_state_is_final(int state) {
        return job_state_is_final((JobState) state);
}

_public_ fleetprov_job *fleetprov_job_free(fleetprov_job *job) {
        if (!job)
                return NULL;
        free(job->id);
        free(job->key);
        free(job->operation);
        free(job->profile);
        free(job->phase);
        string_map_done(&job->parameters);
        string_list_done(&job->left_certificates);
        for (size_t i = 0; i < job->n_history; i++) {
                free(job->history[i].state);
                free(job->history[i].phase);
                free(job->history[i].message);
        }
        free(job->history);
        fleetprov_error_free(job->error);
        fleetprov_error_free(job->waiting_for);
        free(job);
        return NULL;
}

static int state_from_string(const char *s) {
        int state = (int) job_state_from_string(s);

        return state < 0 ? FLEETPROV_STATE_UNKNOWN : state;
}

static int read_state(sd_bus_message *m, void *to, _unused_ unsigned depth) {
        int *state = to, r;
        const char *s;

        r = sd_bus_message_read(m, "v", "s", &s);
        if (r >= 0)
                *state = state_from_string(s);
        return r;
}

static int add_history(fleetprov_job *job, uint64_t time, const char *state, const char *phase,
                       const char *message) {
        HistoryEntry *history, *e;

        history = reallocarray(job->history, job->n_history + 1, sizeof(HistoryEntry));
        if (!history)
                return -ENOMEM;
        job->history = history;
        e = &history[job->n_history++];
        *e = (HistoryEntry){
                .time = time,
                .state = strdup(state),
                .phase = strdup(phase),
                .message = strdup(message),
        };
        return e->state && e->phase && e->message ? 0 : -ENOMEM;
}

/* The field's place is the job itself: list and count are filled together. */
static int read_history(sd_bus_message *m, void *to, _unused_ unsigned depth) {
        const char *state, *phase, *message;
        fleetprov_job *job = to;
        uint64_t time;
        int r;

        r = sd_bus_message_enter_container(m, 'v', "a(tsss)");
        if (r < 0)
                return r;
        r = sd_bus_message_enter_container(m, 'a', "(tsss)");
        if (r < 0)
                return r;
        while ((r = sd_bus_message_read(m, "(tsss)", &time, &state, &phase, &message)) > 0) {
                r = add_history(job, time, state, phase, message);
                if (r < 0)
                        return r;
        }
        if (r < 0)
                return r;
        r = sd_bus_message_exit_container(m);
        return r < 0 ? r : sd_bus_message_exit_container(m);
}

static fleetprov_job *job_alloc(void) {
        fleetprov_job *job = calloc(1, sizeof(fleetprov_job));

        if (job) {
                job->state = FLEETPROV_STATE_UNKNOWN;
                job->deadline = FLEETPROV_FOREVER;
        }
        return job;
}

int job_read_details(sd_bus_message *m, fleetprov_job **ret) {
        static const DictField fields[] = {
                {"id", dict_read_string, offsetof(fleetprov_job, id)},
                {"key", dict_read_string, offsetof(fleetprov_job, key)},
                {"operation", dict_read_string, offsetof(fleetprov_job, operation)},
                {"profile", dict_read_string, offsetof(fleetprov_job, profile)},
                {"owner", dict_read_u32, offsetof(fleetprov_job, owner)},
                {"state", read_state, offsetof(fleetprov_job, state)},
                {"phase", dict_read_string, offsetof(fleetprov_job, phase)},
                {"attempts", dict_read_u32, offsetof(fleetprov_job, attempts)},
                {"created", dict_read_u64, offsetof(fleetprov_job, created)},
                {"started", dict_read_u64, offsetof(fleetprov_job, started)},
                {"finished", dict_read_u64, offsetof(fleetprov_job, finished)},
                {"deadlineUsec", dict_read_u64, offsetof(fleetprov_job, deadline)},
                {"parameters", dict_read_string_map, offsetof(fleetprov_job, parameters)},
                {"leftCertificates", dict_read_strings, offsetof(fleetprov_job, left_certificates)},
                {"acknowledged", dict_read_bool, offsetof(fleetprov_job, acknowledged)},
                {"history", read_history, 0},
                {"error", error_read, offsetof(fleetprov_job, error)},
                {"waitingFor", error_read, offsetof(fleetprov_job, waiting_for)},
        };
        _cleanup_(fleetprov_job_freep) fleetprov_job *job = job_alloc();
        int r;

        if (!job)
                return -ENOMEM;
        r = dict_read(m, fields, ELEMENTSOF(fields), job, 0);
        if (r < 0)
                return r;
        if (!job->id || !ipc_job_id_is_valid(job->id))
                return -EBADMSG;
        job->n_left_certificates = (uint32_t) job->left_certificates.n;
        *ret = TAKE_PTR(job);
        return 0;
}

int job_read_row(sd_bus_message *m, fleetprov_job **ret) {
        const char *path, *id, *operation, *profile, *state, *phase, *code;
        _cleanup_(fleetprov_job_freep) fleetprov_job *job = job_alloc();
        int r;

        if (!job)
                return -ENOMEM;
        r = sd_bus_message_read(m, "(osssssuutttus)", &path, &id, &operation, &profile, &state,
                                &phase, &job->owner, &job->attempts, &job->created, &job->started,
                                &job->finished, &job->n_left_certificates, &code);
        if (r < 0)
                return r == -ENXIO ? -EBADMSG : r;
        if (r == 0) {
                *ret = NULL;
                return 0;
        }
        if (!ipc_job_id_is_valid(id))
                return -EBADMSG;
        job->id = strdup(id);
        job->operation = strdup(operation);
        job->profile = strdup(profile);
        job->phase = strdup(phase);
        job->state = state_from_string(state);
        if (!job->id || !job->operation || !job->profile || !job->phase)
                return -ENOMEM;
        if (*code) {
                int c = (int) error_code_from_string(code);

                job->error = error_new(c < 0 ? FLEETPROV_INTERNAL_FAILURE : c, "%s", code);
                if (!job->error)
                        return -ENOMEM;
        }
        *ret = TAKE_PTR(job);
        return 1;
}
