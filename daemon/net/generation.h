/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The upper half of one connection: a bridge and the MQTT session that runs over it. It is called a
 * generation because it is never used again: after a loss, or when its owner lets it go, it is
 * silent, turns everybody away, and lingers until the MQTT library has let go of it. Loop thread.
 */

#include "daemon/net/bridge.h"
#include "daemon/net/mqtt.h"
#include "daemon/net/network.h"

typedef struct Generation Generation;

/* Never from within generation_*(). Nothing comes after generation_close(), which may be called in
 * any of them. */
typedef struct GenerationHandlers {
        void (*connected)(void *userdata);
        void (*refused)(int code, const char *text, void *userdata); /* see MqttHandlers */
        void (*subscribed)(const char *topic, bool accepted, void *userdata);
        void (*message)(const char *topic, size_t topic_size, const uint8_t *payload, size_t size,
                        void *userdata);
        void (*lost)(void *userdata);
        void (*overrun)(void *userdata);
        void (*error)(const char *text, void *userdata);
        void (*bridge_ended)(PumpEnd end, Failure *failure, void *userdata); /* see BridgeHandler */
} GenerationHandlers;

typedef struct GenerationParameters {
        const char *endpoint; /* host:port, for messages and the MQTT library's eyes */
        const char *client_id, *user_name;
        const Secret *password;
        unsigned keep_alive_sec;
        usec_t connect_timeout_usec;
        size_t packet_max;
} GenerationParameters;

/* Takes wire and wire_fd, on errors, too. `handlers` must outlive it, lingering included: static.
 */
int generation_new(Network *n, Wire *wire, int wire_fd, const GenerationParameters *p,
                   const GenerationHandlers *handlers, void *userdata, Generation **ret);

int generation_subscribe(Generation *g, const char *topic);
int generation_publish(Generation *g, const char *topic, const void *payload, size_t size);

bool generation_is_authenticated(const Generation *g); /* see bridge_is_authenticated() */
bool generation_is_open(const Generation *g);          /* see bridge_is_open() */

/* See pump_watch(). */
int generation_watch(Generation *g, usec_t silence_max_usec);

/* Lets it go: it frees itself when it can. polite: says DISCONNECT. NULL is taken; gives NULL. */
Generation *generation_close(Generation *g, bool polite);

/* For the one who drains without a loop: a step of each that lingers; true where the MQTT worker
 * has to run before anything more can happen. */
bool generation_step_lingering(Network *n);
