/* SPDX-License-Identifier: GPL-2.0-or-later */

/* What the disk does not take, because it is full, read-only or ill. Whoever is at work holds on to
 * what was brought home, and it is written again and again. Nothing new is begun meanwhile: each
 * beginning could cost a certificate that there is no place for. Requests are refused as they come
 * (submission.c). Once the disk takes what was waiting, all goes on by itself. */

#include <errno.h>

#include "daemon/base/clock.h"
#include "daemon/base/log.h"
#include "daemon/manager/manager-internal.h"

#define WRITE_AGAIN_USEC (2 * USEC_PER_SEC)

/* A certificate, with its key and its token, on the way to the disk; or only a note. */
struct Keeping {
        Job *job;
        bool is_note; /* what the lane is about to do: it stands in the job */
        SecretsChange secrets_change;
        JobSecrets secrets;
        char *note;
        int error; /* what the disk said last */
};

Keeping *keeping_free(Keeping *k) {
        if (!k)
                return NULL;
        job_secrets_done(&k->secrets);
        free(k->note);
        free(k);
        return NULL;
}
DEFINE_CLEANUP(Keeping *, keeping_free);

/* Of the disk, and may pass; anything else concerns the one job. */
static bool is_of_the_disk(int error) {
        return error == -ENOSPC || error == -EDQUOT || error == -EROFS || error == -EIO;
}

void unwritten_wait(Job *job, int error, sd_event_time_handler_t again, void *userdata) {
        JobErrand *errand = job->errand;
        Manager *m = errand->manager;
        int r;

        if (!errand->waits_for_disk) {
                log_error_errno(error,
                                "Job %s: what it brought cannot be written to disk; trying again "
                                "until it can",
                                job->id);
                (void) job_add_history(job, clock_real_usec(), job->state, job->phase,
                                       "waiting until it can be written to disk");
        }
        errand->waits_for_disk = true;
        if (is_of_the_disk(error) && !errand->holds_others) {
                errand->holds_others = true;
                if (m->n_unwritten++ == 0)
                        log_notice("No other job is begun until the disk takes that");
        }
        r = sd_event_add_time_relative(m->event, &errand->wait_timer, CLOCK_BOOTTIME,
                                       WRITE_AGAIN_USEC, 0, again, userdata);
        if (r < 0)
                log_error_errno(r, "Job %s: cannot set a timer either", job->id);
}

void unwritten_over(Job *job) {
        JobErrand *errand = job->errand;
        Manager *m = errand->manager;

        errand->waits_for_disk = false;
        if (!errand->holds_others)
                return;
        errand->holds_others = false;
        if (--m->n_unwritten > 0)
                return;
        log_notice("The disk has taken all that waited for it, going on");
        dispatch_kick(m);
}

/* --- what a lane wants kept before it goes on */

static void write_kept(Keeping *k);

static int on_again_timer(sd_event_source *source, uint64_t usec, void *userdata) {
        Keeping *k = userdata;
        JobErrand *errand = k->job->errand;

        errand->wait_timer = sd_event_source_disable_unref(errand->wait_timer);
        errand->keeping = NULL;
        write_kept(k);
        return 0;
}

static void tell_lane(const Keeping *k, int error) {
        Way way = slot_way_of(k->job->errand->slot, k->job);

        if (k->is_note)
                way_noted(way, error);
        else
                way_stored(way, error);
}

static void on_kept(Job *job, int error, void *userdata) {
        _cleanup_(keeping_freep) Keeping *k = userdata;
        Slot *s = job->errand->slot;

        if (!s || way_is_none(slot_way_of(s, job))) /* it has ended in the meantime */
                return;
        if (is_of_the_disk(error) && !job->cancel_requested) {
                k->error = error;
                unwritten_wait(job, error, on_again_timer, k);
                job->errand->keeping = TAKE_PTR(k);
                return;
        }
        unwritten_over(job);
        tell_lane(k, error);
}

static void write_kept(Keeping *k) {
        Job *job = k->job;

        if (k->is_note) {
                change_note(job, on_kept, k);
                return;
        }
        change_commit(&(Change){.job = job,
                                .state = job->state,
                                .phase = job->phase,
                                .text = k->note,
                                .failure = failure_copy(job->failure),
                                .secrets = k->secrets_change,
                                .new_secrets = &k->secrets,
                                .done = on_kept,
                                .userdata = k});
}

void keeping_begin(Job *job, const JobSecrets *secrets, const char *note) {
        _cleanup_(keeping_freep) Keeping *k = calloc(1, sizeof(Keeping));

        if (!k || (secrets && job_secrets_copy(secrets, &k->secrets) < 0) ||
            free_and_strdup(&k->note, note) < 0) {
                way_stored(slot_way_of(job->errand->slot, job), -ENOMEM);
                return;
        }
        k->job = job;
        k->secrets_change = secrets ? SECRETS_REPLACE : SECRETS_KEEP;
        write_kept(TAKE_PTR(k));
}

void keeping_note(Job *job) {
        Keeping *k;

        if (acceptance_forget_note(job->errand->manager, job)) {
                way_noted(slot_way_of(job->errand->slot, job), 0);
                return;
        }
        k = calloc(1, sizeof(Keeping));
        if (!k) {
                way_noted(slot_way_of(job->errand->slot, job), -ENOMEM);
                return;
        }
        k->job = job;
        k->is_note = true;
        write_kept(k);
}

void keeping_give_up(Job *job) {
        _cleanup_(keeping_freep) Keeping *k = TAKE_PTR(job->errand->keeping);

        if (!k)
                return;
        job->errand->wait_timer = sd_event_source_disable_unref(job->errand->wait_timer);
        tell_lane(k, k->error);
}
