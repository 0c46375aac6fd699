/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/net/silence.h"

#include <errno.h>

#include "daemon/base/clock.h"

/* Of no matter where a limit is counted in seconds; spares wake-ups. */
#define SILENCE_ACCURACY_USEC (50 * USEC_PER_MSEC)

struct Silence {
        sd_event_source *timer;
        usec_t limit_usec, heard_usec; /* boot clock */
        SilenceHandler handler;
        void *userdata;
};

/* The timer is not set anew for each byte that comes: when it fires it looks how long it has been
 * quiet, and waits for the rest. */
static int on_silence_timer(sd_event_source *timer, uint64_t usec, void *userdata) {
        Silence *s = userdata;
        usec_t now = clock_boot_usec(), due = usec_add(s->heard_usec, s->limit_usec);
        bool silent = due <= now;
        int r;

        if (silent) {
                s->heard_usec = now;
                due = usec_add(now, s->limit_usec);
        }
        r = sd_event_source_set_time(timer, due);
        if (r < 0)
                return r;
        r = sd_event_source_set_enabled(timer, SD_EVENT_ONESHOT);
        if (r < 0)
                return r;
        if (silent)
                s->handler(s->userdata);
        return 0;
}

int silence_new(sd_event *event, usec_t limit_usec, SilenceHandler handler, void *userdata,
                Silence **ret) {
        _cleanup_(silence_freep) Silence *s = NULL;
        int r;

        if (limit_usec == 0)
                return -EINVAL;
        s = calloc(1, sizeof(Silence));
        if (!s)
                return -ENOMEM;
        s->limit_usec = limit_usec;
        s->heard_usec = clock_boot_usec();
        s->handler = handler;
        s->userdata = userdata;
        r = sd_event_add_time_relative(event, &s->timer, CLOCK_BOOTTIME, limit_usec,
                                       SILENCE_ACCURACY_USEC, on_silence_timer, s);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(s);
        return 0;
}

void silence_heard(Silence *s) {
        if (s)
                s->heard_usec = clock_boot_usec();
}

Silence *silence_free(Silence *s) {
        if (!s)
                return NULL;
        sd_event_source_disable_unref(s->timer);
        free(s);
        return NULL;
}
