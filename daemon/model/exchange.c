/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/model/exchange.h"

void exchange_init(Exchange *x, Operation operation, KeySource key_source) {
        *x = (Exchange){
                .operation = operation,
                .key_source = key_source,
                .backoff = {.base_usec = EXCHANGE_BACKOFF_BASE_USEC,
                            .cap_usec = EXCHANGE_BACKOFF_CAP_USEC},
        };
}

void exchange_was_tried(Exchange *x, unsigned tries) {
        x->backoff.failures = tries < EXCHANGE_FORMER_TRIES_MAX ? tries : EXCHANGE_FORMER_TRIES_MAX;
}

void exchange_keeps_key_in_token(Exchange *x) {
        x->key_in_token = true;
}

void exchange_has_certificate(Exchange *x) {
        x->has_certificate = true;
}

void exchange_wants_verify(Exchange *x) {
        x->verify = true;
}

void exchange_is_registered(Exchange *x) {
        x->has_certificate = true;
        x->registered = true;
}

JobPhase exchange_phase(const Exchange *x) {
        switch (x->step) {
        case EXCHANGE_PLACING_KEY:
        case EXCHANGE_MAKING_KEY:
                return PHASE_KEYGEN;
        case EXCHANGE_NOTING:
                return x->operation == OPERATION_REGISTER_THING ? PHASE_REGISTER : PHASE_CREATE;
        case EXCHANGE_CREATING:
        case EXCHANGE_STORING:
                return PHASE_CREATE;
        case EXCHANGE_REGISTERING:
        case EXCHANGE_KEEPING:
                return PHASE_REGISTER;
        case EXCHANGE_VERIFYING:
                return PHASE_VERIFY;
        case EXCHANGE_IDLE:
                return PHASE_BACKOFF;
        case EXCHANGE_OVER:
        case EXCHANGE_STEP_MAX:
                break;
        }
        return PHASE_NONE;
}

bool exchange_will_create(const Exchange *x) {
        return x->operation != OPERATION_REGISTER_THING && x->step != EXCHANGE_REGISTERING &&
               !x->has_certificate;
}

bool exchange_will_register(const Exchange *x) {
        return x->operation != OPERATION_CREATE_CERTIFICATE_FROM_CSR &&
               x->operation != OPERATION_CREATE_KEYS_AND_CERTIFICATE;
}

bool exchange_looks_for_key(const Exchange *x) {
        return x->has_certificate;
}

bool exchange_is_in_flight(const Exchange *x) {
        return x->step == EXCHANGE_CREATING || x->step == EXCHANGE_REGISTERING;
}

static ExchangeEffect ask(Exchange *x, ExchangeStep step, ExchangeAction action, const char *note) {
        x->step = step;
        return (ExchangeEffect){.action = action, .note = note};
}

/* Whether there is a certificate that is not delivered: it exists since the service answered, not
 * only since it is on disk. */
static bool holds_certificate(const Exchange *x) {
        return x->has_certificate || x->step == EXCHANGE_STORING;
}

static ExchangeEffect finish(Exchange *x, JobState outcome, const char *note) {
        x->step = EXCHANGE_OVER;
        return (ExchangeEffect){.action = EXCHANGE_DO_FINISH, .outcome = outcome, .note = note};
}

static ExchangeEffect give_up_cancelled(Exchange *x) {
        bool left = holds_certificate(x);
        ExchangeEffect e = finish(x, JOB_CANCELLED, "cancelled");

        e.leave_certificate = left;
        return e;
}

static ExchangeEffect register_or_create(Exchange *x) {
        if (x->operation == OPERATION_REGISTER_THING)
                return ask(x, EXCHANGE_NOTING, EXCHANGE_DO_NOTE, "registering the thing");
        if (x->has_certificate)
                return ask(x, EXCHANGE_REGISTERING, EXCHANGE_DO_REGISTER, "registering the thing");
        if (x->key_source == KEY_SOURCE_DAEMON && !x->has_key)
                return ask(x, EXCHANGE_MAKING_KEY, EXCHANGE_DO_MAKE_KEY, "making a key");
        return ask(x, EXCHANGE_NOTING, EXCHANGE_DO_NOTE, "asking for a certificate");
}

