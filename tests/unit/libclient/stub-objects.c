/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/ipc/names.h"
#include "tests/unit/libclient/stub-inside.h"

static int refuse(sd_bus_error *e, const char *name, const char *message) {
        char full[128];

        snprintf(full, sizeof(full), IPC_ERROR_PREFIX "%s", name);
        return sd_bus_error_set(e, full, message);
}

static int method_hello(sd_bus_message *m, void *userdata, sd_bus_error *e) {
        StubServer *s = userdata;

        (void) e;
        for (size_t i = 0; i < STUB_CONNECTIONS_MAX; i++)
                if (s->connections[i].bus == sd_bus_message_get_bus(m))
                        s->connections[i].greeted = true;
        return sd_bus_reply_method_return(m, "s", ":1.1");
}

static int method_match(sd_bus_message *m, void *userdata, sd_bus_error *e) {
        (void) userdata;
        (void) e;
        return sd_bus_reply_method_return(m, NULL);
}

static const sd_bus_vtable driver_vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_METHOD("Hello", "", "s", method_hello, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("AddMatch", "s", "", method_match, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("RemoveMatch", "s", "", method_match, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_VTABLE_END,
};

static void put(char **to, const char *value) {
        free(*to);
        *to = strdup(value);
}

static int read_parameters(sd_bus_message *m, StubJob *job) {
        const char *name, *value;
        int r;

        r = sd_bus_message_enter_container(m, 'v', "a{ss}");
        if (r >= 0)
                r = sd_bus_message_enter_container(m, 'a', "{ss}");
        if (r < 0)
                return r;
        while ((r = sd_bus_message_read(m, "{ss}", &name, &value)) > 0) {
                if (strcmp(name, "outcome") == 0)
                        put(&job->outcome, value);
                else if (strcmp(name, "SerialNumber") == 0)
                        put(&job->serial, value);
                else if (strcmp(name, "silent") == 0)
                        job->silent = true;
        }
        if (r >= 0)
                r = sd_bus_message_exit_container(m);
        return r < 0 ? r : sd_bus_message_exit_container(m);
}

/* It must be sealed, and this one. */
static int read_secret(sd_bus_message *m, const char *option, const char *expected,
                       sd_bus_error *e) {
        char buffer[64] = {0}, text[64];
        int fd, r;

        r = sd_bus_message_read(m, "v", "h", &fd);
        if (r < 0)
                return r;
        snprintf(text, sizeof(text), "option %s: not mine", option);
        if (!(fcntl(fd, F_GET_SEALS) & F_SEAL_WRITE) ||
            pread(fd, buffer, sizeof(buffer) - 1, 0) <= 0 || strcmp(buffer, expected) != 0)
                return refuse(e, "BadParameter", text);
        return 0;
}

static int read_option(sd_bus_message *m, StubJob *job, sd_bus_error *e) {
        const char *name, *s;
        int r;

        r = sd_bus_message_read(m, "s", &name);
        if (r < 0)
                return r;
        if (strcmp(name, "parameters") == 0)
                return read_parameters(m, job);
        if (strcmp(name, "deadline-usec") == 0)
                return sd_bus_message_skip(m, "v");
        if (strcmp(name, "ownership-token") == 0)
                return read_secret(m, name, "the-token", e);
        if (strcmp(name, "private-key") == 0)
                return read_secret(m, name, "the-old-key", e);
        r = sd_bus_message_read(m, "v", "s", &s);
        if (r < 0)
                return r;
        if (strcmp(name, "key") == 0)
                put(&job->key, s);
        if (strcmp(name, "csr") == 0)
                job->own_csr = true;
        if (strcmp(name, "certificate") == 0 && strcmp(s, "the-old-certificate") != 0)
                return refuse(e, "BadParameter", "option certificate: not mine");
        if (strcmp(name, "csr") == 0 && !strstr(s, "BEGIN CERTIFICATE REQUEST"))
                return refuse(e, "BadParameter", "option csr: no PEM; send a PKCS#10 request");
        return 0;
}

static int answer_submit(StubServer *s, sd_bus_message *m, StubJob *job, bool fresh) {
        char path[sizeof(IPC_JOB_PREFIX) + sizeof(job->id)];
        int r;

        snprintf(path, sizeof(path), IPC_JOB_PREFIX "/%s", job->id);
        if (job->outcome && strcmp(job->outcome, "lost-answer") == 0 && !s->answer_lost_once) {
                s->answer_lost_once = true;
                job->state = "succeeded";
                sd_bus_close(sd_bus_message_get_bus(m));
                return 1;
        }
        r = sd_bus_reply_method_return(m, "o", path);
        if (r >= 0 && fresh)
                stub_job_begin(job);
        return r;
}

static int method_submit(sd_bus_message *m, void *userdata, sd_bus_error *e) {
        const char *operation, *profile;
        StubServer *s = userdata;
        StubJob *job, *known;
        int r;

        r = sd_bus_message_read(m, "ss", &operation, &profile);
        if (r < 0)
                return r;
        if (*profile && strcmp(profile, "aws") != 0 && strcmp(profile, "azure") != 0)
                return refuse(e, "NotInitialized", "no profile of this name");
        job = stub_job_new(s, operation, profile);
        job->released = true; /* until it is accepted */
        r = sd_bus_message_enter_container(m, 'a', "{sv}");
        while (r >= 0 && (r = sd_bus_message_enter_container(m, 'e', "sv")) > 0) {
                r = read_option(m, job, e);
                if (r < 0)
                        return r;
                r = sd_bus_message_exit_container(m);
        }
        if (r < 0)
                return r;
        if (job->outcome && strcmp(job->outcome, "denied") == 0)
                return refuse(e, "AccessDenied", "you may not; have AllowUsers= name you");
        if (job->outcome && strcmp(job->outcome, "full") == 0)
                return refuse(e, "QueueFull", "1000 jobs wait already");
        known = job->key ? stub_job_by_key(s, profile, job->key) : NULL;
        if (known)
                return answer_submit(s, m, known, false);
        job->released = false;
        return answer_submit(s, m, job, true);
}

static int method_find(sd_bus_message *m, void *userdata, sd_bus_error *e) {
        const char *profile, *key;
        char path[256];
        StubJob *job;
        int r;

        r = sd_bus_message_read(m, "ss", &profile, &key);
        if (r < 0)
                return r;
        job = stub_job_by_key(userdata, profile, key);
        if (!job)
                return refuse(e, "NoSuchJob", "no job has this key");
        snprintf(path, sizeof(path), IPC_JOB_PREFIX "/%s", job->id);
        return sd_bus_reply_method_return(m, "o", path);
}

static int method_list(sd_bus_message *m, void *userdata, sd_bus_error *e) {
        sd_bus_message *reply = NULL;
        StubServer *s = userdata;
        int r, all;

        (void) e;
        r = sd_bus_message_read(m, "b", &all);
        if (r >= 0)
                r = sd_bus_message_new_method_return(m, &reply);
        if (r >= 0)
                r = sd_bus_message_open_container(reply, 'a', "(osssssuutttus)");
        for (size_t i = 0; r >= 0 && i < s->n_jobs; i++) {
                StubJob *job = &s->jobs[i];
                char path[256];

                if (job->released || (job->acknowledged && !all))
                        continue;
                snprintf(path, sizeof(path), IPC_JOB_PREFIX "/%s", job->id);
                r = sd_bus_message_append(reply, "(osssssuutttus)", path, job->id, job->operation,
                                          job->profile, job->state, job->phase, (unsigned) 0, 1U,
                                          job->created, job->started, job->finished, 0U,
                                          strcmp(job->state, "failed") == 0 ? "server-refused"
                                                                            : "");
        }
        if (r >= 0)
                r = sd_bus_message_close_container(reply);
        if (r >= 0)
                r = sd_bus_send(NULL, reply, NULL);
        sd_bus_message_unref(reply);
        return r;
}

static int method_reload(sd_bus_message *m, void *userdata, sd_bus_error *e) {
        (void) m;
        (void) userdata;
        return refuse(e, "BadParameter", "fleetprovd.conf:7: unknown key Foo; remove it");
}

static int get_string(sd_bus *bus, const char *path, const char *interface, const char *property,
                      sd_bus_message *reply, void *userdata, sd_bus_error *e) {
        bool azure = strstr(path, "/azure") != NULL;

        (void) bus;
        (void) interface;
        (void) userdata;
        (void) e;
        if (strcmp(property, "Version") == 0)
                return sd_bus_message_append(reply, "s", "0.1.0");
        if (strcmp(property, "State") == 0)
                return sd_bus_message_append(reply, "s", "running");
        if (strcmp(property, "DefaultProfile") == 0)
                return sd_bus_message_append(reply, "s", "aws");
        if (strcmp(property, "Name") == 0)
                return sd_bus_message_append(reply, "s", azure ? "azure" : "aws");
        if (strcmp(property, "Provider") == 0)
                return sd_bus_message_append(reply, "s", azure ? "azure-dps" : "aws-iot");
        if (strcmp(property, "Endpoint") == 0)
                return sd_bus_message_append(
                        reply, "s", azure ? "global.azure.example:8883" : "iot.aws.example:8883");
        return sd_bus_message_append(reply, "s", azure ? "backoff" : "ready");
}

static int get_other(sd_bus *bus, const char *path, const char *interface, const char *property,
                     sd_bus_message *reply, void *userdata, sd_bus_error *e) {
        bool azure = strstr(path, "/azure") != NULL;

        (void) bus;
        (void) interface;
        (void) userdata;
        (void) e;
        if (strcmp(property, "Profiles") == 0)
                /* The last one has gone, as by a reload in between. */
                return sd_bus_message_append(reply, "ao", 3, IPC_PROFILE_PREFIX "/aws",
                                             IPC_PROFILE_PREFIX "/azure",
                                             IPC_PROFILE_PREFIX "/gone");
        if (strcmp(property, "ConnectedSince") == 0)
                return sd_bus_message_append(reply, "t", azure ? 0 : 1700000000000000ULL);
        if (strcmp(property, "Claim") == 0)
                return azure ? sd_bus_message_append(reply, "a{sv}", 0)
                             : sd_bus_message_append(reply, "a{sv}", 3, "subject", "s", "CN=claim",
                                                     "fingerprint", "s", "abcd", "notAfter", "t",
                                                     1900000000000000ULL);
        if (strcmp(property, "LastError") == 0)
                return azure ? sd_bus_message_append(reply, "a{sv}", 2, "code", "s",
                                                     "credentials-refused", "message", "s",
                                                     "the key was refused")
                             : sd_bus_message_append(reply, "a{sv}", 0);
        return sd_bus_message_append(reply, "u", 1U); /* the counters */
}

static const sd_bus_vtable manager_vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_METHOD("Submit", "ssa{sv}", "o", method_submit, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("FindJob", "ss", "o", method_find, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("ListJobs", "b", "a(osssssuutttus)", method_list, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("Reload", "", "", method_reload, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_PROPERTY("Version", "s", get_string, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("State", "s", get_string, 0, 0),
        SD_BUS_PROPERTY("DefaultProfile", "s", get_string, 0, 0),
        SD_BUS_PROPERTY("Profiles", "ao", get_other, 0, 0),
        SD_BUS_PROPERTY("Queued", "u", get_other, 0, 0),
        SD_BUS_PROPERTY("Running", "u", get_other, 0, 0),
        SD_BUS_PROPERTY("Finished", "u", get_other, 0, 0),
        SD_BUS_VTABLE_END,
};

/* Profile aws has failed in one line, the others are well. */
static int method_check(sd_bus_message *m, void *userdata, sd_bus_error *e) {
        const char *path = sd_bus_message_get_path(m);
        bool bad = strcmp(path, IPC_PROFILE_PREFIX "/aws") == 0;

        (void) userdata;
        (void) e;
        return sd_bus_reply_method_return(m, "a(sss)", 2, "files", "ok", "they are there", "clock",
                                          bad ? "failed" : "warning", "set\tit");
}

static const sd_bus_vtable profile_vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_METHOD("Check", "", "a(sss)", method_check, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_PROPERTY("Name", "s", get_string, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("Provider", "s", get_string, 0, 0),
        SD_BUS_PROPERTY("Endpoint", "s", get_string, 0, 0),
        SD_BUS_PROPERTY("SessionState", "s", get_string, 0, 0),
        SD_BUS_PROPERTY("ConnectedSince", "t", get_other, 0, 0),
        SD_BUS_PROPERTY("Claim", "a{sv}", get_other, 0, 0),
        SD_BUS_PROPERTY("LastError", "a{sv}", get_other, 0, 0),
        SD_BUS_VTABLE_END,
};

static int find_job(sd_bus *bus, const char *path, const char *interface, void *userdata,
                    void **ret, sd_bus_error *e) {
        (void) bus;
        (void) interface;
        (void) e;
        *ret = stub_job_by_path(userdata, path);
        return *ret != NULL;
}

static int reply_dict(sd_bus_message *m, StubJob *job, int (*append)(StubJob *, sd_bus_message *)) {
        sd_bus_message *reply = NULL;
        int r;

        r = sd_bus_message_new_method_return(m, &reply);
        if (r >= 0)
                r = append(job, reply);
        if (r >= 0)
                r = sd_bus_send(NULL, reply, NULL);
        sd_bus_message_unref(reply);
        return r;
}

static int method_details(sd_bus_message *m, void *userdata, sd_bus_error *e) {
        (void) e;
        return reply_dict(m, userdata, stub_append_details);
}

static int method_result(sd_bus_message *m, void *userdata, sd_bus_error *e) {
        StubJob *job = userdata;

        if (stub_job_is_unverified(job))
                return reply_dict(m, job, stub_append_result);
        if (strcmp(job->state, "failed") == 0)
                return refuse(e, "ServerRefused", "the template's hook refused the device");
        if (strcmp(job->state, "succeeded") != 0)
                return refuse(e, "NotFinished", "wait for it first");
        return reply_dict(m, job, stub_append_result);
}

static int method_acknowledge(sd_bus_message *m, void *userdata, sd_bus_error *e) {
        StubJob *job = userdata;

        (void) e;
        job->acknowledged = true;
        return sd_bus_reply_method_return(m, NULL);
}

static int method_cancel(sd_bus_message *m, void *userdata, sd_bus_error *e) {
        StubJob *job = userdata;
        int r;

        (void) e;
        r = sd_bus_reply_method_return(m, NULL);
        if (r >= 0 && !job->finished)
                stub_job_end(job, "cancelled");
        return r;
}

static int method_release(sd_bus_message *m, void *userdata, sd_bus_error *e) {
        StubJob *job = userdata;
        int r;

        if (!job->finished)
                return refuse(e, "NotFinished", "cancel it first");
        if (job->outcome && strcmp(job->outcome, "lost-release") == 0) {
                job->released = true;
                sd_bus_close(sd_bus_message_get_bus(m));
                return 1;
        }
        r = sd_bus_reply_method_return(m, NULL);
        stub_job_signal(job, "JobRemoved");
        job->released = true;
        return r;
}

static const sd_bus_vtable job_vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_METHOD("GetDetails", "", "a{sv}", method_details, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("GetResult", "", "a{sv}", method_result, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("Acknowledge", "", "", method_acknowledge, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("Cancel", "", "", method_cancel, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("Release", "", "", method_release, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_VTABLE_END,
};

int stub_add_driver(StubServer *s, sd_bus *bus) {
        return sd_bus_add_object_vtable(bus, NULL, "/org/freedesktop/DBus", "org.freedesktop.DBus",
                                        driver_vtable, s);
}

int stub_add_objects(StubServer *s, sd_bus *bus) {
        int r;

        if ((r = sd_bus_add_object_vtable(bus, NULL, IPC_MANAGER_PATH, IPC_MANAGER_INTERFACE,
                                          manager_vtable, s)) < 0 ||
            (r = sd_bus_add_object_vtable(bus, NULL, IPC_PROFILE_PREFIX "/aws",
                                          IPC_PROFILE_INTERFACE, profile_vtable, s)) < 0 ||
            (r = sd_bus_add_object_vtable(bus, NULL, IPC_PROFILE_PREFIX "/azure",
                                          IPC_PROFILE_INTERFACE, profile_vtable, s)) < 0)
                return r;
        return sd_bus_add_fallback_vtable(bus, NULL, IPC_JOB_PREFIX, IPC_JOB_INTERFACE, job_vtable,
                                          find_job, s);
}
