/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* A store on a disk that is watched: each step is noted in its order, and can be made to fail. */

#include <semaphore.h>

#include "daemon/store/commit.h"
#include "daemon/store/job-file.h"
#include "tests/unit/store/fixture.h"

#define STEPS_MAX 4096U

/* The disk, watched: what was done, in order; and what is to fail. */
typedef struct Watch {
        struct {
                DiskStep step;
                char name[64];
        } steps[STEPS_MAX];
        unsigned n;
        _Atomic unsigned counts[DISK_STEP_MAX]; /* may be read while the disk is at it */
        DiskStep fail_step;
        const char *fail_suffix; /* NULL: none fails */
        int fail_error;
        unsigned fail_at;          /* the n-th step of all fails, from 1; 0: none */
        bool hold;                 /* the disk stands still at the next step until it is released */
        const DiskStep *hold_step; /* at the next such step; NULL: any */
        sem_t held, release;
} Watch;

typedef struct Fixture {
        sd_event *event;
        Store *store;
        Watch watch;
        Job *jobs[128];
        unsigned n_jobs;
        const char *key, *former; /* StateKey= and FormerStateKey=; NULL: none */
} Fixture;

/* Forgets the steps; none fails any more. */
void watch_reset(Watch *w);
/* Opens the store in fixture_directory() and loads its jobs. */
void fixture_open(Fixture *f);
/* The same, and the steps are those of the start. */
void fixture_open_watched(Fixture *f);
void fixture_close(Fixture *f);
/* A restart. */
void fixture_reopen(Fixture *f);
void fixture_done(Fixture *f);
#define _cleanup_fixture_ _cleanup_(fixture_done)

/* A StoreDone whose userdata is an int, which becomes the error. */
void on_done(int error, void *userdata);
/* Runs the loop until everything is told. */
void settle(Fixture *f, const int *result);

typedef void (*Verb)(Store *s, const Job *job, const JobSecrets *secrets, StoreDone done,
                     void *userdata);

/* Does it and waits until it is told; the error that was told. */
int run_verb(Fixture *f, Verb verb, const Job *job, const JobSecrets *secrets);
int run_erase(Fixture *f, const Job *job);
int run_remove(Fixture *f, const Job *job);
int run_read(Fixture *f, const Job *job, JobSecrets *ret);

/* Where in the order of steps this one was; fails the test where it was not. */
unsigned step_at(const Watch *w, DiskStep step, const char *suffix, unsigned from);
