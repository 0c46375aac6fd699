/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* One job's conversation with AWS IoT fleet provisioning, as rules alone: an event goes in, one
 * action comes out. Bytes, keys, topics and files are the provider's and the store's business.
 *
 *   start ─▶ [make key] ─▶ note ─▶ create ─▶ store ─▶ register ─▶ succeeded
 *
 * - That a certificate is asked for is on record before it is asked for: whatever happens to the
 *   daemon then, the job can say that one may have been made. A disk that does not even take that
 *   would not take the certificate: none is spent. So with the token of a single RegisterThing.
 * - The certificate, its key and its token are durable before RegisterThing is published.
 * - Transient and throttled refusals are tried again with a growing wait, without end: the job's
 *   deadline, if it has one, is what ends it.
 * - A request that got no answer may have been carried out. It is asked again on another connection
 *   a few times only, since every lost CreateCertificateFromCsr can leave a certificate behind.
 * - A token that the service does not take (any more) starts the job over, once.
 * - Cancelled: the call in flight is finished, so that what it brings is on record.
 */

#include "daemon/model/backoff.h"
#include "protocol/ipc/error-code.h"
#include "protocol/ipc/vocabulary.h"

#define EXCHANGE_BACKOFF_BASE_USEC (1 * USEC_PER_SEC)
#define EXCHANGE_BACKOFF_CAP_USEC (5 * USEC_PER_MINUTE)
#define EXCHANGE_UNANSWERED_MAX 3U

typedef enum ExchangeStep {
        EXCHANGE_IDLE, /* not begun, or waiting for another try, or over */
        EXCHANGE_MAKING_KEY,
        EXCHANGE_NOTING, /* that what cannot be taken back is asked for now */
        EXCHANGE_CREATING,
        EXCHANGE_STORING, /* certificate, key and token */
        EXCHANGE_REGISTERING,
        EXCHANGE_OVER,
        EXCHANGE_STEP_MAX,
} ExchangeStep;

typedef enum ExchangeEventType {
        EXCHANGE_EVENT_START, /* the session is ready and it is this job's turn */
        EXCHANGE_EVENT_KEY_MADE,
        EXCHANGE_EVENT_NOTED,
        EXCHANGE_EVENT_CREATED, /* an answer whose certificate carries the right key */
        EXCHANGE_EVENT_STORED,
        EXCHANGE_EVENT_REGISTERED,
        EXCHANGE_EVENT_REFUSED_TRANSIENT,
        EXCHANGE_EVENT_REFUSED_THROTTLED,
        EXCHANGE_EVENT_REFUSED_TOKEN, /* unknown or expired: start again */
        EXCHANGE_EVENT_REFUSED_PERMANENT,
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
        EXCHANGE_DO_MAKE_KEY,
        EXCHANGE_DO_NOTE,
        EXCHANGE_DO_CREATE, /* publish the CSR, or ask for keys and certificate */
        EXCHANGE_DO_STORE,
        EXCHANGE_DO_REGISTER,
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
        const char *note;       /* for the job's history; may be NULL */
} ExchangeEffect;

typedef struct Exchange {
        Operation operation;
        KeySource key_source;
        ExchangeStep step;
        bool has_key;         /* KEY_SOURCE_DAEMON: made in this or an earlier try */
        bool has_certificate; /* stored, with a token that may still live */
        bool started_over;
        bool cancelled;
        unsigned unanswered; /* in a row, of one step */
        unsigned dropped;    /* of these, by the connection's end rather than by time */
        Backoff backoff;
} Exchange;

void exchange_init(Exchange *x, Operation operation, KeySource key_source);

/* The job has a stored certificate, with its key and a token, from an earlier try or life. */
void exchange_has_certificate(Exchange *x);

ExchangeEffect exchange_step(Exchange *x, ExchangeEventType event, uint64_t random);

/* The phase that belongs to the step it is at. */
JobPhase exchange_phase(const Exchange *x);

/* Whether an answer is awaited. */
bool exchange_is_in_flight(const Exchange *x);
