/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Who may connect, subscribe and publish. Claims, and devices whose certificate is active, may use
 * the topics of fleet provisioning and nothing else. As on the real service, a wrong certificate is
 * refused with CONNACK 7, and a topic without right drops the connection without a word. */

#include <stdint.h>

#include "tests/cloud/plugin/cloud.h"

typedef enum AccessResult {
        ACCESS_ALLOWED,
        ACCESS_REFUSED, /* with a word: CONNACK, or 0x80 in the SUBACK */
        ACCESS_DROP,    /* the connection is closed */
} AccessResult;

AccessResult access_connect(Cloud *cloud, const struct mosquitto *client);

/* Likewise with DPS, whose devices have a user name: they may subscribe to the answers' topic, and
 * publish requests. A wrong one is refused with CONNACK 5. */
AccessResult access_connect_dps(Cloud *cloud, const struct mosquitto *client, const char *user_name,
                                const char *password);
void access_disconnect(Cloud *cloud, const struct mosquitto *client);

AccessResult access_subscribe(Cloud *cloud, const struct mosquitto *client, const char *filter,
                              int qos);
void access_unsubscribe(Cloud *cloud, const struct mosquitto *client, const char *filter);

AccessResult access_publish(Cloud *cloud, const struct mosquitto *client, const char *topic,
                            size_t payload_n, int qos, bool retain);
