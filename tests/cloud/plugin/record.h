/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* What the cloud writes down, one JSON object a line: the journal (each connection, subscription,
 * operation and answer) and the breaches (each rule of the service that a client broke). A line is
 * one write(2) to a descriptor opened for appending: a reader never sees half of one. */

#include <stdint.h>

#include <jansson.h>

typedef enum Breach {
        BREACH_SECOND_REQUEST,
        BREACH_CLIENT_ID_TAKEN_OVER,
        BREACH_CLIENT_ID_INVALID,
        BREACH_SUBSCRIBE_WITHOUT_RIGHT,
        BREACH_TOO_MANY_SUBSCRIPTIONS,
        BREACH_PUBLISH_WITHOUT_RIGHT,
        BREACH_QOS_2,
        BREACH_RETAINED,
        BREACH_PAYLOAD_TOO_LARGE,
        BREACH_KEYS_WITH_PAYLOAD,
        BREACH_REQUEST_MALFORMED,
        BREACH_NOT_SUBSCRIBED,
        BREACH_TOKEN_UNKNOWN,
        BREACH_TOKEN_FOREIGN,
        BREACH_TOKEN_EXPIRED,
        BREACH_TOKEN_SPENT,
        BREACH_QUERIED_TOO_EARLY,
        BREACH_REGISTERED_ANEW,
        BREACH_MAX,
} Breach;

typedef struct Record Record;

/* Opens journal.jsonl and breaches below the working directory. Negative errno on failure. */
int record_new(Record **ret);
Record *record_free(Record *record);

/* Takes the object over, puts the time before it, and appends it to the journal. */
void record_journal(Record *record, json_t *event);

/* Appends to the breaches, and counts. detail may be NULL. */
void record_breach(Record *record, Breach breach, uint64_t connection, const char *client_id,
                   const char *detail);

/* {"second-request": 0, …}: a new reference. */
json_t *record_breach_counts(const Record *record);
