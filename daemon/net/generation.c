/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/net/generation.h"

#include <errno.h>
#include <stdio.h>

#include "daemon/net/network-internal.h"

/* Answers that wait for the loop. Strictly one request is in flight, so a handful is plenty. */
#define MAILS_MAX 64U
#define MAIL_BYTES_EXTRA ((size_t) 64 * 1024)

/* The library's own time-out must never come first: it knows no reason. */
#define LIBRARY_PATIENCE_SEC 30U

struct Generation {
        Network *network;
        const GenerationHandlers *handlers;
        void *userdata;
        Bridge *bridge;
        Mqtt *mqtt;
        bool closed;
        LIST_LINK(Generation, lingering);
};

/* The handlers below are silent after generation_close(): the MQTT side because mqtt_stop() was
 * called, the bridge's because bridge_close() was. */

static void on_mqtt_connected(void *userdata) {
        Generation *g = userdata;

        g->handlers->connected(g->userdata);
}

static void on_mqtt_refused(int code, const char *text, void *userdata) {
        Generation *g = userdata;

        g->handlers->refused(code, text, g->userdata);
}

static void on_mqtt_subscribed(const char *topic, bool accepted, void *userdata) {
        Generation *g = userdata;

        g->handlers->subscribed(topic, accepted, g->userdata);
}

static void on_mqtt_message(const char *topic, size_t topic_size, const uint8_t *payload,
                            size_t size, void *userdata) {
        Generation *g = userdata;

        g->handlers->message(topic, topic_size, payload, size, g->userdata);
}

static void on_mqtt_lost(void *userdata) {
        Generation *g = userdata;

        g->handlers->lost(g->userdata);
}

static void on_mqtt_overrun(void *userdata) {
        Generation *g = userdata;

        g->handlers->overrun(g->userdata);
}

static void on_mqtt_error(const char *text, void *userdata) {
        Generation *g = userdata;

        g->handlers->error(text, g->userdata);
}

static void on_mqtt_finished(void *userdata) {
        Generation *g = userdata;

        LIST_REMOVE(lingering, g->network, g);
        g->network->n_lingering--;
        mqtt_free(g->mqtt);
        bridge_free(g->bridge);
        free(g);
}

static const MqttHandlers mqtt_handlers = {
        .connected = on_mqtt_connected,
        .refused = on_mqtt_refused,
        .subscribed = on_mqtt_subscribed,
        .message = on_mqtt_message,
        .lost = on_mqtt_lost,
        .overrun = on_mqtt_overrun,
        .error = on_mqtt_error,
        .finished = on_mqtt_finished,
};

static void on_bridge_ended(PumpEnd end, Failure *failure, void *userdata) {
        Generation *g = userdata;

        g->handlers->bridge_ended(end, failure, g->userdata);
}

static int start_mqtt(Generation *g, const GenerationParameters *p) {
        _cleanup_free_ char *uri = NULL;
        MqttParameters mqtt = {
                .proxy = bridge_proxy(g->bridge),
                .client_id = p->client_id,
                .user_name = p->user_name,
                .password = p->password,
                .keep_alive_sec = p->keep_alive_sec,
                .connect_timeout_sec =
                        (unsigned) (p->connect_timeout_usec / USEC_PER_SEC) + LIBRARY_PATIENCE_SEC,
                .mails_max = MAILS_MAX,
                .mail_bytes_max = 2 * p->packet_max + MAIL_BYTES_EXTRA,
        };

        if (asprintf(&uri, "tcp://%s", p->endpoint) < 0) {
                uri = NULL;
                return -ENOMEM;
        }
        mqtt.uri = uri;
        return mqtt_new(g->network->event, g->network->mqtt, &mqtt, &mqtt_handlers, g, &g->mqtt);
}

int generation_new(Network *n, Wire *wire, int wire_fd, const GenerationParameters *p,
                   const GenerationHandlers *handlers, void *userdata, Generation **ret) {
        Generation *g;
        int r;

        g = calloc(1, sizeof(Generation));
        if (!g) {
                wire_free(wire);
                close_fd(wire_fd);
                return -ENOMEM;
        }
        g->network = n;
        g->handlers = handlers;
        g->userdata = userdata;
        r = bridge_new(n->event, wire, wire_fd, p->endpoint, p->packet_max, on_bridge_ended, g,
                       &g->bridge);
        if (r >= 0)
                r = start_mqtt(g, p);
        if (r < 0) {
                bridge_free(g->bridge);
                free(g);
                return r;
        }
        *ret = g;
        return 0;
}

int generation_subscribe(Generation *g, const char *topic) {
        return mqtt_subscribe(g->mqtt, topic);
}

int generation_publish(Generation *g, const char *topic, const void *payload, size_t size) {
        return mqtt_publish(g->mqtt, topic, payload, size);
}

bool generation_is_authenticated(const Generation *g) {
        return bridge_is_authenticated(g->bridge);
}

bool generation_is_open(const Generation *g) {
        return bridge_is_open(g->bridge);
}

int generation_watch(Generation *g, usec_t silence_max_usec) {
        return bridge_watch(g->bridge, silence_max_usec);
}

Generation *generation_close(Generation *g, bool polite) {
        if (!g || g->closed)
                return NULL;
        g->closed = true;
        LIST_APPEND(lingering, g->network, g);
        g->network->n_lingering++;
        bridge_close(g->bridge, polite);
        mqtt_stop(g->mqtt);
        return NULL;
}

bool generation_step_lingering(Network *n) {
        Generation *g, *next;
        bool all_wait = true;

        LIST_FOREACH_SAFE(lingering, g, next, n) {
                bridge_step(g->bridge);
                if (!mqtt_waits_for_worker(g->mqtt)) {
                        all_wait = false;
                        mqtt_step(g->mqtt); /* may free g */
                }
        }
        return all_wait;
}
