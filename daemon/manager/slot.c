/* SPDX-License-Identifier: GPL-2.0-or-later */

/* A profile at work: its lane, its queue, and the claim, whose files are watched. A claim that is
 * not there yet is waited for; one that changed is taken up when it is whole. */

#include <errno.h>
#include <libgen.h>
#include <stdio.h>
#include <sys/inotify.h>

#include "daemon/base/clock.h"
#include "daemon/base/log.h"
#include "daemon/manager/manager-internal.h"

/* Certificate and key are replaced one after the other: let the dust settle. */
#define CLAIM_DEBOUNCE_USEC (200 * USEC_PER_MSEC)

#define CLAIM_EVENTS                                                                         \
        (IN_CLOSE_WRITE | IN_MOVED_TO | IN_CREATE | IN_DELETE | IN_ATTRIB | IN_DELETE_SELF | \
         IN_MOVE_SELF)

Slot *slot_find(const Manager *m, const char *name) {
        Slot *s;

        LIST_FOREACH(slots, s, m)
                if (streq(s->profile->name, name))
                        return s;
        return NULL;
}

Slot *slot_default(const Manager *m) {
        if (m->config->default_profile)
                return slot_find(m, m->config->default_profile);
        return m->slots_first && !m->slots_first->slots_next ? m->slots_first : NULL;
}

/* --- status */

static void set_status_error(Slot *s, Failure *failure) {
        failure_free(s->status.last_error);
        s->status.last_error = failure;
}

void slot_refresh_status(Slot *s) {
        s->status.name = s->profile->name;
        s->status.provider = provider_to_string(s->profile->provider);
        s->status.session = lane_state(s->lane);
        s->status.connected_since_real = lane_connected_since_real(s->lane);
        if (s->claim)
                set_status_error(s, failure_copy(lane_last_error(s->lane)));
}

static int describe(Slot *s) {
        _cleanup_free_ char *endpoint = NULL;
        const Certificate *c = s->claim ? s->claim->description : NULL;

        if (asprintf(&endpoint, "%s:%u", s->profile->endpoint, s->profile->port) < 0) {
                endpoint = NULL;
                return -ENOMEM;
        }
        if (free_and_strdup(&s->status.endpoint, endpoint) < 0 ||
            free_and_strdup(&s->status.claim_subject, c ? c->subject : NULL) < 0 ||
            free_and_strdup(&s->status.claim_fingerprint, c ? c->fingerprint : NULL) < 0)
                return -ENOMEM;
        s->status.claim_not_after_real = c ? c->not_after : 0;
        slot_refresh_status(s);
        return 0;
}

/* --- claim */

static void log_claim_failure(const Slot *s, const Failure *failure) {
        const LogField fields[] = {
                {"FLEETPROV_PROFILE", s->profile->name},
                {"FLEETPROV_ERROR", failure ? error_code_to_string(failure->code) : NULL}};

        log_message(LOG_WARNING, fields, ELEMENTSOF(fields), "Profile %s: %s", s->profile->name,
                    failure_message(failure));
}

/* The old pair serves on where the new files are no pair (yet). */
static void keep_without_claim(Slot *s, Failure *failure) {
        if (!streq_ptr(failure_message(failure),
                       s->status.last_error ? failure_message(s->status.last_error) : NULL))
                log_claim_failure(s, failure);
        if (s->claim)
                failure_free(failure);
        else
                set_status_error(s, failure);
}

void slot_load_claim(Slot *s) {
        _cleanup_claim_ Claim *claim = NULL;
        Failure *failure = NULL;
        LaneClaim material;
        int r;

        r = claim_load(s->profile, &claim, &failure);
        if (r < 0) {
                keep_without_claim(s, failure);
                return;
        }
        if (claim_equal(claim, s->claim))
                return;
        material = (LaneClaim){.trusted = claim->trusted,
                               .certificate = claim->certificate,
                               .private_key = claim->private_key};
        claim_free(s->claim);
        s->claim = TAKE_PTR(claim);
        (void) describe(s);
        r = lane_open(s->lane, &material);
        if (r < 0)
                log_error_errno(r, "Profile %s: cannot open a session", s->profile->name);
        slot_refresh_status(s);
}

