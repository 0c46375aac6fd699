/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Answers on their way out, in the order of their time. They leave from the broker's tick alone,
 * which comes right before the broker delivers what plugins publish: between the check that the
 * connection is still the one that asked and the delivery to its client id, nobody can take that id
 * over. */

#include <stdbool.h>
#include <stdint.h>

#include "daemon/base/list.h"
#include "daemon/base/macro.h"
#include "tests/cloud/plugin/connection.h"
#include "tests/cloud/plugin/record.h"
#include "tests/cloud/plugin/registry.h"

/* At one time; more are dropped. */
#define OUTBOX_MAX 10000

typedef struct Answer {
        usec_t due_usec;
        uint64_t connection;
        bool last; /* after it the request has been answered */
        char *topic;
        void *payload;
        size_t payload_n;
        Token *token; /* of the registration that it tells the success of; NULL otherwise */
        void *wire;   /* these bytes go out instead of the MQTT packet; NULL: the packet does */
        size_t wire_n;
        LIST_LINK(struct Answer, answers);
} Answer;

typedef struct Outbox {
        LIST_HEAD(Answer, answers);
        size_t n_answers;
        usec_t wake_usec; /* what wake_at() was last told, 0 before */
        uint64_t sent;
        uint64_t lost; /* the connection was gone, or did not listen */
} Outbox;

Answer *answer_free(Answer *answer);

/* Takes the answer over. Those of equal time leave in the order they came in. */
void outbox_add(Outbox *outbox, Answer *answer);

/* Publishes all that is due, and asks to be woken for the next. */
void outbox_flush(Outbox *outbox, Connections *connections, Record *record);

void outbox_clear(Outbox *outbox);
