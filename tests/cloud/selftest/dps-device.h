/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* A device of Azure DPS: its token, its requests, and what it is answered. HMAC is OpenSSL's. */

#include <stdint.h>

#include <jansson.h>

#include "tests/cloud/selftest/client.h"

#define DPS_SCOPE "0ne00TEST00"

typedef struct DpsToken {
        const char *key_file; /* below the cloud's directory */
        const char *resource; /* the id it is for; NULL: the device's own */
        int64_t lifetime_sec;
        bool derived; /* the key is made from the group's */
        bool spoiled; /* the signature is */
} DpsToken;

/* What came: the topic's parts and the body. */
typedef struct DpsAnswer {
        int status;
        char rid[65];
        int retry_after; /* -1: none */
        json_t *body;    /* NULL: no JSON */
} DpsAnswer;

/* The CONNACK code, or CLIENT_DROPPED. version NULL: 2019-03-31. */
int dps_connect(Client *client, const CloudProcess *cloud, const char *id, const DpsToken *token,
                const char *version);

/* The same, and subscribed; the test fails where it is refused. */
void dps_device(Client *client, const CloudProcess *cloud, const char *id);

void dps_register(Client *client, const char *rid, json_t *body);
void dps_query(Client *client, const char *rid, const char *operation_id);
DpsAnswer dps_receive(Client *client);
void dps_answer_clear(DpsAnswer *answer);

/* A member of the body, by its way: "registrationState.deviceId"; "" where it is no text. */
const char *dps_text(const DpsAnswer *answer, const char *way);