/* There is an identity, on record. */
static ExchangeEffect verify_or_succeed(Exchange *x) {
        if (!x->verify)
                return finish(x, JOB_SUCCEEDED, "the thing is registered");
        if (x->key_source == KEY_SOURCE_CALLER)
                return finish(x, JOB_SUCCEEDED,
                              "the thing is registered; its certificate cannot be tried here, "
                              "since its key is the caller's");
        return ask(x, EXCHANGE_VERIFYING, EXCHANGE_DO_VERIFY, "trying the certificate");
}

static ExchangeEffect go_on(Exchange *x) {
        return x->registered ? verify_or_succeed(x) : register_or_create(x);
}

static ExchangeEffect on_start(Exchange *x) {
        if (x->step != EXCHANGE_IDLE)
                return (ExchangeEffect){};
        if (x->cancelled)
                return finish(x, JOB_CANCELLED, "cancelled");
        if (x->key_in_token && !x->has_key)
                return ask(x, EXCHANGE_PLACING_KEY, EXCHANGE_DO_PLACE_KEY,
                           "the key is in the token, or will be");
        return go_on(x);
}

static ExchangeEffect on_key_placed(Exchange *x) {
        if (x->cancelled)
                return give_up_cancelled(x);
        return ask(x, EXCHANGE_MAKING_KEY, EXCHANGE_DO_MAKE_KEY,
                   x->has_certificate ? "looking for the key in the token"
                                      : "making a key in the token");
}

static ExchangeEffect on_key_made(Exchange *x) {
        if (x->step != EXCHANGE_MAKING_KEY)
                return (ExchangeEffect){};
        x->has_key = true;
        return x->cancelled ? give_up_cancelled(x) : go_on(x);
}

/* Without it the certificate is of no use to anybody. */
static ExchangeEffect on_key_gone(Exchange *x) {
        ExchangeEffect e;

        if (x->step != EXCHANGE_MAKING_KEY || !x->has_certificate)
                return (ExchangeEffect){};
        x->has_certificate = x->registered = false;
        e = register_or_create(x);
        e.leave_certificate = true;
        e.note = "the certificate's key is not in the token any more; starting over";
        return e;
}

static ExchangeEffect on_noted(Exchange *x) {
        if (x->step != EXCHANGE_NOTING)
                return (ExchangeEffect){};
        if (x->cancelled)
                return finish(x, JOB_CANCELLED, "cancelled");
        if (x->operation == OPERATION_REGISTER_THING)
                return ask(x, EXCHANGE_REGISTERING, EXCHANGE_DO_REGISTER, "registering the thing");
        return ask(x, EXCHANGE_CREATING, EXCHANGE_DO_CREATE, "asking for a certificate");
}

static void was_answered(Exchange *x) {
        x->unanswered = 0;
        x->dropped = 0;
        x->doubted = false;
}

static ExchangeEffect on_created(Exchange *x) {
        ExchangeEffect e;

        if (x->step != EXCHANGE_CREATING)
                return (ExchangeEffect){};
        was_answered(x);
        backoff_reset(&x->backoff);
        if (x->cancelled) {
                e = finish(x, JOB_CANCELLED, "cancelled; the certificate that was made is left");
                e.leave_certificate = true;
                return e;
        }
        if (!exchange_goes_whole_way(x->operation))
                return finish(x, JOB_SUCCEEDED, "the certificate was made");
        return ask(x, EXCHANGE_STORING, EXCHANGE_DO_STORE, "the certificate was made");
}

static ExchangeEffect on_kept(Exchange *x) {
        ExchangeEffect e;

        x->registered = true;
        if (x->cancelled) {
                e = finish(x, JOB_CANCELLED, "cancelled; the certificate that was made is left");
                e.leave_certificate = true;
                return e;
        }
        return verify_or_succeed(x);
}

