/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/cloud/plugin/reply.h"

#include <string.h>

#include "tests/cloud/plugin/codec.h"
#include "tests/cloud/plugin/wake.h"

DEFINE_CLEANUP(Answer *, answer_free);

/* 0 for an answer without delay: it is due whatever the time. */
usec_t reply_due(const Strike *strike) {
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
        answer->due_usec = reply_due(strike);
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

static void send_whole(Cloud *cloud, const Connection *connection, char *topic, void *payload,
                       size_t n, usec_t due_usec, const char *wire, bool last) {
        Answer *answer = topic && payload ? calloc(1, sizeof(*answer)) : NULL;

        if (!answer) {
                free(topic);
                free(payload);
                return;
        }
        *answer = (Answer){.connection = connection->number,
                           .due_usec = due_usec,
                           .last = last,
                           .topic = topic,
                           .payload = payload,
                           .payload_n = n};
        if (wire)
                answer->wire = decode_hex(wire, &answer->wire_n);
        outbox_add(&cloud->outbox, answer);
}

void reply_send_bytes(Cloud *cloud, const Connection *connection, char *topic, void *payload,
                      size_t n, const Strike *strike, bool last) {
        send_whole(cloud, connection, topic, payload, n, reply_due(strike),
                   strike->by[FAULT_WIRE] ? strike->by[FAULT_WIRE]->value : NULL, last);
}

void reply_send_former(Cloud *cloud, const Connection *connection, usec_t due_usec) {
        size_t n = connection->last_payload_n;
        void *payload;

        if (!connection->last_topic || !connection->last_payload)
                return;
        payload = malloc(n + 1);
        if (payload)
                memcpy(payload, connection->last_payload, n);
        send_whole(cloud, connection, strdup(connection->last_topic), payload, n, due_usec, NULL,
                   false);
}

void reply_send(Cloud *cloud, const Connection *connection, const Topic *topic,
                const Outcome *outcome, const Strike *strike, bool last) {
        unsigned times = strike->by[FAULT_DOUBLE] ? 2 : 1;

        if (strike->by[FAULT_REPLAY])
                reply_send_former(cloud, connection, reply_due(strike));
        for (unsigned i = 0; i < times; i++) {
                Answer *answer = make_answer(connection, topic, outcome, strike);

                if (!answer)
                        return;
                answer->last = last && i == 0;
                outbox_add(&cloud->outbox, answer);
        }
}
