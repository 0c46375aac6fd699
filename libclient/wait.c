/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Blocking: the event loop of those who have none. It is built on the public face alone, and so
 * shows how that is used. */

#include "libclient/client.h"

#include <errno.h>
#include <poll.h>
#include <time.h>

static bool ticket_is_known(const fleetprov_client *c, uint64_t ticket) {
        for (const Call *call = c->calls; call; call = call->next)
                if (call->ticket == ticket)
                        return true;
        return false;
}

/* Until the descriptor has something, the library is due, or `deadline` has come. */
static int poll_once(fleetprov_client *c, usec_t deadline) {
        struct pollfd p = {.fd = fleetprov_client_get_fd(c)};
        struct timespec ts, *timeout = NULL;
        usec_t now, due;
        int r;

        p.events = (short) fleetprov_client_get_events(c);
        r = fleetprov_client_get_timeout(c, &due);
        if (r < 0)
                return r;
        due = usec_min(due, deadline);
        if (due != USEC_INFINITY) {
                now = client_now();
                due = due > now ? due - now : 0;
                ts = (struct timespec){
                        .tv_sec = (time_t) (due / USEC_PER_SEC),
                        .tv_nsec = (long) (due % USEC_PER_SEC) * 1000,
                };
                timeout = &ts;
        }
        return ppoll(&p, 1, timeout, NULL) < 0 ? -errno : 0;
}

static int wait_until(fleetprov_client *c, uint64_t ticket, usec_t deadline,
                      fleetprov_event **ret) {
        for (;;) {
                int r;

                *ret = client_take_event(c, ticket);
                if (*ret)
                        return 0;
                if (ticket != 0 && !ticket_is_known(c, ticket))
                        return -ENOENT;
                if (client_now() >= deadline)
                        return -ETIMEDOUT;
                r = poll_once(c, deadline);
                if (r < 0)
                        return r;
                r = fleetprov_client_dispatch(c);
                if (r < 0)
                        return r;
        }
}

_public_ int fleetprov_client_wait(fleetprov_client *client, uint64_t ticket, uint64_t timeout_usec,
                                   fleetprov_event **ret) {
        fleetprov_event *event = NULL;
        int r;

        if (!client || !ret)
                return -EINVAL;
        client->waited_ticket = ticket;
        r = wait_until(client, ticket, usec_add(client_now(), timeout_usec), &event);
        client->waited_ticket = 0;
        if (r < 0)
                return r;
        *ret = event;
        return 0;
}

/* The answer to a call: 0 and the event, or its error as a positive code. */
static int wait_answer(fleetprov_client *c, uint64_t ticket, usec_t deadline, fleetprov_event **ret,
                       fleetprov_error **ret_error) {
        _cleanup_(fleetprov_event_freep) fleetprov_event *event = NULL;
        usec_t now = client_now();
        int r;

        r = fleetprov_client_wait(c, ticket,
                                  deadline == USEC_INFINITY ? USEC_INFINITY
                                  : deadline > now          ? deadline - now
                                                            : 0,
                                  &event);
        if (r < 0)
                return r;
        if (event->failed) {
                r = fleetprov_error_get_code(event->error);
                if (ret_error)
                        *ret_error = fleetprov_event_steal_error(event);
                return r;
        }
        *ret = TAKE_PTR(event);
        return 0;
}

static int read_job(fleetprov_client *c, const char *job_id, usec_t deadline, fleetprov_job **ret,
                    fleetprov_error **ret_error) {
        _cleanup_(fleetprov_event_freep) fleetprov_event *event = NULL;
        uint64_t ticket;
        int r;

        r = fleetprov_client_get_job(c, job_id, &ticket);
        if (r < 0)
                return r;
        r = wait_answer(c, ticket, deadline, &event, ret_error);
        if (r != 0)
                return r;
        *ret = fleetprov_event_steal_job(event, 0);
        return 0;
}

/* Whether a final change of this job, its removal or a gap in the events has been queued. The
 * events stay where they are: they are the caller's. */
static bool must_read_again(fleetprov_client *c, const char *job_id) {
        for (fleetprov_event *e = c->events; e; e = e->next) {
                if (e->type == FLEETPROV_EVENT_RESYNC)
                        return true;
                if (!e->job_id || !streq(e->job_id, job_id))
                        continue;
                if (e->type == FLEETPROV_EVENT_JOB_REMOVED ||
                    (e->type == FLEETPROV_EVENT_JOB_CHANGED && fleetprov_state_is_final(e->state)))
                        return true;
        }
        return c->overrun;
}

/* In a blocking call nobody else pops: what concerns this job alone, or tells of the connection,
 * has been seen to. */
