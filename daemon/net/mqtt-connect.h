/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The first two packets of an MQTT 3.1.1 session as bytes: CONNECT (3.1) is made, CONNACK (3.2) is
 * read. No I/O. For who wants to know no more than whether a server lets a client in; a session
 * that is to last is the MQTT library's. */

#include "daemon/base/macro.h"

/* As long as any client id may be here: AWS IoT Core takes 128 bytes. */
#define MQTT_CLIENT_ID_MAX ((size_t) 1024)

/* Clean session, no will, no user name. -EINVAL: the client id is empty or too long. */
int mqtt_connect_make(const char *client_id, uint16_t keep_alive_sec, uint8_t **ret,
                      size_t *ret_size);

#define MQTT_CONNACK_SIZE ((size_t) 4)

typedef struct MqttConnack {
        uint8_t bytes[MQTT_CONNACK_SIZE];
        size_t n; /* of them have come */
} MqttConnack;

/* Takes the next bytes of the stream, as far as they belong to it. 1: it is whole. 0: more is to
 * come. -EBADMSG: this is no CONNACK, or one with reserved bits. */
int mqtt_connack_feed(MqttConnack *c, const uint8_t *data, size_t size);

/* Of a whole one: 0 accepted, else see connack.h. */
int mqtt_connack_code(const MqttConnack *c);
