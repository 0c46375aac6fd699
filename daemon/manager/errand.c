/* SPDX-License-Identifier: GPL-2.0-or-later */

#include <errno.h>

#include "daemon/manager/manager-internal.h"

int errand_new(Manager *m, Job *job) {
        job->errand = calloc(1, sizeof(JobErrand));
        if (!job->errand)
                return -ENOMEM;
        job->errand->manager = m;
        job->errand->slot = slot_find(m, job->spec->profile);
        return 0;
}

static void free_calls(FrontCall **calls, size_t n) {
        for (size_t i = 0; i < n; i++)
                front_call_free(calls[i]);
        free(calls);
}

void errand_free(Job *job) {
        JobErrand *errand = TAKE_PTR(job->errand);

        if (!errand)
                return;
        sd_event_source_disable_unref(errand->deadline_timer);
        sd_event_source_disable_unref(errand->wait_timer);
        free_calls(errand->submits, errand->n_submits);
        free_calls(errand->cancels, errand->n_cancels);
        free(errand);
}

int errand_add_call(FrontCall ***calls, size_t *n, FrontCall *call) {
        FrontCall **more = reallocarray(*calls, *n + 1, sizeof(FrontCall *));

        if (!more) {
                front_call_fail(call, NULL);
                return -ENOMEM;
        }
        *calls = more;
        more[(*n)++] = call;
        return 0;
}