static ExchangeEffect on_stored(Exchange *x) {
        ExchangeEffect e;

        if (x->step == EXCHANGE_PLACING_KEY)
                return on_key_placed(x);
        if (x->step == EXCHANGE_KEEPING)
                return on_kept(x);
        if (x->step != EXCHANGE_STORING)
                return (ExchangeEffect){};
        x->has_certificate = true;
        if (x->cancelled) {
                e = finish(x, JOB_CANCELLED, "cancelled; the certificate that was made is left");
                e.leave_certificate = true;
                return e;
        }
        return register_or_create(x);
}

static ExchangeEffect on_registered(Exchange *x) {
        if (x->step != EXCHANGE_REGISTERING)
                return (ExchangeEffect){};
        was_answered(x);
        if (x->verify && x->key_source != KEY_SOURCE_CALLER)
                return ask(x, EXCHANGE_KEEPING, EXCHANGE_DO_KEEP, "the thing is registered");
        /* A cancellation that came after the thing was registered came too late. */
        return verify_or_succeed(x);
}

static ExchangeEffect fail(Exchange *x, const char *note) {
        bool left = holds_certificate(x);
        ExchangeEffect e = finish(x, x->cancelled ? JOB_CANCELLED : JOB_FAILED, note);

        e.leave_certificate = left;
        return e;
}

/* --- the certificate is tried */

static ExchangeEffect on_verified(Exchange *x) {
        if (x->step != EXCHANGE_VERIFYING)
                return (ExchangeEffect){};
        return finish(x, JOB_SUCCEEDED, "the certificate was tried: it is let in");
}

static ExchangeEffect verify_failed(Exchange *x, bool undecided, const char *note) {
        ExchangeEffect e = finish(x, JOB_FAILED, note);

        e.verify_failed = true;
        e.verify_undecided = undecided;
        return e;
}

/* Between half of what is doubled each time and all of it. */
static usec_t verify_wait(const Exchange *x, uint64_t random) {
        usec_t most = EXCHANGE_VERIFY_WAIT_USEC;

        for (unsigned i = 1; i < x->verify_tries && most < EXCHANGE_VERIFY_WAIT_CAP_USEC; i++)
                most *= 2;
        return most / 2 + random % (most / 2 + 1);
}

static ExchangeEffect on_not_verified(Exchange *x, bool undecided, uint64_t random) {
        if (x->step != EXCHANGE_VERIFYING)
                return (ExchangeEffect){};
        if (++x->verify_tries >= EXCHANGE_VERIFY_TRIES_MAX)
                return verify_failed(x, undecided,
                                     undecided ? "the certificate could not be tried"
                                               : "the certificate is not let in");
        x->step = EXCHANGE_IDLE;
        return (ExchangeEffect){
                .action = EXCHANGE_DO_WAIT,
                .delay_usec = verify_wait(x, random),
                .note = undecided ? "the certificate could not be tried; trying again"
                                  : "the certificate is not let in yet; trying again",
        };
}

static ExchangeEffect wait_for_another_try(Exchange *x, uint64_t random, bool throttled) {
        was_answered(x);
        if (x->cancelled)
                return give_up_cancelled(x);
        x->step = EXCHANGE_IDLE;
        return (ExchangeEffect){
                .action = EXCHANGE_DO_WAIT,
                .delay_usec = backoff_next(&x->backoff, random),
                .throttled = throttled,
                .note = throttled ? "throttled by the service" : "the service had a fault",
        };
}

static ExchangeEffect on_key_later(Exchange *x, uint64_t random) {
        ExchangeEffect e;

        if (x->step != EXCHANGE_PLACING_KEY && (x->step != EXCHANGE_MAKING_KEY || !x->key_in_token))
                return (ExchangeEffect){};
        e = wait_for_another_try(x, random, false);
        if (e.action == EXCHANGE_DO_WAIT)
                e.note = "the token is not there, or does not answer; waiting for it";
        return e;
}

