/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* One MQTT 3.1.1 session through the MQTT library, over the bridge. The only file that knows the
 * library.
 *
 * Rules. Its threads hold its global lock while they wait for our bridge to answer, so no call that
 * takes that lock is made on the loop: they go to a worker, in order; only publishing needs no
 * lock. Its callbacks copy, post to the mailbox and leave. A handle serves one connection and is
 * never used again. It is destroyed when the library has said that the connection is over, which
 * the bridge's end of the leg brings about; the library's own disconnect is not used: while it
 * connects that does nothing, and what it writes may come after what it is to follow. */

#include <systemd/sd-event.h>

#include "daemon/base/secret.h"
#include "daemon/base/worker.h"

typedef struct Mqtt Mqtt;

typedef struct MqttParameters {
        const char *uri;   /* tcp://host:port */
        const char *proxy; /* the bridge; secret */
        const char *client_id;
        const char *user_name;  /* NULL: none */
        const Secret *password; /* NULL: none */
        unsigned keep_alive_sec;
        unsigned connect_timeout_sec; /* the library's own, behind the caller's */
        size_t mails_max, mail_bytes_max;
} MqttParameters;

/* What of them is told to whom who called mqtt_stop(): `finished` alone. All on the loop, never
 * from within mqtt_*(). */
typedef struct MqttHandlers {
        void (*connected)(void *userdata);
        /* It could not connect. code above 0: the CONNACK return code; else the library's, with its
         * text, which may be NULL. */
        void (*refused)(int code, const char *text, void *userdata);
        void (*subscribed)(const char *topic, bool accepted, void *userdata);
        void (*message)(const char *topic, size_t topic_size, const uint8_t *payload, size_t size,
                        void *userdata);
        void (*lost)(void *userdata);
        void (*overrun)(void *userdata);                 /* more came than the mailbox holds */
        void (*error)(const char *text, void *userdata); /* a call failed later */
        void (*finished)(void *userdata); /* after mqtt_stop(): the handle is gone; free it now */
} MqttHandlers;

/* Before any other call of this module, while there is one thread. Loop thread, like all of it. */
void mqtt_prepare_process(void);

int mqtt_new(sd_event *event, Worker *worker, const MqttParameters *p, const MqttHandlers *handlers,
             void *userdata, Mqtt **ret);

/* After `connected`. QoS 0. The topic is told again by `subscribed`. */
int mqtt_subscribe(Mqtt *m, const char *topic);

/* After `connected`. QoS 0, not retained. -ENOTCONN: not connected any more. */
int mqtt_publish(Mqtt *m, const char *topic, const void *payload, size_t size);

/* Begins the end: silent from now on but for `finished`. The caller has closed the bridge's leg, or
 * closes it now: that is what ends the library's side. */
void mqtt_stop(Mqtt *m);

/* For the one who drains without a loop: takes the steps that an event source would take. */
void mqtt_step(Mqtt *m);

/* True: the worker has to run before anything can happen. */
bool mqtt_waits_for_worker(const Mqtt *m);

Mqtt *mqtt_free(Mqtt *m); /* only when finished */
DEFINE_CLEANUP(Mqtt *, mqtt_free);
