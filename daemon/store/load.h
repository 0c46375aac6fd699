/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* What stands in the directory at a start becomes jobs again, and what does not read is set aside,
 * under a name that says so and with a journal entry: one bad file costs one job.
 *
 * What a crash left between two steps is brought to its end: secrets that no line speaks of are
 * erased, and so are those that a line says are gone. */

#include "daemon/store/directory.h"
#include "daemon/store/job-record.h"
#include "daemon/store/secret-file.h"
#include "daemon/store/state-key.h"

typedef struct JobList {
        Job **jobs; /* by serial */
        size_t n;
} JobList;

void job_list_done(JobList *l);

/* Secrets that are sealed with a former state key, and as whose. */
typedef struct FormerSecrets {
        char id[IPC_JOB_ID_LENGTH + 1];
        SecretContext context;
} FormerSecrets;

typedef struct FormerList {
        FormerSecrets *items;
        size_t n;
} FormerList;

void former_secrets_done(FormerSecrets *s);
void former_list_done(FormerList *l);

/* -ENOMEM, or an error of the directory itself. */
int load_jobs(const Directory *directory, const StateKeys *keys, const JobClock *clock,
              JobList *ret, FormerList *ret_former);
