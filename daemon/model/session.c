/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/model/session.h"

#include <limits.h>

void session_init(Session *s, usec_t subscribe_timeout_usec) {
        *s = (Session){
                .state = SESSION_OFFLINE,
                .subscribe_timeout_usec = subscribe_timeout_usec,
                .backoff = {.base_usec = SESSION_BACKOFF_BASE_USEC,
                            .cap_usec = SESSION_BACKOFF_CAP_USEC},
                .breaker = {.base_usec = SESSION_BREAKER_BASE_USEC,
                            .cap_usec = SESSION_BREAKER_CAP_USEC},
        };
}

bool session_suspects_policy(const Session *s) {
        return s->dropped_on_subscribe >= SESSION_POLICY_SUSPICION;
}

bool session_suspects_takeover(const Session *s) {
        return s->pushed_out >= SESSION_TAKEOVER_SUSPICION;
}

bool session_subscribes_singly(const Session *s) {
        return s->dropped_on_subscribe > 0;
}

static bool has_connection(const Session *s) {
        return s->state == SESSION_CONNECTING || s->state == SESSION_SUBSCRIBING ||
               s->state == SESSION_READY;
}

static void go_connecting(Session *s, SessionEffects *e) {
        s->state = SESSION_CONNECTING;
        s->hurried = false;
        s->generation++;
        e->connect = true;
        e->stop_timer = true;
}

static void leave_connection(Session *s, SessionEffects *e) {
        e->close = has_connection(s);
        e->went_down = s->state == SESSION_READY;
}

static void go_backoff(Session *s, const SessionEvent *event, SessionEffects *e) {
        leave_connection(s, e);
        s->state = SESSION_BACKOFF;
        e->set_timer = true;
        s->breaker_open = false;
        e->delay_usec = backoff_next(&s->backoff, event->random);
}

/* Both back-offs grow: where the trouble has gone there may be another one. */
static void go_breaker(Session *s, const SessionEvent *event, SessionEffects *e) {
        go_backoff(s, event, e);
        s->breaker_open = true;
        e->delay_usec = backoff_next_patient(&s->breaker, event->random);
}

static void on_start(Session *s, SessionEffects *e) {
        leave_connection(s, e);
        backoff_reset(&s->backoff);
        backoff_reset(&s->breaker);
        s->dropped_on_subscribe = 0;
        s->pushed_out = 0;
        go_connecting(s, e);
}

static void on_stop(Session *s, SessionEffects *e) {
        leave_connection(s, e);
        e->stop_timer = true;
        s->state = SESSION_OFFLINE;
        s->generation++;
}

static void on_connected(Session *s, SessionEffects *e) {
        if (s->state != SESSION_CONNECTING)
                return;
        s->state = SESSION_SUBSCRIBING;
        e->subscribe = true;
        e->set_timer = true;
        e->delay_usec = s->subscribe_timeout_usec;
}

static void on_subscribed(Session *s, SessionEffects *e) {
        if (s->state != SESSION_SUBSCRIBING)
                return;
        s->state = SESSION_READY;
        s->dropped_on_subscribe = 0;
        e->became_ready = true;
        if (session_suspects_takeover(s)) {
                e->set_timer = true;
                e->delay_usec = SESSION_PEACE_USEC;
        } else {
                backoff_reset(&s->breaker);
                e->stop_timer = true;
        }
}

/* Whoever was pushed out can come back at once: any other loss is another trouble. While somebody
 * waits for an answer, what he asked may have been the reason. */
static void count_pushes(Session *s, const SessionEvent *event) {
        if (session_suspects_takeover(s)) {
                if (s->state == SESSION_READY && event->dropped && s->pushed_out < UINT_MAX)
                        s->pushed_out++;
        } else if (s->state != SESSION_READY || !event->dropped ||
                   event->lived_usec > SESSION_SHORT_USEC)
                s->pushed_out = 0;
        else if (!event->busy)
                s->pushed_out++;
}

