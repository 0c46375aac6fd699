/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* One job's conversation with AWS IoT fleet provisioning, as rules alone: an event goes in, one
 * action comes out. Bytes, keys, topics and files are the provider's and the store's business.
 *
 *   start ─▶ [make key] ─▶ note ─▶ create ─▶ store ─▶ register ─▶ [keep ─▶ verify] ─▶ succeeded
 *
 * - A key that is made in a token outlives the daemon, and is found again by where it is: that is
 * on record before it is made, and each life looks for it first. A certificate whose key is not
 * there any more is given up. A token that is away is waited for, as the service is.
 * - That a certificate is asked for is on record before it is asked for: whatever happens to the
 *   daemon then, the job can say that one may have been made. A disk that does not even take that
 *   would not take the certificate: none is spent. So with the token of a single RegisterThing.
 * - The certificate, its key and its token are durable before RegisterThing is published.
 * - Transient and throttled refusals are tried again with a growing wait, without end: the job's
 *   deadline, if it has one, is what ends it.
 * - A request that got no answer may have been carried out. It is asked again on another connection
 *   a few times only, since every lost CreateCertificateFromCsr can leave a certificate behind.
 * - A token that the service does not take (any more) starts the job over, once.
 * - A refusal that may be an earlier one's double is asked for again on another connection, once.
 * - Verified: what RegisterThing brought is durable before the new certificate is tried, so that no
 *   end of the daemon can make a second one of it. Activation takes a moment to spread, so a
 * refusal is tried again a few times, within half a minute. Then the job has failed, and its
 * identity is kept: asked for again, the same certificate is tried again, and nothing else.
 * - Cancelled: the call in flight is finished, so that what it brings is on record. Trying a
 *   certificate brings nothing, and ends at once; so does what is asked of a token, which may never
 *   answer, and has the key where it can be found.
 */

#include "daemon/model/backoff.h"
#include "protocol/ipc/error-code.h"
#include "protocol/ipc/vocabulary.h"

#define EXCHANGE_BACKOFF_BASE_USEC (1 * USEC_PER_SEC)
#define EXCHANGE_BACKOFF_CAP_USEC (5 * USEC_PER_MINUTE)
#define EXCHANGE_UNANSWERED_MAX 3U

/* Tries of an earlier life that make the first wait of this one longer: no more than these, which
 * is half a minute. */
#define EXCHANGE_FORMER_TRIES_MAX 5U

/* Tries of a new certificate, and the waits between them: 1, 2, 4, 8 and 16 s at the most, half of
 * that at the least. Not from zero as elsewhere: these wait for something that takes its time. */
#define EXCHANGE_VERIFY_TRIES_MAX 6U
#define EXCHANGE_VERIFY_WAIT_USEC (1 * USEC_PER_SEC)
#define EXCHANGE_VERIFY_WAIT_CAP_USEC (16 * USEC_PER_SEC)

typedef enum ExchangeStep {
        EXCHANGE_IDLE,        /* not begun, or waiting for another try, or over */
        EXCHANGE_PLACING_KEY, /* in a token: where it will be becomes durable */
        EXCHANGE_MAKING_KEY,  /* or finding it there, for the certificate that there is */
        EXCHANGE_NOTING,      /* that what cannot be taken back is asked for now */
        EXCHANGE_CREATING,
        EXCHANGE_STORING, /* certificate, key and token */
        EXCHANGE_REGISTERING,
        EXCHANGE_KEEPING, /* what RegisterThing brought */
        EXCHANGE_VERIFYING,
        EXCHANGE_OVER,
        EXCHANGE_STEP_MAX,
} ExchangeStep;

typedef enum ExchangeEventType {
        EXCHANGE_EVENT_START, /* the session is ready and it is this job's turn */
        EXCHANGE_EVENT_KEY_MADE,
        EXCHANGE_EVENT_KEY_GONE,  /* the certificate's is not in the token any more */
        EXCHANGE_EVENT_KEY_LATER, /* the token is away, or does not answer */
        EXCHANGE_EVENT_NOTED,
        EXCHANGE_EVENT_CREATED, /* an answer whose certificate carries the right key */
        EXCHANGE_EVENT_STORED,
        EXCHANGE_EVENT_REGISTERED,
        EXCHANGE_EVENT_VERIFIED,
        EXCHANGE_EVENT_VERIFY_REFUSED,   /* the service does not let the certificate in */
        EXCHANGE_EVENT_VERIFY_UNDECIDED, /* it was not heard: that says nothing about it */
        EXCHANGE_EVENT_REFUSED_TRANSIENT,
        EXCHANGE_EVENT_REFUSED_THROTTLED,
        EXCHANGE_EVENT_REFUSED_TOKEN, /* unknown or expired: start again */
        EXCHANGE_EVENT_REFUSED_PERMANENT,
        EXCHANGE_EVENT_DOUBTFUL, /* a refusal that may as well be an earlier one again */
        EXCHANGE_EVENT_BAD_ANSWER,
        EXCHANGE_EVENT_TIMEOUT,  /* no answer in ResponseTimeoutSec */
        EXCHANGE_EVENT_LOST,     /* the connection, while an answer was awaited or not */
        EXCHANGE_EVENT_NOT_SENT, /* there was no connection to send it on */
        EXCHANGE_EVENT_BROKEN,   /* this machine failed: no key, no memory, no disk */
        EXCHANGE_EVENT_CANCEL,
        EXCHANGE_EVENT_EXPIRED, /* the job's deadline */
        EXCHANGE_EVENT_TYPE_MAX,
} ExchangeEventType;

