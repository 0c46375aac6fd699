/* SPDX-License-Identifier: GPL-2.0-or-later */

/* A profile at work: its way, its queue, and what is told of it. */

#include <errno.h>

#include "daemon/base/log.h"
#include "daemon/manager/manager-internal.h"
#include "daemon/model/host-port.h"

Slot *slot_find(const Manager *m, const char *name) {
        Slot *s;

        LIST_FOREACH(slots, s, m)
                if (streq(s->profile->name, name))
                        return s;
        return NULL;
}

/* --- whose job is where */

Slot *slot_of_lane(const Manager *m, const Lane *lane) {
        Slot *s;

        LIST_FOREACH(slots, s, m)
                if (s->way.lane == lane || s->rotation.lane == lane)
                        return s;
        return NULL;
}

Way slot_way_of(const Slot *s, const Job *job) {
        if (way_job(s->way) == job)
                return s->way;
        if (s->rotation.lane && lane_job(s->rotation.lane) == job)
                return (Way){.lane = s->rotation.lane};
        return (Way){};
}

Queue *slot_queue_of(const Slot *s, const Job *job) {
        return job->spec->operation == OPERATION_ROTATE ? s->rotation.queue : s->queue;
}

void slot_forget_job(Slot *s, Job *job) {
        queue_remove(slot_queue_of(s, job), job);
        rotation_forget(s, job);
}

void slot_forget_tries(Slot *s) {
        Job *job;

        for (job = job_table_first(s->manager->jobs); job; job = job_table_next(job))
                if (job->errand && job->errand->slot == s && !job->errand->ending)
                        job_run_free(job);
}

/* --- status */

void slot_set_status_error(Slot *s, Failure *failure) {
        failure_free(s->status.last_error);
        s->status.last_error = failure;
}

void slot_refresh_status(Slot *s) {
        s->status.name = s->profile->name;
        s->status.provider = provider_to_string(s->profile->provider);
        s->status.session = way_state(s->way);
        s->status.connected_since_real = way_connected_since_real(s->way);
        if (s->claim)
                slot_set_status_error(s, failure_copy(way_last_error(s->way)));
}

int slot_describe(Slot *s) {
        _cleanup_free_ char *endpoint = host_port_text(s->profile->endpoint, s->profile->port);
        const Certificate *c = s->claim ? s->claim->description : NULL;

        if (!endpoint || free_and_strdup(&s->status.endpoint, endpoint) < 0 ||
            free_and_strdup(&s->status.claim_subject, c ? c->subject : NULL) < 0 ||
            free_and_strdup(&s->status.claim_fingerprint, c ? c->fingerprint : NULL) < 0)
                return -ENOMEM;
        s->status.claim_not_after_real = c ? c->not_after : 0;
        slot_refresh_status(s);
        return 0;
}

/* --- life */

static int make_way(Slot *s) {
        int r = tokens_begin(s->manager, s->profile);
        const WayOptions options = {
                .event = s->manager->event,
                .network = s->manager->network,
                .crypto = s->manager->crypto,
                .tokens = s->manager->tokens,
                .lane_ops = &dispatch_lane_ops,
                .registrar_ops = &dispatch_registrar_ops,
                .userdata = s->manager,
        };

        return r < 0 ? r : way_new(&options, s->profile, &s->way);
}

int slot_new(Manager *m, Profile *profile, Slot **ret) {
        Slot *s = calloc(1, sizeof(Slot));
        int r;

        if (!s)
                return -ENOMEM;
        s->manager = m;
        s->profile = profile;
        s->queue = queue_new();
        r = s->queue ? rotation_init(s) : -ENOMEM;
        if (r >= 0)
                r = make_way(s);
        if (r >= 0)
                r = slot_describe(s);
        if (r < 0) {
                s->profile = NULL; /* still the caller's */
                rotation_done(s);
                way_done(&s->way);
                queue_free(s->queue);
                free(s->status.endpoint);
                free(s);
                return r;
        }
        LIST_APPEND(slots, m, s);
        slot_claim_begin(s);
        *ret = s;
        return 0;
}

Slot *slot_free(Slot *s) {
        if (!s)
                return NULL;
        LIST_REMOVE(slots, s->manager, s);
        slot_claim_end(s);
        held_drop(&s->held);
        sd_event_source_disable_unref(s->throttle_timer);
        failure_free(s->throttled_by);
        rotation_done(s);
        way_done(&s->way);
        queue_free(s->queue);
        profile_free(s->profile);
        profile_free(s->next_profile);
        free(s->expiry_of);
        free(s->status.endpoint);
        free(s->status.claim_subject);
        free(s->status.claim_fingerprint);
        failure_free(s->status.last_error);
        free(s);
        return NULL;
}

const Profile *slot_newest_profile(const Slot *s) {
        return s->next_profile ? s->next_profile : s->profile;
}

/* Which answers a session begins with hangs on where keys are made. A registrar has no session to
 * lose. */
static bool session_serves(const Profile *old, const Profile *profile) {
        return old->provider == PROVIDER_AWS_IOT && profile_same_connection(old, profile) &&
               old->key_source == profile->key_source;
}

static void keep_session(Slot *s, Profile *profile) {
        Profile *old = s->profile;

        s->profile = profile;
        lane_change_profile(s->way.lane, profile);
        slot_refresh_status(s);
        profile_free(old);
        /* Who reloads may have changed the claim where that goes unnoticed, or mended a policy. */
        s->claim_due = true;
        slot_claim_settle(s);
        lane_retry(s->way.lane);
        dispatch_end_waits(s);
}

void slot_change_profile(Slot *s, Profile *profile) {
        Profile *old = s->profile;
        Way way = s->way;

        if (session_serves(old, profile)) {
                keep_session(s, profile);
                return;
        }
        s->profile = profile;
        if (make_way(s) < 0) {
                log_error("Profile %s: out of memory, the old configuration stays", old->name);
                s->profile = old;
                profile_free(profile);
                return;
        }
        way_done(&way);
        if (old->provider == PROVIDER_AZURE_DPS || profile->provider == PROVIDER_AZURE_DPS)
                slot_forget_tries(s);
        slot_claim_end(s);
        slot_refresh_status(s);
        (void) slot_describe(s);
        slot_claim_begin(s);
        profile_free(old);
}
