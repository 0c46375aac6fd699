/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The fault points towards the cloud. */

#include "daemon/net/connection.h"
#include "daemon/net/probe.h"
#include "daemon/provider/key-maker.h"
#include "daemon/provider/lane-internal.h"
#include "tests/faults/fault-point.h"

#define AROUND(what, detail, function, parameters, arguments) \
        int __real_##function parameters;                     \
        int __wrap_##function parameters;                     \
        int __wrap_##function parameters {                    \
                int r;                                        \
                                                              \
                fault_point(FAULT_BEFORE, what, detail);      \
                r = __real_##function arguments;              \
                fault_point(FAULT_AFTER, what, detail);       \
                return r;                                     \
        }                                                     \
        struct function##_needs_a_semicolon

static const char *const requests[AWS_OPERATION_MAX] = {
        [AWS_OPERATION_CREATE_FROM_CSR] = "create-from-csr",
        [AWS_OPERATION_CREATE_KEYS] = "create-keys",
        [AWS_OPERATION_REGISTER] = "register",
};

static const char *request_of(const char *text) {
        AwsTopic topic;

        return aws_topic_parse(text, strlen(text), &topic) ? requests[topic.operation] : "other";
}

AROUND("connect", NULL, connection_new,
       (Network * n, const ConnectionParameters *p, const ConnectionHandlers *handlers,
        void *userdata, Connection **ret),
       (n, p, handlers, userdata, ret));
AROUND("subscribe", NULL, connection_subscribe, (Connection * c, const char *topic), (c, topic));
AROUND("publish", request_of(topic), connection_publish,
       (Connection * c, const char *topic, const void *payload, size_t size),
       (c, topic, payload, size));
AROUND("probe", NULL, probe_new,
       (Network * n, const ProbeParameters *p, ProbeHandler handler, void *userdata, Probe **ret),
       (n, p, handler, userdata, ret));
AROUND("key", NULL, key_order_new,
       (Worker * crypto, KeyType type, const char *common_name,
        void (*done)(MadeKey *made, void *userdata), void *userdata, KeyOrder **ret),
       (crypto, type, common_name, done, userdata, ret));

static void at_answer(FaultWhen when, const AwsTopic *topic) {
        static const char *const accepted[AWS_OPERATION_MAX] = {
                [AWS_OPERATION_CREATE_FROM_CSR] = "create-from-csr-accepted",
                [AWS_OPERATION_CREATE_KEYS] = "create-keys-accepted",
                [AWS_OPERATION_REGISTER] = "register-accepted",
        };
        static const char *const rejected[AWS_OPERATION_MAX] = {
                [AWS_OPERATION_CREATE_FROM_CSR] = "create-from-csr-rejected",
                [AWS_OPERATION_CREATE_KEYS] = "create-keys-rejected",
                [AWS_OPERATION_REGISTER] = "register-rejected",
        };

        fault_point(when, "answer",
                    (topic->suffix == AWS_SUFFIX_ACCEPTED ? accepted : rejected)[topic->operation]);
}

void __real_aws_answer_on_message(Lane *lane, const AwsTopic *topic, const uint8_t *payload,
                                  size_t size);
void __wrap_aws_answer_on_message(Lane *lane, const AwsTopic *topic, const uint8_t *payload,
                                  size_t size);
void __wrap_aws_answer_on_message(Lane *lane, const AwsTopic *topic, const uint8_t *payload,
                                  size_t size) {
        const AwsTopic copy = *topic;

        at_answer(FAULT_BEFORE, &copy);
        __real_aws_answer_on_message(lane, topic, payload, size);
        at_answer(FAULT_AFTER, &copy);
}
