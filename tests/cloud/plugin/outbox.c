/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/cloud/plugin/outbox.h"

#include <mosquitto.h>
#include <mosquitto_broker.h>

#include "tests/cloud/plugin/wake.h"
#include "tests/cloud/plugin/wire.h"

Answer *answer_free(Answer *answer) {
        if (!answer)
                return NULL;
        free(answer->topic);
        free(answer->payload);
        free(answer->wire);
        free(answer);
        return NULL;
}

void outbox_add(Outbox *outbox, Answer *answer) {
        Answer *before = outbox->answers_last;

        if (outbox->n_answers >= OUTBOX_MAX) {
                outbox->lost++;
                answer_free(answer);
                return;
        }
        while (before && before->due_usec > answer->due_usec)
                before = before->answers_prev;
        if (!before)
                LIST_PREPEND(answers, outbox, answer);
        else if (before == outbox->answers_last)
                LIST_APPEND(answers, outbox, answer);
        else {
                answer->answers_prev = before;
                answer->answers_next = before->answers_next;
                before->answers_next->answers_prev = answer;
                before->answers_next = answer;
        }
        outbox->n_answers++;
}

static void journal_loss(Record *record, const Answer *answer, const char *why) {
        record_journal(record, json_pack("{s:s, s:s, s:I, s:s}", "event", "answer-lost", "why", why,
                                         "connection", (json_int_t) answer->connection, "topic",
                                         answer->topic));
}

/* False when the answer found nobody who wants it. */
static bool send_answer(const Answer *answer, Connections *connections, Record *record) {
        Connection *connection = connections_find_number(connections, answer->connection);
        const void *payload = answer->payload;
        size_t n = answer->payload_n;
        WireMarker marker;
        int qos;

        if (!connection) {
                journal_loss(record, answer, "connection-gone");
                return false;
        }
        if (answer->last && connection->pending > 0)
                connection->pending--;
        qos = connection_wants(connection, answer->topic);
        if (qos < 0) {
                journal_loss(record, answer, "not-subscribed");
                record_breach(record, BREACH_NOT_SUBSCRIBED, connection->number, connection->id,
                              answer->topic);
                return false;
        }
        if (answer->wire && wire_replace(answer->wire, answer->wire_n, &marker)) {
                payload = marker.text;
                n = sizeof(marker.text);
        }
        if (n == 0 || mosquitto_broker_publish_copy(connection->id, answer->topic, (int) n, payload,
                                                    qos, false, NULL) != MOSQ_ERR_SUCCESS)
                return false;
        connection_keep_answer(connection, answer->topic, answer->payload, answer->payload_n);
        if (answer->token)
                answer->token->answered = true;
        return true;
}

void outbox_flush(Outbox *outbox, Connections *connections, Record *record) {
        usec_t now = outbox->answers_first ? wake_now() : 0;
        usec_t next;
        Answer *answer;

        while ((answer = outbox->answers_first) && answer->due_usec <= now) {
                LIST_REMOVE(answers, outbox, answer);
                outbox->n_answers--;
                if (send_answer(answer, connections, record))
                        outbox->sent++;
                else
                        outbox->lost++;
                answer_free(answer);
        }
        next = outbox->answers_first ? outbox->answers_first->due_usec : USEC_INFINITY;
        if (next != outbox->wake_usec) {
                wake_at(next);
                outbox->wake_usec = next;
        }
}

void outbox_clear(Outbox *outbox) {
        Answer *answer;

        while ((answer = outbox->answers_first)) {
                LIST_REMOVE(answers, outbox, answer);
                answer_free(answer);
        }
        outbox->n_answers = 0;
}
