/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* One job's registration with Azure DPS, as rules alone: an event goes in, one action comes out.
 * Bytes, tokens, topics and files are the provider's and the store's business.
 *
 *   start ─▶ [make key ─▶ store] ─▶ connect ─▶ [note] ─▶ register ─▶ store ─▶ pause ─▶ query ─▶
 *   succeeded                                                                   ▲         │
 *                                                                               └─assigning
 *
 * - The connection is this registration's own, since it is made under the registration's name: it
 *   belongs to the machine, which says when it is made. It is gone after WAIT, FINISH, or an effect
 *   with `burn`, without another word.
 * - What the service says to wait is waited, before the first query too and however long, and a
 *   back-off never makes it shorter, nor does a new life: what is left of it comes with START. A
 *   long wait is not spent on the line: others of the profile may register meanwhile.
 * - Where a certificate is issued along, that it is asked for is on record before it is: whatever
 *   happens to the daemon then, the job can say that one may have been made.
 * - The operation's id is durable before the first query. While there is one it is queried, after a
 *   crash too, and nothing is registered anew: a registration is billed, a query is not ("Azure IoT
 *   Hub pricing", Device Provisioning Service). An id that the service has forgotten is given up,
 *   once.
 * - Transient and throttled refusals, and connections that cannot be made, are tried again with a
 *   growing wait, without end: the job's deadline, if it has one, is what ends it.
 * - A connection that is being made when a network comes may be one of the network that went: it
 *   gets a moment, and is begun anew if it is not made by then, as a session is (session.h).
 * - A request that got no answer is asked again on another connection a few times only.
 * - Refused credentials are tried once more with the secondary key, where there is one. A token is
 *   born expired where the clock is not set: then the keys are tried in turn, with no end.
 * - Cancelled: the call in flight is finished. What has been registered by then stays so in the
 *   cloud, and the same registration id finds it again. */

#include "daemon/model/backoff.h"
#include "protocol/ipc/error-code.h"
#include "protocol/ipc/vocabulary.h"

#define ASSIGNMENT_BACKOFF_BASE_USEC (1 * USEC_PER_SEC)
#define ASSIGNMENT_BACKOFF_CAP_USEC (5 * USEC_PER_MINUTE)
/* Where the service says nothing; Azure's SDK for Python has the same. */
#define ASSIGNMENT_POLL_USEC (2 * USEC_PER_SEC)
/* A longer wait is not spent on the line. */
#define ASSIGNMENT_PAUSE_MAX_USEC (15 * USEC_PER_SEC)
#define ASSIGNMENT_UNANSWERED_MAX 3U

typedef enum AssignmentStep {
        ASSIGNMENT_IDLE,        /* not begun, or waiting for another try */
        ASSIGNMENT_PLACING_KEY, /* in a token: where it will be becomes durable */
        ASSIGNMENT_MAKING_KEY,  /* or finding it there, for the operation that there is */
        ASSIGNMENT_STORING_KEY,
        ASSIGNMENT_CONNECTING, /* until the answers' topic is subscribed */
        ASSIGNMENT_NOTING,     /* that a certificate is asked for now */
        ASSIGNMENT_REGISTERING,
        ASSIGNMENT_STORING, /* the operation's id */
        ASSIGNMENT_PAUSING, /* on the line, before the next request */
        ASSIGNMENT_QUERYING,
        ASSIGNMENT_OVER,
        ASSIGNMENT_STEP_MAX,
} AssignmentStep;

typedef enum AssignmentEventType {
        ASSIGNMENT_EVENT_START, /* it is this job's turn */
        ASSIGNMENT_EVENT_KEY_MADE,
        ASSIGNMENT_EVENT_KEY_GONE,  /* the operation's is not in the token any more */
        ASSIGNMENT_EVENT_KEY_LATER, /* the token is away, or does not answer */
        ASSIGNMENT_EVENT_STORED,
        ASSIGNMENT_EVENT_NOTED,
        ASSIGNMENT_EVENT_CONNECTED,           /* and subscribed */
        ASSIGNMENT_EVENT_NOT_CONNECTED,       /* name, TCP, proxy, TLS, CONNACK 3, SUBACK */
        ASSIGNMENT_EVENT_CREDENTIALS_REFUSED, /* CONNACK 4 or 5, or an answer of that class */
        ASSIGNMENT_EVENT_ASSIGNING,           /* with an operation id, the first time */
        ASSIGNMENT_EVENT_ASSIGNED,            /* an identity that is whole */
        ASSIGNMENT_EVENT_ENDED_TRANSIENT,     /* failed, by a fault of the service's own */
        ASSIGNMENT_EVENT_ENDED_THROTTLED,     /* failed, since there were too many */
        ASSIGNMENT_EVENT_ENDED,               /* failed, disabled or unassigned */
        ASSIGNMENT_EVENT_REFUSED_TRANSIENT,
        ASSIGNMENT_EVENT_REFUSED_THROTTLED,
        ASSIGNMENT_EVENT_REFUSED_PERMANENT,
        ASSIGNMENT_EVENT_OPERATION_UNKNOWN, /* of a query */
        ASSIGNMENT_EVENT_BAD_ANSWER,
        ASSIGNMENT_EVENT_TIMEOUT, /* no answer in ResponseTimeoutSec, or no SUBACK */
        ASSIGNMENT_EVENT_LOST,    /* the connection, while an answer was awaited or not */
        ASSIGNMENT_EVENT_NOT_SENT,
        ASSIGNMENT_EVENT_TIMER,  /* the one that PAUSE or GIVE_TIME set */
        ASSIGNMENT_EVENT_HURRY,  /* a network came while the connection is being made */
        ASSIGNMENT_EVENT_BROKEN, /* this machine failed: no key, no memory, no disk */
        ASSIGNMENT_EVENT_CANCEL,
        ASSIGNMENT_EVENT_EXPIRED, /* the job's deadline */
        ASSIGNMENT_EVENT_TYPE_MAX,
} AssignmentEventType;

typedef struct AssignmentEvent {
        AssignmentEventType type;
        usec_t retry_after_usec; /* of an answer; START: what is left of it; USEC_INFINITY: none */
        bool clock_unset;        /* CREDENTIALS_REFUSED: they depend on a clock that is not set */
        uint64_t random;         /* 64 random bits */
} AssignmentEvent;

typedef enum AssignmentAction {
        ASSIGNMENT_DO_NOTHING,
        ASSIGNMENT_DO_PLACE_KEY, /* make durable where the token will have it */
        ASSIGNMENT_DO_MAKE_KEY,  /* or find it: see assignment_looks_for_key() */
        ASSIGNMENT_DO_STORE,     /* the key, or the operation's id: the step says which */
        ASSIGNMENT_DO_NOTE,      /* put the phase on record */
        ASSIGNMENT_DO_CONNECT,   /* with the credentials that `secondary` of the machine says */
        ASSIGNMENT_DO_REGISTER,
        ASSIGNMENT_DO_QUERY,
        ASSIGNMENT_DO_PAUSE,     /* a timer of delay_usec; the connection stays */
        ASSIGNMENT_DO_GIVE_TIME, /* a timer of delay_usec beside the connecting */
        ASSIGNMENT_DO_WAIT,      /* leave the lane for delay_usec, then come back in turn */
        ASSIGNMENT_DO_FINISH,    /* `outcome` */
        ASSIGNMENT_ACTION_MAX,
} AssignmentAction;

typedef struct AssignmentEffect {
        AssignmentAction action;
        JobState outcome;  /* FINISH */
        usec_t delay_usec; /* PAUSE, GIVE_TIME, WAIT */
        bool throttled;    /* PAUSE, WAIT: nobody of this lane goes before that */
        bool burn;         /* the connection is not to be believed any more */
        bool name_clock;   /* say that the clock is not set, and that this is the likely cause */
        bool forget_operation; /* its id is worth nothing any more */
        const char *note;      /* for the job's history; may be NULL */
} AssignmentEffect;

typedef struct Assignment {
        AssignmentStep step;
        bool issues;        /* a certificate comes along */
        bool makes_key;     /* for that */
        bool key_in_token;  /* it is made there, and found there in each life */
        bool has_key;       /* made and stored, in this or an earlier try */
        bool has_secondary; /* there is another key to try */
        bool secondary;     /* it is in use */
        bool in_turn;       /* the keys take turns, while the clock is not known to be right */
        bool connected;
        bool hurried; /* CONNECTING: it is begun anew when the timer ends */
        bool noted;   /* that a certificate is asked for; until that is done, or put off */
        bool has_operation;
        bool forgotten; /* an operation was given up */
        bool cancelled;
        unsigned unanswered; /* in a row */
        usec_t poll_usec;    /* STORING: what the service said to wait */
        Backoff backoff;
} Assignment;

/* `makes_key`: for a certificate that is issued along. */
void assignment_init(Assignment *a, bool makes_key, bool has_secondary);

/* One is issued for a key that is the caller's. */
void assignment_certifies(Assignment *a);

/* Its key is made in a token, where it outlives the daemon: that needs no storing, but where it is
 * becomes durable first. */
void assignment_keeps_key_in_token(Assignment *a);

/* What is on record of an earlier try or life. An operation whose certificate needs a key that is
 * not there is none. */
void assignment_has_key(Assignment *a);
void assignment_has_operation(Assignment *a);

AssignmentEffect assignment_step(Assignment *a, const AssignmentEvent *event);

/* The phase that belongs to the step it is at. */
JobPhase assignment_phase(const Assignment *a);

/* Whether DO_MAKE_KEY is about the key of the operation that there is, and no other will do. */
bool assignment_looks_for_key(const Assignment *a);

/* Whether an answer is awaited. */
bool assignment_is_in_flight(const Assignment *a);
