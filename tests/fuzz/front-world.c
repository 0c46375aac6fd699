/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/fuzz/front-world.h"

#include <dirent.h>
#include <sched.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "daemon/base/clock.h"
#include "daemon/base/log.h"
#include "protocol/ipc/names.h"
#include "tests/fuzz/fuzz.h"

#define PRIVATE_KEY "-----BEGIN PRIVATE KEY-----\n"
#define TURNS_MAX 100000U

static const JobTable *get_jobs(void *userdata) {
        const FrontWorld *w = userdata;

        return w->jobs;
}

static const ProfileStatus *get_profile(void *userdata, _unused_ const char *door, size_t i) {
        const FrontWorld *w = userdata;

        return i == 0 ? &w->profile : NULL;
}

static const char *get_default(_unused_ void *userdata, _unused_ const char *door) {
        return "aws";
}

static const Failure *get_waiting(_unused_ void *userdata, _unused_ const Job *job) {
        return NULL;
}

static void check_text(const char *s, size_t max) {
        must(!s || (*s && strlen(s) <= max && fuzz_is_text(s)));
}

static void check_secret(const Secret *s) {
        must(!s || (s->size > 0 && s->size <= IPC_SECRET_MAX));
}

static void check_spec(const JobSpec *spec) {
        size_t total = 0;

        must(spec->operation >= 0 && spec->operation < OPERATION_MAX);
        must(!*spec->profile || ipc_profile_name_is_valid(spec->profile));
        must(!spec->key || ipc_key_is_valid(spec->key));
        must(spec->parameters.n <= IPC_PARAMETERS_MAX);
        for (size_t i = 0; i < spec->parameters.n; i++) {
                const Parameter *p = spec->parameters.items + i;

                must(*p->name && strlen(p->name) <= IPC_PARAMETER_NAME_MAX);
                must(fuzz_is_text(p->name) && fuzz_is_text(p->value));
                must(strlen(p->value) <= IPC_PARAMETER_VALUE_MAX);
                total += strlen(p->name) + strlen(p->value);
                for (size_t j = 0; j < i; j++)
                        must(!streq(p->name, spec->parameters.items[j].name));
        }
        must(total <= IPC_PARAMETERS_TOTAL_MAX);
        must(spec->key_type >= KEY_TYPE_INVALID && spec->key_type < KEY_TYPE_MAX);
        must(spec->key_source >= KEY_SOURCE_INVALID && spec->key_source < KEY_SOURCE_MAX);
        check_text(spec->csr, IPC_CSR_MAX);
        check_text(spec->payload, IPC_PAYLOAD_MAX);
        check_text(spec->registration_id, IPC_REGISTRATION_ID_MAX);
        check_text(spec->certificate, IPC_CERTIFICATE_MAX);
        check_secret(spec->private_key);
        check_secret(spec->ownership_token);
}

static void op_submit(void *userdata, const Peer *peer, JobSpec *spec, FrontCall *call) {
        Peer *owner = peer_copy(peer);
        FrontWorld *w = userdata;
        Job *job = NULL;

        check_spec(spec);
        must(owner && job_new(owner, spec, clock_real_usec(), clock_boot_usec(), &job) == 0);
        if (job_table_add(w->jobs, job) < 0) {
                job_free(job);
                front_call_fail(call, failure_new(ERROR_ID_CONFLICT, "there already"));
                return;
        }
        w->submitted++;
        front_call_job(call, job);
        front_job_added(w->front, job);
        front_job_changed(w->front, job);
}

static void op_get_result(_unused_ void *userdata, Job *job, FrontCall *call) {
        JobSecrets secrets = {};

        if (job->state != JOB_SUCCEEDED) {
                front_call_fail(call, failure_new(ERROR_NOT_FINISHED, "not yet"));
                return;
        }
        secrets.private_key = secret_new(PRIVATE_KEY, strlen(PRIVATE_KEY));
        front_call_result(call, job, &secrets);
        job_secrets_done(&secrets);
}

static void op_job(void *userdata, Job *job, FrontCall *call) {
        FrontWorld *w = userdata;

        front_call_done(call);
        front_job_changed(w->front, job);
}

static void op_release(void *userdata, Job *job, FrontCall *call) {
        FrontWorld *w = userdata;

        job_table_remove(w->jobs, job);
        front_call_done(call);
        front_job_removed(w->front, job);
        job_free(job);
}

static void op_reload(_unused_ void *userdata, FrontCall *call) {
        front_call_done(call);
}

