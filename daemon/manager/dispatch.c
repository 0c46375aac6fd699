/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Whose turn it is, and what a lane tells while it works. */

#include <errno.h>

#include "daemon/base/clock.h"
#include "daemon/base/log.h"
#include "daemon/manager/manager-internal.h"
#include "daemon/provider/job-run.h"

/* --- starting */

static void start(Slot *s, Job *job, const JobSecrets *secrets) {
        int r;

        job->attempts++;
        r = way_start(s->way, job, secrets);
        if (r < 0)
                ending_begin(job, JOB_FAILED,
                             failure_from_errno(r, "Cannot begin to work at the job"), NULL,
                             "this machine failed");
}

static void on_secrets_read(Job *job, int error, const JobSecrets *secrets, void *userdata) {
        Slot *s = job->errand->slot;

        if (!s || s->preparing != job)
                return;
        s->preparing = NULL;
        if (job->cancel_requested)
                ending_begin(job, JOB_CANCELLED,
                             failure_new(ERROR_CANCELLED, "The job was cancelled on request"), NULL,
                             "cancelled");
        else if (error < 0 && job->spec->operation == OPERATION_REGISTER_THING)
                ending_begin(job, JOB_FAILED,
                             failure_new(ERROR_STORAGE,
                                         "The ownership token cannot be read back from disk: %s",
                                         strerrordesc_np(-error)),
                             NULL, "its token cannot be read back");
        else if (!way_is_free(s->way))
                dispatch_enqueue(job, DISPATCH_FIRST);
        else
                /* Without its secrets a certificate that was made is given up, and made anew. */
                start(s, job, error < 0 ? NULL : secrets);
}

static void prepare(Slot *s, Job *job) {
        if (!job->secrets_stored || job->run) {
                start(s, job, NULL);
                return;
        }
        s->preparing = job;
        if (errand_read_secrets(job, on_secrets_read, NULL) < 0) {
                s->preparing = NULL;
                ending_begin(job, JOB_FAILED, NULL, NULL, "out of memory");
        }
}

/* The rules may have changed since it was submitted. */
static bool refused_now(Slot *s, Job *job) {
        const char *text = "its owner may not use the profile any more";
        Failure *f = doors_refuse(s->manager, s->profile, job->owner);

        if (!f) {
                f = job_keys_refuse(job->spec, s->profile);
                text = "the profile does not allow it any more";
        }
        if (!f && s->profile->provider == PROVIDER_AZURE_DPS) {
                text = "the profile does not allow it any more";
                f = registrar_refuses(job->spec, s->profile);
                if (!f && s->claim)
                        f = registrar_refuses_device(job->spec, s->profile, s->claim->description);
        }
        if (!f)
                return false;
        ending_begin(job, JOB_FAILED, f, NULL, text);
        return true;
}

static bool can_start(const Slot *s) {
        return way_is_free(s->way) && !s->preparing && !s->next_profile &&
               s->throttled_until <= clock_boot_usec() && s->manager->n_unwritten == 0;
}

/* A registration has notes of its own, and a key that is made here comes first. */
bool dispatch_asks_next(const Job *job) {
        const Slot *s = job->errand->slot;

        return s && s->way.lane && can_start(s) && queue_size(s->queue) == 0 &&
               job->spec->operation != OPERATION_ROTATE &&
               job->spec->operation != OPERATION_REGISTER_THING &&
               job_run_key_source(job, s->profile) != KEY_SOURCE_DAEMON;
}

void dispatch_take_note_back(Manager *m) {
        if (m->noted && !m->noted->errand->creating)
                change_note(m->noted, NULL, NULL);
}

static void start_next(Slot *s) {
        size_t refused = 0;

        while (can_start(s)) {
                Job *job = queue_take(s->queue);

                if (!job)
                        break;
                if (!refused_now(s, job))
                        prepare(s, job);
                else if (++refused == MANAGER_CHORES_MAX) {
                        dispatch_kick(s->manager);
                        break;
                }
        }
}

