/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/manager/bench.h"

#include <stdio.h>

#define RUNS_MAX 10000
#define PATIENCE_USEC (20 * USEC_PER_SEC)

/* Made by openssl(1) for this test, and for nothing else. */
static const char certificate[] =
        "-----BEGIN CERTIFICATE-----\n"
        "MIIBMzCB2aADAgECAgEBMAoGCCqGSM49BAMCMAwxCjAIBgNVBAMMAWEwHhcNMjYw\n"
        "MTMxMTMwNTU5WhcNNDkxMjMxMjM1OTU5WjAMMQowCAYDVQQDDAFhMFkwEwYHKoZI\n"
        "zj0CAQYIKoZIzj0DAQcDQgAEF5UnPSPjNpdEiAYTkczQhNq8Lw9BnM++gWo4Qmvr\n"
        "gXFSdwlL7lZste2aZYu2dzsGZ9HtoPhcqks+BFLVxTjYVqMsMCowCQYDVR0TBAIw\n"
        "ADAdBgNVHQ4EFgQUWrJLhXfn47AsMsUenjk4LVnbPLwwCgYIKoZIzj0EAwIDSQAw\n"
        "RgIhAM514dpXv9esdXBpBO3IJGLyueTxA7ceIk31cAzoCi7mAiEAlqAt1iU7HlOP\n"
        "HxJIEzwKTbKOpD2ZZD+AS6aLU5YRB0E=\n"
        "-----END CERTIFICATE-----\n";

static const char private_key[] =
        "-----BEGIN PRIVATE KEY-----\n"
        "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg+JHHsgdroR5sSWZw\n"
        "B5mV4rG6VSlX07s11ss/1sBmzCGhRANCAAQXlSc9I+M2l0SIBhORzNCE2rwvD0Gc\n"
        "z76BajhCa+uBcVJ3CUvuVmy17Zpli7Z3OwZn0e2g+FyqSz4EUtXFONhW\n"
        "-----END PRIVATE KEY-----\n";

Manager *m;
Slot *slot;
Peer *alice, *bob;

static char *text(const char *s) {
        char *copy = strdup(s);

        ck_assert_ptr_nonnull(copy);
        return copy;
}

static char config_path[] = "/tmp/fleetprovd-manager-XXXXXX";
static bool is_configured;

static Profile *make_profile(const char *name) {
        Profile *p = calloc(1, sizeof(Profile));

        ck_assert_ptr_nonnull(p);
        p->name = text(name);
        p->endpoint = text("cloud.example");
        p->port = 8883;
        p->template_name = text("Template");
        p->rotation_template = text("Rotation");
        p->client_id = text("client");
        p->deadline_usec = USEC_INFINITY;
        p->response_timeout_usec = 30 * USEC_PER_SEC;
        p->fingerprint = text("00");
        p->access.uids = calloc(2, sizeof(uid_t));
        p->access.n_uids = 2;
        p->access.uids[0] = 1000;
        p->access.uids[1] = 1001;
        return p;
}

void bench_setup(void) {
        lanes_open_ready = true;
        m = calloc(1, sizeof(Manager));
        ck_assert_ptr_nonnull(m);
        ck_assert_int_ge(sd_event_new(&m->event), 0);
        m->config = calloc(1, sizeof(Config));
        ck_assert_ptr_nonnull(m->config);
        m->config->max_jobs = 10000;
        m->config->max_jobs_per_user = 1000;
        m->config->retain_usec = USEC_PER_DAY;
        m->jobs = job_table_new();
        ck_assert_ptr_nonnull(m->jobs);
        m->next_serial = 1;
        ck_assert_int_ge(worker_new(m->event, &(WorkerOptions){.name = "crypto", .queue_max = 16},
                                    &m->crypto),
                         0);
        ck_assert_int_ge(dispatch_init(m), 0);
        ck_assert_int_ge(slot_new(m, make_profile("p"), &slot), 0);
        alice = peer_new(DOOR_MAIN, 1000, NULL, 0, false);
        bob = peer_new(DOOR_MAIN, 1001, NULL, 0, false);
        bench_run();
}

