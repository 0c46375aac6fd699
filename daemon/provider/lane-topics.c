/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Which topics a lane listens to. Those that most jobs need are subscribed to at the start, all at
 * once; but as soon as the connection was dropped meanwhile one by one, so that it is known which
 * of them is the trouble. Other ones when the first job wants them, one by one. */

#include "daemon/provider/lane-internal.h"

static bool answers_wanted_at_start(const Lane *lane, AwsOperation operation) {
        switch (operation) {
        case AWS_OPERATION_CREATE_FROM_CSR:
                return lane->profile->key_source == KEY_SOURCE_DAEMON;
        case AWS_OPERATION_CREATE_KEYS:
                return lane->profile->key_source == KEY_SOURCE_CLOUD;
        case AWS_OPERATION_REGISTER:
                return lane->profile->template_name != NULL;
        case AWS_OPERATION_MAX:
        case AWS_OPERATION_INVALID:
                break;
        }
        return false;
}

bool lane_is_subscribed(const Lane *lane, AwsOperation operation) {
        return lane->subscriptions[operation][AWS_SUFFIX_ACCEPTED] == SUBSCRIPTION_HELD &&
               lane->subscriptions[operation][AWS_SUFFIX_REJECTED] == SUBSCRIPTION_HELD;
}

bool lane_start_is_subscribed(const Lane *lane) {
        for (AwsOperation op = 0; op < AWS_OPERATION_MAX; op++)
                if (answers_wanted_at_start(lane, op) && !lane_is_subscribed(lane, op))
                        return false;
        return true;
}

char *lane_open_topic(const Lane *lane) {
        for (AwsOperation op = 0; op < AWS_OPERATION_MAX; op++)
                for (AwsSuffix suffix = AWS_SUFFIX_ACCEPTED; suffix <= AWS_SUFFIX_REJECTED;
                     suffix++) {
                        char *topic;

                        if (lane->subscriptions[op][suffix] == SUBSCRIPTION_ASKED &&
                            aws_topic_build(op, lane->format, lane->profile->template_name, suffix,
                                            &topic) >= 0)
                                return topic;
                }
        return NULL;
}

static int subscribe_one(Lane *lane, AwsOperation operation, AwsSuffix suffix) {
        _cleanup_free_ char *topic = NULL;
        int r;

        r = aws_topic_build(operation, lane->format, lane->profile->template_name, suffix, &topic);
        if (r < 0)
                return r;
        r = connection_subscribe(lane->connection, topic);
        if (r < 0)
                return r;
        lane->subscriptions[operation][suffix] = SUBSCRIPTION_ASKED;
        free(lane->last_topic);
        lane->last_topic = TAKE_PTR(topic);
        return 0;
}

/* The topics of an operation that were not asked for yet; singly: the first one that is not held.
 * 1: one is open, and nothing more is to be asked for now. */
static int subscribe(Lane *lane, AwsOperation operation, bool singly) {
        for (AwsSuffix suffix = AWS_SUFFIX_ACCEPTED; suffix <= AWS_SUFFIX_REJECTED; suffix++) {
                Subscription now = lane->subscriptions[operation][suffix];

                if (now == SUBSCRIPTION_NONE) {
                        int r = subscribe_one(lane, operation, suffix);

                        if (r < 0)
                                return r;
                }
                if (singly && now != SUBSCRIPTION_HELD)
                        return 1;
        }
        return 0;
}

int lane_subscribe(Lane *lane, AwsOperation operation) {
        int r = subscribe(lane, operation, true);

        return r < 0 ? r : 0;
}

int lane_subscribe_start(Lane *lane) {
        for (AwsOperation op = 0; op < AWS_OPERATION_MAX; op++)
                if (answers_wanted_at_start(lane, op)) {
                        int r = subscribe(lane, op, session_subscribes_singly(&lane->session));

                        if (r != 0)
                                return r < 0 ? r : 0;
                }
        return 0;
}
