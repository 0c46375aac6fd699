/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* In the place of daemon/net's connection: it keeps what the lane asks for, and says what the test
 * wants it to say. One at a time, as a lane has it. */

#include "daemon/net/connection.h"
#include "tests/unit/protocol-aws/payload.h"

#define FAKE_TOPICS_MAX ((size_t) 16)
#define FAKE_PUBLISHES_MAX ((size_t) 64)

typedef struct FakePublish {
        char *topic;
        uint8_t *payload;
        size_t size;
} FakePublish;

typedef struct Fake {
        Connection *live; /* NULL: there is none */
        unsigned made, freed;
        char *host, *client_id, *certificate, *user_name, *password; /* of the last one */
        uint16_t port;
        size_t packet_max;
        char *asked[FAKE_TOPICS_MAX]; /* subscriptions of the live one */
        size_t n_asked, n_answered;
        FakePublish publishes[FAKE_PUBLISHES_MAX]; /* of all */
        size_t n_publishes;
        int new_error, subscribe_error, publish_error; /* what the next calls give; 0: well */
} Fake;

extern Fake fake;

void fake_done(void);

/* What the live one says. */
void fake_connected(void);
void fake_subscribed(bool accepted); /* answers the oldest open subscription */
void fake_subscribed_all(void);
void fake_message(const char *topic, const Payload *p);
void fake_lost(ErrorCode code, const char *text);

const FakePublish *fake_last(void); /* fails the test where nothing was published */
