/* SPDX-License-Identifier: GPL-2.0-or-later */

/* What comes after the end: the result is fetched, acknowledged, released, or kept for RetainSec.
 */

#include <errno.h>

#include "daemon/base/clock.h"
#include "daemon/base/log.h"
#include "daemon/manager/manager-internal.h"
#include "daemon/model/exchange.h"

/* Where the disk does not erase what RetainSec= ended. */
#define RETENTION_RETRY_USEC USEC_PER_MINUTE

typedef struct Delivery {
        Manager *manager;
        char id[IPC_JOB_ID_LENGTH + 1];
        FrontCall *call; /* or NULL */
} Delivery;

static Delivery *delivery_new(Job *job, FrontCall *call) {
        Delivery *d = calloc(1, sizeof(Delivery));

        if (!d) {
                front_call_fail(call, NULL);
                return NULL;
        }
        d->manager = job->errand->manager;
        memcpy(d->id, job->id, sizeof(d->id));
        d->call = call;
        return d;
}

/* While it is being asked for again its end counts no more. */
static bool is_finished(const Job *job) {
        return job_state_is_final(job->state) && !job->errand->creating;
}

static Failure *not_finished(const Job *job) {
        return failure_new(ERROR_NOT_FINISHED, "Job %s is %s; wait for its end, or cancel it",
                           job->id,
                           job_state_to_string(job->errand->creating ? JOB_QUEUED : job->state));
}

static Failure *storage(int error, const char *what) {
        return failure_new(ERROR_STORAGE, "%s: %s", what, strerrordesc_np(-error));
}

/* --- result */

/* A token that provision used on the way is no part of its result. */
static JobSecrets select_result(const Job *job, const JobSecrets *secrets) {
        JobSecrets selected = *secrets;

        if (exchange_goes_whole_way(job->spec->operation))
                selected.ownership_token = NULL;
        return selected;
}

static void on_result_read(int error, const JobSecrets *secrets, void *userdata) {
        _cleanup_free_ Delivery *d = userdata;
        Job *job = job_table_find(d->manager->jobs, d->id);

        if (!job || job->hidden)
                front_call_fail(d->call,
                                failure_new(ERROR_NO_SUCH_JOB, "There is no job %s", d->id));
        else if (error < 0 && job->secrets_stored)
                front_call_fail(d->call, storage(error, "The result's secrets cannot be read"));
        else if (error < 0)
                front_call_result(d->call, job, NULL);
        else {
                JobSecrets selected = select_result(job, secrets);

                front_call_result(d->call, job, &selected);
        }
}

void manager_get_result(Manager *m, Job *job, FrontCall *call) {
        Delivery *d;

        if (!job_state_is_final(job->state)) {
                front_call_fail(call, not_finished(job));
                return;
        }
        if (!job_has_result(job)) {
                front_call_fail(call, failure_copy(job->failure));
                return;
        }
        if (!job->secrets_stored) {
                front_call_result(call, job, NULL);
                return;
        }
        d = delivery_new(job, call);
        if (d)
                store_read_secrets(m->store, job, on_result_read, d);
}

/* --- acknowledge */

static void on_acknowledged(Job *job, int error, void *userdata) {
        JobErrand *errand = job->errand;
        _cleanup_free_ FrontCall **calls = TAKE_PTR(errand->acknowledges);
        Held held = held_take(&errand->held); /* who asked for its key in the meantime */

        if (error < 0)
                log_error_errno(error, "Job %s cannot be acknowledged", job->id);
        else
                audit_delivered(job);
        for (size_t i = 0; i < errand->n_acknowledges; i++)
                if (error < 0)
                        front_call_fail(calls[i], storage(error, "The secrets cannot be erased"));
                else
                        front_call_done(calls[i]);
        errand->n_acknowledges = 0;
        held_submit(errand->manager, &held);
}

void manager_acknowledge(Manager *m, Job *job, FrontCall *call) {
        JobErrand *errand = job->errand;

        if (!is_finished(job)) {
                front_call_fail(call, not_finished(job));
                return;
        }
        if (job->acknowledged || !job_has_result(job)) {
                front_call_done(call);
                return;
        }
        if (errand_add_call(&errand->acknowledges, &errand->n_acknowledges, call) < 0)
                return;
        if (errand->n_acknowledges == 1)
                change_commit(&(Change){
                        .job = job,
                        .state = job->state,
                        .phase = job->phase,
                        .failure = failure_copy(job->failure),
                        .secrets = job->secrets_stored ? SECRETS_ERASE : SECRETS_KEEP,
                        .acknowledged = true,
                        .done = on_acknowledged,
                });
}

/* The disk did not take it: RetainSec= ends again, but not at once. */
static void retain_again(Job *job) {
        Manager *m = job->errand->manager;

        m->retention_not_before = usec_add(clock_boot_usec(), RETENTION_RETRY_USEC);
        if (job_state_is_final(job->state) && !job->errand->releasing && !job->errand->creating)
                delivery_retain(job);
}

/* --- release */

