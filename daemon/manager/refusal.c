/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Requests that are refused, in the journal: so many of each owner and reason in a minute, and the
 * others as a number. A program that asks in a loop does not fill the journal. */

#include <errno.h>
#include <stdio.h>

#include "daemon/base/clock.h"
#include "daemon/base/log.h"
#include "daemon/manager/manager-internal.h"

static void tell_left_out(Manager *m, usec_t now) {
        const char *cause;
        unsigned n;

        while (m->refusals && (n = log_limit_left_out(m->refusals, now, &cause)) > 0)
                audit_refused_more(n, cause);
}

static void arm(Manager *m);

static int on_refusal_timer(sd_event_source *source, uint64_t usec, void *userdata) {
        Manager *m = userdata;

        m->refusal_timer = sd_event_source_disable_unref(m->refusal_timer);
        tell_left_out(m, clock_boot_usec());
        arm(m);
        return 0;
}

static void arm(Manager *m) {
        const usec_t due = log_limit_due(m->refusals);

        if (m->refusal_timer || due == USEC_INFINITY)
                return;
        if (sd_event_add_time(m->event, &m->refusal_timer, CLOCK_BOOTTIME, due, USEC_PER_SEC,
                              on_refusal_timer, m) < 0)
                log_debug("Cannot set the timer that counts refusals");
}

void refusal_log(Manager *m, const Peer *peer, const JobSpec *spec, const Failure *failure) {
        const OwnerText owner = audit_owner_text(peer);
        char cause[LOG_LIMIT_CAUSE_SIZE];

        if (!m->refusals)
                m->refusals = calloc(1, sizeof(LogLimit));
        (void) snprintf(cause, sizeof(cause), "%s for %s",
                        error_code_to_string(failure_code(failure)), owner.text);
        if (!m->refusals || log_limit_take(m->refusals, cause, clock_boot_usec()))
                audit_refused(peer, spec, failure);
        else
                arm(m);
}

void refusal_end(Manager *m) {
        tell_left_out(m, USEC_INFINITY);
        m->refusal_timer = sd_event_source_disable_unref(m->refusal_timer);
        free(TAKE_PTR(m->refusals));
}
