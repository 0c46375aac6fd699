/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* All jobs on record: found by id, by owner, profile and key, and in the order of their coming. */

#include "daemon/model/job.h"

typedef struct JobTable JobTable;

JobTable *job_table_new(void);
JobTable *job_table_free(JobTable *t); /* frees the jobs, too */
DEFINE_CLEANUP(JobTable *, job_table_free);

/* Takes the job on success. -EEXIST: its id, or its owner, profile and key, stand there already. */
int job_table_add(JobTable *t, Job *job);
void job_table_remove(JobTable *t, Job *job); /* gives it back to the caller */

Job *job_table_find(const JobTable *t, const char *id);
Job *job_table_find_key(const JobTable *t, const Peer *owner, const char *profile, const char *key);

Job *job_table_first(const JobTable *t);
static inline Job *job_table_next(const Job *job) {
        return job->jobs_next;
}

size_t job_table_size(const JobTable *t);
size_t job_table_count_state(const JobTable *t, JobState state);
size_t job_table_count_owner(const JobTable *t, const Peer *owner);

/* Of all users behind that door, which is not the main one: who has a user namespace has 65,536
 * users, each with a quota of its own. */
size_t job_table_count_door(const JobTable *t, const char *door);

/* The same of job_spec_bytes(): of all, of an owner, of a door. */
size_t job_table_bytes(const JobTable *t);
size_t job_table_bytes_owner(const JobTable *t, const Peer *owner);
size_t job_table_bytes_door(const JobTable *t, const char *door);

/* Once a job that stands here has got another spec. */
void job_table_recount(JobTable *t, Job *job);
