/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/store/room-steps.h"

#include <errno.h>

#include "daemon/store/room.h"

Job *create(Fixture *f, JobSecrets *secrets) {
        Job *j = fixture_plain_job();

        fixture_secrets(secrets);
        ck_assert_int_eq(run_verb(f, store_create, j, secrets), 0);
        watch_reset(&f->watch);
        return j;
}

int run_spend(Fixture *f, const Job *j) {
        int result = 1;

        store_spend_secrets(f->store, j, on_done, &result);
        ck_assert_int_eq(result, 1);
        settle(f, &result);
        return result;
}

void spend_some(Fixture *f, unsigned n) {
        Job *jobs[ROOM_MAX];

        for (unsigned i = 0; i < n; i++) {
                _cleanup_(job_secrets_done) JobSecrets secrets = {};

                jobs[i] = create(f, &secrets);
        }
        for (unsigned i = 0; i < n; i++) {
                ck_assert_int_eq(run_spend(f, jobs[i]), 0);
                ck_assert_int_eq(run_verb(f, store_update, jobs[i], NULL), 0);
                job_free(jobs[i]);
        }
        watch_reset(&f->watch);
}

void assert_zeros(const char *path) {
        _cleanup_free_ char *text = NULL;
        size_t size;

        text = fixture_read(path, &size);
        ck_assert_uint_gt(size, 0);
        for (size_t i = 0; i < size; i++)
                ck_assert_int_eq(text[i], 0);
}

const Job *loaded(const Fixture *f, const char *id) {
        for (unsigned i = 0; i < f->n_jobs; i++)
                if (streq(f->jobs[i]->id, id))
                        return f->jobs[i];
        ck_abort_msg("the job is not there");
}

void let_it_tidy(Fixture *f, const Job *j) {
        _cleanup_(job_secrets_done) JobSecrets none = {};

        ck_assert_int_eq(run_read(f, j, &none), -ENOENT);
}

void on_counted(int error, void *userdata) {
        unsigned *n = userdata;

        ck_assert_int_eq(error, 0);
        (*n)++;
}

void begin_lot(Fixture *f, const Job *job, unsigned *told) {
        f->watch.hold_step = NULL;
        f->watch.hold = true;
        store_create(f->store, job, NULL, on_counted, told);
        sem_wait(&f->watch.held);
}

void end_lot(Fixture *f, const unsigned *told, size_t n) {
        sem_post(&f->watch.release);
        while (*told < n)
                ck_assert_int_ge(sd_event_run(f->event, UINT64_MAX), 0);
}
