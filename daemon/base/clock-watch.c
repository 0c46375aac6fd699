/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/base/clock-watch.h"

#include <errno.h>
#include <limits.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <time.h>

#include "daemon/base/log.h"

struct ClockWatch {
        int fd;
        sd_event_source *source;
        sd_event_source *spacing; /* told a moment ago; one-shot */
        bool changed_since;
        void (*changed)(void *userdata);
        void *userdata;
};

/* A timer that never ends, but for a clock that is set: reading it fails with ECANCELED then, and
 * it is to be armed anew (timerfd_create(2), TFD_TIMER_CANCEL_ON_SET). */
static int arm(int fd) {
        const struct itimerspec never = {.it_value.tv_sec = sizeof(time_t) == sizeof(int32_t)
                                                                    ? (time_t) INT32_MAX
                                                                    : (time_t) INT64_MAX};

        return timerfd_settime(fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &never, NULL) < 0
                       ? -errno
                       : 0;
}

static void tell(ClockWatch *w) {
        int r;

        w->changed_since = false;
        r = sd_event_source_set_time_relative(w->spacing, CLOCK_WATCH_SPACING_USEC);
        if (r >= 0)
                r = sd_event_source_set_enabled(w->spacing, SD_EVENT_ONESHOT);
        if (r < 0)
                (void) sd_event_source_set_enabled(w->spacing, SD_EVENT_OFF);
        w->changed(w->userdata);
}

static int on_spacing_timer(_unused_ sd_event_source *s, _unused_ uint64_t usec, void *userdata) {
        ClockWatch *w = userdata;

        if (w->changed_since)
                tell(w);
        return 0;
}

static int on_timer_io(_unused_ sd_event_source *s, int fd, _unused_ uint32_t revents,
                       void *userdata) {
        ClockWatch *w = userdata;
        uint64_t expirations;
        int spacing = SD_EVENT_OFF, r;

        if (read(fd, &expirations, sizeof(expirations)) < 0 && errno == EAGAIN)
                return 0;
        r = arm(fd);
        if (r < 0) {
                log_warning_errno(r, "That the clock is set is not noticed any more");
                w->source = sd_event_source_disable_unref(w->source);
        }
        (void) sd_event_source_get_enabled(w->spacing, &spacing);
        if (spacing == SD_EVENT_OFF)
                tell(w);
        else
                w->changed_since = true;
        return 0;
}

int clock_watch_new(sd_event *event, void (*changed)(void *userdata), void *userdata,
                    ClockWatch **ret) {
        _cleanup_(clock_watch_freep) ClockWatch *w = calloc(1, sizeof(ClockWatch));
        int r;

        if (!w)
                return -ENOMEM;
        w->changed = changed;
        w->userdata = userdata;
        w->fd = timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK | TFD_CLOEXEC);
        if (w->fd < 0)
                return -errno;
        r = arm(w->fd);
        if (r >= 0)
                r = sd_event_add_time(event, &w->spacing, CLOCK_MONOTONIC, 0, USEC_PER_MSEC,
                                      on_spacing_timer, w);
        if (r >= 0)
                r = sd_event_source_set_enabled(w->spacing, SD_EVENT_OFF);
        if (r >= 0)
                r = sd_event_add_io(event, &w->source, w->fd, EPOLLIN, on_timer_io, w);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(w);
        return 0;
}

ClockWatch *clock_watch_free(ClockWatch *w) {
        if (!w)
                return NULL;
        sd_event_source_disable_unref(w->source);
        sd_event_source_disable_unref(w->spacing);
        close_fd(w->fd);
        free(w);
        return NULL;
}
