/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Inside daemon/provider: what a lane is made of. lane.c keeps the session; aws-exchange.c carries
 * out what the exchange machine says; aws-answer.c reads what the service says; aws-verify.c tries
 * new certificates. */

#include "daemon/model/exchange.h"
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

        Secret *trusted;
        Secret *certificate;
        Secret *private_key;

        Job *job;             /* at work, or NULL */
        bool publish_pending; /* its request waits for a subscription */
        KeyOrder *key_order;
        sd_event_source *response_timer;
        Probe *probe;            /* of the job's new certificate */
        uint64_t request_serial; /* of the request that was sent last */
        AnswersSeen answers;
};

/* lane.c */
void lane_session_event(Lane *lane, SessionEventType type, Failure *failure);
int lane_subscribe(Lane *lane, AwsOperation operation);
bool lane_is_subscribed(const Lane *lane, AwsOperation operation);

/* aws-exchange.c */
void aws_exchange_event(Lane *lane, ExchangeEventType type, Failure *failure);
void aws_exchange_on_subscribed(Lane *lane);
/* Takes the failure. */
void aws_exchange_on_subscription_refused(Lane *lane, AwsOperation operation, Failure *failure);
void aws_exchange_drop(Lane *lane); /* the lane ends: let go of what belongs to the job's try */
AwsOperation aws_exchange_operation(const JobRun *run);
const char *aws_exchange_title(AwsOperation operation); /* as the service calls it */

/* aws-verify.c */
void aws_verify_begin(Lane *lane);
/* Of a job that ends so. Takes the cause. */
Failure *aws_verify_failure(const Lane *lane, const ExchangeEffect *e, Failure *cause);

/* aws-answer.c */
void aws_answer_on_message(Lane *lane, const AwsTopic *topic, const uint8_t *payload, size_t size);
