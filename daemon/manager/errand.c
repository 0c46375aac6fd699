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
        errand->manager->n_unwritten -= errand->holds_others;
        (void) acceptance_forget_note(errand->manager, job);
        job_keys_forget(errand);
        sd_event_source_disable_unref(errand->wait_timer);
        ending_free(errand->unwritten);
        keeping_free(errand->keeping);
        free_calls(errand->submits, errand->n_submits);
        free_calls(errand->cancels, errand->n_cancels);
        free_calls(errand->acknowledges, errand->n_acknowledges);
        held_drop(&errand->held);
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

typedef struct Reading {
        Manager *manager;
        char id[IPC_JOB_ID_LENGTH + 1];
        ErrandSecretsDone done;
        void *userdata;
} Reading;

static void on_secrets_read(int error, const JobSecrets *secrets, void *userdata) {
        _cleanup_free_ Reading *reading = userdata;
        Job *job = job_table_find(reading->manager->jobs, reading->id);

        if (job && job->errand)
                reading->done(job, error, secrets, reading->userdata);
}

int errand_read_secrets(Job *job, ErrandSecretsDone done, void *userdata) {
        Manager *m = job->errand->manager;
        Reading *reading = calloc(1, sizeof(Reading));

        if (!reading)
                return -ENOMEM;
        *reading = (Reading){.manager = m, .done = done, .userdata = userdata};
        memcpy(reading->id, job->id, sizeof(reading->id));
        store_read_secrets(m->store, job, on_secrets_read, reading);
        return 0;
}
