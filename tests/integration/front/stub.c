/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/integration/front/stub.h"

#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "daemon/base/clock.h"
#include "daemon/base/log.h"
#include "daemon/front/front.h"
#include "tests/integration/lib/answers.h"

typedef struct Later {
        FrontCall *call;
        char id[IPC_JOB_ID_LENGTH + 1];
} Later;

typedef struct World {
        sd_event *event;
        Front *front;
        JobTable *jobs;
        ProfileStatus profiles[2];
        Failure *waiting;
        FrontCall *never[512];
        size_t n_never;
        Later later;
        sd_event_source *defer;
        unsigned reloads;
} World;

static const JobTable *get_jobs(void *userdata) {
        World *w = userdata;

        return w->jobs;
}

static const ProfileStatus *get_profile(void *userdata, _unused_ const char *door, size_t i) {
        World *w = userdata;

        return i < ELEMENTSOF(w->profiles) ? &w->profiles[i] : NULL;
}

static const char *get_default(_unused_ void *userdata, _unused_ const char *door) {
        return "aws";
}

static const Failure *get_waiting(void *userdata, _unused_ const Job *job) {
        World *w = userdata;

        return w->waiting;
}

static void set_state(Job *job, JobState state) {
        job_set_state(job, state, PHASE_NONE, clock_real_usec(), clock_boot_usec(), "as asked");
}

static void finish(Job *job) {
        set_state(job, JOB_RUNNING);
        set_state(job, JOB_SUCCEEDED);
        (void) free_and_strdup(&job->result.thing_name, "thing");
        (void) free_and_strdup(&job->result.certificate_pem, "PEM\nPEM\n");
        job->result.has_device_configuration = true;
        job->secrets_stored = true;
}

static void tell_new(World *w, Job *job) {
        const char *burst = parameters_get(&job->spec->parameters, "Burst");

        front_job_added(w->front, job);
        for (int i = burst ? atoi(burst) : 0; i > 0; i--)
                front_job_changed(w->front, job);
}

static int on_later(_unused_ sd_event_source *s, void *userdata) {
        World *w = userdata;
        Job *job = job_table_find(w->jobs, w->later.id);

        front_call_job(TAKE_PTR(w->later.call), job);
        tell_new(w, job);
        return 0;
}

static void op_submit(void *userdata, const Peer *peer, JobSpec *spec, FrontCall *call) {
        const Parameters *p = &spec->parameters;
        World *w = userdata;
        Job *job = NULL;
        Peer *owner;

        if (streq(spec->profile, ""))
                (void) free_and_strdup(&spec->profile, "aws");
        if (streq(spec->profile, "closed")) {
                job_spec_free(spec);
                front_call_fail(call, failure_new(ERROR_ACCESS_DENIED, "closed to \xff all"));
                return;
        }
        if (parameters_get(p, "Never") && w->n_never < ELEMENTSOF(w->never)) {
                job_spec_free(spec);
                w->never[w->n_never++] = call;
                return;
        }
        owner = peer_copy(peer);
        if (job_new(owner, spec, clock_real_usec(), clock_boot_usec(), &job) < 0 ||
            job_table_add(w->jobs, job) < 0) {
                job_free(job);
                front_call_fail(call, failure_new(ERROR_ID_CONFLICT, "there already"));
                return;
        }
        if (parameters_get(p, "Done"))
                finish(job);
        if (parameters_get(p, "Later")) {
                w->later.call = call;
                memcpy(w->later.id, job->id, sizeof(job->id));
                (void) sd_event_source_set_enabled(w->defer, SD_EVENT_ONESHOT);
                return;
        }
        front_call_job(call, job);
        tell_new(w, job);
}

static void op_get_result(_unused_ void *userdata, Job *job, FrontCall *call) {
        JobSecrets secrets = {};

        if (job->state != JOB_SUCCEEDED) {
                front_call_fail(call, failure_new(ERROR_NOT_FINISHED, "not yet"));
                return;
        }
        if (!job->secrets_erased)
                secrets.private_key = secret_new(STUB_KEY, strlen(STUB_KEY));
        front_call_result(call, job, &secrets);
        job_secrets_done(&secrets);
}

static void op_acknowledge(_unused_ void *userdata, Job *job, FrontCall *call) {
        job->acknowledged = job->secrets_erased = true;
        front_call_done(call);
}

static void op_cancel(void *userdata, Job *job, FrontCall *call) {
        World *w = userdata;

        set_state(job, JOB_CANCELLED);
        job->failure = failure_with_cause(failure_new(ERROR_CANCELLED, "as you wished"),
                                          failure_new(ERROR_THROTTLED, "was slow"));
        front_call_done(call);
        front_job_changed(w->front, job);
}

static void op_release(void *userdata, Job *job, FrontCall *call) {
        World *w = userdata;

        job_table_remove(w->jobs, job);
        front_call_done(call);
        front_job_removed(w->front, job);
        job_free(job);
}

static void op_reload(void *userdata, FrontCall *call) {
        World *w = userdata;

        front_call_done(call);
        w->reloads++;
        for (unsigned i = 0; i < w->reloads * 1000 && job_table_first(w->jobs); i++)
                front_job_changed(w->front, job_table_first(w->jobs));
}

static void op_check(_unused_ void *userdata, _unused_ const Peer *peer, const char *profile,
                     FrontCall *call) {
        const FrontCheck checks[] = {{"name", "ok", profile}, {"clock", "failed", "set it"}};

        front_call_check(call, checks, ELEMENTSOF(checks));
}

