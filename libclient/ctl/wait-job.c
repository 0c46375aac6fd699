/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "libclient/ctl/wait-job.h"

#include <errno.h>

#include "libclient/ctl/complain.h"
#include "libclient/ctl/interrupt.h"
#include "libclient/ctl/progress.h"

#define TICK_USEC (250 * USEC_PER_MSEC)
#define LOOK_AGAIN_USEC (3 * USEC_PER_SEC) /* why a waiting job waits */

typedef struct Wait {
        Ctl *ctl;
        const char *id;
        Progress progress;
        fleetprov_job *job;
        char *phase; /* newer than the job's, by an event */
        int state;
        bool away;
        bool stale; /* the job must be read again */
        usec_t read_at;
} Wait;

static void show(Wait *w) {
        const fleetprov_error *waiting = fleetprov_job_get_waiting_for(w->job);
        const char *state = fleetprov_state_to_string(w->state);

        if (w->away)
                progress_show(&w->progress, w->id, "the daemon is away", "", NULL);
        else
                progress_show(&w->progress, w->id, state ? state : "?",
                              w->state == FLEETPROV_STATE_RUNNING ? w->phase : "",
                              w->state == FLEETPROV_STATE_QUEUED && waiting
                                      ? fleetprov_error_get_message(waiting)
                                      : NULL);
}

static void on_event(Wait *w, const fleetprov_event *event) {
        const char *id = fleetprov_event_get_job_id(event);
        bool ours = id && streq(id, w->id);
        char *phase;

        switch ((enum fleetprov_event_type) fleetprov_event_get_type(event)) {
        case FLEETPROV_EVENT_JOB_CHANGED:
                if (!ours)
                        return;
                w->state = fleetprov_event_get_state(event);
                phase = strdup(fleetprov_event_get_phase(event));
                if (phase) {
                        free(w->phase);
                        w->phase = phase;
                }
                if (fleetprov_state_is_final(w->state))
                        w->stale = true;
                return;
        case FLEETPROV_EVENT_JOB_REMOVED:
                if (ours)
                        w->stale = true;
                return;
        case FLEETPROV_EVENT_DISCONNECTED:
                w->away = true;
                return;
        case FLEETPROV_EVENT_RESYNC:
                w->away = false;
                w->stale = true;
                return;
        case FLEETPROV_EVENT_ANSWER:
        case FLEETPROV_EVENT_JOB_ADDED:
                return;
        }
}

/* A signal came: the job goes on without us. */
static ExitStatus leave(Wait *w) {
        progress_erase(&w->progress);
        complain("%s: not waited for any longer; it goes on: fleetprovctl wait %s", w->id, w->id);
        interrupt_obey();
        return STATUS_FAILED;
}

/* Until there is a reason to read the job again; STATUS_TIMEOUT by --timeout. */
static ExitStatus watch(Wait *w) {
        while (!w->stale) {
                _cleanup_(fleetprov_event_freep) fleetprov_event *event = NULL;
                usec_t left = ctl_time_left(w->ctl);
                int r;

                if (interrupt_seen())
                        return leave(w);
                if (left == 0)
                        return STATUS_TIMEOUT;
                show(w);
                r = fleetprov_client_wait(w->ctl->client, 0, usec_min(left, TICK_USEC), &event);
                if (r >= 0)
                        on_event(w, event);
                else if (r != -ETIMEDOUT && r != -EINTR) {
                        progress_erase(&w->progress);
                        complain("%s: %s", w->id, strerror(-r));
                        return STATUS_FAILED;
                }
                if (w->state == FLEETPROV_STATE_QUEUED && w->progress.shown && !w->away &&
                    ctl_now() > w->read_at + LOOK_AGAIN_USEC)
                        w->stale = true;
        }
        return STATUS_OK;
}

/* Unlike a plain call this outlives any absence of the daemon, until --timeout. */
static ExitStatus read_job(Wait *w) {
        _cleanup_(fleetprov_event_freep) fleetprov_event *event = NULL;
        uint64_t ticket;
        int r;

        r = fleetprov_client_get_job(w->ctl->client, w->id, &ticket);
        while (r >= 0) {
                usec_t left = ctl_time_left(w->ctl);

                r = fleetprov_client_wait(w->ctl->client, ticket, usec_min(left, TICK_USEC),
                                          &event);
                if (interrupt_seen())
                        return leave(w);
                if (r == -ETIMEDOUT && left <= TICK_USEC)
                        return STATUS_TIMEOUT;
                if (r >= 0)
                        break;
                if (r == -EINTR || r == -ETIMEDOUT)
                        r = 0;
        }
        if (r >= 0 && !fleetprov_event_get_error(event)) {
                fleetprov_job_free(w->job);
                w->job = fleetprov_event_steal_job(event, 0);
                w->state = fleetprov_job_get_state(w->job);
                free(w->phase);
                w->phase = strdup(fleetprov_job_get_phase(w->job));
                w->stale = w->away = false;
                w->read_at = ctl_now();
                return STATUS_OK;
        }
        progress_erase(&w->progress);
        if (r < 0) {
                complain("%s: %s", w->id, strerror(-r));
                return STATUS_FAILED;
        }
        complain_error(w->id, fleetprov_event_get_error(event));
        return status_of_error(fleetprov_event_get_error(event));
}

ExitStatus wait_job(Ctl *ctl, const char *id, fleetprov_job **ret) {
        Wait w = {.ctl = ctl, .id = id, .stale = true};
        ExitStatus status;

        interrupt_note();
        progress_begin(&w.progress);
        do {
                status = read_job(&w);
                if (status == STATUS_OK && !fleetprov_state_is_final(w.state))
                        status = watch(&w);
        } while (status == STATUS_OK && !fleetprov_state_is_final(w.state) && w.stale);
        /* An event may have told the end; the job in hand is from before. */
        if (status == STATUS_OK && w.stale)
                status = read_job(&w);
        progress_erase(&w.progress);
        if (status == STATUS_TIMEOUT)
                complain("%s: --timeout has passed; the job goes on: fleetprovctl wait %s", id, id);
        if (status == STATUS_OK || status == STATUS_TIMEOUT)
                *ret = TAKE_PTR(w.job);
        fleetprov_job_free(w.job);
        free(w.phase);
        return status;
}
