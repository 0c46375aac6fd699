/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Another configuration. What runs finishes on the old one; changed profiles then reconnect; jobs
 * of a removed profile fail. A configuration that is refused changes nothing. */

#include <errno.h>

#include "daemon/base/log.h"
#include "daemon/manager/manager-internal.h"

void reload_settle(Slot *s) {
        if (!s->next_profile || way_job(s->way) || s->preparing || !rotation_stand_down(s))
                return;
        log_info("Profile %s: taking up its new configuration.", s->profile->name);
        slot_change_profile(s, TAKE_PTR(s->next_profile));
}

static Profile *take_profile(Config *config, const char *name) {
        for (size_t i = 0; i < config->n_profiles; i++)
                if (config->profiles[i] && streq(config->profiles[i]->name, name))
                        return TAKE_PTR(config->profiles[i]);
        return NULL;
}

/* --- profiles that go */

static void end_orphan(Job *job) {
        ending_begin(job, JOB_FAILED,
                     failure_new(ERROR_NOT_INITIALIZED,
                                 "Profile '%s' was removed from the configuration",
                                 job->spec->profile),
                     NULL, "its profile was removed");
}

static bool is_orphan(const Job *job) {
        return !job->errand->slot && !job_state_is_final(job->state) && !job->errand->ending &&
               !job->errand->creating;
}

static int on_orphan_timer(sd_event_source *source, uint64_t usec, void *userdata) {
        Manager *m = userdata;
        size_t n = store_pending(m->store);
        Job *job;

        m->orphan_timer = sd_event_source_disable_unref(m->orphan_timer);
        for (job = job_table_first(m->jobs); job; job = job_table_next(job))
                if (is_orphan(job)) {
                        if (n++ >= MANAGER_CHORES_MAX)
                                break;
                        end_orphan(job);
                }
        if (job)
                reload_end_orphans(m);
        return 0;
}

/* A few at a time: with 10,000 of them the loop would stand still for seconds. */
void reload_end_orphans(Manager *m) {
        int r;

        if (m->orphan_timer)
                return;
        r = sd_event_add_time_relative(m->event, &m->orphan_timer, CLOCK_MONOTONIC,
                                       MANAGER_CHORES_USEC, 1, on_orphan_timer, m);
        if (r < 0)
                log_error_errno(r, "Cannot set the timer that ends the jobs of a profile that is "
                                   "gone; the next reload does it");
}

/* Jobs at work are stopped where they stand: what they had is on record. One whose request is still
 * being written fails when it is enqueued. */
static void remove_slot(Slot *s) {
        Manager *m = s->manager;
        Job *job, *at_work[] = {way_job(s->way), s->preparing, s->rotation.job};

        Held held = held_take(&s->held);

        log_notice("Profile %s is not configured any more.", s->profile->name);
        for (job = job_table_first(m->jobs); job; job = job_table_next(job)) {
                if (job->errand->slot != s)
                        continue;
                slot_forget_job(s, job);
                job->errand->slot = NULL;
        }
        /* They have more to lose than a place in the queue. */
        for (size_t i = 0; i < ELEMENTSOF(at_work); i++)
                if (at_work[i])
                        end_orphan(at_work[i]);
        slot_free(s);
        held_submit(m, &held); /* which says that there is no such profile */
}

/* --- all of it */

/* Who reloads may have mended a policy that a job at work waits for, in either session. */
static void retry_sessions(Slot *s) {
        if (s->way.lane)
                lane_retry(s->way.lane);
        if (s->rotation.lane)
                lane_retry(s->rotation.lane);
}

static void replace_slot(Slot *s, Profile *profile) {
        profile_free(s->next_profile);
        s->next_profile = profile;
        reload_settle(s);
        if (s->next_profile) /* not yet, for that job */
                retry_sessions(s);
}

/* Which of the jobs' secrets open is known at a start alone. */
static void warn_of_state_key(const Config *old, const Config *config) {
        if (!streq_ptr(old->state_key, config->state_key) ||
            !streq_ptr(old->former_state_key, config->former_state_key))
                log_warning("StateKey= or FormerStateKey= is another one: that is taken up at the "
                            "next start.");
}

static void replace_all(Manager *m, Config *config) {
        Slot *s, *next;

        warn_of_state_key(m->config, config);

        LIST_FOREACH_SAFE(slots, s, next, m) {
                Profile *profile = take_profile(config, s->profile->name);

                if (profile)
                        replace_slot(s, profile);
                else
                        remove_slot(s);
        }
        for (size_t i = 0; i < config->n_profiles; i++)
                if (config->profiles[i]) {
                        int r = slot_new(m, config->profiles[i], &s);

                        if (r < 0)
                                log_error_errno(r, "Cannot set up profile %s",
                                                config->profiles[i]->name);
                        else
                                config->profiles[i] = NULL;
                }
        config->n_profiles = 0;
        config_free(m->config);
        m->config = config;
}

/* --- who asked for it */

static bool reads_claims(const Manager *m) {
        const Slot *s;

        LIST_FOREACH(slots, s, m)
                if (s->claim_awaited)
                        return true;
        return false;
}

void reload_claim_read(Manager *m) {
        if (reads_claims(m))
                return;
        for (size_t i = 0; i < m->n_reloads; i++)
                front_call_done(m->reloads[i]);
        free(TAKE_PTR(m->reloads));
        m->n_reloads = 0;
}

void reload_answer(Manager *m, FrontCall *call) {
        if (errand_add_call(&m->reloads, &m->n_reloads, call) >= 0)
                reload_claim_read(m);
}

void reload_end(Manager *m) {
        for (size_t i = 0; i < m->n_reloads; i++)
                front_call_free(m->reloads[i]);
        free(TAKE_PTR(m->reloads));
        m->n_reloads = 0;
}

int reload_now(Manager *m, char **ret_why) {
        _cleanup_config_ Config *config = NULL;
        int r;

        r = config_load(m->options.config, &config, ret_why);
        if (r < 0)
                return r;
        replace_all(m, TAKE_PTR(config));
        reload_end_orphans(m);
        delivery_arm_retention(m);
        dispatch_kick(m);
        doors_say(m);
        reload_claim_read(m);
        log_notice("The configuration was read again.");
        return 0;
}
