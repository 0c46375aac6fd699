/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Inside daemon/provider: what a lane is made of. lane.c keeps the session; aws-exchange.c carries
 * out what the exchange machine says; aws-key.c has keys made; aws-answer.c reads what the service
 * says; aws-verify.c tries new certificates; lane-topics.c listens; lane-rights.c knows what the
 * claim's policy seems to refuse. */

#include "daemon/model/exchange.h"
#include "daemon/model/right.h"
#include "daemon/model/session.h"
#include "daemon/net/probe.h"
#include "daemon/provider/answers-seen.h"
#include "daemon/provider/job-run.h"
#include "daemon/provider/key-maker.h"
#include "daemon/provider/lane.h"
#include "protocol/aws/format.h"
#include "protocol/aws/topic.h"

typedef enum Subscription {
        SUBSCRIPTION_NONE,
        SUBSCRIPTION_ASKED,
        SUBSCRIPTION_HELD,
} Subscription;

typedef struct LaneRight {
        Right right;
        Failure *why; /* it is suspected; else NULL */
} LaneRight;

struct Lane {
        LaneOptions options;
        const Profile *profile;
        AwsFormat format;

        Session session;
        Connection *connection;
        sd_event_source *session_timer;
        Failure *last_error;
        usec_t connected_since_real, connected_since_boot;
        Subscription subscriptions[AWS_OPERATION_MAX][AWS_SUFFIX_MAX];
        char *last_topic; /* last subscribed or published to: what a drop is about */
        LaneRight rights[AWS_OPERATION_MAX];

        Secret *trusted;
        Secret *certificate;
        Secret *private_key; /* NULL: token_key */
        TokenKey *token_key;
        Token *key_store; /* NULL: device keys are made in memory */
        Secret *proxy_credentials;

        Job *job;             /* at work, or NULL */
        bool publish_pending; /* its request waits for a subscription */
        KeyOrder *key_order;
        sd_event_source *response_timer;
        Probe *probe;            /* of the job's new certificate */
        uint64_t request_serial; /* of the request that was sent last */
        AnswersSeen answers;
        Backoff throttle; /* of all jobs: the service counts what the account asks, not who */
        bool asked_here;  /* something, on this connection */
        usec_t distrusted_until; /* boot clock: an answer may be under way that is nobody's now */
};

/* lane.c */
void lane_session_event(Lane *lane, SessionEventType type, Failure *failure);
/* An answer of the service has come, which proves the session and the right to ask. */
void lane_answered(Lane *lane, AwsOperation operation);

/* lane-topics.c; -ENOTCONN: the connection's end is on its way */
int lane_subscribe_start(Lane *lane);                   /* goes on with it, too */
int lane_subscribe(Lane *lane, AwsOperation operation); /* likewise */
bool lane_start_is_subscribed(const Lane *lane);
bool lane_is_subscribed(const Lane *lane, AwsOperation operation);
char *lane_open_topic(const Lane *lane); /* asked for first, and not answered; free() it; or NULL */

/* lane-rights.c; each takes the failure that it wraps or gives back */
Failure *lane_refused_subscription(const Lane *lane, const char *topic, const char *how,
                                   Failure *cause);
Failure *lane_dropped_publication(const Lane *lane, Failure *cause);
Failure *lane_taken_over(const Lane *lane, Failure *cause);
Failure *lane_right_dropped(Lane *lane, Failure *failure);    /* the connection, that is */
bool lane_right_answered(Lane *lane, AwsOperation operation); /* true: it was suspected */
/* How long the job's next request has to wait, and for what (the lane's). */
usec_t lane_right_wait(const Lane *lane, const JobRun *run, const Failure **ret_why);
void lane_rights_reset(Lane *lane);
void lane_rights_retry(Lane *lane);
Failure *lane_lasting_trouble(const Lane *lane); /* for a session that is well otherwise; or NULL */

/* aws-exchange.c */
void aws_exchange_event(Lane *lane, ExchangeEventType type, Failure *failure);
void aws_exchange_on_subscribed(Lane *lane);
/* Takes the failure. */
void aws_exchange_on_subscription_refused(Lane *lane, AwsOperation operation, Failure *failure);
void aws_exchange_drop(Lane *lane); /* the lane ends: let go of what belongs to the job's try */
AwsOperation aws_exchange_operation(const JobRun *run);
const char *aws_exchange_title(AwsOperation operation); /* as the service calls it */

/* This machine could not do `what`; `detail` is for the caller's own mistakes. */
void aws_exchange_broken(Lane *lane, int r, const char *what, const char *detail);

/* aws-key.c; both are answered by an event */
void aws_key_place(Lane *lane);
void aws_key_make(Lane *lane);

/* aws-verify.c */
void aws_verify_begin(Lane *lane);
/* Of a job that ends so. Takes the cause. */
Failure *aws_verify_failure(const Lane *lane, const ExchangeEffect *e, Failure *cause);

/* aws-answer.c */
void aws_answer_on_message(Lane *lane, const AwsTopic *topic, const uint8_t *payload, size_t size);