static const FrontOps ops = {
        .jobs = get_jobs,
        .profile_at = get_profile,
        .default_profile = get_default,
        .waiting_for = get_waiting,
        .submit = op_submit,
        .get_result = op_get_result,
        .acknowledge = op_acknowledge,
        .cancel = op_cancel,
        .release = op_release,
        .reload = op_reload,
        .check = op_check,
};

static char endpoint[] = "example:8883", subject[] = "CN=claim", fingerprint[] = "00ff";

static void fill_world(World *w) {
        w->jobs = job_table_new();
        w->waiting = failure_new(ERROR_NAME_RESOLUTION, "no such host");
        w->profiles[0] = (ProfileStatus){.name = "aws",
                                         .provider = "aws-iot",
                                         .endpoint = endpoint,
                                         .session = SESSION_READY,
                                         .connected_since_real = 17,
                                         .claim_subject = subject,
                                         .claim_fingerprint = fingerprint,
                                         .claim_not_after_real = 42};
        w->profiles[1] = (ProfileStatus){.name = "second-one",
                                         .provider = "aws-iot",
                                         .endpoint = endpoint,
                                         .last_error = w->waiting};
}

static void clear_world(World *w) {
        for (size_t i = 0; i < w->n_never; i++)
                front_call_free(w->never[i]);
        front_free(w->front);
        job_table_free(w->jobs);
        failure_free(w->waiting);
        sd_event_source_disable_unref(w->defer);
        sd_event_unref(w->event);
}

int stub_run(const char *socket_path, const char *bus) {
        FrontOptions options = {.ops = &ops, .bus = bus, .socket = socket_path};
        World w = {};
        sigset_t mask;
        int r;

        log_open(getenv("STUB_LOG") ? LOG_DEBUG : LOG_ERR);
        fill_world(&w);
        options.userdata = &w;
        sigemptyset(&mask);
        sigaddset(&mask, SIGTERM);
        sigprocmask(SIG_BLOCK, &mask, NULL);
        r = sd_event_new(&w.event);
        if (r >= 0)
                r = sd_event_add_signal(w.event, NULL, SIGTERM, NULL, NULL);
        if (r >= 0)
                r = sd_event_add_defer(w.event, &w.defer, on_later, &w);
        if (r >= 0)
                r = sd_event_source_set_enabled(w.defer, SD_EVENT_OFF);
        if (r >= 0)
                r = front_new(w.event, &options, &w.front);
        if (r >= 0)
                r = sd_event_loop(w.event);
        clear_world(&w);
        return r < 0 ? 1 : 0;
}

Stub *stub_start(const char *bus) {
        char template[] = "/tmp/front-test-XXXXXX";
        Stub *s = calloc(1, sizeof(Stub));

        ck_assert_ptr_nonnull(s);
        ck_assert_ptr_nonnull(mkdtemp(template));
        /* The clients of some tests run as other users. */
        ck_assert_int_eq(chmod(template, 0755), 0);
        s->directory = strdup(template);
        ck_assert_int_gt(asprintf(&s->socket, "%s/socket", template), 0);
        ck_assert_int_gt(asprintf(&s->address, "unix:path=%s", s->socket), 0);
        s->pid = fork();
        ck_assert_int_ge(s->pid, 0);
        if (s->pid == 0) {
                (void) prctl(PR_SET_PDEATHSIG, SIGKILL);
                (void) close_range(3, ~0U, 0); /* connections of the test must not stay open here */
                exit(stub_run(s->socket, bus ? bus : "none"));
        }
        for (int i = 0; i < 1000 && !socket_answers(s->socket); i++)
                nanosleep(&(struct timespec){.tv_nsec = 10 * 1000 * 1000}, NULL);
        ck_assert_msg(socket_answers(s->socket), "nobody answers at %s", s->socket);
        return s;
}

void stub_stop(Stub *s) {
        int status;

        ck_assert_int_eq(kill(s->pid, SIGTERM), 0);
        ck_assert_int_eq(waitpid(s->pid, &status, 0), s->pid);
        ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "the stub ended with %#x",
                      status);
        ck_assert_int_lt(access(s->socket, F_OK), 0);
        ck_assert_int_eq(rmdir(s->directory), 0);
        free(s->socket);
        free(s->address);
        free(s->directory);
        free(s);
}

void stub_open_to_all(const Stub *s) {
        ck_assert_int_eq(chmod(s->socket, 0666), 0);
}

size_t stub_count_fds(const Stub *s) {
        _cleanup_free_ char *path = NULL;
        size_t n = 0;
        DIR *dir;

        ck_assert_int_gt(asprintf(&path, "/proc/%d/fd", s->pid), 0);
        dir = opendir(path);
        ck_assert_ptr_nonnull(dir);
        while (readdir(dir))
                n++;
        closedir(dir);
        return n;
}

size_t stub_memory(const Stub *s) {
        _cleanup_free_ char *path = NULL;
        unsigned long pages = 0;
        FILE *f;

        ck_assert_int_gt(asprintf(&path, "/proc/%d/statm", s->pid), 0);
        f = fopen(path, "re");
        ck_assert_ptr_nonnull(f);
        ck_assert_int_eq(fscanf(f, "%*u %lu", &pages), 1);
        (void) fclose(f);
        return pages * (size_t) sysconf(_SC_PAGESIZE) / 1024;
}
