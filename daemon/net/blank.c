/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/net/blank.h"

#include <assert.h>

#include "daemon/net/mqtt-frame.h"

/* "$" begins what is the server's own (MQTT 3.1.1, 4.7.2), which is us here. */
#define BLANK_TOPIC "$fleetprovd/blank"
#define BLANK_TOPIC_BYTES (sizeof(BLANK_TOPIC) - 1)
#define LENGTH_MASK 0x7fU
#define LENGTH_BITS 7U
#define LENGTH_CONTINUES 0x80U

static_assert(MQTT_FRAME_HEADER_MAX + sizeof(uint16_t) + BLANK_TOPIC_BYTES <= BLANK_BEGIN_MAX &&
                      sizeof(uint16_t) + BLANK_TOPIC_BYTES <= BLANK_FROM_BYTES,
              "the topic fits");

size_t blank_begin(size_t body, uint8_t ret[static BLANK_BEGIN_MAX], size_t *ret_zeroes) {
        size_t n = 0;

        assert(body >= BLANK_FROM_BYTES);
        ret[n++] = MQTT_PACKET_PUBLISH << 4; /* QoS 0: nobody answers it */
        for (size_t left = body; left > 0; left >>= LENGTH_BITS)
                ret[n++] = (uint8_t) ((left & LENGTH_MASK) |
                                      (left > LENGTH_MASK ? LENGTH_CONTINUES : 0));
        ret[n++] = 0;
        ret[n++] = (uint8_t) BLANK_TOPIC_BYTES;
        memcpy(ret + n, BLANK_TOPIC, BLANK_TOPIC_BYTES);
        *ret_zeroes = body - sizeof(uint16_t) - BLANK_TOPIC_BYTES;
        return n + BLANK_TOPIC_BYTES;
}

bool blank_is_topic(const char *topic, size_t size) {
        return size == BLANK_TOPIC_BYTES && memcmp(topic, BLANK_TOPIC, size) == 0;
}
