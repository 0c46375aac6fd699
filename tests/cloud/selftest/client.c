/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/cloud/selftest/client.h"

#include <check.h>
#include <string.h>
#include <time.h>

#include "daemon/base/macro.h"

#define KEEPALIVE_SEC 60
#define TURN_MSEC 20

static long now_msec(void) {
        struct timespec now;

        clock_gettime(CLOCK_MONOTONIC, &now);
        return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void on_connect(_unused_ struct mosquitto *mosquitto, void *userdata, int code) {
        Client *client = userdata;

        client->connack = code;
}

static void on_disconnect(_unused_ struct mosquitto *mosquitto, void *userdata,
                          _unused_ int reason) {
        Client *client = userdata;

        client->dropped = true;
}

static void on_subscribe(_unused_ struct mosquitto *mosquitto, void *userdata, _unused_ int mid,
                         _unused_ int n, const int *granted) {
        Client *client = userdata;

        client->suback = granted[0];
}

static void on_message(_unused_ struct mosquitto *mosquitto, void *userdata,
                       const struct mosquitto_message *message) {
        Client *client = userdata;
        Message *slot = &client->inbox[client->n_inbox++];

        ck_assert_uint_lt(client->n_inbox, INBOX_MAX);
        slot->topic = strdup(message->topic);
        slot->n = (size_t) message->payloadlen;
        slot->payload = malloc(slot->n + 1);
        ck_assert_ptr_nonnull(slot->payload);
        if (slot->n > 0)
                memcpy(slot->payload, message->payload, slot->n);
}

static void turn(Client *client) {
        if (mosquitto_loop(client->mosquitto, TURN_MSEC, 1) != MOSQ_ERR_SUCCESS)
                client->dropped = true;
}

static void open_client(Client *client, const CloudProcess *cloud, const char *name, const char *id,
                        bool clean_session) {
        _cleanup_free_ char *ca = cloud_path(cloud, "ca.pem");
        _cleanup_free_ char *certificate = NULL, *key = NULL;

        if (name) {
                ck_assert_int_ge(asprintf(&certificate, "%s/%s.pem", cloud->dir, name), 0);
                ck_assert_int_ge(asprintf(&key, "%s/%s.key", cloud->dir, name), 0);
        }
        mosquitto_lib_init();
        *client = (Client){.connack = -1, .suback = -1};
        client->mosquitto = mosquitto_new(id, clean_session, client);
        ck_assert_ptr_nonnull(client->mosquitto);
        mosquitto_connect_callback_set(client->mosquitto, on_connect);
        mosquitto_disconnect_callback_set(client->mosquitto, on_disconnect);
        mosquitto_subscribe_callback_set(client->mosquitto, on_subscribe);
        mosquitto_message_callback_set(client->mosquitto, on_message);
        mosquitto_int_option(client->mosquitto, MOSQ_OPT_TCP_NODELAY, 1);
        ck_assert_int_eq(mosquitto_tls_set(client->mosquitto, ca, NULL, certificate, key, NULL),
                         MOSQ_ERR_SUCCESS);
}

static int await_connack(Client *client, int port) {
        long until = now_msec() + CLIENT_WAIT_MSEC;

        if (mosquitto_connect(client->mosquitto, "localhost", port, KEEPALIVE_SEC) !=
            MOSQ_ERR_SUCCESS)
                client->dropped = true;
        while (client->connack < 0 && !client->dropped && now_msec() < until)
                turn(client);
        return client->connack >= 0 ? client->connack : CLIENT_DROPPED;
}

int client_connect(Client *client, const CloudProcess *cloud, const char *name, const char *id,
                   bool clean_session) {
        open_client(client, cloud, name, id, clean_session);
        return await_connack(client, cloud->port);
}

int client_connect_dps(Client *client, const CloudProcess *cloud, const char *name, const char *id,
                       const char *user_name, const char *password) {
        open_client(client, cloud, name, id, true);
        ck_assert_int_eq(mosquitto_username_pw_set(client->mosquitto, user_name, password),
                         MOSQ_ERR_SUCCESS);
        return await_connack(client, cloud->dps_port);
}

void client_close(Client *client) {
        mosquitto_disconnect(client->mosquitto);
        mosquitto_destroy(client->mosquitto);
        for (size_t i = 0; i < client->n_inbox; i++)
                message_clear(&client->inbox[i]);
        *client = (Client){};
}

int client_subscribe(Client *client, const char *filter, int qos) {
        long until = now_msec() + CLIENT_WAIT_MSEC;

        client->suback = -1;
        mosquitto_subscribe(client->mosquitto, NULL, filter, qos);
        while (client->suback < 0 && !client->dropped && now_msec() < until)
                turn(client);
        return client->suback >= 0 ? client->suback : CLIENT_DROPPED;
}

void client_publish(Client *client, const char *topic, const void *payload, size_t n, int qos,
                    bool retain) {
        ck_assert_int_eq(
                mosquitto_publish(client->mosquitto, NULL, topic, (int) n, payload, qos, retain),
                MOSQ_ERR_SUCCESS);
}

bool client_receive(Client *client, Message *ret) {
        long until = now_msec() + CLIENT_WAIT_MSEC;

        while (client->n_inbox == 0 && !client->dropped) {
                ck_assert_msg(now_msec() < until, "no message comes");
                turn(client);
        }
        if (client->n_inbox == 0)
                return false;
        *ret = client->inbox[0];
        memmove(client->inbox, client->inbox + 1, --client->n_inbox * sizeof(*ret));
        return true;
}

void message_clear(Message *message) {
        free(message->topic);
        free(message->payload);
        *message = (Message){};
}

void client_await_drop(Client *client) {
        long until = now_msec() + CLIENT_WAIT_MSEC;

        while (!client->dropped) {
                ck_assert_msg(now_msec() < until, "the connection is not dropped");
                turn(client);
        }
}

void client_fence(Client *client) {
        ck_assert_int_ge(client_subscribe(client, "$aws/certificates/create/json/rejected", 0), 0);
}

void client_idle(Client *client, int msec) {
        long until = now_msec() + msec;

        while (!client->dropped && now_msec() < until)
                turn(client);
}
