/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/model/job-table.h"

#include <assert.h>
#include <errno.h>
#include <search.h>

/* The C library's balanced trees (tsearch(3)) keep the two indexes; what they hold are the jobs
 * themselves, compared by id, or by owner, profile and key. */
struct JobTable {
        LIST_HEAD(Job, jobs);
        void *by_id;
        void *by_key;
        void *owners; /* Tally */
        size_t size;
        size_t bytes;
        size_t state_counts[JOB_STATE_MAX]; /* kept by job_set_state() */
};

/* How many jobs an owner has, and how large their requests are. Each Submit asks for it: walking
 * 10,000 jobs costs a millisecond. */
typedef struct Tally {
        Peer *owner;
        size_t n, bytes;
} Tally;

static int compare_ids(const void *a, const void *b) {
        return strcmp(((const Job *) a)->id, ((const Job *) b)->id);
}

static int compare_owners(const Peer *a, const Peer *b) {
        if (a->uid != b->uid)
                return a->uid < b->uid ? -1 : 1;
        return strcmp(a->door, b->door);
}

static int compare_tallies(const void *a, const void *b) {
        return compare_owners(((const Tally *) a)->owner, ((const Tally *) b)->owner);
}

static int compare_keys(const void *pa, const void *pb) {
        const Job *a = pa, *b = pb;
        int r = compare_owners(a->owner, b->owner);

        if (r != 0)
                return r;
        r = strcmp(a->spec->profile, b->spec->profile);
        if (r != 0)
                return r;
        return strcmp(a->spec->key, b->spec->key);
}

JobTable *job_table_new(void) {
        return calloc(1, sizeof(JobTable));
}

JobTable *job_table_free(JobTable *t) {
        Job *job, *next;

        if (!t)
                return NULL;
        LIST_FOREACH_SAFE(jobs, job, next, t) {
                job_table_remove(t, job);
                job_free(job);
        }
        free(t);
        return NULL;
}

/* 0 when added, -EEXIST when an equal one stands there. */
static int index_add(void **index, Job *job, int (*compare)(const void *, const void *)) {
        Job **node = tsearch(job, index, compare);

        if (!node)
                return -ENOMEM;
        return *node == job ? 0 : -EEXIST;
}

static Tally *find_tally(const JobTable *t, const Peer *owner) {
        Peer probe = *owner; /* only compared */
        Tally tally = {.owner = &probe};
        Tally **node = tfind(&tally, &t->owners, compare_tallies);

        return node ? *node : NULL;
}

static Tally *tally_free(Tally *tally) {
        peer_free(tally->owner);
        free(tally);
        return NULL;
}

static int tally_up(JobTable *t, const Peer *owner, size_t bytes) {
        Tally *tally = find_tally(t, owner);

        if (!tally) {
                tally = calloc(1, sizeof(Tally));
                if (!tally)
                        return -ENOMEM;
                tally->owner = peer_copy(owner);
                if (!tally->owner || !tsearch(tally, &t->owners, compare_tallies)) {
                        tally_free(tally);
                        return -ENOMEM;
                }
        }
        tally->n++;
        tally->bytes += bytes;
        return 0;
}

static void tally_down(JobTable *t, const Peer *owner, size_t bytes) {
        Tally *tally = find_tally(t, owner);

        tally->bytes -= bytes;
        if (--tally->n > 0)
                return;
        tdelete(tally, &t->owners, compare_tallies);
        tally_free(tally);
}

/* Who stands for all of a further door in the tallies: no caller has this uid. The main door's
 * users are the host's, and few. */
static bool door_as_peer(const Peer *owner, Peer *ret) {
        *ret = (Peer){.door = owner->door, .uid = (uid_t) -1};
        return !streq(owner->door, DOOR_MAIN);
}

static int tally_all_up(JobTable *t, const Peer *owner, size_t bytes) {
        Peer door;
        int r;

        r = tally_up(t, owner, bytes);
        if (r < 0 || !door_as_peer(owner, &door))
                return r;
        r = tally_up(t, &door, bytes);
        if (r < 0)
                tally_down(t, owner, bytes);
        return r;
}

