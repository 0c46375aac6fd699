/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/model/assignment.h"

#include "daemon/model/session.h"

void assignment_init(Assignment *a, bool makes_key, bool has_secondary) {
        *a = (Assignment){
                .issues = makes_key,
                .makes_key = makes_key,
                .has_secondary = has_secondary,
                .backoff = {.base_usec = ASSIGNMENT_BACKOFF_BASE_USEC,
                            .cap_usec = ASSIGNMENT_BACKOFF_CAP_USEC},
        };
}

void assignment_certifies(Assignment *a) {
        a->issues = true;
}

void assignment_keeps_key_in_token(Assignment *a) {
        a->key_in_token = true;
}

void assignment_has_key(Assignment *a) {
        a->has_key = true;
}

void assignment_has_operation(Assignment *a) {
        a->has_operation = true;
}

JobPhase assignment_phase(const Assignment *a) {
        switch (a->step) {
        case ASSIGNMENT_PLACING_KEY:
        case ASSIGNMENT_MAKING_KEY:
        case ASSIGNMENT_STORING_KEY:
                return PHASE_KEYGEN;
        case ASSIGNMENT_NOTING:
        case ASSIGNMENT_REGISTERING:
                return PHASE_REGISTER;
        case ASSIGNMENT_STORING:
        case ASSIGNMENT_QUERYING:
                return PHASE_POLL;
        case ASSIGNMENT_CONNECTING:
                return a->has_operation ? PHASE_POLL : PHASE_REGISTER;
        case ASSIGNMENT_PAUSING:
                return a->has_operation ? PHASE_POLL : PHASE_BACKOFF;
        case ASSIGNMENT_IDLE:
                return PHASE_BACKOFF;
        case ASSIGNMENT_OVER:
        case ASSIGNMENT_STEP_MAX:
                break;
        }
        return PHASE_NONE;
}

bool assignment_looks_for_key(const Assignment *a) {
        return a->key_in_token && a->has_operation;
}

bool assignment_is_in_flight(const Assignment *a) {
        return a->step == ASSIGNMENT_REGISTERING || a->step == ASSIGNMENT_QUERYING;
}

static AssignmentEffect go_on(Assignment *a, AssignmentStep step, AssignmentAction action,
                              const char *note) {
        a->step = step;
        a->hurried = false;
        return (AssignmentEffect){.action = action, .note = note};
}

static AssignmentEffect finish(Assignment *a, JobState outcome, const char *note) {
        a->step = ASSIGNMENT_OVER;
        a->connected = false;
        return (AssignmentEffect){.action = ASSIGNMENT_DO_FINISH, .outcome = outcome, .note = note};
}

static AssignmentEffect finish_cancelled(Assignment *a) {
        return finish(a, JOB_CANCELLED,
                      a->has_operation ? "cancelled; the service may finish the registration"
                                       : "cancelled");
}

static AssignmentEffect fail(Assignment *a, const char *note) {
        return a->cancelled ? finish_cancelled(a) : finish(a, JOB_FAILED, note);
}

/* The service has spoken, and will say the same of this operation ever after: a job that is asked
 * for again registers anew. */
static AssignmentEffect fail_for_good(Assignment *a, const char *note) {
        bool had = a->has_operation;
        AssignmentEffect e;

        a->has_operation = false;
        e = fail(a, note);
        e.forget_operation = had;
        return e;
}

/* An operation whose key is not there is none. */
static AssignmentEffect make_key(Assignment *a, const char *note) {
        bool forget = a->has_operation;
        AssignmentEffect e;

        a->has_operation = false;
        e = go_on(a, ASSIGNMENT_MAKING_KEY, ASSIGNMENT_DO_MAKE_KEY, note);
        e.forget_operation = forget;
        return e;
}

