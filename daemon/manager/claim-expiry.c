/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The journal speaks of a claim that will expire, and of one that has: when it is taken up, when
 * the clock is set, and else by looking every hour. Not at each connection: model/expiry.h says how
 * often. */

#include <errno.h>

#include "daemon/base/clock.h"
#include "daemon/base/log.h"
#include "daemon/manager/manager-internal.h"

#define LOOK_USEC (60 * USEC_PER_MINUTE)
#define LOOK_ACCURACY_USEC (5 * USEC_PER_MINUTE)

#define MESSAGE_EXPIRY "b0429788045f4047906ac533f5467bc3"

static void say(const Slot *s, const Certificate *c, ExpiryStage stage, usec_t now) {
        _cleanup_free_ char *text = expiry_text(c->subject, c->not_after, now);
        const LogField fields[] = {{"MESSAGE_ID", MESSAGE_EXPIRY},
                                   {"FLEETPROV_PROFILE", s->profile->name}};

        log_message(stage == EXPIRY_PAST ? LOG_ERR : LOG_WARNING, fields, ELEMENTSOF(fields),
                    "Profile %s: %s", s->profile->name, text ? text : "out of memory");
}

/* The one that serves: one that is tried beside it, and refused perhaps, is not spoken of yet. */
static const Certificate *serving(const Slot *s) {
        const Claim *claim = s->former_claim ? s->former_claim : s->claim;

        return claim ? claim->description : NULL;
}

void claim_expiry_look(Slot *s) {
        const Certificate *c = serving(s);
        const usec_t now = clock_real_usec();
        ExpiryStage stage;

        if (!c)
                return;
        if (!streq_ptr(s->expiry_of, c->fingerprint)) {
                if (free_and_strdup(&s->expiry_of, c->fingerprint) < 0)
                        return;
                s->expiry = (Expiry){};
        }
        stage = expiry_stage(c->not_after, now);
        if (expiry_is_due(&s->expiry, stage, clock_boot_usec()))
                say(s, c, stage, now);
}

void claim_expiry_look_at_all(Manager *m) {
        Slot *s;

        LIST_FOREACH(slots, s, m)
                claim_expiry_look(s);
}

static int on_expiry_timer(sd_event_source *source, uint64_t usec, void *userdata) {
        Manager *m = userdata;
        int r;

        claim_expiry_look_at_all(m);
        r = sd_event_source_set_time_relative(source, LOOK_USEC);
        return r < 0 ? r : sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

void claim_expiry_watch(Manager *m) {
        int r;

        r = sd_event_add_time_relative(m->event, &m->expiry_timer, CLOCK_BOOTTIME, LOOK_USEC,
                                       LOOK_ACCURACY_USEC, on_expiry_timer, m);
        if (r < 0)
                log_warning_errno(r, "Of a claim that expires the journal speaks at a start alone");
}
