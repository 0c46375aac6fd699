/* SPDX-License-Identifier: GPL-2.0-or-later */

/* What a server answers to CONNECT, as the probe reads it. An input is the stream's beginning.
 *
 *   - wherever reads are cut, the verdict is the same
 *   - what is taken is one whole CONNACK packet, by the counting of the bridge as well
 *   - nothing behind it is looked at */

#include <errno.h>

#include "daemon/net/connack.h"
#include "daemon/net/mqtt-connect.h"
#include "daemon/net/mqtt-frame.h"
#include "tests/fuzz/fuzz.h"

static int feed(const uint8_t *data, size_t size, size_t step, MqttConnack *c) {
        int r = 0;

        *c = (MqttConnack){};
        for (size_t i = 0; i < size && r == 0; i += step)
                r = mqtt_connack_feed(c, data + i, size - i < step ? size - i : step);
        return r;
}

static void check_taken(const uint8_t *data, const MqttConnack *c) {
        Failure *failure = NULL;
        MqttFrame frame;

        mqtt_frame_init(&frame, MQTT_CONNACK_SIZE);
        must(mqtt_frame_feed(&frame, data, MQTT_CONNACK_SIZE) == 0);
        must(frame.packets == 1 && frame.type == MQTT_PACKET_CONNACK);
        must(mqtt_frame_between_packets(&frame));
        must(mqtt_connack_code(c) == data[MQTT_CONNACK_SIZE - 1]);
        if (mqtt_connack_code(c) > 0) {
                failure = connack_failure(mqtt_connack_code(c), "host:8883", "id", NULL);
                must(failure && failure->status_code == mqtt_connack_code(c));
        }
        failure_free(failure);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        MqttConnack whole, slow;
        int r = feed(data, size, SIZE_MAX, &whole);

        must(r == 0 || r == 1 || r == -EBADMSG);
        must(feed(data, size, 1, &slow) == r && slow.n == whole.n);
        must(r != 0 || (whole.n == size && size < MQTT_CONNACK_SIZE));
        if (r == 1)
                check_taken(data, &whole);
        return 0;
}