static int on_dispatch_defer(sd_event_source *source, void *userdata) {
        Manager *m = userdata;
        Slot *s;

        idle_postpone(m);
        LIST_FOREACH(slots, s, m) {
                reload_settle(s);
                slot_claim_settle(s);
                start_next(s);
                rotation_run(s);
        }
        /* Its session is gone since, or another one was before it. */
        dispatch_take_note_back(m);
        return 0;
}

int dispatch_init(Manager *m) {
        int r;

        /* Of normal priority, above the messages': a flood of calls must not keep jobs from
         * starting. */
        r = sd_event_add_defer(m->event, &m->dispatch, on_dispatch_defer, m);
        if (r < 0)
                return r;
        return sd_event_source_set_enabled(m->dispatch, SD_EVENT_OFF);
}

void dispatch_kick(Manager *m) {
        (void) sd_event_source_set_enabled(m->dispatch, SD_EVENT_ONESHOT);
}

static int enqueue(Queue *q, Job *job, DispatchPlace place) {
        switch (place) {
        case DISPATCH_LAST:
                return queue_append(q, job);
        case DISPATCH_RESUME:
                return queue_resume(q, job);
        case DISPATCH_FIRST:
                return queue_return(q, job);
        }
        return -EINVAL;
}

void dispatch_enqueue(Job *job, DispatchPlace place) {
        Slot *s = job->errand->slot;
        int r;

        if (!s) /* its profile went, and came back perhaps */
                s = job->errand->slot = slot_find(job->errand->manager, job->spec->profile);
        if (!s) {
                ending_begin(job, JOB_FAILED,
                             failure_new(ERROR_NOT_INITIALIZED,
                                         "Profile '%s' is not configured any more",
                                         job->spec->profile),
                             NULL, "its profile is gone");
                return;
        }
        if (s->rotation.job == job) { /* it kept its turn */
                dispatch_kick(s->manager);
                return;
        }
        r = enqueue(slot_queue_of(s, job), job, place);
        if (r < 0) {
                ending_begin(job, JOB_FAILED, failure_from_errno(r, "Cannot queue the job"), NULL,
                             "out of memory");
                return;
        }
        dispatch_kick(s->manager);
}

/* --- what the lane tells */

static void tell_session(Slot *s) {
        slot_refresh_status(s);
        slot_claim_session_changed(s);
}

static void session_moved(Manager *m) {
        manager_tell_status(m);
        idle_postpone(m);
        dispatch_kick(m);
}

static void on_lane_session_changed(void *userdata, Lane *lane) {
        Manager *m = userdata;
        Slot *s = slot_of_lane(m, lane);

        if (s && s->way.lane != lane)
                rotation_session_changed(s);
        else if (s)
                tell_session(s);
        session_moved(m);
}

static void on_registrar_session_changed(void *userdata, Registrar *registrar) {
        Manager *m = userdata;
        Slot *s;

        LIST_FOREACH(slots, s, m)
                if (s->way.registrar == registrar)
                        tell_session(s);
        session_moved(m);
}

static void on_lane_progress(void *userdata, Job *job, JobPhase phase, const char *note) {
        change_phase(job, JOB_RUNNING, phase, note);
}

static void on_lane_note(void *userdata, Job *job) {
        keeping_note(job);
}

static void on_registrar_told_to_wait(void *userdata, Job *job) {
        change_note(job, NULL, NULL);
}

static void on_lane_store(void *userdata, Job *job, const JobSecrets *secrets, const char *note) {
        keeping_begin(job, secrets, note);
}

static int on_wait_timer(sd_event_source *source, uint64_t usec, void *userdata) {
        Job *job = userdata;

        job->errand->wait_timer = sd_event_source_disable_unref(job->errand->wait_timer);
        dispatch_enqueue(job, DISPATCH_RESUME);
        return 0;
}

