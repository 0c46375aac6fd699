/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/net/mqtt-frame.h"

#include <errno.h>

#define CONTINUATION 0x80U /* another byte of the length follows (MQTT 3.1.1, 2.2.3) */
#define LENGTH_BITS 7U

void mqtt_frame_init(MqttFrame *f, size_t packet_max) {
        *f = (MqttFrame){.packet_max = packet_max};
}

static int take_header_byte(MqttFrame *f, uint8_t byte) {
        if (f->header == 0) {
                unsigned type = byte >> 4;

                if (type == MQTT_PACKET_NONE || type == MQTT_PACKET_RESERVED)
                        return -EBADMSG;
                f->type = (MqttPacketType) type;
                f->announced = 0;
                f->header = 1;
                return 0;
        }

        f->announced |= (size_t) (byte & ~CONTINUATION) << (LENGTH_BITS * (f->header - 1));
        f->header++;
        if (byte & CONTINUATION)
                return f->header >= MQTT_FRAME_HEADER_MAX ? -EBADMSG : 0;
        if (f->announced > f->packet_max || f->header > f->packet_max - f->announced)
                return -EMSGSIZE;
        f->header = 0;
        f->left = f->announced;
        if (f->type == MQTT_PACKET_PUBLISH && f->announced > f->longest)
                f->longest = f->announced;
        if (f->left == 0)
                f->packets++;
        return 0;
}

int mqtt_frame_feed(MqttFrame *f, const uint8_t *data, size_t size) {
        while (size > 0 && f->error == 0) {
                size_t n;

                if (f->left == 0) {
                        f->error = take_header_byte(f, *data);
                        data++;
                        size--;
                        continue;
                }
                n = size < f->left ? size : f->left;
                f->left -= n;
                data += n;
                size -= n;
                if (f->left == 0)
                        f->packets++;
        }
        return f->error;
}