/* What comes next: the one place that decides between registering and asking after it. */
static AssignmentEffect go_ahead(Assignment *a) {
        if (a->cancelled)
                return finish_cancelled(a);
        if (a->makes_key && !a->has_key)
                return a->key_in_token ? go_on(a, ASSIGNMENT_PLACING_KEY, ASSIGNMENT_DO_PLACE_KEY,
                                               a->has_operation ? "looking for the key in the token"
                                                                : "making a key in the token")
                                       : make_key(a, "making a key");
        if (!a->connected)
                return go_on(a, ASSIGNMENT_CONNECTING, ASSIGNMENT_DO_CONNECT, "connecting");
        if (a->has_operation)
                return go_on(a, ASSIGNMENT_QUERYING, ASSIGNMENT_DO_QUERY, "asking for the outcome");
        if (a->issues && !a->noted)
                return go_on(a, ASSIGNMENT_NOTING, ASSIGNMENT_DO_NOTE, "asking for a certificate");
        a->noted = false; /* another registration may make another one */
        return go_on(a, ASSIGNMENT_REGISTERING, ASSIGNMENT_DO_REGISTER, "registering the device");
}

/* On the line where it is short, off it where it is long. */
static AssignmentEffect pause_for(Assignment *a, usec_t delay_usec, const char *note) {
        AssignmentEffect e;

        if (a->cancelled)
                return finish_cancelled(a);
        if (a->connected && delay_usec <= ASSIGNMENT_PAUSE_MAX_USEC)
                e = go_on(a, ASSIGNMENT_PAUSING, ASSIGNMENT_DO_PAUSE, note);
        else {
                e = go_on(a, ASSIGNMENT_IDLE, ASSIGNMENT_DO_WAIT, note);
                a->connected = a->noted = false; /* it is on record that it waits */
        }
        e.delay_usec = delay_usec;
        return e;
}

/* The back-off comes on top of what the service said: those who were all told the same moment do
 * not come all at that moment. */
static usec_t back_off(Assignment *a, const AssignmentEvent *event) {
        usec_t told = event->retry_after_usec == USEC_INFINITY ? 0 : event->retry_after_usec;

        return usec_add(told, backoff_next(&a->backoff, event->random));
}

static AssignmentEffect on_start(Assignment *a, const AssignmentEvent *event) {
        usec_t left = event->retry_after_usec;

        if (a->step != ASSIGNMENT_IDLE)
                return (AssignmentEffect){};
        if (left > 0 && left != USEC_INFINITY)
                return pause_for(a, left, "the service said to wait");
        return go_ahead(a);
}

static AssignmentEffect on_key_made(Assignment *a) {
        if (a->step != ASSIGNMENT_MAKING_KEY)
                return (AssignmentEffect){};
        if (a->cancelled)
                return finish_cancelled(a);
        if (a->key_in_token) {
                a->has_key = true;
                return go_ahead(a);
        }
        return go_on(a, ASSIGNMENT_STORING_KEY, ASSIGNMENT_DO_STORE, NULL);
}

static AssignmentEffect on_key_gone(Assignment *a) {
        if (a->step != ASSIGNMENT_MAKING_KEY || !assignment_looks_for_key(a))
                return (AssignmentEffect){};
        return make_key(a, "the key is not in the token any more; registering anew");
}

static AssignmentEffect on_key_later(Assignment *a, const AssignmentEvent *event) {
        if (a->step != ASSIGNMENT_PLACING_KEY &&
            (a->step != ASSIGNMENT_MAKING_KEY || !a->key_in_token))
                return (AssignmentEffect){};
        return pause_for(a, back_off(a, event),
                         "the token is not there, or does not answer; waiting for it");
}

static AssignmentEffect on_stored(Assignment *a) {
        if (a->step == ASSIGNMENT_PLACING_KEY)
                return a->cancelled ? finish_cancelled(a)
                                    : go_on(a, ASSIGNMENT_MAKING_KEY, ASSIGNMENT_DO_MAKE_KEY, NULL);
        if (a->step == ASSIGNMENT_STORING_KEY) {
                a->has_key = true;
                return go_ahead(a);
        }
        if (a->step != ASSIGNMENT_STORING)
                return (AssignmentEffect){};
        return pause_for(a, a->poll_usec, NULL);
}

static AssignmentEffect on_noted(Assignment *a) {
        if (a->step != ASSIGNMENT_NOTING)
                return (AssignmentEffect){};
        a->noted = true;
        return go_ahead(a);
}

static AssignmentEffect on_connected(Assignment *a) {
        if (a->step != ASSIGNMENT_CONNECTING)
                return (AssignmentEffect){};
        a->connected = true;
        return go_ahead(a);
}

