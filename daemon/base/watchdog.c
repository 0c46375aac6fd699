/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/base/watchdog.h"

#include <errno.h>
#include <stdlib.h>
#include <systemd/sd-daemon.h>

#include "daemon/base/clock.h"
#include "daemon/base/log.h"

struct Watchdog {
        sd_event_source *timer;
        usec_t limit_usec; /* WatchdogSec= */
        usec_t (*busy_since)(void *userdata);
        void *userdata;
        usec_t suspected; /* the task that was late at the last look; USEC_INFINITY: none */
};

/* Late at two looks in a row: the boot clock counts a suspended machine's sleep, in which no worker
 * could make progress, and the service manager's does not. */
static bool is_stuck(Watchdog *w) {
        usec_t since = w->busy_since(w->userdata), now = clock_boot_usec();
        bool late = since != USEC_INFINITY && now > since && now - since > w->limit_usec;
        bool again = late && since == w->suspected;

        if (again)
                log_error("A worker has been at one task for %llu s, longer than WatchdogSec=: the "
                          "watchdog is not told of progress any more.",
                          (unsigned long long) ((now - since) / USEC_PER_SEC));
        w->suspected = late ? since : USEC_INFINITY;
        return again;
}

static int on_watchdog_timer(sd_event_source *source, uint64_t usec, void *userdata) {
        Watchdog *w = userdata;
        int r;

        if (!is_stuck(w))
                (void) sd_notify(false, "WATCHDOG=1");
        r = sd_event_source_set_time_relative(source, w->limit_usec / 3);
        return r < 0 ? r : sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

int watchdog_new(sd_event *event, usec_t (*busy_since)(void *userdata), void *userdata,
                 Watchdog **ret) {
        _cleanup_(watchdog_freep) Watchdog *w = NULL;
        uint64_t limit;
        int r;

        r = sd_watchdog_enabled(false, &limit);
        if (r < 0)
                return r;
        if (r == 0) {
                *ret = NULL;
                return 0;
        }
        w = malloc(sizeof(*w));
        if (!w)
                return -ENOMEM;
        *w = (Watchdog){.limit_usec = limit,
                        .busy_since = busy_since,
                        .userdata = userdata,
                        .suspected = USEC_INFINITY};

        r = sd_event_add_time_relative(event, &w->timer, CLOCK_MONOTONIC, 0, limit / 8,
                                       on_watchdog_timer, w);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(w);
        return 0;
}

Watchdog *watchdog_free(Watchdog *w) {
        if (!w)
                return NULL;
        sd_event_source_disable_unref(w->timer);
        free(w);
        return NULL;
}
