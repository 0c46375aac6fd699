/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/cloud/plugin/reply.h"

#include <string.h>

#include "tests/cloud/plugin/codec.h"
#include "tests/cloud/plugin/wake.h"

DEFINE_CLEANUP(Answer *, answer_free);

/* 0 for an answer without delay: it is due whatever the time. */
static usec_t due(const Strike *strike) {
        usec_t delay = 0;

        if (strike->by[FAULT_DELAY])
                delay += strike->by[FAULT_DELAY]->number * USEC_PER_MSEC;
        if (strike->by[FAULT_LATE])
                delay += strike->by[FAULT_LATE]->number * USEC_PER_SEC;
        return delay > 0 ? wake_now() + delay : 0;
}

static void *decode_hex(const char *hex, size_t *ret_n) {
        size_t n = strlen(hex) / 2;
        uint8_t *bytes = malloc(n);
        unsigned value;

        if (!bytes)
                return NULL;
        for (size_t i = 0; i < n; i++) {
                if (sscanf(hex + 2 * i, "%2x", &value) != 1)
                        value = 0;
                bytes[i] = (uint8_t) value;
        }
        *ret_n = n;
        return bytes;
}

static Answer *make_answer(const Connection *connection, const Topic *topic, const Outcome *outcome,
                           const Strike *strike) {
        _cleanup_(answer_freep) Answer *answer = calloc(1, sizeof(*answer));

        if (!answer)
                return NULL;
        answer->connection = connection->number;
        answer->due_usec = due(strike);
        answer->token = outcome->token;
        if (strike->by[FAULT_TOPIC])
                answer->topic = strdup(strike->by[FAULT_TOPIC]->value);
        else
                answer->topic = topic_answer(topic, outcome->accepted);
        answer->payload = codec_encode(topic->format, outcome->body, strike, &answer->payload_n);
        if (strike->by[FAULT_WIRE])
                answer->wire = decode_hex(strike->by[FAULT_WIRE]->value, &answer->wire_n);
        if (!answer->topic || !answer->payload)
                return NULL;
        return TAKE_PTR(answer);
}

static void send_former(Cloud *cloud, const Connection *connection, usec_t due_usec) {
        _cleanup_(answer_freep) Answer *answer = NULL;

        if (!connection->last_topic || !connection->last_payload)
                return;
        answer = calloc(1, sizeof(*answer));
        if (!answer)
                return;
        answer->connection = connection->number;
        answer->due_usec = due_usec;
        answer->topic = strdup(connection->last_topic);
        answer->payload = malloc(connection->last_payload_n + 1);
        if (!answer->topic || !answer->payload)
                return;
        memcpy(answer->payload, connection->last_payload, connection->last_payload_n);
        answer->payload_n = connection->last_payload_n;
        outbox_add(&cloud->outbox, TAKE_PTR(answer));
}

void reply_send(Cloud *cloud, const Connection *connection, const Topic *topic,
                const Outcome *outcome, const Strike *strike, bool last) {
        unsigned times = strike->by[FAULT_DOUBLE] ? 2 : 1;

        if (strike->by[FAULT_REPLAY])
                send_former(cloud, connection, due(strike));
        for (unsigned i = 0; i < times; i++) {
                Answer *answer = make_answer(connection, topic, outcome, strike);

                if (!answer)
                        return;
                answer->last = last && i == 0;
                outbox_add(&cloud->outbox, answer);
        }
}
