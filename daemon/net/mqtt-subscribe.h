/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* SUBSCRIBE to one topic (MQTT 3.1.1, 3.8) as bytes, and its SUBACK (3.9). No I/O. For who only
 * wants to know whether it may subscribe; see mqtt-connect.h. */

#include "daemon/base/macro.h"

#define MQTT_TOPIC_MAX ((size_t) 1024) /* far more than any topic that is asked about here */

/* At QoS 0. -EINVAL: the topic is empty or too long, or the packet id is 0. */
int mqtt_subscribe_make(const char *topic, uint16_t packet_id, uint8_t **ret, size_t *ret_size);

#define MQTT_SUBACK_SIZE ((size_t) 5)

typedef struct MqttSuback {
        uint16_t packet_id; /* that is waited for */
        uint8_t bytes[MQTT_SUBACK_SIZE];
        size_t n; /* of them have come */
} MqttSuback;

/* Takes the next bytes of the stream, as far as they belong to it. 1: it is whole. 0: more is to
 * come. -EBADMSG: this is no SUBACK of one topic with that packet id, or its code is reserved. */
int mqtt_suback_feed(MqttSuback *s, const uint8_t *data, size_t size);

/* Of a whole one. */
bool mqtt_suback_is_granted(const MqttSuback *s);