/* The ownership token is not taken: the certificate it stood for is lost to us. */
static ExchangeEffect on_token_refused(Exchange *x) {
        bool left = holds_certificate(x);
        ExchangeEffect e;

        was_answered(x);
        if (x->cancelled)
                return give_up_cancelled(x);
        if (x->operation == OPERATION_REGISTER_THING || x->started_over)
                return fail(x, "the service does not take the ownership token");
        x->started_over = true;
        x->has_certificate = false;
        x->has_key = x->has_key && x->key_in_token; /* it is nobody else's, and stays where it is */
        e = register_or_create(x);
        e.leave_certificate = left;
        e.note = "the service does not take the ownership token; starting over";
        return e;
}

static const char *why_unanswered(bool dropped, bool created) {
        if (created)
                return dropped ? "the connection was lost before the answer; a certificate may "
                                 "have been made, and is left behind then"
                               : "no answer in time; a certificate may have been made, and is left "
                                 "behind then";
        return dropped ? "the connection was lost before the answer" : "no answer in time";
}

/* A request without an answer. What it did is not known; the connection that it was sent on is
 * burned by the caller of this (TIMEOUT) or gone (LOST). */
static ExchangeEffect on_unanswered(Exchange *x, bool dropped) {
        const bool created = x->step == EXCHANGE_CREATING;
        ExchangeEffect e;

        x->unanswered++;
        if (dropped)
                x->dropped++;
        if (x->cancelled)
                e = give_up_cancelled(x);
        else if (x->unanswered >= EXCHANGE_UNANSWERED_MAX) {
                e = fail(x, "no answer, several times");
                e.suspect_policy = x->dropped == x->unanswered;
        } else {
                x->step = EXCHANGE_IDLE;
                e = (ExchangeEffect){.action = EXCHANGE_DO_REQUEUE,
                                     .note = why_unanswered(dropped, created)};
        }
        e.burn = !dropped;
        return e;
}

/* Nothing in a refusal names its request. On a connection where nothing was asked before, what
 * comes can be nobody else's. */
static ExchangeEffect on_doubtful(Exchange *x) {
        ExchangeEffect e;

        if (x->cancelled)
                e = give_up_cancelled(x);
        else {
                x->doubted = true;
                x->step = EXCHANGE_IDLE;
                e = (ExchangeEffect){.action = EXCHANGE_DO_REQUEUE,
                                     .note = "the same refusal came before, and may be that one "
                                             "again; asking once more"};
        }
        e.burn = true;
        return e;
}

static ExchangeEffect on_lost(Exchange *x) {
        if (exchange_is_in_flight(x))
                return on_unanswered(x, true);
        /* Keys are made and disks are written without a connection; what comes next will see. */
        return (ExchangeEffect){};
}

static ExchangeEffect on_not_sent(Exchange *x) {
        if (!exchange_is_in_flight(x) && x->step != EXCHANGE_VERIFYING)
                return (ExchangeEffect){};
        if (x->cancelled)
                return give_up_cancelled(x);
        x->step = EXCHANGE_IDLE;
        return (ExchangeEffect){.action = EXCHANGE_DO_REQUEUE, .note = "waiting for the session"};
}

static ExchangeEffect on_cancel(Exchange *x) {
        x->cancelled = true;
        if (x->step == EXCHANGE_IDLE || x->step == EXCHANGE_VERIFYING ||
            (x->step == EXCHANGE_MAKING_KEY && x->key_in_token))
                return give_up_cancelled(x);
        return (ExchangeEffect){};
}

static ExchangeEffect on_broken(Exchange *x) {
        if (x->step == EXCHANGE_VERIFYING)
                return verify_failed(x, true, "the certificate cannot be tried");
        return fail(x, "this machine failed");
}

