/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/manager/manager.h"

#include <errno.h>
#include <systemd/sd-daemon.h>

#include "daemon/base/clock.h"
#include "daemon/base/log.h"
#include "daemon/crypto/crypto.h"
#include "daemon/manager/checkup.h"
#include "daemon/manager/manager-internal.h"

#define CRYPTO_QUEUE_MAX 256U /* one order a lane, and lanes are few */

/* --- what the front asks */

static const JobTable *front_jobs(void *userdata) {
        return ((Manager *) userdata)->jobs;
}

static const ProfileStatus *front_profile_at(void *userdata, const char *door, size_t i) {
        const Slot *s = doors_slot_at(userdata, door, i);

        return s ? &s->status : NULL;
}

static const char *front_default_profile(void *userdata, const char *door) {
        const Slot *s = doors_default_slot(userdata, door);

        return s ? s->profile->name : NULL;
}

static const Failure *front_waiting_for(void *userdata, const Job *job) {
        const Slot *s = job->errand ? job->errand->slot : NULL;

        if (job->state == JOB_RUNNING && job->phase == PHASE_BACKOFF)
                return job->failure;
        if (job->state != JOB_QUEUED || !s)
                return NULL;
        if (job->spec->operation == OPERATION_ROTATE)
                return s->rotation.job == job && s->rotation.lane
                               ? lane_last_error(s->rotation.lane)
                               : NULL;
        /* One that registers is connected for its job alone. */
        if (s->way.registrar ? s->claim != NULL : way_state(s->way) == SESSION_READY)
                return s->throttled_by;
        return s->status.last_error;
}

static void front_submit(void *userdata, const Peer *peer, JobSpec *spec, FrontCall *call) {
        manager_submit(userdata, peer, spec, call);
}

static void front_get_result(void *userdata, Job *job, FrontCall *call) {
        manager_get_result(userdata, job, call);
}

static void front_acknowledge(void *userdata, Job *job, FrontCall *call) {
        manager_acknowledge(userdata, job, call);
}

static void front_cancel(void *userdata, Job *job, FrontCall *call) {
        manager_cancel(userdata, job, call);
}

static void front_release(void *userdata, Job *job, FrontCall *call) {
        manager_release(userdata, job, call);
}

static void front_reload(void *userdata, FrontCall *call) {
        _cleanup_free_ char *why = NULL;
        int r;

        r = reload_now(userdata, &why);
        if (r < 0) {
                log_warning("The configuration was not read again: %s",
                            why ? why : "out of memory");
                front_call_fail(call, failure_new(ERROR_BAD_PARAMETER, "%s",
                                                  why ? why : strerrordesc_np(-r)));
                return;
        }
        reload_answer(userdata, call);
}

static void front_check(void *userdata, const Peer *peer, const char *profile, FrontCall *call) {
        manager_check(userdata, peer, profile, call);
}

static const FrontOps front_ops = {
        .jobs = front_jobs,
        .profile_at = front_profile_at,
        .default_profile = front_default_profile,
        .waiting_for = front_waiting_for,
        .submit = front_submit,
        .get_result = front_get_result,
        .acknowledge = front_acknowledge,
        .cancel = front_cancel,
        .release = front_release,
        .reload = front_reload,
        .check = front_check,
};

/* --- start */

/* The resume table. What was durable when the daemon ended decides; a phase alone never was. What
 * ran is queued again, whatever had come of it:
 *
 *   on record                        what a new start does
 *   queued                           stays where it is in its owner's turn
 *   running, no certificate          keys are made and the certificate is asked for again; in phase
 *                                    `create` one may have been made: its history says so
 *   running, certificate and token   its exchange begins at RegisterThing while the token lives;
 *                                    else the certificate goes on record as left behind
 *   running, thing                   its certificate is tried, and nothing else is done
 *   running, operation of DPS        it is queried, not before DPS said, and registered anew only
 *                                    where DPS does not know it any more
 *   running, `register` at DPS       registered again; a certificate may have been made
 *   ended                            kept for RetainSec, counted in time that the machine was up
 */
static bool is_registration(const Job *job) {
        return job->errand->slot && job->errand->slot->way.registrar;
}

/* A registration does that only where the service issues them. */
static bool may_have_made_one(const Job *job) {
        return !is_registration(job) || registrar_issues(job->errand->slot->profile);
}

static const char asked_for_one[] =
        "the daemon was restarted after a certificate was asked for, and before its answer was "
        "kept: one may have been made, and is left behind then; starting over";

