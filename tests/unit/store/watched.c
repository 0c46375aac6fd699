/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/store/watched.h"

#include <stdio.h>

static bool ends_with(const char *s, const char *suffix) {
        size_t n = strlen(s), m = strlen(suffix);

        return n >= m && streq(s + n - m, suffix);
}

static int on_step(DiskStep step, const char *name, void *userdata) {
        Watch *w = userdata;

        if (w->hold && (!w->hold_step || *w->hold_step == step)) {
                w->hold = false;
                sem_post(&w->held);
                sem_wait(&w->release);
        }
        ck_assert_uint_lt(w->n, STEPS_MAX);
        w->steps[w->n].step = step;
        (void) snprintf(w->steps[w->n].name, sizeof(w->steps[w->n].name), "%s", name);
        w->n++;
        w->counts[step]++;
        if (w->fail_at != 0 && w->n == w->fail_at)
                return w->fail_error;
        if (w->fail_suffix && step == w->fail_step && ends_with(name, w->fail_suffix))
                return w->fail_error;
        return 0;
}

void watch_reset(Watch *w) {
        w->n = 0;
        memset(w->counts, 0, sizeof(w->counts));
        w->fail_suffix = NULL;
        w->fail_at = 0;
}

static void on_job(Job *job, void *userdata) {
        Fixture *f = userdata;

        ck_assert_uint_lt(f->n_jobs, ELEMENTSOF(f->jobs));
        f->jobs[f->n_jobs++] = job;
}

void fixture_open_watched(Fixture *f) {
        _cleanup_free_ char *why = NULL;
        int r;

        if (!f->event) {
                ck_assert_int_ge(sd_event_new(&f->event), 0);
                sem_init(&f->watch.held, 0, 0);
                sem_init(&f->watch.release, 0, 0);
        }
        r = store_open_hooked(f->event, fixture_directory(), f->key, f->former, on_step, &f->watch,
                              &f->store, &why);
        ck_assert_msg(r == 0, "%s", why);
        ck_assert_int_eq(store_load(f->store, on_job, f), 0);
}

void fixture_open(Fixture *f) {
        fixture_open_watched(f);
        watch_reset(&f->watch);
}

void fixture_close(Fixture *f) {
        f->store = store_free(f->store);
        for (unsigned i = 0; i < f->n_jobs; i++)
                job_free(f->jobs[i]);
        f->n_jobs = 0;
}

void fixture_done(Fixture *f) {
        fixture_close(f);
        f->event = sd_event_unref(f->event);
        sem_destroy(&f->watch.held);
        sem_destroy(&f->watch.release);
}
void fixture_reopen(Fixture *f) {
        fixture_close(f);
        fixture_open(f);
}

void on_done(int error, void *userdata) {
        int *ret = userdata;

        *ret = error;
}

void settle(Fixture *f, const int *result) {
        while (*result == 1)
                ck_assert_int_ge(sd_event_run(f->event, UINT64_MAX), 0);
}

int run_verb(Fixture *f, Verb verb, const Job *job, const JobSecrets *secrets) {
        int result = 1;

        verb(f->store, job, secrets, on_done, &result);
        ck_assert_int_eq(result, 1); /* never from within the call */
        settle(f, &result);
        return result;
}

int run_erase(Fixture *f, const Job *job) {
        int result = 1;

        store_erase_secrets(f->store, job, on_done, &result);
        settle(f, &result);
        return result;
}

int run_remove(Fixture *f, const Job *job) {
        int result = 1;

        store_remove(f->store, job, on_done, &result);
        settle(f, &result);
        return result;
}

typedef struct ReadResult {
        int error;
        JobSecrets secrets;
} ReadResult;

static void on_secrets(int error, const JobSecrets *secrets, void *userdata) {
        ReadResult *result = userdata;

        ck_assert_int_eq(error == 0, secrets != NULL);
        result->error = error;
        if (secrets)
                ck_assert_int_eq(job_secrets_copy(secrets, &result->secrets), 0);
}

int run_read(Fixture *f, const Job *job, JobSecrets *ret) {
        ReadResult result = {.error = 1};

        store_read_secrets(f->store, job, on_secrets, &result);
        settle(f, &result.error);
        if (ret)
                *ret = result.secrets;
        else
                job_secrets_done(&result.secrets);
        return result.error;
}

unsigned step_at(const Watch *w, DiskStep step, const char *suffix, unsigned from) {
        for (unsigned i = from; i < w->n; i++)
                if (w->steps[i].step == step && ends_with(w->steps[i].name, suffix))
                        return i;
        ck_abort_msg("no step %d on %s", (int) step, suffix);
}
