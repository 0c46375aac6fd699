/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The topics of DPS: a path, and behind a '?' a query string as of an URL ("IoT Hub Device
 * Provisioning Service MQTT protocol support"). */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What to subscribe to for every answer. */
#define DPS_TOPIC_ANSWERS "$dps/registrations/res/#"

#define DPS_RID_MAX ((size_t) 64)           /* decoded */
#define DPS_OPERATION_ID_MAX ((size_t) 512) /* seen: some 60 bytes; opaque */
/* All parameters of an answer together, those that are not known included. */
#define DPS_PARAMETERS_MAX ((size_t) 16)

/* A longer wait is cut to this: the service's own are of seconds, and what is longer than a day is
 * a fault or ill will. */
#define DPS_RETRY_AFTER_MAX_SEC ((uint32_t) 24 * 60 * 60)

#define DPS_HTTP_MIN 100
#define DPS_HTTP_MAX 999

/* Request ids tell answers apart; they are the caller's to choose: 1 to DPS_RID_MAX bytes. -EINVAL:
 * empty or too long. -ENOMEM. free() it. */
int dps_topic_register(const char *rid, char **ret);
int dps_topic_query(const char *rid, const char *operation_id, char **ret);

typedef struct DpsAnswerTopic {
        int status; /* HTTP's, DPS_HTTP_MIN to _MAX */
        char rid[DPS_RID_MAX + 1];
        bool has_retry_after; /* it was there and could be read */
        uint32_t retry_after_sec;
} DpsAnswerTopic;

/* Whether these `size` bytes (no terminator needed; they may hold anything, NUL included) are an
 * answer's topic with a request id. Parameters may come in any order; those that are not known are
 * gone over; one of ours that is there twice, or cannot be decoded, makes it no answer: the request
 * id is what says whose it is. A retry-after that is no number is none. `*ret` is filled only where
 * it is true. */
bool dps_topic_parse(const char *topic, size_t size, DpsAnswerTopic *ret);