static AssignmentEffect on_not_connected(Assignment *a, const AssignmentEvent *event) {
        if (a->step != ASSIGNMENT_CONNECTING)
                return (AssignmentEffect){};
        return pause_for(a, back_off(a, event), "there is no connection");
}

/* At CONNECT or by an answer. */
static AssignmentEffect on_credentials(Assignment *a, const AssignmentEvent *event) {
        AssignmentEffect e;

        if (a->step != ASSIGNMENT_CONNECTING && !assignment_is_in_flight(a))
                return (AssignmentEffect){};
        a->unanswered = 0;
        a->connected = false;
        if (event->clock_unset) {
                /* The key's fault or the clock's: that is not known, and the keys take turns. */
                a->in_turn = a->has_secondary;
                a->secondary = a->has_secondary && !a->secondary;
                e = pause_for(a, back_off(a, event),
                              "the credentials are refused, and the clock is not set");
                e.name_clock = e.action == ASSIGNMENT_DO_WAIT;
        } else if (a->has_secondary && (!a->secondary || a->in_turn) && !a->cancelled) {
                a->in_turn = false;
                a->secondary = !a->secondary;
                e = go_on(a, ASSIGNMENT_CONNECTING, ASSIGNMENT_DO_CONNECT,
                          a->secondary ? "the key is refused; trying the secondary one"
                                       : "the secondary key is refused; trying the first one");
        } else
                e = fail(a, "the credentials are refused");
        e.burn = true;
        return e;
}

static AssignmentEffect on_assigning(Assignment *a, const AssignmentEvent *event) {
        usec_t delay = event->retry_after_usec == USEC_INFINITY ? ASSIGNMENT_POLL_USEC
                                                                : event->retry_after_usec;

        a->unanswered = 0;
        backoff_reset(&a->backoff);
        if (a->step == ASSIGNMENT_QUERYING)
                return pause_for(a, delay, NULL);
        a->has_operation = true;
        a->poll_usec = delay;
        return go_on(a, ASSIGNMENT_STORING, ASSIGNMENT_DO_STORE, "the service is assigning it");
}

/* The operation has come to nothing by the service's own fault: another one may do better. */
static AssignmentEffect on_ended_for_now(Assignment *a, const AssignmentEvent *event) {
        bool throttled = event->type == ASSIGNMENT_EVENT_ENDED_THROTTLED, had = a->has_operation;
        AssignmentEffect e;

        a->unanswered = 0;
        a->has_operation = false;
        e = pause_for(a, back_off(a, event),
                      throttled ? "throttled by the service" : "the service had a fault");
        e.throttled = throttled && e.action != ASSIGNMENT_DO_FINISH;
        e.forget_operation = had;
        return e;
}

static AssignmentEffect on_refused_for_now(Assignment *a, const AssignmentEvent *event) {
        bool throttled = event->type == ASSIGNMENT_EVENT_REFUSED_THROTTLED;
        AssignmentEffect e;

        a->unanswered = 0;
        e = pause_for(a, back_off(a, event),
                      throttled ? "throttled by the service" : "the service had a fault");
        e.throttled = throttled && e.action != ASSIGNMENT_DO_FINISH;
        return e;
}

static AssignmentEffect on_operation_unknown(Assignment *a) {
        AssignmentEffect e;

        a->unanswered = 0;
        if (a->step != ASSIGNMENT_QUERYING || a->forgotten)
                return fail_for_good(a, "the service does not know the operation");
        a->forgotten = true;
        a->has_operation = false;
        e = go_ahead(a);
        e.forget_operation = true;
        if (e.action != ASSIGNMENT_DO_FINISH)
                e.note = a->issues ? "the service does not know the operation; a certificate may "
                                     "have been made, and is left behind then; registering anew"
                                   : "the service does not know the operation; registering anew";
        return e;
}

static const char *why_unanswered(const Assignment *a, bool dropped) {
        if (a->issues && a->step == ASSIGNMENT_REGISTERING)
                return dropped ? "the connection was lost before the answer; a certificate may "
                                 "have been made, and is left behind then"
                               : "no answer in time; a certificate may have been made, and is left "
                                 "behind then";
        return dropped ? "the connection was lost before the answer" : "no answer in time";
}