typedef enum ExchangeAction {
        EXCHANGE_DO_NOTHING,
        EXCHANGE_DO_PLACE_KEY, /* make durable where the token will have it */
        EXCHANGE_DO_MAKE_KEY,  /* or find it: see exchange_looks_for_key() */
        EXCHANGE_DO_NOTE,
        EXCHANGE_DO_CREATE, /* publish the CSR, or ask for keys and certificate */
        EXCHANGE_DO_STORE,
        EXCHANGE_DO_REGISTER,
        EXCHANGE_DO_KEEP, /* make the result so far durable */
        EXCHANGE_DO_VERIFY,
        EXCHANGE_DO_WAIT,    /* leave the lane for delay_usec, then come back in turn */
        EXCHANGE_DO_REQUEUE, /* wait for the session, first in turn */
        EXCHANGE_DO_FINISH,  /* `outcome` */
        EXCHANGE_ACTION_MAX,
} ExchangeAction;

typedef struct ExchangeEffect {
        ExchangeAction action;
        JobState outcome;       /* FINISH */
        usec_t delay_usec;      /* WAIT */
        bool throttled;         /* WAIT: nobody of this lane goes before that */
        bool burn;              /* the connection is not to be believed any more */
        bool leave_certificate; /* what was made is given up: put it on record and forget it */
        bool suspect_policy;    /* FINISH failed: dropped each time upon this publish */
        bool verify_failed;     /* FINISH failed: the identity is there, and is not let in */
        bool verify_undecided;  /* … and nobody said so: it could not be tried */
        const char *note;       /* for the job's history; may be NULL */
} ExchangeEffect;

typedef struct Exchange {
        Operation operation;
        KeySource key_source;
        ExchangeStep step;
        bool key_in_token;    /* KEY_SOURCE_DAEMON: made there, and found there in each life */
        bool has_key;         /* KEY_SOURCE_DAEMON: made in this or an earlier try */
        bool has_certificate; /* stored, with a token that may still live */
        bool verify;          /* try the certificate before success is told */
        bool registered;      /* the thing is, and that is stored */
        bool started_over;
        bool cancelled;
        bool doubted; /* the last answer was doubtful: the next one is taken */
        unsigned verify_tries;
        unsigned unanswered; /* in a row, of one step */
        unsigned dropped;    /* of these, by the connection's end rather than by time */
        Backoff backoff;
} Exchange;

/* Whether the operation goes the whole way, from a key to a thing. */
static inline bool exchange_goes_whole_way(Operation operation) {
        return operation == OPERATION_PROVISION || operation == OPERATION_ROTATE;
}

void exchange_init(Exchange *x, Operation operation, KeySource key_source);

/* It was tried so often before the daemon began anew: its waits go on from there. A daemon that is
 * started again and again is no reason for more requests. */
void exchange_was_tried(Exchange *x, unsigned tries);

/* The key is in a token, or will be. */
void exchange_keeps_key_in_token(Exchange *x);

/* The job has a stored certificate, with its key and a token, from an earlier try or life. */
void exchange_has_certificate(Exchange *x);

/* The certificate is to be tried. Where the key is the caller's it cannot be, and is not. */
void exchange_wants_verify(Exchange *x);

/* The job has a stored result, with its key: what is left is to try it. */
void exchange_is_registered(Exchange *x);

/* What it is about to ask must not be asked for so long: nothing is sent, and no try is counted. */
ExchangeEffect exchange_hold(Exchange *x, usec_t wait_usec);

ExchangeEffect exchange_step(Exchange *x, ExchangeEventType event, uint64_t random);

/* The phase that belongs to the step it is at. */
JobPhase exchange_phase(const Exchange *x);

/* Whether it asks for a certificate, now or later; whether it registers a thing. */
bool exchange_will_create(const Exchange *x);
bool exchange_will_register(const Exchange *x);

/* Whether DO_MAKE_KEY is about the key of the certificate that there is, and no other will do. */
bool exchange_looks_for_key(const Exchange *x);

/* Whether an answer is awaited. */
bool exchange_is_in_flight(const Exchange *x);