static void tally_all_down(JobTable *t, const Peer *owner, size_t bytes) {
        Peer door;

        tally_down(t, owner, bytes);
        if (door_as_peer(owner, &door))
                tally_down(t, &door, bytes);
}

static void forget(JobTable *t, Job *job) {
        tdelete(job, &t->by_id, compare_ids);
        if (job->spec->key)
                tdelete(job, &t->by_key, compare_keys);
}

int job_table_add(JobTable *t, Job *job) {
        const size_t bytes = job_spec_bytes(job->spec);
        int r;

        r = index_add(&t->by_id, job, compare_ids);
        if (r < 0)
                return r;
        if (job->spec->key) {
                r = index_add(&t->by_key, job, compare_keys);
                if (r < 0) {
                        tdelete(job, &t->by_id, compare_ids);
                        return r;
                }
        }
        r = tally_all_up(t, job->owner, bytes);
        if (r < 0) {
                forget(t, job);
                return r;
        }
        LIST_APPEND(jobs, t, job);
        t->size++;
        t->bytes += bytes;
        job->counted_bytes = bytes;
        t->state_counts[job->state]++;
        job->state_counts = t->state_counts;
        return 0;
}

void job_table_remove(JobTable *t, Job *job) {
        forget(t, job);
        tally_all_down(t, job->owner, job->counted_bytes);
        LIST_REMOVE(jobs, t, job);
        t->size--;
        t->bytes -= job->counted_bytes;
        t->state_counts[job->state]--;
        job->state_counts = NULL;
}

void job_table_recount(JobTable *t, Job *job) {
        const size_t bytes = job_spec_bytes(job->spec);
        Peer door;

        assert(job->state_counts == t->state_counts);
        find_tally(t, job->owner)->bytes += bytes - job->counted_bytes;
        if (door_as_peer(job->owner, &door))
                find_tally(t, &door)->bytes += bytes - job->counted_bytes;
        t->bytes += bytes - job->counted_bytes;
        job->counted_bytes = bytes;
}

Job *job_table_find(const JobTable *t, const char *id) {
        Job probe = {};
        Job **node;

        if (!ipc_job_id_is_valid(id))
                return NULL;
        memcpy(probe.id, id, sizeof(probe.id));
        node = tfind(&probe, &t->by_id, compare_ids);
        return node ? *node : NULL;
}

Job *job_table_find_key(const JobTable *t, const Peer *owner, const char *profile,
                        const char *key) {
        /* Only compared, never written to. */
        JobSpec spec = {.profile = (char *) (uintptr_t) profile, .key = (char *) (uintptr_t) key};
        Peer peer = *owner;
        Job probe = {.owner = &peer, .spec = &spec};
        Job **node;

        node = tfind(&probe, &t->by_key, compare_keys);
        return node ? *node : NULL;
}

Job *job_table_first(const JobTable *t) {
        return t->jobs_first;
}

size_t job_table_size(const JobTable *t) {
        return t->size;
}

size_t job_table_count_state(const JobTable *t, JobState state) {
        return t->state_counts[state];
}

size_t job_table_count_owner(const JobTable *t, const Peer *owner) {
        const Tally *tally = find_tally(t, owner);

        return tally ? tally->n : 0;
}

size_t job_table_count_door(const JobTable *t, const char *door) {
        /* Only compared. */
        const Peer all = {.door = (char *) (uintptr_t) door, .uid = (uid_t) -1};

        return job_table_count_owner(t, &all);
}

size_t job_table_bytes(const JobTable *t) {
        return t->bytes;
}

size_t job_table_bytes_owner(const JobTable *t, const Peer *owner) {
        const Tally *tally = find_tally(t, owner);

        return tally ? tally->bytes : 0;
}

size_t job_table_bytes_door(const JobTable *t, const char *door) {
        /* Only compared. */
        const Peer all = {.door = (char *) (uintptr_t) door, .uid = (uid_t) -1};

        return job_table_bytes_owner(t, &all);
}
