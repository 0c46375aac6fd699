/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Cancel, and the one way to an end: written first, told after. Where the disk does not
 * take the end, it is written again until it does: nothing that was brought home is thrown away. */

#include <errno.h>

#include "daemon/base/clock.h"
#include "daemon/base/log.h"
#include "daemon/manager/manager-internal.h"

struct Ending {
        Job *job;
        JobState outcome;
        Failure *failure;
        SecretsChange secrets_change;
        JobSecrets secrets;
        bool anew; /* its file is gone */
        char *text;
};

Ending *ending_free(Ending *e) {
        if (!e)
                return NULL;
        failure_free(e->failure);
        job_secrets_done(&e->secrets);
        free(e->text);
        free(e);
        return NULL;
}
DEFINE_CLEANUP(Ending *, ending_free);

static void write_ending(Ending *e);

static int on_retry_timer(sd_event_source *source, uint64_t usec, void *userdata) {
        Ending *e = userdata;

        e->job->errand->wait_timer = sd_event_source_disable_unref(e->job->errand->wait_timer);
        write_ending(TAKE_PTR(e->job->errand->unwritten));
        return 0;
}

static void write_again_later(Ending *e, int error) {
        unwritten_wait(e->job, error, on_retry_timer, e);
        e->job->errand->unwritten = e;
}

void ending_answer_cancels(Job *job) {
        JobErrand *errand = job->errand;

        for (size_t i = 0; i < errand->n_cancels; i++)
                front_call_done(errand->cancels[i]);
        free(TAKE_PTR(errand->cancels));
        errand->n_cancels = 0;
}

static void on_end_durable(Job *job, int error, void *userdata) {
        Manager *m = job->errand->manager;
        Ending *e = userdata;

        /* Somebody has removed its file: what is in memory is the record now. */
        if (error == -ENOENT && !e->anew) {
                e->anew = true;
                log_error("Job %s: its file is gone from the state directory, writing it anew",
                          job->id);
                write_ending(e);
                return;
        }
        if (error < 0) {
                write_again_later(e, error);
                return;
        }
        ending_free(e);
        unwritten_over(job);
        job->errand->ending = false;
        job->cancel_requested = false;
        job_run_free(job);
        audit_finished(job);
        front_job_changed(m->front, job);
        ending_answer_cancels(job);
        delivery_retain(job);
        claim_key_erase(job);
        job_keys_end(job);
        dispatch_kick(m);
}

static void write_ending(Ending *e) {
        change_commit(&(Change){.job = e->job,
                                .state = e->outcome,
                                .phase = PHASE_NONE,
                                .text = e->text,
                                .failure = failure_copy(e->failure),
                                .secrets = e->secrets_change,
                                .new_secrets = &e->secrets,
                                .anew = e->anew,
                                .done = on_end_durable,
                                .userdata = e});
}

/* What of the exchange's secrets belongs to the result. */
static int choose_secrets(Ending *e, const JobSecrets *secrets) {
        const Job *job = e->job;

        if (e->outcome != JOB_SUCCEEDED)
                /* A second submission may go on with what is stored. A token that was handed in is
                 * of no use any more. */
                return 0;
        switch (job->spec->operation) {
        case OPERATION_CREATE_CERTIFICATE_FROM_CSR:
        case OPERATION_CREATE_KEYS_AND_CERTIFICATE:
                e->secrets_change = SECRETS_REPLACE;
                return secrets ? job_secrets_copy(secrets, &e->secrets) : 0;
        case OPERATION_PROVISION:
                /* A registration's own key is told by its last answer. */
                if (secrets && secrets->symmetric_key) {
                        e->secrets_change = SECRETS_REPLACE;
                        return job_secrets_copy(secrets, &e->secrets);
                }
                /* The key stands on disk since before the thing was registered. A token alone is
                 * spent. */
                if (secrets && !secrets->private_key && job->secrets_stored)
                        e->secrets_change = SECRETS_SPEND;
                return 0;
        case OPERATION_REGISTER_THING:
                e->secrets_change = SECRETS_SPEND;
                return 0;
        case OPERATION_ROTATE: /* claim-key.c sees to them, once the end is durable */
        case OPERATION_MAX:
        case OPERATION_INVALID:
                break;
        }
        return 0;
}

void ending_begin(Job *job, JobState outcome, Failure *failure, const JobSecrets *secrets,
                  const char *text) {
        _cleanup_(ending_freep) Ending *e = NULL;

        if (job->errand->ending || job_state_is_final(job->state)) {
                failure_free(failure);
                return;
        }
        job->errand->wait_timer = sd_event_source_disable_unref(job->errand->wait_timer);
        job->errand->keeping = keeping_free(job->errand->keeping);
        if (job->errand->slot)
                slot_forget_job(job->errand->slot, job);
        /* One that failed in verify brings its certificate all the same. */
        if (outcome != JOB_SUCCEEDED && failure_code(failure) != ERROR_VERIFY_FAILED)
                (void) job_note_left_certificate(job);
        else
                job->had_result = true;

        e = calloc(1, sizeof(Ending));
        if (!e) {
                failure_free(failure);
                log_error("Job %s cannot be ended: out of memory", job->id);
                return;
        }
        e->job = job;
        e->outcome = outcome;
        e->failure = failure;
        if (outcome != JOB_SUCCEEDED && !failure)
                e->failure = failure_new(ERROR_NO_MEMORY, "out of memory");
        if (choose_secrets(e, secrets) < 0 || free_and_strdup(&e->text, text) < 0) {
                log_error("Job %s cannot be ended: out of memory", job->id);
                return;
        }
        job->errand->ending = true;
        write_ending(TAKE_PTR(e));
}

/* --- cancel */

static Failure *cancelled(const Job *job) {
        return failure_with_cause(failure_new(ERROR_CANCELLED, "The job was cancelled on request"),
                                  failure_copy(job->failure));
}

void ending_cancel(Job *job) {
        Slot *s = job->errand->slot;
        Way way;

        job->cancel_requested = true;
        if (job->errand->ending || (s && s->preparing == job))
                return;
        way = s ? slot_way_of(s, job) : (Way){};
        if (!way_is_none(way)) {
                way_cancel(way);
                keeping_give_up(job);
        } else
                ending_begin(job, JOB_CANCELLED, cancelled(job), NULL, "cancelled");
}

void manager_cancel(Manager *m, Job *job, FrontCall *call) {
        JobErrand *errand = job->errand;

        if (job_state_is_final(job->state) && !errand->creating) {
                front_call_done(call);
                return;
        }
        if (errand_add_call(&errand->cancels, &errand->n_cancels, call) < 0)
                return;
        /* While it is being asked for again there is nothing to stop yet. */
        if (!job_state_is_final(job->state))
                ending_cancel(job);
}