/* A request without an answer. What it did is not known, and the connection is burned or gone. */
static AssignmentEffect on_unanswered(Assignment *a, const AssignmentEvent *event) {
        bool dropped = event->type == ASSIGNMENT_EVENT_LOST;
        const bool was_registering = a->step == ASSIGNMENT_REGISTERING;
        const char *why = why_unanswered(a, dropped);
        AssignmentEffect e;

        a->unanswered++;
        a->connected = false;
        if (a->unanswered >= ASSIGNMENT_UNANSWERED_MAX)
                e = fail(a, a->issues && was_registering
                                    ? "no answer, several times; a certificate may have been "
                                      "made, and is left behind then"
                                    : "no answer, several times");
        else
                e = pause_for(a, backoff_next(&a->backoff, event->random), why);
        e.burn = !dropped;
        return e;
}

static AssignmentEffect on_timeout(Assignment *a, const AssignmentEvent *event) {
        AssignmentEffect e;

        if (assignment_is_in_flight(a))
                return on_unanswered(a, event);
        e = on_not_connected(a, event);
        e.burn = e.action != ASSIGNMENT_DO_NOTHING;
        return e;
}

static AssignmentEffect on_lost(Assignment *a, const AssignmentEvent *event) {
        if (assignment_is_in_flight(a))
                return on_unanswered(a, event);
        /* Nobody needs it while keys are made, disks are written, or time passes. */
        a->connected = false;
        return on_not_connected(a, event);
}

static AssignmentEffect on_not_sent(Assignment *a, const AssignmentEvent *event) {
        if (!assignment_is_in_flight(a))
                return (AssignmentEffect){};
        a->connected = false;
        return pause_for(a, backoff_next(&a->backoff, event->random), "there is no connection");
}

static AssignmentEffect on_timer(Assignment *a) {
        bool anew = a->step == ASSIGNMENT_CONNECTING && a->hurried;
        AssignmentEffect e;

        if (a->step != ASSIGNMENT_PAUSING && !anew)
                return (AssignmentEffect){};
        e = go_ahead(a);
        if (anew && e.action == ASSIGNMENT_DO_CONNECT)
                e.note = "a network came; connecting anew";
        return e;
}

/* Once for each connection: news come in numbers, and must not keep it from ever being made. */
static AssignmentEffect on_hurry(Assignment *a) {
        if (a->step != ASSIGNMENT_CONNECTING || a->hurried)
                return (AssignmentEffect){};
        a->hurried = true;
        return (AssignmentEffect){.action = ASSIGNMENT_DO_GIVE_TIME,
                                  .delay_usec = SESSION_HURRY_USEC};
}

static AssignmentEffect on_cancel(Assignment *a) {
        a->cancelled = true;
        if (a->step == ASSIGNMENT_IDLE || a->step == ASSIGNMENT_CONNECTING ||
            a->step == ASSIGNMENT_PAUSING || (a->step == ASSIGNMENT_MAKING_KEY && a->key_in_token))
                return finish_cancelled(a);
        return (AssignmentEffect){};
}

static AssignmentEffect on_expired(Assignment *a) {
        bool in_flight = assignment_is_in_flight(a);
        AssignmentEffect e = finish(a, JOB_EXPIRED, "its deadline passed");

        e.burn = in_flight;
        return e;
}

