/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/net/mqtt-subscribe.h"

#include <errno.h>

#include "daemon/net/mqtt-frame.h"

#define SUBSCRIBE_FLAGS 0x02U /* 3.8.1: reserved, and to be so */
#define LENGTH_ONE_BYTE_MAX 127U
#define SUBACK_BODY_SIZE 3U
#define SUBACK_QOS_MAX 2U
#define SUBACK_FAILURE 0x80U

int mqtt_subscribe_make(const char *topic, uint16_t packet_id, uint8_t **ret, size_t *ret_size) {
        size_t topic_size = strlen(topic), length = 2 + 2 + topic_size + 1, n = 0;
        uint8_t *packet;

        if (topic_size == 0 || topic_size > MQTT_TOPIC_MAX || packet_id == 0)
                return -EINVAL;
        packet = malloc(MQTT_FRAME_HEADER_MAX + length);
        if (!packet)
                return -ENOMEM;
        packet[n++] = MQTT_PACKET_SUBSCRIBE << 4 | SUBSCRIBE_FLAGS;
        if (length > LENGTH_ONE_BYTE_MAX) {
                packet[n++] = (uint8_t) (length | 0x80U);
                packet[n++] = (uint8_t) (length >> 7);
        } else
                packet[n++] = (uint8_t) length;
        packet[n++] = (uint8_t) (packet_id >> 8);
        packet[n++] = (uint8_t) packet_id;
        packet[n++] = (uint8_t) (topic_size >> 8);
        packet[n++] = (uint8_t) topic_size;
        memcpy(packet + n, topic, topic_size);
        n += topic_size;
        packet[n++] = 0; /* QoS */
        *ret = packet;
        *ret_size = n;
        return 0;
}

static bool byte_fits(const MqttSuback *s, size_t at, uint8_t byte) {
        switch (at) {
        case 0:
                return byte == MQTT_PACKET_SUBACK << 4;
        case 1:
                return byte == SUBACK_BODY_SIZE;
        case 2:
                return byte == s->packet_id >> 8;
        case 3:
                return byte == (s->packet_id & 0xffU);
        default:
                return byte <= SUBACK_QOS_MAX || byte == SUBACK_FAILURE;
        }
}

int mqtt_suback_feed(MqttSuback *s, const uint8_t *data, size_t size) {
        for (size_t i = 0; i < size && s->n < MQTT_SUBACK_SIZE; i++) {
                if (!byte_fits(s, s->n, data[i]))
                        return -EBADMSG;
                s->bytes[s->n++] = data[i];
        }
        return s->n == MQTT_SUBACK_SIZE;
}

bool mqtt_suback_is_granted(const MqttSuback *s) {
        return s->bytes[MQTT_SUBACK_SIZE - 1] != SUBACK_FAILURE;
}
