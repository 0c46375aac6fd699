/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The only way to another state on record. A change is written down as the job will be, and the job
 * becomes so when that is durable: nobody can see, and nobody is told, what a power cut could take
 * back. A phase alone is shown at once: it promises nothing, and a restart begins the phase again.
 * A note is less than a change: it says on disk what the job is about to do, so that the next
 * daemon knows what may have happened.
 */

#include <errno.h>

#include "daemon/base/clock.h"
#include "daemon/base/log.h"
#include "daemon/manager/manager-internal.h"

typedef struct PendingChange {
        Change change;
        char *text;
        usec_t now_real, now_boot;
} PendingChange;

static PendingChange *pending_free(PendingChange *p) {
        if (!p)
                return NULL;
        failure_free(p->change.failure);
        job_spec_free(p->change.starts_over);
        free(p->text);
        free(p);
        return NULL;
}
DEFINE_CLEANUP(PendingChange *, pending_free);

static void apply(PendingChange *p) {
        Job *job = p->change.job;

        if (p->change.state != job->state || p->change.phase != job->phase)
                job_set_state(job, p->change.state, p->change.phase, p->now_real, p->now_boot,
                              p->text);
        failure_free(job->failure);
        job->failure = TAKE_PTR(p->change.failure);
        job->acknowledged = p->change.acknowledged;
        switch (p->change.secrets) {
        case SECRETS_REPLACE:
                job->secrets_stored = true;
                job->secrets_erased = false;
                break;
        case SECRETS_ERASE:
        case SECRETS_SPEND:
                job->secrets_erased = job->secrets_erased || job->secrets_stored;
                job->secrets_stored = false;
                break;
        case SECRETS_KEEP:
                break;
        }
        if (p->change.starts_over) {
                job_spec_free(job->spec);
                job->spec = TAKE_PTR(p->change.starts_over);
                job_table_recount(job->errand->manager->jobs, job);
                job->created_boot = p->now_boot;
                job->cancel_requested = false;
        }
}

/* A line speaks of the secrets as they will be when the disk comes to it, which may be before the
 * job knows: else a key that is being stored would be taken for none by the next start. */
static void note_secrets_coming(JobErrand *errand, SecretsChange secrets) {
        if (secrets == SECRETS_KEEP)
                return;
        errand->secrets_coming = secrets;
        errand->n_secrets_coming++;
}

static void note_secrets_came(JobErrand *errand, SecretsChange secrets) {
        if (secrets != SECRETS_KEEP && --errand->n_secrets_coming == 0)
                errand->secrets_coming = SECRETS_KEEP;
}

static void foresee_secrets(const JobErrand *errand, Job *image) {
        if (errand->secrets_coming == SECRETS_KEEP)
                return;
        image->secrets_stored = errand->secrets_coming == SECRETS_REPLACE;
        image->secrets_erased = !image->secrets_stored;
}

static void on_change_durable(int error, void *userdata) {
        _cleanup_(pending_freep) PendingChange *p = userdata;
        Job *job = p->change.job;

        note_secrets_came(job->errand, p->change.secrets);
        if (error >= 0)
                apply(p);
        if (p->change.done)
                p->change.done(job, error, p->change.userdata);
}

static void write_down(const Job *image, PendingChange *p) {
        Store *store = p->change.job->errand->manager->store;
        const JobSecrets *secrets =
                p->change.secrets == SECRETS_REPLACE ? p->change.new_secrets : NULL;

        if (p->change.starts_over || p->change.anew)
                store_rewrite(store, image, secrets, on_change_durable, p);
        else if (p->change.secrets == SECRETS_ERASE)
                store_erase_secrets(store, image, on_change_durable, p);
        else if (p->change.secrets == SECRETS_SPEND)
                store_spend_secrets(store, image, on_change_durable, p);
        else
                store_update(store, image, secrets, on_change_durable, p);
}

void change_commit(const Change *change) {
        _cleanup_(pending_freep) PendingChange *p = NULL;
        Job *job = change->job, image;
        int r;

        p = calloc(1, sizeof(PendingChange));
        if (!p) {
                failure_free(change->failure);
                job_spec_free(change->starts_over);
                change->done(job, -ENOMEM, change->userdata);
                return;
        }
        p->change = *change;
        p->now_real = clock_real_usec();
        p->now_boot = clock_boot_usec();
        if (free_and_strdup(&p->text, change->text) < 0)
                r = -ENOMEM;
        else
                r = job_image_make(job, change->state, change->phase, p->now_real, p->now_boot,
                                   p->text, &image);
        if (r < 0) {
                change->done(job, r, change->userdata);
                return;
        }
        (void) acceptance_forget_note(job->errand->manager, job);
        foresee_secrets(job->errand, &image);
        note_secrets_coming(job->errand, change->secrets);
        image.failure = p->change.failure;
        image.acknowledged = change->acknowledged;
        if (change->starts_over) {
                image.spec = change->starts_over;
                image.created_boot = p->now_boot;
                /* What cancelled it before does not cancel it again, at the next start. */
                image.cancel_requested = false;
        }
        write_down(&image, TAKE_PTR(p));
        job_image_done(&image);
}

typedef struct PendingNote {
        Job *job;
        void (*done)(Job *job, int error, void *userdata);
        void *userdata;
} PendingNote;

static void on_note_written(int error, void *userdata) {
        _cleanup_free_ PendingNote *n = userdata;

        if (n->done)
                n->done(n->job, error, n->userdata);
        else if (error < 0)
                log_warning_errno(error, "Job %s: what it does cannot be written down", n->job->id);
}

/* Who waits for the note is about to ask for what cannot be taken back; AWS answers with a token.
 */
static bool is_to_bring_secrets(const Job *job) {
        const Slot *s = job->errand->slot;

        return !job->secrets_stored && s && s->way.lane;
}

void change_note(Job *job, void (*done)(Job *job, int error, void *userdata), void *userdata) {
        PendingNote *n = calloc(1, sizeof(PendingNote));
        Job image;
        int r;

        r = n ? job_image_make(job, job->state, job->phase, clock_real_usec(), clock_boot_usec(),
                               NULL, &image)
              : -ENOMEM;
        if (r < 0) {
                free(n);
                if (done)
                        done(job, r, userdata);
                return;
        }
        (void) acceptance_forget_note(job->errand->manager, job);
        *n = (PendingNote){.job = job, .done = done, .userdata = userdata};
        foresee_secrets(job->errand, &image);
        if (done && is_to_bring_secrets(&image))
                store_note_asking(job->errand->manager->store, &image, on_note_written, n);
        else
                store_note(job->errand->manager->store, &image, on_note_written, n);
        job_image_done(&image);
}

void change_phase(Job *job, JobState state, JobPhase phase, const char *text) {
        if (state == job->state && phase == job->phase)
                return;
        job_set_state(job, state, phase, clock_real_usec(), clock_boot_usec(), text);
        front_job_changed(job->errand->manager->front, job);
}