static void op_check(_unused_ void *userdata, _unused_ const Peer *peer, const char *profile,
                     FrontCall *call) {
        front_call_check(call, &(FrontCheck){"name", "ok", profile}, 1);
}

static const FrontOps ops = {
        .jobs = get_jobs,
        .profile_at = get_profile,
        .default_profile = get_default,
        .waiting_for = get_waiting,
        .submit = op_submit,
        .get_result = op_get_result,
        .acknowledge = op_job,
        .cancel = op_job,
        .release = op_release,
        .reload = op_reload,
        .check = op_check,
};

static void add_job(FrontWorld *w) {
        Peer *owner = peer_new(DOOR_MAIN, geteuid(), NULL, 0, true);
        JobSpec *spec = job_spec_new(OPERATION_PROVISION, "aws");
        Job *job = NULL;

        must(owner && spec && free_and_strdup(&spec->key, "device") >= 0);
        must(job_new(owner, spec, 1, 1, &job) == 0);
        memcpy(job->id, FRONT_WORLD_JOB, sizeof(FRONT_WORLD_JOB));
        must(job_table_add(w->jobs, job) == 0);
        job_set_state(job, JOB_RUNNING, PHASE_KEYGEN, 2, 2, "begun");
        job_set_state(job, JOB_SUCCEEDED, PHASE_NONE, 3, 3, "done");
        must(free_and_strdup(&job->result.thing_name, "thing") >= 0);
        job->secrets_stored = true;
}

static size_t count_fds(void) {
        DIR *directory = opendir("/proc/self/fd");
        size_t n = 0;

        must(directory);
        while (readdir(directory))
                n++;
        closedir(directory);
        return n;
}

void front_world_make(FrontWorld *w) {
        static char endpoint[] = "example:8883", subject[] = "CN=claim", fingerprint[] = "00ff";
        FrontOptions options = {.ops = &ops, .userdata = w, .bus = "none"};

        log_set_level(LOG_CRIT);
        (void) fuzz_directory(); /* made once, and no part of the count */
        *w = (FrontWorld){.fds_before = count_fds(), .jobs = job_table_new()};
        w->profile = (ProfileStatus){.name = "aws",
                                     .provider = "aws-iot",
                                     .endpoint = endpoint,
                                     .session = SESSION_READY,
                                     .claim_subject = subject,
                                     .claim_fingerprint = fingerprint};
        must(w->jobs && asprintf(&w->socket, "%s/socket", fuzz_directory()) > 0);
        options.socket = w->socket;
        add_job(w);
        must(sd_event_new(&w->event) >= 0);
        must(front_new(w->event, &options, &w->front) >= 0);
}

void front_world_turn(FrontWorld *w) {
        unsigned turns = 0;
        int r;

        do {
                while ((r = sd_event_run(w->event, 0)) > 0)
                        must(turns++ < TURNS_MAX);
                must(r == 0);
        } while (front_is_closing(w->front) && sched_yield() == 0);
}

int front_world_connect(const FrontWorld *w) {
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

        must(fd >= 0 && strlen(w->socket) < sizeof(address.sun_path));
        memcpy(address.sun_path, w->socket, strlen(w->socket) + 1);
        must(connect(fd, (struct sockaddr *) &address, sizeof(address)) == 0);
        return fd;
}

/* Hello, by hand. */
void front_world_check_alive(FrontWorld *w) {
        static const char lines[] = "\0AUTH EXTERNAL 30\r\nBEGIN\r\n";
        static const char hello[] = "l\1\0\1\0\0\0\0\1\0\0\0\x2e\0\0\0"
                                    "\1\1o\0\x15\0\0\0/org/freedesktop/DBus\0\0\0"
                                    "\3\1s\0\5\0\0\0Hello\0\0\0";
        _cleanup_close_ int fd = front_world_connect(w);
        char answer[512];
        ssize_t n;

        must(send(fd, lines, sizeof(lines) - 1, MSG_NOSIGNAL) == sizeof(lines) - 1);
        must(send(fd, hello, sizeof(hello) - 1, MSG_NOSIGNAL) == sizeof(hello) - 1);
        front_world_turn(w);
        n = recv(fd, answer, sizeof(answer), 0);
        must(n > 0 && memmem(answer, (size_t) n, "OK ", 3));
        must(memmem(answer, (size_t) n, ":1.", 3));
}

void front_world_done(FrontWorld *w) {
        front_world_turn(w);
        w->front = front_free(w->front);
        job_table_free(w->jobs);
        sd_event_unref(w->event);
        free(w->socket);
        must(count_fds() == w->fds_before);
}
