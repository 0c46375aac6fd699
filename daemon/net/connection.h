/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* One connection to a cloud, from its name to its end: dial, TLS, MQTT. It is used once; whoever
 * wants another try makes another one (back-off is the session machine's business). Loop thread. */

#include "daemon/net/network.h"
#include "daemon/net/road.h"

typedef struct Connection Connection;

typedef struct ConnectionParameters { /* copied by connection_new() */
        Road road;
        const char *client_id;       /* not empty */
        const char *user_name;       /* NULL: none */
        const Secret *password;      /* NULL: none; wants a user name */
        unsigned keep_alive_sec;     /* 1 to 65535 */
        usec_t connect_timeout_usec; /* for all of it: name, TCP, TLS, CONNACK */
        size_t packet_max;           /* of a packet from the server, header included */
} ConnectionParameters;

/* All on the loop, never from within connection_*(). connection_free() may be called in each. */
typedef struct ConnectionHandlers {
        void (*connected)(void *userdata); /* the server accepted: CONNACK 0 */
        /* SUBACK. accepted: any QoS was granted. */
        void (*subscribed)(const char *topic, bool accepted, void *userdata);
        /* Topic and payload without terminators, valid during the call; a topic may hold a NUL. The
         * payload is wiped after it. */
        void (*message)(const char *topic, size_t topic_size, const uint8_t *payload, size_t size,
                        void *userdata);
        /* It is over, or never came to be: once, at any point, and nothing comes after it; then
         * free it. The failure is the handler's. Codes:
         *   name-resolution, connect-failed, proxy-refused, tls-clock, tls-trust, tls-hostname,
         *   tls-failed
         *   credentials-refused  by certificate (TLS alert), or CONNACK 4, 5 and AWS's 7
         *   server-refused       CONNACK 1 to 3 and unknown ones; status_code is the CONNACK code
         *   timeout              no CONNACK in time
         *   connection-lost      after `connected`; also before it, with no reason given
         *   bad-response         no MQTT, or a packet longer than packet_max
         *   queue-full           messages came faster than the loop took them
         *   bad-parameter, not-initialized, no-memory, internal-failure, mqtt-error
         * Where a request was the last thing sent, the message says so: a cloud that drops who
         * subscribes or publishes without right says nothing else. */
        void (*lost)(Failure *failure, void *userdata);
} ConnectionHandlers;

/* `handlers` are static. -EINVAL: parameters that make no sense. Begins at the next turn of the
 * loop. */
int connection_new(Network *n, const ConnectionParameters *p, const ConnectionHandlers *handlers,
                   void *userdata, Connection **ret);

/* After `connected`. QoS 0, one topic a call. -ENOTCONN: not connected (`lost` will come). */
int connection_subscribe(Connection *c, const char *topic);

/* After `connected`. QoS 0. Errors as above; -EINVAL: no UTF-8 topic. */
int connection_publish(Connection *c, const char *topic, const void *payload, size_t size);

/* Silent from then on. Says DISCONNECT where connected; what the MQTT library still has to do, it
 * does behind the scenes (see network_lingering()). */
Connection *connection_free(Connection *c);
DEFINE_CLEANUP(Connection *, connection_free);
