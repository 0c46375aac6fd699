/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* A profile's MQTT session, as rules alone: an event and the time go in, what is to be done comes
 * out.
 *
 *   offline ──claim──▶ connecting ──connected──▶ subscribing ──subscribed──▶ ready
 *      ▲                    │                         │                        │
 *      └──no claim──        └──lost──▶ backoff ◀──lost─┴──────────lost─────────┘
 *                                        └──timer──▶ connecting
 *
 * A server that never says whether a subscription holds is given up after a time, too: to MQTT
 * the connection is well then, and would be so for ever.
 *
 * A generation is one connection, from CONNECT to its end; an event of an older one changes
 * nothing. The back-off grows until a session has proved itself by an answer of the service or by
 * lasting: a connection that is made and dropped at once must not be made once a second for ever
 * (aws-greengrass-nucleus issue 1107). */

#include "daemon/model/backoff.h"
#include "protocol/ipc/vocabulary.h"

#define SESSION_BACKOFF_BASE_USEC (1 * USEC_PER_SEC)
#define SESSION_BACKOFF_CAP_USEC (60 * USEC_PER_SEC)

/* A session that was ready for so long has proved itself. */
#define SESSION_LASTED_USEC (5 * USEC_PER_MINUTE)

/* Connections in a row that were dropped right upon a subscribe before the claim's policy is said
 * to be the likely cause. */
#define SESSION_POLICY_SUSPICION 2U

typedef enum SessionEventType {
        SESSION_EVENT_START,      /* there is a claim (again), or another configuration */
        SESSION_EVENT_STOP,       /* no claim, profile removed, or the daemon ends */
        SESSION_EVENT_CONNECTED,  /* CONNACK 0 */
        SESSION_EVENT_SUBSCRIBED, /* every topic of the start is subscribed */
        SESSION_EVENT_REFUSED,    /* a subscription was refused by SUBACK */
        SESSION_EVENT_LOST,       /* the connection ended, or never came to be */
        SESSION_EVENT_BURN,       /* an answer is overdue: nothing more is believed of it */
        SESSION_EVENT_PROVED,     /* the service answered a request, or the session lasted */
        SESSION_EVENT_TIMER,      /* the one that the effects set */
        SESSION_EVENT_HURRY,      /* the network or the clock changed: no need to wait on */
        SESSION_EVENT_TYPE_MAX,
} SessionEventType;

typedef struct SessionEvent {
        SessionEventType type;
        uint64_t
                generation; /* of the connection that it is about; START, STOP, TIMER, HURRY: any */
        uint64_t random;    /* 64 random bits */
} SessionEvent;

/* What to do, in this order. */
typedef struct SessionEffects {
        bool close;     /* let go of the connection */
        bool connect;   /* make one, with the generation that stands in the machine */
        bool subscribe; /* to the topics of the start */
        bool set_timer; /* to `delay_usec` from now */
        bool stop_timer;
        bool went_down; /* was ready, is not any more: jobs in flight learn it */
        bool became_ready;
        usec_t delay_usec;
} SessionEffects;

typedef struct Session {
        SessionState state;
        uint64_t generation;
        Backoff backoff;
        unsigned dropped_on_subscribe; /* in a row */
        usec_t subscribe_timeout_usec; /* for all topics of the start */
} Session;

void session_init(Session *s, usec_t subscribe_timeout_usec);
SessionEffects session_step(Session *s, const SessionEvent *event);

/* True once connections were dropped on subscribe often enough to name the policy. */
bool session_suspects_policy(const Session *s);