static int on_claim_timer(sd_event_source *source, uint64_t usec, void *userdata) {
        Slot *s = userdata;

        /* Not in mid-exchange: that would cost the answer. on_claim_inotify() or the end of the job
         * comes back to it. */
        if (lane_job(s->lane)) {
                (void) sd_event_source_set_time_relative(source, CLAIM_DEBOUNCE_USEC);
                (void) sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
                return 0;
        }
        s->claim_timer = sd_event_source_disable_unref(s->claim_timer);
        slot_load_claim(s);
        return 0;
}

static int on_claim_inotify(sd_event_source *source, const struct inotify_event *event,
                            void *userdata) {
        Slot *s = userdata;

        if (!s->claim_timer)
                (void) sd_event_add_time_relative(s->manager->event, &s->claim_timer,
                                                  CLOCK_BOOTTIME, CLAIM_DEBOUNCE_USEC, 0,
                                                  on_claim_timer, s);
        return 0;
}

static void unwatch_claim(Slot *s) {
        for (size_t i = 0; i < CLAIM_FILES; i++)
                s->claim_watch[i] = sd_event_source_disable_unref(s->claim_watch[i]);
        s->claim_timer = sd_event_source_disable_unref(s->claim_timer);
}

/* A file is replaced by rename, so its folder is what is watched. */
static void watch_claim(Slot *s) {
        const char *files[CLAIM_FILES] = {};

        claim_files(s->profile, files);
        for (size_t i = 0; i < CLAIM_FILES; i++) {
                _cleanup_free_ char *copy = NULL;
                int r;

                if (!files[i] || files[i][0] != '/')
                        continue;
                copy = strdup(files[i]);
                if (!copy)
                        return;
                r = sd_event_add_inotify(s->manager->event, &s->claim_watch[i], dirname(copy),
                                         CLAIM_EVENTS | IN_ONLYDIR, on_claim_inotify, s);
                if (r < 0)
                        log_warning_errno(r,
                                          "Profile %s: changes of %s are not noticed; reload after "
                                          "a change",
                                          s->profile->name, files[i]);
        }
}

/* --- life */

static int make_lane(Slot *s) {
        const LaneOptions options = {
                .event = s->manager->event,
                .network = s->manager->network,
                .crypto = s->manager->crypto,
                .ops = &dispatch_lane_ops,
                .userdata = s->manager,
        };

        return lane_new(&options, s->profile, &s->lane);
}

int slot_new(Manager *m, Profile *profile, Slot **ret) {
        Slot *s = calloc(1, sizeof(Slot));
        int r;

        if (!s)
                return -ENOMEM;
        s->manager = m;
        s->profile = profile;
        s->queue = queue_new();
        r = s->queue ? make_lane(s) : -ENOMEM;
        if (r >= 0)
                r = describe(s);
        if (r < 0) {
                s->profile = NULL; /* still the caller's */
                lane_free(s->lane);
                queue_free(s->queue);
                free(s->status.endpoint);
                free(s);
                return r;
        }
        LIST_APPEND(slots, m, s);
        watch_claim(s);
        slot_load_claim(s);
        *ret = s;
        return 0;
}

Slot *slot_free(Slot *s) {
        if (!s)
                return NULL;
        LIST_REMOVE(slots, s->manager, s);
        unwatch_claim(s);
        sd_event_source_disable_unref(s->throttle_timer);
        lane_free(s->lane);
        queue_free(s->queue);
        claim_free(s->claim);
        profile_free(s->profile);
        profile_free(s->next_profile);
        free(s->status.endpoint);
        free(s->status.claim_subject);
        free(s->status.claim_fingerprint);
        failure_free(s->status.last_error);
        free(s);
        return NULL;
}

void slot_change_profile(Slot *s, Profile *profile) {
        Profile *old = s->profile;
        Lane *lane = s->lane;

        s->profile = profile;
        s->lane = NULL;
        if (make_lane(s) < 0) {
                log_error("Profile %s: out of memory, the old configuration stays", old->name);
                s->profile = old;
                s->lane = lane;
                profile_free(profile);
                return;
        }
        lane_free(lane);
        s->claim = claim_free(s->claim);
        unwatch_claim(s);
        (void) describe(s);
        watch_claim(s);
        slot_load_claim(s);
        profile_free(old);
}
