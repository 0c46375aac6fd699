/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdio.h>
#include <time.h>

#include "libclient/ctl/complain.h"
#include "libclient/ctl/interrupt.h"
#include "libclient/ctl/json-out.h"
#include "libclient/ctl/time-text.h"
#include "libclient/ctl/verbs.h"

static const char *event_name(int type) {
        switch ((enum fleetprov_event_type) type) {
        case FLEETPROV_EVENT_JOB_ADDED:
                return "job-added";
        case FLEETPROV_EVENT_JOB_CHANGED:
                return "job-changed";
        case FLEETPROV_EVENT_JOB_REMOVED:
                return "job-removed";
        case FLEETPROV_EVENT_DISCONNECTED:
                return "daemon-away";
        case FLEETPROV_EVENT_RESYNC:
                return "daemon-back";
        case FLEETPROV_EVENT_ANSWER:
                return NULL;
        }
        return NULL;
}

static uint64_t realtime(void) {
        struct timespec ts;

        clock_gettime(CLOCK_REALTIME, &ts);
        return (uint64_t) ts.tv_sec * USEC_PER_SEC + (uint64_t) ts.tv_nsec / 1000;
}

static ExitStatus print_event(const Ctl *ctl, const fleetprov_event *event) {
        const char *name = event_name(fleetprov_event_get_type(event));
        const char *id = fleetprov_event_get_job_id(event);
        const char *state = fleetprov_state_to_string(fleetprov_event_get_state(event));
        const char *phase = fleetprov_event_get_phase(event);
        _cleanup_free_ char *time = NULL, *line = NULL, *safe = NULL;

        if (!name)
                return STATUS_OK;
        if (ctl->options.json != JSON_OFF) {
                json_t *o = json_object();

                time = time_rfc3339(realtime());
                json_put(o, "time", time);
                json_put(o, "event", name);
                json_put(o, "id", id);
                json_put(o, "state", state);
                json_put(o, "phase", *phase ? phase : NULL);
                return json_print(ctl, o);
        }
        time = time_local(realtime());
        if (asprintf(&line, "%s %-11s %s %s %s", time ? time : "-", name, id ? id : "",
                     state ? state : "", phase) < 0)
                line = NULL;
        safe = line ? escape_text(line, true) : NULL;
        for (size_t n = safe ? strlen(safe) : 0; n > 0 && safe[n - 1] == ' '; n--)
                safe[n - 1] = '\0';
        if (safe && puts(safe) != EOF && fflush(stdout) == 0)
                return STATUS_OK;
        complain("standard output: cannot be written");
        return STATUS_FAILED;
}

ExitStatus verb_monitor(Ctl *ctl, _unused_ int argc, _unused_ char **argv) {
        _cleanup_(fleetprov_status_freep) fleetprov_status *s = NULL;
        ExitStatus status;

        /* The first answered call opens the door to the signals. */
        if ((status = ctl_connect(ctl)) != STATUS_OK ||
            (status = ctl_get_status(ctl, &s)) != STATUS_OK)
                return status;
        while (status == STATUS_OK) {
                _cleanup_(fleetprov_event_freep) fleetprov_event *event = NULL;
                int r;

                r = fleetprov_client_wait(ctl->client, 0, ctl_time_left(ctl), &event);
                if (r >= 0)
                        status = print_event(ctl, event);
                else if (r == -ETIMEDOUT)
                        return STATUS_TIMEOUT;
                else if (r != -EINTR) {
                        complain("monitor: %s", strerror(-r));
                        return STATUS_FAILED;
                }
        }
        return status;
}
