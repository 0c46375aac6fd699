/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The clock is set, or a network comes: sessions that wait for just that try again at once. */

#include <errno.h>

#include "daemon/base/log.h"
#include "daemon/manager/manager-internal.h"
#include "daemon/model/surroundings.h"

static void hurry_lane(Lane *lane, Surroundings change, const char *text) {
        const Failure *last = lane_last_error(lane);

        if (lane_state(lane) == SESSION_CONNECTING && change == SURROUNDINGS_NETWORK_CAME) {
                lane_hurry(lane);
                return;
        }
        if (lane_state(lane) != SESSION_BACKOFF || !last || !surroundings_mend(change, last->code))
                return;
        log_info("Profile %s: %s, trying again.", lane_profile(lane)->name, text);
        lane_hurry(lane);
}

/* It keeps no session: its jobs wait themselves, but the one that is connecting. */
static void hurry_registrar(Slot *s, Surroundings change, const char *text) {
        const Failure *last = way_last_error(s->way);

        if (change == SURROUNDINGS_NETWORK_CAME)
                registrar_hurry(s->way.registrar);
        if (!last || !surroundings_mend(change, last->code))
                return;
        log_info("Profile %s: %s, trying again.", s->profile->name, text);
        dispatch_end_waits(s);
}

static void hurry(Manager *m, Surroundings change, const char *text) {
        Slot *s;

        LIST_FOREACH(slots, s, m) {
                if (s->way.registrar)
                        hurry_registrar(s, change, text);
                else
                        hurry_lane(s->way.lane, change, text);
                if (s->rotation.lane)
                        hurry_lane(s->rotation.lane, change, text);
        }
}

static void on_clock_set(void *userdata) {
        hurry(userdata, SURROUNDINGS_CLOCK_SET, "the clock was set");
        claim_expiry_look_at_all(userdata);
}

static void on_network_came(void *userdata) {
        hurry(userdata, SURROUNDINGS_NETWORK_CAME, "a network came");
}

/* Without them every session still tries again by itself. */
void surroundings_watch(Manager *m) {
        int r;

        r = clock_watch_new(m->event, on_clock_set, m, &m->clock_watch);
        if (r < 0)
                log_warning_errno(r, "That the clock is set will not be noticed");
        r = network_watch_new(m->event, on_network_came, m, &m->network_watch);
        if (r < 0)
                log_warning_errno(r, "That a network comes will not be noticed");
}
