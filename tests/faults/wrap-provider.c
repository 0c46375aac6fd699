/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The fault points towards the cloud. */

#include <stdio.h>

#include "daemon/net/connection.h"
#include "daemon/net/probe.h"
#include "daemon/provider/dps-internal.h"
#include "daemon/provider/key-maker.h"
#include "daemon/provider/lane-internal.h"
#include "protocol/dps/topic.h"
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

        if (aws_topic_parse(text, strlen(text), &topic))
                return requests[topic.operation];
        return strstr(text, "/iotdps-register/")              ? "dps-register"
               : strstr(text, "/iotdps-get-operationstatus/") ? "dps-query"
                                                              : "other";
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
       (Worker * worker, const KeyWish *wish, void (*done)(MadeKey *made, void *userdata),
        void *userdata, KeyOrder **ret),
       (worker, wish, done, userdata, ret));

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

void __real_dps_on_message(Registrar *r, const char *topic, size_t topic_size,
                           const uint8_t *payload, size_t size);
void __wrap_dps_on_message(Registrar *r, const char *topic, size_t topic_size,
                           const uint8_t *payload, size_t size);
void __wrap_dps_on_message(Registrar *r, const char *topic, size_t topic_size,
                           const uint8_t *payload, size_t size) {
        char detail[sizeof("dps-999")] = "dps-0";
        DpsAnswerTopic t;

        if (dps_topic_parse(topic, topic_size, &t))
                (void) snprintf(detail, sizeof(detail), "dps-%d", t.status);
        fault_point(FAULT_BEFORE, "answer", detail);
        __real_dps_on_message(r, topic, topic_size, payload, size);
        fault_point(FAULT_AFTER, "answer", detail);
}
