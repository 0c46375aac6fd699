/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "libclient/event.h"

#include <errno.h>

fleetprov_event *event_new(int type) {
        fleetprov_event *event = calloc(1, sizeof(fleetprov_event));

        if (event) {
                event->type = type;
                event->state = FLEETPROV_STATE_UNKNOWN;
        }
        return event;
}

int event_add_job(fleetprov_event *event, fleetprov_job *job) {
        fleetprov_job **jobs;

        jobs = reallocarray(event->jobs, event->n_jobs + 1, sizeof(fleetprov_job *));
        if (!jobs) {
                fleetprov_job_free(job);
                return -ENOMEM;
        }
        event->jobs = jobs;
        event->jobs[event->n_jobs++] = job;
        return 0;
}

_public_ fleetprov_event *fleetprov_event_free(fleetprov_event *event) {
        if (!event)
                return NULL;
        fleetprov_error_free(event->error);
        free(event->job_id);
        free(event->phase);
        for (size_t i = 0; i < event->n_jobs; i++)
                fleetprov_job_free(event->jobs[i]);
        free(event->jobs);
        fleetprov_result_free(event->result);
        fleetprov_status_free(event->status);
        check_list_done(&event->checks);
        free(event);
        return NULL;
}

_public_ int fleetprov_event_get_type(const fleetprov_event *event) {
        return event ? event->type : -EINVAL;
}

_public_ uint64_t fleetprov_event_get_ticket(const fleetprov_event *event) {
        return event ? event->ticket : 0;
}

_public_ const fleetprov_error *fleetprov_event_get_error(const fleetprov_event *event) {
        /* Where memory was too short for the error itself, the fact must not get lost. */
        static const fleetprov_error no_memory = {.code = FLEETPROV_NO_MEMORY, .retriable = -1};

        if (!event || !event->failed)
                return NULL;
        return event->error ? event->error : &no_memory;
}

_public_ const char *fleetprov_event_get_job_id(const fleetprov_event *event) {
        return event ? event->job_id : NULL;
}

_public_ int fleetprov_event_get_state(const fleetprov_event *event) {
        return event ? event->state : FLEETPROV_STATE_UNKNOWN;
}

_public_ const char *fleetprov_event_get_phase(const fleetprov_event *event) {
        return event && event->phase ? event->phase : "";
}

_public_ size_t fleetprov_event_get_n_jobs(const fleetprov_event *event) {
        return event ? event->n_jobs : 0;
}

_public_ const fleetprov_job *fleetprov_event_get_job(const fleetprov_event *event, size_t index) {
        return event && index < event->n_jobs ? event->jobs[index] : NULL;
}

_public_ fleetprov_job *fleetprov_event_steal_job(fleetprov_event *event, size_t index) {
        return event && index < event->n_jobs ? TAKE_PTR(event->jobs[index]) : NULL;
}

_public_ fleetprov_result *fleetprov_event_steal_result(fleetprov_event *event) {
        return event ? TAKE_PTR(event->result) : NULL;
}

_public_ fleetprov_status *fleetprov_event_steal_status(fleetprov_event *event) {
        return event ? TAKE_PTR(event->status) : NULL;
}

_public_ fleetprov_error *fleetprov_event_steal_error(fleetprov_event *event) {
        return event ? TAKE_PTR(event->error) : NULL;
}
