/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/dps/topic.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/base/rest.h"
#include "protocol/base/scope.h"
#include "protocol/dps/url.h"

#define REGISTER_PREFIX "$dps/registrations/PUT/iotdps-register/?$rid="
#define QUERY_PREFIX "$dps/registrations/GET/iotdps-get-operationstatus/?$rid="
#define ANSWER_PREFIX "$dps/registrations/res/"

/* Longer than any parameter of ours, and its value, is not ours. */
#define NAME_MAX_SIZE sizeof("retry-after")
#define RETRY_AFTER_SIZE ((size_t) 32)

static bool is_bounded(const char *s, size_t max) {
        return s[0] != '\0' && strlen(s) <= max;
}

int dps_topic_register(const char *rid, char **ret) {
        _cleanup_(protocol_freep) char *encoded = NULL;
        char *topic;

        if (!is_bounded(rid, DPS_RID_MAX))
                return -EINVAL;
        encoded = dps_url_encode(rid);
        if (!encoded || asprintf(&topic, REGISTER_PREFIX "%s", encoded) < 0)
                return -ENOMEM;
        *ret = topic;
        return 0;
}

int dps_topic_query(const char *rid, const char *operation_id, char **ret) {
        _cleanup_(protocol_freep) char *encoded_rid = NULL, *encoded_id = NULL;
        char *topic;

        if (!is_bounded(rid, DPS_RID_MAX) || !is_bounded(operation_id, DPS_OPERATION_ID_MAX))
                return -EINVAL;
        encoded_rid = dps_url_encode(rid);
        encoded_id = dps_url_encode(operation_id);
        if (!encoded_rid || !encoded_id ||
            asprintf(&topic, QUERY_PREFIX "%s&operationId=%s", encoded_rid, encoded_id) < 0)
                return -ENOMEM;
        *ret = topic;
        return 0;
}

static bool take_status(Rest *rest, int *ret) {
        int status = 0;

        if (rest->size < 3)
                return false;
        for (size_t i = 0; i < 3; i++) {
                if (rest->p[i] < '0' || rest->p[i] > '9')
                        return false;
                status = status * 10 + (rest->p[i] - '0');
        }
        rest->p += 3;
        rest->size -= 3;
        *ret = status;
        return status >= DPS_HTTP_MIN;
}

/* Seconds, and nothing else (RFC 9110, section 10.2.3, would allow a date: not seen). */
static bool read_seconds(const Rest *value, uint32_t *ret) {
        char text[RETRY_AFTER_SIZE];
        uint32_t seconds = 0;

        if (!dps_url_decode(value->p, value->size, text, sizeof(text)) || text[0] == '\0')
                return false;
        for (const char *p = text; *p; p++) {
                if (*p < '0' || *p > '9')
                        return false;
                if (seconds <= DPS_RETRY_AFTER_MAX_SEC)
                        seconds = seconds * 10 + (uint32_t) (*p - '0');
        }
        *ret = seconds > DPS_RETRY_AFTER_MAX_SEC ? DPS_RETRY_AFTER_MAX_SEC : seconds;
        return true;
}

/* What has been read of the parameters. */
typedef struct Seen {
        bool rid;
        bool retry_after;
} Seen;

static bool take_parameter(Rest parameter, DpsAnswerTopic *topic, Seen *seen) {
        Rest name = rest_take(&parameter, '=');
        char text[NAME_MAX_SIZE];

        if (!dps_url_decode(name.p, name.size, text, sizeof(text)))
                return true;
        if (strcmp(text, "$rid") == 0) {
                if (seen->rid ||
                    !dps_url_decode(parameter.p, parameter.size, topic->rid, sizeof(topic->rid)))
                        return false;
                seen->rid = true;
                return topic->rid[0] != '\0';
        }
        if (strcmp(text, "retry-after") == 0) {
                if (seen->retry_after)
                        return false;
                seen->retry_after = true;
                topic->has_retry_after = read_seconds(&parameter, &topic->retry_after_sec);
        }
        return true;
}

bool dps_topic_parse(const char *topic, size_t size, DpsAnswerTopic *ret) {
        DpsAnswerTopic t = {};
        Rest rest = {topic, size};
        Seen seen = {};

        if (!rest_skip(&rest, ANSWER_PREFIX) || !take_status(&rest, &t.status) ||
            !rest_skip(&rest, "/?"))
                return false;
        for (size_t n = 0; rest.size > 0; n++)
                if (n >= DPS_PARAMETERS_MAX || !take_parameter(rest_take(&rest, '&'), &t, &seen))
                        return false;
        if (!seen.rid)
                return false;
        *ret = t;
        return true;
}
