/* SPDX-License-Identifier: GPL-2.0-or-later */

/* A request that was accepted is made durable, and only then answered and queued. */

#include "daemon/base/clock.h"
#include "daemon/manager/manager-internal.h"

static Failure *not_written(int error) {
        return failure_new(ERROR_STORAGE, "The request could not be written to disk: %s",
                           strerrordesc_np(-error));
}

static void answer_submits(Job *job, int error) {
        JobErrand *errand = job->errand;

        for (size_t i = 0; i < errand->n_submits; i++)
                if (error < 0)
                        front_call_fail(errand->submits[i], not_written(error));
                else
                        front_call_job(errand->submits[i], job);
        free(TAKE_PTR(errand->submits));
        errand->n_submits = 0;
}

/* --- a second submission */

static void on_starts_over(Job *job, int error, void *userdata) {
        Manager *m = job->errand->manager;

        job->errand->creating = false;
        answer_submits(job, error);
        if (error < 0) {
                delivery_retain(job);
                ending_answer_cancels(job);
                admission_leave(m, TAKE_PTR(job->errand->admission));
                return;
        }
        audit_accepted(job);
        front_job_changed(m->front, job);
        deadline_watch(job);
        if (job->errand->n_cancels > 0)
                ending_cancel(job);
        else
                dispatch_enqueue(job, DISPATCH_LAST);
        admission_leave(m, TAKE_PTR(job->errand->admission));
}

void acceptance_start_over(Job *job, JobSpec *spec, JobSecrets *secrets) {
        change_commit(
                &(Change){.job = job,
                          .state = JOB_QUEUED,
                          .phase = PHASE_NONE,
                          .text = "asked for again",
                          .secrets = job_secrets_is_empty(secrets) ? SECRETS_KEEP : SECRETS_REPLACE,
                          .new_secrets = secrets,
                          .starts_over = spec,
                          .done = on_starts_over});
}

/* --- a new job */

static void drop_job(Job *job) {
        job_table_remove(job->errand->manager->jobs, job);
        errand_free(job);
        job_free(job);
}

static void refuse_unwritten(Manager *m, Job *job, int error) {
        _cleanup_failure_ Failure *f = not_written(error);

        refusal_log(m, job->owner, job->spec, f);
        answer_submits(job, error);
}

static void on_created(int error, void *userdata) {
        Job *job = userdata;
        Manager *m = job->errand->manager;
        Admission *admission = TAKE_PTR(job->errand->admission);

        job->errand->creating = false;
        if (error < 0) {
                refuse_unwritten(m, job, error);
                drop_job(job);
                admission_leave(m, admission);
                return;
        }
        job->hidden = false;
        answer_submits(job, 0);
        audit_accepted(job);
        front_job_added(m->front, job);
        deadline_watch(job);
        dispatch_enqueue(job, DISPATCH_LAST);
        if (m->is_ending)
                dispatch_take_note_back(m);
        admission_leave(m, admission);
}

bool acceptance_forget_note(Manager *m, const Job *job) {
        if (m->noted != job)
                return false;
        m->noted = NULL;
        return true;
}

/* Where nobody is before it, its certificate is asked for as soon as the request is durable. That
 * this is asked must be on record before it is: so both are written at once, which saves a way to
 * the disk. */
static int write_with_note(Manager *m, Job *job) {
        Job image;
        int r;

        r = job_image_make_ahead(job, JOB_RUNNING, PHASE_CREATE, clock_real_usec(),
                                 clock_boot_usec(), &image);
        if (r < 0)
                return r;
        image.attempts++; /* as it is counted when the job is begun */
        m->noted = job;
        store_create_asking(m->store, &image, on_created, job);
        job_image_done(&image);
        return 0;
}

void acceptance_begin(Job *job) {
        Manager *m = job->errand->manager;
        const bool next = !m->noted && dispatch_asks_next(job);
        /* Token and key go to the sealed file: the record holds no secret. */
        JobSecrets secrets = {.ownership_token = TAKE_PTR(job->spec->ownership_token),
                              .claim_key = TAKE_PTR(job->spec->private_key)};

        job->hidden = true;
        job->errand->creating = true;
        job->errand->admission = admission_enter(m, job->owner);
        job->secrets_stored = !job_secrets_is_empty(&secrets);
        if (secrets.ownership_token)
                job->token_made_boot = job->created_boot;
        if (!next || write_with_note(m, job) < 0)
                store_create(m->store, job, job->secrets_stored ? &secrets : NULL, on_created, job);
        job_secrets_done(&secrets);
}
