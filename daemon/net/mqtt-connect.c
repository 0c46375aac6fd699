/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/net/mqtt-connect.h"

#include <errno.h>

#include "daemon/net/mqtt-frame.h"

#define PROTOCOL_LEVEL 4U /* MQTT 3.1.1 (3.1.2.2) */
#define CLEAN_SESSION 0x02U
#define LENGTH_ONE_BYTE_MAX 127U
#define CONNACK_BODY_SIZE 2U
#define CONNACK_FLAGS_RESERVED 0xfeU /* all but Session Present (3.2.2.1) */

int mqtt_connect_make(const char *client_id, uint16_t keep_alive_sec, uint8_t **ret,
                      size_t *ret_size) {
        const uint8_t variable[] = {0,
                                    4,
                                    'M',
                                    'Q',
                                    'T',
                                    'T',
                                    PROTOCOL_LEVEL,
                                    CLEAN_SESSION,
                                    (uint8_t) (keep_alive_sec >> 8),
                                    (uint8_t) keep_alive_sec};
        size_t id_size = strlen(client_id), length = sizeof(variable) + 2 + id_size, n = 0;
        uint8_t *packet;

        if (id_size == 0 || id_size > MQTT_CLIENT_ID_MAX)
                return -EINVAL;
        packet = malloc(MQTT_FRAME_HEADER_MAX + length);
        if (!packet)
                return -ENOMEM;
        packet[n++] = MQTT_PACKET_CONNECT << 4;
        if (length > LENGTH_ONE_BYTE_MAX) {
                packet[n++] = (uint8_t) (length | 0x80U);
                packet[n++] = (uint8_t) (length >> 7);
        } else
                packet[n++] = (uint8_t) length;
        memcpy(packet + n, variable, sizeof(variable));
        n += sizeof(variable);
        packet[n++] = (uint8_t) (id_size >> 8);
        packet[n++] = (uint8_t) id_size;
        memcpy(packet + n, client_id, id_size);
        *ret = packet;
        *ret_size = n + id_size;
        return 0;
}

static bool byte_fits(size_t at, uint8_t byte) {
        switch (at) {
        case 0:
                return byte == MQTT_PACKET_CONNACK << 4;
        case 1:
                return byte == CONNACK_BODY_SIZE;
        case 2:
                return (byte & CONNACK_FLAGS_RESERVED) == 0;
        default:
                return true;
        }
}

int mqtt_connack_feed(MqttConnack *c, const uint8_t *data, size_t size) {
        for (size_t i = 0; i < size && c->n < MQTT_CONNACK_SIZE; i++) {
                if (!byte_fits(c->n, data[i]))
                        return -EBADMSG;
                c->bytes[c->n++] = data[i];
        }
        return c->n == MQTT_CONNACK_SIZE;
}

int mqtt_connack_code(const MqttConnack *c) {
        return c->bytes[MQTT_CONNACK_SIZE - 1];
}
