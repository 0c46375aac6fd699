/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The inside of the stub: its jobs, its connections, its objects. */

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>

#define STUB_JOBS_MAX 512
#define STUB_CONNECTIONS_MAX 32

typedef struct StubJob {
        char id[33];
        char *key, *operation, *profile, *outcome, *serial;
        const char *state, *phase;
        bool own_csr, acknowledged, released, silent;
        uint64_t created, started, finished;
        sd_event_source *timer;
        struct StubServer *server;
} StubJob;

typedef struct StubConnection {
        sd_bus *bus;
        bool greeted;
} StubConnection;

typedef struct StubServer {
        sd_event *event;
        const char *bus_address; /* NULL: it serves a socket */
        StubConnection connections[STUB_CONNECTIONS_MAX];
        StubJob jobs[STUB_JOBS_MAX];
        size_t n_jobs;
        bool answer_lost_once;
} StubServer;

/* stub-jobs.c */
StubJob *stub_job_new(StubServer *s, const char *operation, const char *profile);
StubJob *stub_job_by_key(StubServer *s, const char *profile, const char *key);
StubJob *stub_job_by_path(StubServer *s, const char *path);
void stub_job_begin(StubJob *job);
void stub_job_end(StubJob *job, const char *state);
void stub_job_signal(StubJob *job, const char *member);

/* stub-server.c */
void stub_hang_up(StubServer *s);

/* stub-objects.c */
int stub_add_objects(StubServer *s, sd_bus *bus);
int stub_add_driver(StubServer *s, sd_bus *bus); /* what a bus daemon would answer */

/* stub-result.c */
bool stub_job_is_unverified(const StubJob *job);
int stub_append_details(StubJob *job, sd_bus_message *reply);
int stub_append_result(StubJob *job, sd_bus_message *reply);
