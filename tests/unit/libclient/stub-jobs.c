/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/libclient/stub-inside.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "protocol/ipc/names.h"

#define SLOW_USEC 300000U

static uint64_t realtime(void) {
        struct timespec ts;

        clock_gettime(CLOCK_REALTIME, &ts);
        return (uint64_t) ts.tv_sec * 1000000U + (uint64_t) ts.tv_nsec / 1000U;
}

StubJob *stub_job_new(StubServer *s, const char *operation, const char *profile) {
        StubJob *job;

        if (s->n_jobs >= STUB_JOBS_MAX)
                abort();
        job = &s->jobs[s->n_jobs++];
        *job = (StubJob){
                .operation = strdup(operation),
                .profile = strdup(*profile ? profile : "aws"),
                .state = "queued",
                .phase = "",
                .created = realtime(),
                .server = s,
        };
        snprintf(job->id, sizeof(job->id), "%032zx", s->n_jobs);
        return job;
}

StubJob *stub_job_by_key(StubServer *s, const char *profile, const char *key) {
        if (!*profile)
                profile = "aws";
        for (size_t i = 0; i < s->n_jobs; i++)
                if (!s->jobs[i].released && s->jobs[i].key && strcmp(s->jobs[i].key, key) == 0 &&
                    strcmp(s->jobs[i].profile, profile) == 0)
                        return &s->jobs[i];
        return NULL;
}

StubJob *stub_job_by_path(StubServer *s, const char *path) {
        for (size_t i = 0; i < s->n_jobs; i++)
                if (!s->jobs[i].released && strcmp(s->jobs[i].id, strrchr(path, '/') + 1) == 0)
                        return &s->jobs[i];
        return NULL;
}

void stub_job_signal(StubJob *job, const char *member) {
        char path[sizeof(IPC_JOB_PREFIX) + sizeof(job->id)];

        if (job->silent)
                return;
        snprintf(path, sizeof(path), IPC_JOB_PREFIX "/%s", job->id);
        for (size_t i = 0; i < STUB_CONNECTIONS_MAX; i++) {
                StubConnection *c = &job->server->connections[i];

                if (!c->bus || !c->greeted)
                        continue;
                if (strcmp(member, "JobChanged") == 0)
                        sd_bus_emit_signal(c->bus, IPC_MANAGER_PATH, IPC_MANAGER_INTERFACE, member,
                                           "oss", path, job->state, job->phase);
                else
                        sd_bus_emit_signal(c->bus, IPC_MANAGER_PATH, IPC_MANAGER_INTERFACE, member,
                                           "o", path);
        }
}

void stub_job_end(StubJob *job, const char *state) {
        job->timer = sd_event_source_disable_unref(job->timer);
        job->state = state;
        job->phase = "";
        job->finished = realtime();
        stub_job_signal(job, "JobChanged");
}

static int on_time(sd_event_source *source, uint64_t usec, void *userdata) {
        (void) source;
        (void) usec;
        stub_job_end(userdata, "succeeded");
        return 0;
}

static int on_hang_up(sd_event_source *source, void *userdata) {
        StubJob *job = userdata;

        stub_hang_up(job->server);
        if (strcmp(job->outcome, "lost-end") == 0)
                stub_job_end(job, "succeeded");
        sd_event_source_disable_unref(source);
        return 0;
}

void stub_job_begin(StubJob *job) {
        const char *outcome = job->outcome ? job->outcome : "ok";

        stub_job_signal(job, "JobAdded");
        if (strcmp(outcome, "hang") == 0)
                return;
        job->started = realtime();
        job->state = "running";
        job->phase = "create";
        stub_job_signal(job, "JobChanged");
        if (strcmp(outcome, "slow") == 0 || strcmp(outcome, "restart") == 0)
                sd_event_add_time_relative(job->server->event, &job->timer, CLOCK_MONOTONIC,
                                           SLOW_USEC, 1000, on_time, job);
        if (strcmp(outcome, "restart") == 0 || strcmp(outcome, "lost-end") == 0) {
                sd_event_source *defer = NULL;

                /* After the answer to Submit, which goes out when this returns. */
                sd_event_add_defer(job->server->event, &defer, on_hang_up, job);
                sd_event_source_set_priority(defer, SD_EVENT_PRIORITY_IDLE);
        } else if (strcmp(outcome, "slow") == 0)
                return;
        else if (strcmp(outcome, "fail") == 0 || strcmp(outcome, "unverified") == 0)
                stub_job_end(job, "failed");
        else if (strcmp(outcome, "expire") == 0)
                stub_job_end(job, "expired");
        else if (strcmp(outcome, "cancelled") == 0)
                stub_job_end(job, "cancelled");
        else
                stub_job_end(job, "succeeded");
}
