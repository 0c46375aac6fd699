/* SPDX-License-Identifier: GPL-2.0-or-later */

/* What the claim's policy seems to refuse, and how that is said: the topic, and the action that the
 * policy must allow on it. The rules are the model's (right, session). */

#include "daemon/base/chance.h"
#include "daemon/base/clock.h"
#include "daemon/provider/lane-internal.h"

/* What the sample policy that is copied most allows is another topic. */
static const char *trap(const char *topic) {
        return strstr(topic, "/create-from-csr/") ? " ($aws/certificates/create/* does not cover "
                                                    "$aws/certificates/create-from-csr/*)"
                                                  : "";
}

Failure *lane_refused_subscription(const Lane *lane, const char *topic, const char *how,
                                   Failure *cause) {
        return failure_with_cause(
                failure_new(ERROR_PERMISSION_DENIED_BY_POLICY,
                            "%s %s the subscription to %s; the policy of the claim certificate "
                            "must allow iot:Subscribe on topicfilter/%s and iot:Receive on "
                            "topic/%s%s",
                            lane->profile->endpoint, how, topic, topic, topic, trap(topic)),
                cause);
}

static Failure *refused_publication(const Lane *lane, const char *topic, Failure *cause) {
        return failure_with_cause(
                failure_new(ERROR_PERMISSION_DENIED_BY_POLICY,
                            "%s drops the connection upon each publication to %s; the likely "
                            "cause is the policy of the claim certificate, which must allow "
                            "iot:Publish on topic/%s%s",
                            lane->profile->endpoint, topic, topic, trap(topic)),
                cause);
}

Failure *lane_dropped_publication(const Lane *lane, Failure *cause) {
        if (failure_code(cause) == ERROR_PERMISSION_DENIED_BY_POLICY || !lane->last_topic)
                return cause;
        return lane->publish_pending ? lane_refused_subscription(lane, lane->last_topic,
                                                                 "drops the connection upon", cause)
                                     : refused_publication(lane, lane->last_topic, cause);
}

Failure *lane_taken_over(const Lane *lane, Failure *cause) {
        return failure_with_cause(
                failure_new(ERROR_CONNECTION_LOST,
                            "%s let the session in and dropped it soon after, %u times in a row: "
                            "another client seems to use the client id %s; each client needs one "
                            "of its own (ClientId=)",
                            lane->profile->endpoint, lane->session.pushed_out,
                            lane->profile->client_id),
                cause);
}

/* --- what may be asked */

void lane_rights_reset(Lane *lane) {
        for (AwsOperation op = 0; op < AWS_OPERATION_MAX; op++) {
                right_init(&lane->rights[op].right);
                lane->rights[op].why = failure_free(lane->rights[op].why);
        }
}

void lane_rights_retry(Lane *lane) {
        for (AwsOperation op = 0; op < AWS_OPERATION_MAX; op++)
                right_retry(&lane->rights[op].right);
}

Failure *lane_right_dropped(Lane *lane, Failure *failure) {
        LaneRight *r;

        if (!lane->job || !exchange_is_in_flight(&lane->job->run->exchange))
                return failure;
        r = lane->rights + aws_exchange_operation(lane->job->run);
        if (!right_dropped(&r->right, clock_boot_usec(), chance_draw()))
                return failure;
        failure = lane_dropped_publication(lane, failure);
        failure_free(r->why);
        r->why = failure_copy(failure);
        return failure;
}

bool lane_right_answered(Lane *lane, AwsOperation operation) {
        LaneRight *r = lane->rights + operation;

        r->why = failure_free(r->why);
        return right_answered(&r->right);
}

/* A certificate that cannot be registered is not made. */
usec_t lane_right_wait(const Lane *lane, const JobRun *run, const Failure **ret_why) {
        const Exchange *x = &run->exchange;
        const bool wanted[AWS_OPERATION_MAX] = {
                [AWS_OPERATION_CREATE_FROM_CSR] =
                        exchange_will_create(x) && x->key_source != KEY_SOURCE_CLOUD,
                [AWS_OPERATION_CREATE_KEYS] =
                        exchange_will_create(x) && x->key_source == KEY_SOURCE_CLOUD,
                [AWS_OPERATION_REGISTER] = exchange_will_register(x),
        };
        usec_t longest = 0;

        for (AwsOperation op = 0; op < AWS_OPERATION_MAX; op++) {
                const LaneRight *r = lane->rights + op;
                usec_t wait = right_wait(&r->right, clock_boot_usec());

                if (wanted[op] && wait > longest) {
                        longest = wait;
                        *ret_why = r->why;
                }
        }
        return longest;
}

Failure *lane_lasting_trouble(const Lane *lane) {
        if (session_suspects_takeover(&lane->session))
                return lane_taken_over(lane, NULL);
        for (AwsOperation op = 0; op < AWS_OPERATION_MAX; op++)
                if (right_is_suspect(&lane->rights[op].right))
                        return failure_copy(lane->rights[op].why);
        return NULL;
}
