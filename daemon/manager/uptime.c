/* SPDX-License-Identifier: GPL-2.0-or-later */

/* While some job counts time, the machine's uptime is noted on disk every now and then, so that a
 * power cut takes little of it: no more than UPTIME_LAST_USEC, and of a boot that was short no more
 * than half. A gateway with nothing to count lets its flash rest. */

#include "daemon/base/log.h"
#include "daemon/manager/manager-internal.h"

#define UPTIME_FIRST_USEC (10 * USEC_PER_SEC)
#define UPTIME_LAST_USEC (5 * USEC_PER_MINUTE)

static bool counts_time(const Job *job) {
        return !job_state_is_final(job->state) && job->spec->deadline_usec != 0 &&
               job->spec->deadline_usec != USEC_INFINITY;
}

static bool somebody_counts(const Manager *m) {
        Job *job;

        if (m->retained_first && m->config->retain_usec != USEC_INFINITY)
                return true;
        for (job = job_table_first(m->jobs); job; job = job_table_next(job))
                if (counts_time(job))
                        return true;
        return false;
}

void uptime_note_now(Manager *m) {
        if (m->store && somebody_counts(m))
                store_note_uptime(m->store);
}

static void arm(Manager *m);

static int on_uptime_timer(sd_event_source *source, uint64_t usec, void *userdata) {
        Manager *m = userdata;

        uptime_note_now(m);
        m->uptime_interval = m->uptime_interval * 2 < UPTIME_LAST_USEC ? m->uptime_interval * 2
                                                                       : UPTIME_LAST_USEC;
        m->uptime_timer = sd_event_source_disable_unref(m->uptime_timer);
        arm(m);
        return 0;
}

static void arm(Manager *m) {
        int r;

        /* With others that wake the machine: a tenth sooner or later does not matter. */
        r = sd_event_add_time_relative(m->event, &m->uptime_timer, CLOCK_BOOTTIME,
                                       m->uptime_interval, m->uptime_interval / 10, on_uptime_timer,
                                       m);
        if (r < 0)
                log_warning_errno(r, "Cannot set the timer that notes the machine's uptime");
}

void uptime_begin_notes(Manager *m) {
        m->uptime_interval = UPTIME_FIRST_USEC;
        arm(m);
}
