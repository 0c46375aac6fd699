/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Jobs whose deadline passes. There is one timer for all of them: thousands that come due at once,
 * as after a long time without a cloud, end a few at a time, and callers are answered in between.
 */

#include <errno.h>

#include "daemon/base/clock.h"
#include "daemon/base/log.h"
#include "daemon/manager/manager-internal.h"

/* What is left of it where it still counts; else USEC_INFINITY. */
static usec_t time_left(const Job *job, usec_t now) {
        if (job_state_is_final(job->state) || job->errand->creating || job->errand->ending)
                return USEC_INFINITY;
        return job_deadline_left(job, now);
}

static Failure *expired(const Job *job) {
        return failure_with_cause(
                failure_new(ERROR_EXPIRED, "The job's deadline passed before it was done"),
                failure_copy(job->failure));
}

static void expire(Job *job) {
        Slot *s = job->errand->slot;
        Way way = s ? slot_way_of(s, job) : (Way){};

        if (!way_is_none(way)) {
                way_expire(way);
                return;
        }
        if (s && s->preparing == job)
                s->preparing = NULL;
        ending_begin(job, JOB_EXPIRED, expired(job), NULL, "its deadline passed");
}

static void arm(Manager *m, usec_t due);

static int on_deadline_timer(sd_event_source *source, uint64_t usec, void *userdata) {
        Manager *m = userdata;
        const usec_t now = clock_boot_usec();
        size_t n = store_pending(m->store);
        usec_t due = USEC_INFINITY;
        Job *job, *next;

        m->deadline_timer = sd_event_source_disable_unref(m->deadline_timer);
        for (job = job_table_first(m->jobs); job; job = next) {
                usec_t left = time_left(job, now);

                next = job_table_next(job);
                if (left == 0 && n++ < MANAGER_CHORES_MAX)
                        expire(job);
                else if (left == 0)
                        due = usec_add(now, MANAGER_CHORES_USEC);
                else if (usec_add(now, left) < due)
                        due = usec_add(now, left);
        }
        arm(m, due);
        return 0;
}

static void arm(Manager *m, usec_t due) {
        int r;

        if (due == USEC_INFINITY || (m->deadline_timer && m->deadline_due <= due))
                return;
        m->deadline_timer = sd_event_source_disable_unref(m->deadline_timer);
        m->deadline_due = due;
        r = sd_event_add_time(m->event, &m->deadline_timer, CLOCK_BOOTTIME, due, USEC_PER_MSEC,
                              on_deadline_timer, m);
        if (r == -EOVERFLOW) /* beyond the clock's end */
                return;
        if (r < 0)
                log_error_errno(r, "Cannot set the timer for the jobs' deadlines");
}

void deadline_watch(Job *job) {
        const usec_t now = clock_boot_usec();

        arm(job->errand->manager, usec_add(now, time_left(job, now)));
}
