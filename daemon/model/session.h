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
 * (aws-greengrass-nucleus issue 1107).
 *
 * The network that comes ends a back-off at once. A connection that is being made then may be one
 * of the network that went: it gets a moment, and is begun anew if it is not made by then.
 *
 * Two troubles do not pass by themselves, and each try makes them worse for somebody. Once one of
 * them shows and is suspected, the breaker opens: a long wait, which nothing in the network's life
 * cuts short; another claim or configuration does, and whoever asks for a new try.
 * - The claim's policy refuses a topic of the start. On MQTT 3.1.1 the service says so by dropping
 *   the connection. As soon as one was dropped, topics are subscribed to one by one, so that it is
 *   known which one it was.
 * - Another client has our client id: the server throws the one off when the other connects, and
 *   both would do that to each other for ever (aws-iot-device-sdk-python-v2 issue 236). Ready
 *   again and again, and dropped soon after with nothing under way, is what it looks like. */

#include "daemon/model/backoff.h"
#include "protocol/ipc/vocabulary.h"

#define SESSION_BACKOFF_BASE_USEC (1 * USEC_PER_SEC)
#define SESSION_BACKOFF_CAP_USEC (60 * USEC_PER_SEC)

/* A session that was ready for so long has proved itself. */
#define SESSION_LASTED_USEC (5 * USEC_PER_MINUTE)

/* Connections in a row that were dropped right upon a subscribe before the claim's policy is said
 * to be the likely cause. */
#define SESSION_POLICY_SUSPICION 2U

/* The waits while the breaker is open, half of them at the least. */
#define SESSION_BREAKER_BASE_USEC (30 * USEC_PER_SEC)
#define SESSION_BREAKER_CAP_USEC (10 * USEC_PER_MINUTE)

/* So many connections in a row that were ready for no longer than that, and dropped in idleness,
 * before another client is suspected. Longer than the other one waits first, if it is one of us, so
 * that both come to know; shorter than a link that dies of silence lives, with the shortest
 * keep-alive. */
#define SESSION_TAKEOVER_SUSPICION 3U
#define SESSION_SHORT_USEC (40 * USEC_PER_SEC)

/* A connection that was begun in another network may hang until ConnectTimeoutSec= (its address is
 * gone, its packets went nowhere). One that is well is made in that time. */
#define SESSION_HURRY_USEC (5 * USEC_PER_SEC)

/* Nobody has thrown us off for so long: the other one is gone. Longer than the other one waits, if
 * it is one of us. */
#define SESSION_PEACE_USEC (SESSION_BREAKER_CAP_USEC + USEC_PER_MINUTE)

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
        SESSION_EVENT_RETRY,      /* somebody wants it tried now, breaker or not */
        SESSION_EVENT_TYPE_MAX,
} SessionEventType;

typedef struct SessionEvent {
        SessionEventType type;
        uint64_t generation; /* of the connection that it is about; START, STOP, TIMER, HURRY,
                                RETRY: any */
        uint64_t random;     /* 64 random bits */
        bool dropped;        /* LOST: the other side ended it, without a word */
        usec_t lived_usec;   /* LOST while ready: for so long */
        bool busy;           /* LOST while ready: an answer was awaited */
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
        bool calmed; /* there is no suspicion any more */
        usec_t delay_usec;
} SessionEffects;

typedef struct Session {
        SessionState state;
        uint64_t generation;
        Backoff backoff;
        Backoff breaker;
        bool breaker_open; /* while in backoff: nothing but a new claim or a wish ends it early */
        bool hurried;      /* while connecting: it is begun anew when the timer ends */
        unsigned dropped_on_subscribe; /* in a row */
        unsigned pushed_out;           /* likewise */
        usec_t subscribe_timeout_usec; /* for all topics of the start */
} Session;

void session_init(Session *s, usec_t subscribe_timeout_usec);
SessionEffects session_step(Session *s, const SessionEvent *event);

/* True once connections were dropped on subscribe often enough to name the policy. */
bool session_suspects_policy(const Session *s);

/* True once it was pushed out often enough to say that another client has its client id. */
bool session_suspects_takeover(const Session *s);

/* One topic at a time: the next when the one before is held. */
bool session_subscribes_singly(const Session *s);