static const char *what_was_cut_off(const Job *job, usec_t now_boot) {
        if (job->result.operation_id)
                return "the daemon was restarted; asking what became of the registration";
        if (!may_have_made_one(job))
                return "the daemon was restarted; starting over";
        if (job->state != JOB_RUNNING)
                /* What it was about to do is on record, unless a power cut took that. A time that
                 * is ahead was before this boot. */
                return job->created_boot > now_boot
                               ? "the machine was restarted; if it was being worked at just then, "
                                 "a certificate may have been made, and is left behind"
                               : "the daemon was restarted";
        if (job->result.thing_name)
                return "the daemon was restarted; going on with the certificate, which is still to "
                       "be tried";
        if (job->result.certificate_id)
                return "the daemon was restarted; going on with the certificate";
        switch (job->phase) {
        case PHASE_CREATE:
                return asked_for_one;
        case PHASE_REGISTER:
                if (is_registration(job))
                        return asked_for_one;
                return "the daemon was restarted while the thing was being registered: that may be "
                       "done, and the ownership token be spent then; registering it again";
        case PHASE_NONE:
        case PHASE_KEYGEN:
        case PHASE_POLL:
        case PHASE_VERIFY:
        case PHASE_BACKOFF:
        case JOB_PHASE_MAX:
        case JOB_PHASE_INVALID:
                break;
        }
        return "the daemon was restarted; starting over";
}

static void resume(Manager *m, Job *job) {
        const usec_t now_real = clock_real_usec(), now_boot = clock_boot_usec();
        const char *text = what_was_cut_off(job, now_boot);

        if (job_state_is_final(job->state)) {
                job->cancel_requested = false; /* or it would cancel a second submission */
                delivery_retain(job);
                claim_key_erase(job);
                job_keys_end(job);
                return;
        }
        if (job->state == JOB_RUNNING)
                job_set_state(job, JOB_QUEUED, PHASE_NONE, now_real, now_boot, text);
        else
                (void) job_add_history(job, now_real, JOB_QUEUED, PHASE_NONE, text);
        deadline_watch(job);
        if (job->cancel_requested)
                ending_begin(job, JOB_CANCELLED,
                             failure_new(ERROR_CANCELLED, "The job was cancelled on request"), NULL,
                             "cancelled");
        else if (job->errand->slot)
                dispatch_enqueue(job, DISPATCH_LAST);
}

static void on_job_loaded(Job *job, void *userdata) {
        Manager *m = userdata;
        int r;

        r = errand_new(m, job);
        if (r >= 0)
                r = job_table_add(m->jobs, job);
        if (r < 0) {
                log_error_errno(r, "Job %s is left alone on disk", job->id);
                errand_free(job);
                job_free(job);
        }
}

static int open_store(Manager *m) {
        _cleanup_free_ char *why = NULL;
        int r;

        r = store_open(m->event, m->options.state_directory, m->config->state_key,
                       m->config->former_state_key, &m->store, &why);
        if (r < 0)
                log_error("%s", why ? why : strerrordesc_np(-r));
        return r;
}

static int load_jobs(Manager *m) {
        int r;

        r = store_load(m->store, on_job_loaded, m);
        if (r < 0)
                return log_error_errno(r, "Cannot read the jobs in %s", m->options.state_directory);
        m->next_serial = store_next_serial(m->store);
        return 0;
}

static int load_config(Manager *m, int *ret_exit) {
        _cleanup_free_ char *why = NULL;
        int r;

        r = config_load(m->options.config, &m->config, &why);
        if (r < 0) {
                log_error("%s", why ? why : strerrordesc_np(-r));
                *ret_exit = MANAGER_EXIT_CONFIG;
        }
        return r;
}

static int make_slots(Manager *m) {
        for (size_t i = 0; i < m->config->n_profiles; i++) {
                Slot *s;
                int r;

                r = slot_new(m, m->config->profiles[i], &s);
                if (r < 0)
                        return log_error_errno(r, "Cannot set up profile %s",
                                               m->config->profiles[i]->name);
                m->config->profiles[i] = NULL;
        }
        m->config->n_profiles = 0;
        return 0;
}

static void on_crypto_idle(void *userdata) {
        crypto_trim();
}