/* By a timer that is due, since one may be no more than an end that waits for the disk. */
void dispatch_end_waits(Slot *s) {
        Job *job;

        for (job = job_table_first(s->manager->jobs); job; job = job_table_next(job))
                if (job->errand && job->errand->slot == s && job->phase == PHASE_BACKOFF &&
                    job->errand->wait_timer)
                        (void) sd_event_source_set_time_relative(job->errand->wait_timer, 0);
}

/* Too early a try is better than none. */
static void wait_for_next_try(Job *job, usec_t delay_usec) {
        int r;

        r = sd_event_add_time_relative(job->errand->manager->event, &job->errand->wait_timer,
                                       CLOCK_BOOTTIME, delay_usec, 0, on_wait_timer, job);
        if (r >= 0)
                return;
        log_warning_errno(r, "Job %s cannot wait before its next try", job->id);
        dispatch_enqueue(job, DISPATCH_LAST);
}

static int on_throttle_timer(sd_event_source *source, uint64_t usec, void *userdata) {
        Slot *s = userdata;

        s->throttle_timer = sd_event_source_disable_unref(s->throttle_timer);
        s->throttled_by = failure_free(s->throttled_by);
        dispatch_kick(s->manager);
        return 0;
}

static void throttle(Slot *s, usec_t delay_usec, const Failure *why) {
        failure_free(s->throttled_by);
        s->throttled_by = failure_copy(why);
        s->throttled_until = usec_add(clock_boot_usec(), delay_usec);
        s->throttle_timer = sd_event_source_disable_unref(s->throttle_timer);
        (void) sd_event_add_time_relative(s->manager->event, &s->throttle_timer, CLOCK_BOOTTIME,
                                          delay_usec, 0, on_throttle_timer, s);
}

static void on_lane_put_back(void *userdata, Job *job, usec_t delay_usec, bool throttled,
                             Failure *failure, const char *note) {
        Manager *m = userdata;
        Slot *s = job->errand->slot;
        bool keeps_turn;

        failure_free(job->failure);
        job->failure = failure;
        if (throttled && s)
                throttle(s, delay_usec, failure);
        keeps_turn = s && rotation_put_back(s, job, delay_usec);
        if (delay_usec == 0) {
                change_phase(job, JOB_QUEUED, PHASE_NONE, note);
                change_note(job, NULL, NULL);
                if (!keeps_turn)
                        dispatch_enqueue(job, DISPATCH_FIRST);
        } else {
                change_phase(job, JOB_RUNNING, PHASE_BACKOFF, note);
                change_note(job, NULL, NULL);
                wait_for_next_try(job, delay_usec);
        }
        dispatch_kick(m);
}

static void on_lane_finished(void *userdata, Job *job, JobState outcome, Failure *failure,
                             const JobSecrets *secrets, const char *note) {
        Manager *m = userdata;

        ending_begin(job, outcome, failure, secrets, note);
        dispatch_kick(m);
}

/* A job is no judge of a claim that has just come: the former one may do. */
static void on_registrar_finished(void *userdata, Job *job, JobState outcome, Failure *failure,
                                  const JobSecrets *secrets, const char *note) {
        Slot *s = job->errand->slot;

        if (outcome == JOB_FAILED && s && slot_claim_is_refused(s) &&
            failure_code(failure) == ERROR_CREDENTIALS_REFUSED)
                on_lane_put_back(userdata, job, 0, false, failure,
                                 "the new claim is refused; going on with the former one");
        else
                on_lane_finished(userdata, job, outcome, failure, secrets, note);
}

const LaneOps dispatch_lane_ops = {
        .session_changed = on_lane_session_changed,
        .progress = on_lane_progress,
        .note = on_lane_note,
        .store = on_lane_store,
        .put_back = on_lane_put_back,
        .finished = on_lane_finished,
};

const RegistrarOps dispatch_registrar_ops = {
        .session_changed = on_registrar_session_changed,
        .progress = on_lane_progress,
        .note = on_lane_note,
        .told_to_wait = on_registrar_told_to_wait,
        .store = on_lane_store,
        .put_back = on_lane_put_back,
        .finished = on_registrar_finished,
};