void bench_configure(const char *configuration) {
        FILE *f;

        if (!m->options.config) {
                int fd = mkstemp(config_path);

                ck_assert_int_ge(fd, 0);
                close(fd);
                m->options.config = config_path;
                is_configured = true;
        }
        f = fopen(config_path, "w");
        ck_assert_ptr_nonnull(f);
        ck_assert_int_ge(fputs(configuration, f), 0);
        ck_assert_int_eq(fclose(f), 0);
}

void bench_reload(const char *configuration) {
        _cleanup_free_ char *why = NULL;

        bench_configure(configuration);
        ck_assert_msg(reload_now(m, &why) >= 0, "%s", why);
        slot = slot_find(m, "p");
}

void bench_teardown(void) {
        if (is_configured)
                (void) unlink(config_path);
        manager_free(m);
        peer_free(alice);
        peer_free(bob);
}

static void run_what_is_due(void) {
        unsigned runs = 0;

        while (sd_event_run(m->event, 0) > 0)
                ck_assert_msg(++runs < RUNS_MAX, "the loop does not come to rest");
}

void bench_run(void) {
        run_what_is_due();
        while (worker_pending(m->crypto) > 0) { /* a claim that is being read */
                worker_drain(m->crypto);
                run_what_is_due();
        }
}

void bench_run_until_disk(void) {
        while (disk_pending() == 0)
                ck_assert_msg(sd_event_run(m->event, PATIENCE_USEC) > 0, "nothing happens");
}

void bench_until(const Job *job, JobState state) {
        while (job->state != state) {
                bench_run_until_disk();
                disk_settle();
        }
}

JobSpec *bench_spec(const char *key) {
        JobSpec *spec = job_spec_new(OPERATION_PROVISION, "p");

        ck_assert_ptr_nonnull(spec);
        ck_assert_int_eq(free_and_strdup(&spec->key, key), 0);
        return spec;
}

JobSpec *bench_rotation_spec(const char *key) {
        JobSpec *spec = bench_spec(key);

        spec->operation = OPERATION_ROTATE;
        ck_assert_int_eq(free_and_strdup(&spec->certificate, certificate), 0);
        spec->private_key = secret_new(private_key, strlen(private_key));
        ck_assert_ptr_nonnull(spec->private_key);
        return spec;
}

void bench_submit(const Peer *peer, const char *key, FrontCall *call) {
        *call = (FrontCall){};
        manager_submit(m, peer, bench_spec(key), call);
}

Job *bench_job(const FrontCall *call) {
        ck_assert_int_eq(call->answer, ANSWER_JOB);
        return job_table_find(m->jobs, call->id);
}

Job *bench_queued(const Peer *peer, const char *key) {
        FrontCall call;

        bench_submit(peer, key, &call);
        ck_assert_uint_eq(disk_pending(), 1);
        disk_answer(0);
        return bench_job(&call);
}

Job *bench_cancelled(const Peer *peer, const char *key) {
        Job *job = bench_queued(peer, key);
        FrontCall call = {};

        manager_cancel(m, job, &call);
        disk_settle();
        ck_assert_int_eq(call.answer, ANSWER_DONE);
        ck_assert_int_eq(job->state, JOB_CANCELLED);
        return job;
}

Job *bench_succeeded(const Peer *peer, const char *key) {
        Job *job = bench_queued(peer, key);
        JobSecrets secrets = {.private_key = secret_new("the key", 7)};

        bench_run();
        ck_assert_ptr_eq(slot->way.lane->job, job);
        slot->way.lane->options.ops->store(m, job, &secrets, "made");
        disk_settle();
        ck_assert_int_eq(slot->way.lane->stored, 0);
        lane_finish(slot->way.lane, JOB_SUCCEEDED, ERROR_NONE, &secrets);
        job_secrets_done(&secrets);
        disk_settle();
        ck_assert_int_eq(job->state, JOB_SUCCEEDED);
        return job;
}