static void drop_seen(fleetprov_client *c, const char *job_id) {
        fleetprov_event **p = &c->events, *previous = NULL;

        while (*p) {
                fleetprov_event *e = *p;
                bool seen = e->type == FLEETPROV_EVENT_RESYNC ||
                            e->type == FLEETPROV_EVENT_DISCONNECTED ||
                            (e->type != FLEETPROV_EVENT_ANSWER && e->job_id &&
                             streq(e->job_id, job_id));

                if (!seen) {
                        previous = e;
                        p = &e->next;
                        continue;
                }
                *p = e->next;
                fleetprov_event_free(e);
                c->n_events--;
        }
        c->events_tail = previous;
        c->overrun = false;
}

static int wait_job_until(fleetprov_client *c, const char *job_id, usec_t deadline,
                          fleetprov_job **ret, fleetprov_error **ret_error) {
        for (;;) {
                _cleanup_(fleetprov_job_freep) fleetprov_job *job = NULL;
                int r;

                drop_seen(c, job_id);
                r = read_job(c, job_id, deadline, &job, ret_error);
                if (r != 0)
                        return r;
                if (fleetprov_state_is_final(job->state)) {
                        *ret = TAKE_PTR(job);
                        return 0;
                }
                while (!must_read_again(c, job_id)) {
                        if (client_now() >= deadline)
                                return -ETIMEDOUT;
                        c->waited_ticket = UINT64_MAX; /* read on, however many events there are */
                        r = poll_once(c, deadline);
                        if (r >= 0)
                                r = fleetprov_client_dispatch(c);
                        c->waited_ticket = 0;
                        if (r < 0)
                                return r;
                }
        }
}

_public_ int fleetprov_client_wait_job(fleetprov_client *client, const char *job_id,
                                       uint64_t timeout_usec, fleetprov_job **ret_job,
                                       fleetprov_error **ret_error) {
        if (!client || !job_id || !ret_job)
                return -EINVAL;
        return wait_job_until(client, job_id, usec_add(client_now(), timeout_usec), ret_job,
                              ret_error);
}

/* A job's end as a return value; takes the error out of the job. */
static int end_of_job(fleetprov_job *job, fleetprov_error **ret_error) {
        fleetprov_error *error = TAKE_PTR(job->error);

        if (job->state == FLEETPROV_STATE_SUCCEEDED) {
                fleetprov_error_free(error);
                return 0;
        }
        if (!error)
                error = error_new(job->state == FLEETPROV_STATE_CANCELLED ? FLEETPROV_CANCELLED
                                  : job->state == FLEETPROV_STATE_EXPIRED
                                          ? FLEETPROV_EXPIRED
                                          : FLEETPROV_INTERNAL_FAILURE,
                                  "the job is %s", fleetprov_state_to_string(job->state));
        if (!error)
                return -ENOMEM;
        int code = error->code;
        if (ret_error)
                *ret_error = error;
        else
                fleetprov_error_free(error);
        return code;
}

_public_ int fleetprov_client_provision(fleetprov_client *client, const fleetprov_request *request,
                                        uint64_t timeout_usec, unsigned flags,
                                        fleetprov_result **ret_result,
                                        fleetprov_error **ret_error) {
        _cleanup_(fleetprov_event_freep) fleetprov_event *submitted = NULL, *fetched = NULL,
                                                         *acknowledged = NULL;
        _cleanup_(fleetprov_job_freep) fleetprov_job *job = NULL;
        usec_t deadline = usec_add(client_now(), timeout_usec);
        uint64_t ticket;
        int r;

        if (!client || !request || !ret_result || (flags & ~FLEETPROV_ACKNOWLEDGE))
                return -EINVAL;
        if ((r = fleetprov_client_submit(client, request, &ticket)) < 0 ||
            (r = wait_answer(client, ticket, deadline, &submitted, ret_error)) != 0 ||
            (r = wait_job_until(client, submitted->job_id, deadline, &job, ret_error)) != 0 ||
            (r = end_of_job(job, ret_error)) != 0)
                return r;
        if ((r = fleetprov_client_get_result(client, submitted->job_id, &ticket)) < 0 ||
            (r = wait_answer(client, ticket, deadline, &fetched, ret_error)) != 0)
                return r;
        if (flags & FLEETPROV_ACKNOWLEDGE) {
                if ((r = fleetprov_client_acknowledge(client, submitted->job_id, &ticket)) < 0 ||
                    (r = wait_answer(client, ticket, deadline, &acknowledged, ret_error)) != 0)
                        return r;
        }
        *ret_result = fleetprov_event_steal_result(fetched);
        return 0;
}