/* What the service says of a request: nobody who did not ask is told it. */
static bool is_about_an_answer(AssignmentEventType type) {
        switch (type) {
        case ASSIGNMENT_EVENT_ASSIGNING:
        case ASSIGNMENT_EVENT_ASSIGNED:
        case ASSIGNMENT_EVENT_ENDED_TRANSIENT:
        case ASSIGNMENT_EVENT_ENDED_THROTTLED:
        case ASSIGNMENT_EVENT_ENDED:
        case ASSIGNMENT_EVENT_REFUSED_TRANSIENT:
        case ASSIGNMENT_EVENT_REFUSED_THROTTLED:
        case ASSIGNMENT_EVENT_REFUSED_PERMANENT:
        case ASSIGNMENT_EVENT_OPERATION_UNKNOWN:
        case ASSIGNMENT_EVENT_BAD_ANSWER:
                return true;
        case ASSIGNMENT_EVENT_START:
        case ASSIGNMENT_EVENT_KEY_MADE:
        case ASSIGNMENT_EVENT_KEY_GONE:
        case ASSIGNMENT_EVENT_KEY_LATER:
        case ASSIGNMENT_EVENT_STORED:
        case ASSIGNMENT_EVENT_NOTED:
        case ASSIGNMENT_EVENT_CONNECTED:
        case ASSIGNMENT_EVENT_NOT_CONNECTED:
        case ASSIGNMENT_EVENT_CREDENTIALS_REFUSED:
        case ASSIGNMENT_EVENT_TIMEOUT:
        case ASSIGNMENT_EVENT_LOST:
        case ASSIGNMENT_EVENT_NOT_SENT:
        case ASSIGNMENT_EVENT_TIMER:
        case ASSIGNMENT_EVENT_HURRY:
        case ASSIGNMENT_EVENT_BROKEN:
        case ASSIGNMENT_EVENT_CANCEL:
        case ASSIGNMENT_EVENT_EXPIRED:
        case ASSIGNMENT_EVENT_TYPE_MAX:
                break;
        }
        return false;
}

AssignmentEffect assignment_step(Assignment *a, const AssignmentEvent *event) {
        if (a->step == ASSIGNMENT_OVER ||
            (is_about_an_answer(event->type) && !assignment_is_in_flight(a)))
                return (AssignmentEffect){};

        switch (event->type) {
        case ASSIGNMENT_EVENT_START:
                return on_start(a, event);
        case ASSIGNMENT_EVENT_KEY_MADE:
                return on_key_made(a);
        case ASSIGNMENT_EVENT_KEY_GONE:
                return on_key_gone(a);
        case ASSIGNMENT_EVENT_KEY_LATER:
                return on_key_later(a, event);
        case ASSIGNMENT_EVENT_STORED:
                return on_stored(a);
        case ASSIGNMENT_EVENT_NOTED:
                return on_noted(a);
        case ASSIGNMENT_EVENT_CONNECTED:
                return on_connected(a);
        case ASSIGNMENT_EVENT_NOT_CONNECTED:
                return on_not_connected(a, event);
        case ASSIGNMENT_EVENT_CREDENTIALS_REFUSED:
                return on_credentials(a, event);
        case ASSIGNMENT_EVENT_ASSIGNING:
                return on_assigning(a, event);
        case ASSIGNMENT_EVENT_ASSIGNED: /* asked to cancel or not: it has its identity */
                return finish(a, JOB_SUCCEEDED, "the device is assigned");
        case ASSIGNMENT_EVENT_ENDED_TRANSIENT:
        case ASSIGNMENT_EVENT_ENDED_THROTTLED:
                return on_ended_for_now(a, event);
        case ASSIGNMENT_EVENT_ENDED:
                return fail_for_good(a, "the service did not assign it");
        case ASSIGNMENT_EVENT_REFUSED_TRANSIENT:
        case ASSIGNMENT_EVENT_REFUSED_THROTTLED:
                return on_refused_for_now(a, event);
        case ASSIGNMENT_EVENT_REFUSED_PERMANENT:
                return fail_for_good(a, "refused by the service");
        case ASSIGNMENT_EVENT_OPERATION_UNKNOWN:
                return on_operation_unknown(a);
        case ASSIGNMENT_EVENT_BAD_ANSWER:
                return fail_for_good(a, "the answer cannot be used");
        case ASSIGNMENT_EVENT_TIMEOUT:
                return on_timeout(a, event);
        case ASSIGNMENT_EVENT_LOST:
                return on_lost(a, event);
        case ASSIGNMENT_EVENT_NOT_SENT:
                return on_not_sent(a, event);
        case ASSIGNMENT_EVENT_TIMER:
                return on_timer(a);
        case ASSIGNMENT_EVENT_HURRY:
                return on_hurry(a);
        case ASSIGNMENT_EVENT_BROKEN:
                return fail(a, "this machine failed");
        case ASSIGNMENT_EVENT_CANCEL:
                return on_cancel(a);
        case ASSIGNMENT_EVENT_EXPIRED:
                return on_expired(a);
        case ASSIGNMENT_EVENT_TYPE_MAX:
                break;
        }
        return (AssignmentEffect){};
}