static int make_workers(Manager *m) {
        const WorkerOptions crypto = {.name = "crypto",
                                      .queue_max = CRYPTO_QUEUE_MAX,
                                      .linger_usec = WORKER_LINGER_USEC,
                                      .idle = on_crypto_idle};
        int r;

        r = crypto_init();
        if (r < 0)
                return log_error_errno(r, "Cannot set up wolfSSL");
        r = worker_new(m->event, &crypto, &m->crypto);
        if (r < 0)
                return log_error_errno(r, "Cannot start the crypto worker");
        r = network_new(m->event, &m->network);
        if (r < 0)
                return log_error_errno(r, "Cannot set up the network");
        return 0;
}

static int open_front(Manager *m) {
        const FrontOptions options = {
                .ops = &front_ops,
                .userdata = m,
                .bus = m->options.bus ? m->options.bus : m->config->bus,
                .socket = m->options.socket,
        };
        int r;

        r = front_new(m->event, &options, &m->front);
        if (r < 0)
                return log_error_errno(r, "Cannot open the way in");
        doors_say(m);
        return 0;
}

static void resume_all(Manager *m) {
        Job *job, *next;

        for (job = job_table_first(m->jobs); job; job = next) {
                next = job_table_next(job);
                resume(m, job);
        }
        reload_end_orphans(m);
}

int manager_new(sd_event *event, const ManagerOptions *options, Manager **ret, int *ret_exit) {
        _cleanup_(manager_freep) Manager *m = calloc(1, sizeof(Manager));
        int r;

        *ret_exit = EXIT_FAILURE;
        if (!m)
                return -ENOMEM;
        m->event = sd_event_ref(event);
        m->options = *options;
        m->jobs = job_table_new();
        if (!m->jobs)
                return -ENOMEM;
        r = load_config(m, ret_exit);
        if (r >= 0)
                r = make_workers(m);
        if (r >= 0)
                r = dispatch_init(m);
        if (r >= 0)
                r = open_store(m);
        if (r >= 0)
                r = make_slots(m);
        if (r >= 0)
                r = load_jobs(m);
        /* Before any job moves: what moves is told. */
        if (r >= 0)
                r = open_front(m);
        if (r < 0)
                return r;
        resume_all(m);
        surroundings_watch(m);
        claim_expiry_watch(m);
        uptime_begin_notes(m);
        *ret = TAKE_PTR(m);
        return 0;
}

static void free_jobs(Manager *m) {
        Job *job;

        if (!m->jobs)
                return;
        for (job = job_table_first(m->jobs); job; job = job_table_next(job)) {
                delivery_unretain(job);
                job_run_free(job);
                errand_free(job);
        }
        job_table_free(m->jobs);
}

Manager *manager_free(Manager *m) {
        Slot *s, *next;

        if (!m)
                return NULL;
        if (m->front)
                front_set_stopping(m->front);
        clock_watch_free(m->clock_watch);
        network_watch_free(m->network_watch);
        checkup_free(m->checkup);
        admission_end(m);
        reload_end(m);
        uptime_note_now(m);
        refusal_end(m);
        m->is_ending = true;
        /* What was asked of the disk is finished and answered first. */
        store_free(m->store);
        LIST_FOREACH_SAFE(slots, s, next, m)
                slot_free(s);
        free_jobs(m);
        front_free(m->front);
        worker_free(m->crypto);
        tokens_end(m);
        network_free(m->network);
        sd_event_source_disable_unref(m->dispatch);
        sd_event_source_disable_unref(m->orphan_timer);
        sd_event_source_disable_unref(m->deadline_timer);
        sd_event_source_disable_unref(m->retention_timer);
        sd_event_source_disable_unref(m->expiry_timer);
        sd_event_source_disable_unref(m->idle_timer);
        sd_event_source_disable_unref(m->uptime_timer);
        config_free(m->config);
        sd_event_unref(m->event);
        free(m);
        return NULL;
}

void manager_reload(Manager *m) {
        _cleanup_free_ char *why = NULL;

        if (reload_now(m, &why) < 0)
                log_error("The configuration was not read again: %s", why ? why : "out of memory");
}

usec_t manager_busy_since(void *manager) {
        const Manager *m = manager;
        usec_t keys = worker_busy_since(m->crypto), disk = store_busy_since(m->store);

        return keys < disk ? keys : disk;
}

void manager_tell_status(const Manager *m) {
        size_t ready = 0, all = 0;
        const Slot *s;

        LIST_FOREACH(slots, s, m) {
                if (s->way.registrar) /* it keeps none */
                        continue;
                all++;
                ready += way_state(s->way) == SESSION_READY;
        }
        (void) sd_notifyf(false, "STATUS=%zu of %zu sessions ready.", ready, all);
}
