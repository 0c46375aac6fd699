/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* A device, or a claim, that speaks MQTT by libmosquitto: what the tests try the cloud with. Each
 * call waits for what it names, or for the end of the connection, and at the longest
 * CLIENT_WAIT_MSEC. */

#include <stdbool.h>
#include <stddef.h>

#include <mosquitto.h>

#include "tests/cloud/selftest/cloud-process.h"

#define CLIENT_WAIT_MSEC 20000

/* What a call returns instead of a code. */
#define CLIENT_DROPPED (-1)

/* Messages that were not looked at yet; more fail the test. */
#define INBOX_MAX 8

typedef struct Message {
        char *topic;
        void *payload;
        size_t n;
} Message;

typedef struct Client {
        struct mosquitto *mosquitto;
        bool dropped;
        int connack; /* -1 before it came */
        int suback;  /* … */
        Message inbox[INBOX_MAX];
        size_t n_inbox;
} Client;

/* Connects with NAME.pem and NAME.key below the cloud's directory. The CONNACK code, or
 * CLIENT_DROPPED. */
int client_connect(Client *client, const CloudProcess *cloud, const char *name, const char *id,
                   bool clean_session);

/* Connects to DPS: with that user name and password, and with NAME.pem where name is not NULL. */
int client_connect_dps(Client *client, const CloudProcess *cloud, const char *name, const char *id,
                       const char *user_name, const char *password);
void client_close(Client *client);

/* The QoS that was granted, 128, or CLIENT_DROPPED. */
int client_subscribe(Client *client, const char *filter, int qos);

void client_publish(Client *client, const char *topic, const void *payload, size_t n, int qos,
                    bool retain);

/* The next message; false when the connection was dropped before. */
bool client_receive(Client *client, Message *ret);
void message_clear(Message *message);

/* Waits until the cloud has dropped the connection. */
void client_await_drop(Client *client);

/* A round trip: whatever the cloud sent before it is in the inbox afterwards. */
void client_fence(Client *client);

/* Waits that long, with the connection being served. */
void client_idle(Client *client, int msec);
