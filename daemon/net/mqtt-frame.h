/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Where MQTT packets begin and end in a stream of bytes, and nothing else: no I/O, no memory. The
 * bridge asks it about everything that comes from the server, because the MQTT library below would
 * allocate whatever length a packet announces, up to 256 MiB. */

#include "daemon/base/macro.h"

/* The longest fixed header: a type byte and four bytes of remaining length (MQTT 3.1.1, 2.2.3). */
#define MQTT_FRAME_HEADER_MAX 5U

typedef enum MqttPacketType {
        MQTT_PACKET_NONE, /* 0 and 15 are reserved (MQTT 3.1.1, table 2.1) */
        MQTT_PACKET_CONNECT,
        MQTT_PACKET_CONNACK,
        MQTT_PACKET_PUBLISH,
        MQTT_PACKET_PUBACK,
        MQTT_PACKET_PUBREC,
        MQTT_PACKET_PUBREL,
        MQTT_PACKET_PUBCOMP,
        MQTT_PACKET_SUBSCRIBE,
        MQTT_PACKET_SUBACK,
        MQTT_PACKET_UNSUBSCRIBE,
        MQTT_PACKET_UNSUBACK,
        MQTT_PACKET_PINGREQ,
        MQTT_PACKET_PINGRESP,
        MQTT_PACKET_DISCONNECT,
        MQTT_PACKET_RESERVED,
} MqttPacketType;

typedef struct MqttFrame {
        size_t packet_max;   /* header and body of one packet */
        uint64_t packets;    /* whose end was seen */
        MqttPacketType type; /* of the packet begun last; MQTT_PACKET_NONE before the first */
        size_t announced;    /* remaining length of the packet begun last */
        size_t longest;      /* remaining length of the longest PUBLISH since somebody put 0 here */
        size_t left;         /* bytes of its body that are still to come */
        int error;           /* that ended the stream; 0: none */
        unsigned header;     /* bytes of a header that have come so far; 0: between packets, or in a
                                body */
} MqttFrame;

void mqtt_frame_init(MqttFrame *f, size_t packet_max);

/* Takes the next bytes of the stream. 0: all is well. -EMSGSIZE: a packet longer than packet_max
 * (`announced` says how long its body is). -EBADMSG: a reserved packet type, or a remaining length
 * of more than four bytes. After an error the stream is of no use any more: feeding it again gives
 * the same error. */
int mqtt_frame_feed(MqttFrame *f, const uint8_t *data, size_t size);

/* True at a packet's boundary: something of our own may be written here. */
static inline bool mqtt_frame_between_packets(const MqttFrame *f) {
        return f->header == 0 && f->left == 0;
}