static void on_lost(Session *s, const SessionEvent *event, SessionEffects *e) {
        if (!has_connection(s))
                return;
        if (s->state == SESSION_SUBSCRIBING && event->dropped && s->dropped_on_subscribe < UINT_MAX)
                s->dropped_on_subscribe++;
        count_pushes(s, event);
        if (event->dropped && ((s->state == SESSION_SUBSCRIBING && session_suspects_policy(s)) ||
                               (s->state == SESSION_READY && session_suspects_takeover(s))))
                go_breaker(s, event, e);
        else
                go_backoff(s, event, e);
}

static void on_refused(Session *s, const SessionEvent *event, SessionEffects *e) {
        if (!has_connection(s))
                return;
        /* A SUBACK that says no leaves no doubt. */
        s->dropped_on_subscribe = SESSION_POLICY_SUSPICION;
        go_breaker(s, event, e);
}

/* The peer is there and did its part so far: come back soon, not after a grown back-off. */
static void on_burn(Session *s, const SessionEvent *event, SessionEffects *e) {
        if (!has_connection(s))
                return;
        go_backoff(s, event, e);
}

static void on_timer(Session *s, const SessionEvent *event, SessionEffects *e) {
        if (s->state == SESSION_BACKOFF)
                go_connecting(s, e);
        else if (s->state == SESSION_CONNECTING && s->hurried) {
                leave_connection(s, e);
                go_connecting(s, e);
        } else if (s->state == SESSION_SUBSCRIBING)
                go_backoff(s, event, e);
        else if (s->state == SESSION_READY && session_suspects_takeover(s)) {
                s->pushed_out = 0;
                backoff_reset(&s->breaker);
                e->calmed = true;
        }
}

/* The suspicion stays: if the trouble is still there, the waits are long again at once. */
static void on_retry(Session *s, SessionEffects *e) {
        backoff_reset(&s->breaker);
        if (s->state == SESSION_BACKOFF)
                go_connecting(s, e);
}

/* The world is another one: what was learnt of the old one counts no more. What the network still
 * lacks (a name server, say) comes a moment later, and is not to be waited for as long. */
static void on_hurry(Session *s, SessionEffects *e) {
        /* Not at once: news come in numbers, and must not keep it from ever being made. */
        if (s->state == SESSION_CONNECTING && !s->hurried) {
                s->hurried = e->set_timer = true;
                e->delay_usec = SESSION_HURRY_USEC;
        }
        if (s->state != SESSION_BACKOFF || s->breaker_open)
                return;
        backoff_reset(&s->backoff);
        go_connecting(s, e);
}

/* Whether an event is about one connection; the others come from outside of it. */
static bool is_of_a_connection(SessionEventType type) {
        return type == SESSION_EVENT_CONNECTED || type == SESSION_EVENT_SUBSCRIBED ||
               type == SESSION_EVENT_REFUSED || type == SESSION_EVENT_LOST ||
               type == SESSION_EVENT_BURN || type == SESSION_EVENT_PROVED;
}

SessionEffects session_step(Session *s, const SessionEvent *event) {
        SessionEffects e = {};

        if (is_of_a_connection(event->type) && event->generation != s->generation)
                return e;

        switch (event->type) {
        case SESSION_EVENT_START:
                on_start(s, &e);
                break;
        case SESSION_EVENT_STOP:
                on_stop(s, &e);
                break;
        case SESSION_EVENT_CONNECTED:
                on_connected(s, &e);
                break;
        case SESSION_EVENT_SUBSCRIBED:
                on_subscribed(s, &e);
                break;
        case SESSION_EVENT_REFUSED:
                on_refused(s, event, &e);
                break;
        case SESSION_EVENT_LOST:
                on_lost(s, event, &e);
                break;
        case SESSION_EVENT_BURN:
                on_burn(s, event, &e);
                break;
        case SESSION_EVENT_PROVED:
                backoff_reset(&s->backoff);
                break;
        case SESSION_EVENT_TIMER:
                on_timer(s, event, &e);
                break;
        case SESSION_EVENT_HURRY:
                on_hurry(s, &e);
                break;
        case SESSION_EVENT_RETRY:
                on_retry(s, &e);
                break;
        case SESSION_EVENT_TYPE_MAX:
                break;
        }
        return e;
}
