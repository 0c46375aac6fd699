/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Is there room for a job? So many may wait, so many may a user have on record; and what all ask
 * for must fit into the memory that the service may use (MemoryMax=), or a few users could have it
 * killed, and again whenever it has read their jobs anew. */

#include "daemon/manager/manager-internal.h"

#define MIB ((size_t) 1024 * 1024)

/* Requests as they usually are take a kilobyte or two. Who allows more jobs than MaxJobs= does by
 * default allows more memory. */
#define REQUESTS_BYTES_LEAST (32 * MIB)
#define REQUEST_BYTES_USUAL ((size_t) 3 * 1024)
#define OWNER_PART 4U

static size_t requests_bytes_max(const Manager *m) {
        const size_t usual = m->config->max_jobs * REQUEST_BYTES_USUAL;

        return usual > REQUESTS_BYTES_LEAST ? usual : REQUESTS_BYTES_LEAST;
}

Failure *quota_check_bytes(const Manager *m, const Peer *peer, const JobSpec *spec) {
        const size_t bytes = job_spec_bytes(spec), max = requests_bytes_max(m);
        size_t of_peer = job_table_bytes_owner(m->jobs, peer);

        if (job_table_bytes(m->jobs) + bytes > max)
                return failure_new(ERROR_QUEUE_FULL,
                                   "The requests of all jobs on record take %zu MiB, as much as "
                                   "they may; try again later, or release some",
                                   max / MIB);
        if (!streq(peer->door, DOOR_MAIN))
                of_peer = job_table_bytes_door(m->jobs, peer->door);
        if (of_peer + bytes > max / OWNER_PART)
                return failure_new(ERROR_QUEUE_FULL,
                                   "The requests of the jobs that %s %u has on record take %zu "
                                   "MiB, as much as they may; release some",
                                   streq(peer->door, DOOR_MAIN) ? "user" : "this socket with user",
                                   (unsigned) peer->uid, max / OWNER_PART / MIB);
        return NULL;
}

Failure *quota_check(const Manager *m, const Peer *peer, const JobSpec *spec) {
        size_t waiting = job_table_count_state(m->jobs, JOB_QUEUED) +
                         job_table_count_state(m->jobs, JOB_RUNNING);

        if (waiting >= m->config->max_jobs)
                return failure_new(ERROR_QUEUE_FULL,
                                   "%zu jobs are waiting, as many as MaxJobs= allows; try again "
                                   "later",
                                   waiting);
        if (job_table_count_owner(m->jobs, peer) >= m->config->max_jobs_per_user)
                return failure_new(ERROR_QUEUE_FULL,
                                   "User %u has %zu jobs on record, as many as MaxJobsPerUser= "
                                   "allows; release some",
                                   (unsigned) peer->uid, m->config->max_jobs_per_user);
        if (!streq(peer->door, DOOR_MAIN) &&
            job_table_count_door(m->jobs, peer->door) >= doors_jobs_max(m))
                return failure_new(ERROR_QUEUE_FULL,
                                   "All users of this socket have %zu jobs on record, as many as "
                                   "there may be; release some",
                                   doors_jobs_max(m));
        return quota_check_bytes(m, peer, spec);
}