static void on_removed(int error, void *userdata) {
        _cleanup_free_ Delivery *d = userdata;
        Manager *m = d->manager;
        Job *job = job_table_find(m->jobs, d->id);
        Held held = held_take(&job->errand->held); /* who asked for its key in the meantime */

        if (error < 0) {
                log_error_errno(error, "Job %s cannot be erased", d->id);
                job->errand->releasing = false;
                job->hidden = false;
                retain_again(job);
                if (d->call)
                        front_call_fail(d->call, storage(error, "The job cannot be erased"));
        } else {
                job->hidden = false; /* for those who are told that it goes */
                audit_released(job);
                front_job_removed(m->front, job);
                if (d->call)
                        front_call_done(d->call);
                delivery_unretain(job);
                job_table_remove(m->jobs, job);
                job_run_free(job);
                errand_free(job);
                job_free(job);
                idle_postpone(m);
        }
        held_submit(m, &held);
}

static void on_key_settled(Job *job, void *userdata) {
        Delivery *d = userdata;

        store_remove(d->manager->store, job, on_removed, d);
}

static void remove_job(Job *job, Delivery *d) {
        job->errand->releasing = true;
        job->hidden = true;
        delivery_unretain(job); /* it must not end a second time */
        if (!job_keys_settle(job, on_key_settled, d))
                on_key_settled(job, d);
}

void manager_release(Manager *m, Job *job, FrontCall *call) {
        Delivery *d;

        if (!is_finished(job)) {
                front_call_fail(call, not_finished(job));
                return;
        }
        d = delivery_new(job, call);
        if (d)
                remove_job(job, d);
}

/* --- retention */

static void on_forgotten(Job *job, int error, void *userdata) {
        if (error >= 0) {
                job_keys_end(job); /* not even the job itself can use it now */
                return;
        }
        log_error_errno(error, "The secrets of job %s cannot be erased after RetainSec=", job->id);
        retain_again(job);
}

/* RetainSec has passed: secrets go; the record goes too, but for one that a key finds again. */
static void retention_ends(Job *job) {
        Delivery *d;

        delivery_unretain(job);
        if (job->spec->key) {
                if (job->secrets_stored)
                        change_commit(&(Change){.job = job,
                                                .state = job->state,
                                                .phase = job->phase,
                                                .failure = failure_copy(job->failure),
                                                .secrets = SECRETS_ERASE,
                                                .acknowledged = job->acknowledged ||
                                                                job->errand->n_acknowledges > 0,
                                                .done = on_forgotten});
                return;
        }
        d = calloc(1, sizeof(Delivery));
        if (!d) {
                retain_again(job);
                return;
        }
        d->manager = job->errand->manager;
        memcpy(d->id, job->id, sizeof(d->id));
        remove_job(job, d);
}

static int on_retention_timer(sd_event_source *source, uint64_t usec, void *userdata) {
        Manager *m = userdata;
        usec_t now = clock_boot_usec();
        size_t n = store_pending(m->store);

        m->retention_timer = sd_event_source_disable_unref(m->retention_timer);
        while (m->retained_first && now >= m->retention_not_before && n++ < MANAGER_CHORES_MAX &&
               now - m->retained_first->finished_boot >= m->config->retain_usec)
                retention_ends(m->retained_first);
        delivery_arm_retention(m);
        return 0;
}

void delivery_arm_retention(Manager *m) {
        usec_t now, left, accuracy = USEC_PER_SEC;

        m->retention_timer = sd_event_source_disable_unref(m->retention_timer);
        if (!m->retained_first || m->config->retain_usec == USEC_INFINITY)
                return;
        now = clock_boot_usec();
        left = usec_sub(m->config->retain_usec, now - m->retained_first->finished_boot);
        if (left < usec_sub(m->retention_not_before, now))
                left = usec_sub(m->retention_not_before, now);
        if (left == 0) { /* overdue: the next few */
                left = MANAGER_CHORES_USEC;
                accuracy = MANAGER_CHORES_USEC;
        }
        (void) sd_event_add_time_relative(m->event, &m->retention_timer, CLOCK_BOOTTIME, left,
                                          accuracy, on_retention_timer, m);
}

/* In the order of their ends, which is the order in which they come but after a restart. */
static void insert_retained(Manager *m, Job *job) {
        Job *before = m->retained_last;
        usec_t now = clock_boot_usec();

        while (before && now - before->finished_boot < now - job->finished_boot)
                before = before->retained_prev;
        if (!before) {
                LIST_PREPEND(retained, m, job);
                return;
        }
        job->retained_prev = before;
        job->retained_next = before->retained_next;
        if (before->retained_next)
                before->retained_next->retained_prev = job;
        else
                m->retained_last = job;
        before->retained_next = job;
}

void delivery_retain(Job *job) {
        Manager *m = job->errand->manager;

        if (job->errand->retained)
                return;
        insert_retained(m, job);
        job->errand->retained = true;
        if (m->retained_first == job)
                delivery_arm_retention(m);
}

void delivery_unretain(Job *job) {
        if (!job->errand->retained)
                return;
        LIST_REMOVE(retained, job->errand->manager, job);
        job->errand->retained = false;
}