static ExchangeEffect on_expired(Exchange *x) {
        ExchangeEffect e;
        bool in_flight = exchange_is_in_flight(x), left = holds_certificate(x);

        e = finish(x, JOB_EXPIRED, "its deadline passed");
        e.leave_certificate = left;
        e.burn = in_flight; /* the answer may still come, and is nobody's then */
        return e;
}

ExchangeEffect exchange_hold(Exchange *x, usec_t wait_usec) {
        if (!exchange_is_in_flight(x) && x->step != EXCHANGE_NOTING)
                return (ExchangeEffect){};
        if (x->cancelled)
                return give_up_cancelled(x);
        x->step = EXCHANGE_IDLE;
        return (ExchangeEffect){
                .action = EXCHANGE_DO_WAIT,
                .delay_usec = wait_usec,
                .note = "the claim's policy seems to refuse what it would ask; waiting",
        };
}

/* Answers, and their absence: nobody who did not ask is told them. */
static bool is_about_an_answer(ExchangeEventType event) {
        return event == EXCHANGE_EVENT_REFUSED_TRANSIENT ||
               event == EXCHANGE_EVENT_REFUSED_THROTTLED || event == EXCHANGE_EVENT_REFUSED_TOKEN ||
               event == EXCHANGE_EVENT_REFUSED_PERMANENT || event == EXCHANGE_EVENT_BAD_ANSWER ||
               event == EXCHANGE_EVENT_DOUBTFUL || event == EXCHANGE_EVENT_TIMEOUT;
}

ExchangeEffect exchange_step(Exchange *x, ExchangeEventType event, uint64_t random) {
        if (x->step == EXCHANGE_OVER || (is_about_an_answer(event) && !exchange_is_in_flight(x)))
                return (ExchangeEffect){};

        switch (event) {
        case EXCHANGE_EVENT_START:
                return on_start(x);
        case EXCHANGE_EVENT_KEY_MADE:
                return on_key_made(x);
        case EXCHANGE_EVENT_KEY_GONE:
                return on_key_gone(x);
        case EXCHANGE_EVENT_KEY_LATER:
                return on_key_later(x, random);
        case EXCHANGE_EVENT_NOTED:
                return on_noted(x);
        case EXCHANGE_EVENT_CREATED:
                return on_created(x);
        case EXCHANGE_EVENT_STORED:
                return on_stored(x);
        case EXCHANGE_EVENT_REGISTERED:
                return on_registered(x);
        case EXCHANGE_EVENT_VERIFIED:
                return on_verified(x);
        case EXCHANGE_EVENT_VERIFY_REFUSED:
                return on_not_verified(x, false, random);
        case EXCHANGE_EVENT_VERIFY_UNDECIDED:
                return on_not_verified(x, true, random);
        case EXCHANGE_EVENT_REFUSED_TRANSIENT:
                return wait_for_another_try(x, random, false);
        case EXCHANGE_EVENT_REFUSED_THROTTLED:
                return wait_for_another_try(x, random, true);
        case EXCHANGE_EVENT_REFUSED_TOKEN:
                return on_token_refused(x);
        case EXCHANGE_EVENT_REFUSED_PERMANENT:
                return fail(x, "refused by the service");
        case EXCHANGE_EVENT_DOUBTFUL:
                return on_doubtful(x);
        case EXCHANGE_EVENT_BAD_ANSWER:
                return fail(x, "the answer cannot be used");
        case EXCHANGE_EVENT_TIMEOUT:
                return on_unanswered(x, false);
        case EXCHANGE_EVENT_LOST:
                return on_lost(x);
        case EXCHANGE_EVENT_NOT_SENT:
                return on_not_sent(x);
        case EXCHANGE_EVENT_BROKEN:
                return on_broken(x);
        case EXCHANGE_EVENT_CANCEL:
                return on_cancel(x);
        case EXCHANGE_EVENT_EXPIRED:
                return on_expired(x);
        case EXCHANGE_EVENT_TYPE_MAX:
                break;
        }
        return (ExchangeEffect){};
}
