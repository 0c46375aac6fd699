/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/net/connection.h"

#include <errno.h>
#include <stdio.h>
#include <time.h>

#include "daemon/model/host-port.h"
#include "daemon/net/connack.h"
#include "daemon/net/network-internal.h"
#include "daemon/net/uplink.h"

#define TIMER_ACCURACY_USEC (50 * USEC_PER_MSEC)
#define KEEP_ALIVE_SEC_MAX 65535U
#define PACKET_MAX_LEAST 128U

/* When the server has gone, the MQTT library still reads what came before, and tells of it. It does
 * so at once; this is for the day when it does not. */
#define LIBRARY_TELLS_USEC (3 * USEC_PER_SEC)

/* Sent bytes that nobody acknowledges: as long as a keep-alive takes to notice, and not less. */
#define USER_TIMEOUT_USEC_MIN (20 * USEC_PER_SEC)

/* A server may cut us off after one and a half times the keep-alive (MQTT 3.1.1, 3.1.2.10); what is
 * right for it is right for us. The library alone would take two and a half times, and then some.
 * Not less beyond the keep-alive than this: the library looks every 5 s whether a ping is due. */
#define SILENCE_MARGIN_USEC_MIN (10 * USEC_PER_SEC)

typedef enum Phase {
        PHASE_LINK, /* name, TCP, TLS */
        PHASE_MQTT, /* CONNECT was sent, or will be */
        PHASE_UP,
        PHASE_OVER,
} Phase;

struct Connection {
        Network *network;
        const ConnectionHandlers *handlers;
        void *userdata;
        Phase phase;
        char *endpoint; /* host:port, for messages */

        /* Copies. Those of the TLS leg are the uplink's until it is through. */
        char *client_id, *user_name;
        Secret *password;
        unsigned keep_alive_sec;
        usec_t connect_timeout_usec;
        size_t packet_max;

        sd_event_source *timer; /* of the connect; later of the library's last words */
        Uplink *uplink;
        Generation *generation;
        bool ending;     /* one side has gone; the library is to tell */
        Failure *reason; /* why, as the bridge saw it; or NULL */
        char *in_flight; /* "the subscription to …", the last thing sent and not yet answered */
};

static void shut(Connection *c, bool polite) {
        c->phase = PHASE_OVER;
        c->timer = sd_event_source_disable_unref(c->timer);
        c->uplink = uplink_free(c->uplink);
        c->generation = generation_close(c->generation, polite);
}

/* The last thing that the caller does: the handler may free the Connection. */
static void connection_lost(Connection *c, Failure *failure) {
        bool up = c->phase == PHASE_UP;

        if (c->phase == PHASE_OVER) {
                failure_free(failure);
                return;
        }
        shut(c, false);
        if (failure && failure->code == ERROR_CONNECTION_LOST && up && c->in_flight) {
                char *message;

                if (asprintf(&message,
                             "%s; the last thing sent was %s, and a cloud drops who does that "
                             "without right: check the policy of the certificate",
                             failure->message, c->in_flight) >= 0) {
                        free(failure->message);
                        failure->message = message;
                }
        }
        c->handlers->lost(failure, c->userdata);
}

/* What was sent last, in words; failing to note it is no harm. */
static void note_in_flight(Connection *c, const char *what, const char *topic) {
        free(c->in_flight);
        if (asprintf(&c->in_flight, "%s %s", what, topic) < 0)
                c->in_flight = NULL;
}

static void clear_in_flight(Connection *c) {
        free(c->in_flight);
        c->in_flight = NULL;
}

static Failure *failure_timeout(const Connection *c) {
        if (c->uplink)
                return uplink_failure_timeout(c->uplink);
        return failure_new(
                ERROR_TIMEOUT,
                "%s took the TLS connection, but did not answer MQTT CONNECT within %u s; "
                "check that Port= is an MQTT port",
                c->endpoint, (unsigned) (c->connect_timeout_usec / USEC_PER_SEC));
}

static int on_connection_timer(sd_event_source *s, uint64_t usec, void *userdata) {
        Connection *c = userdata;

        if (c->reason || c->ending)
                connection_lost(c, c->reason ? TAKE_PTR(c->reason)
                                             : failure_new(ERROR_CONNECTION_LOST,
                                                           "the connection to %s was lost",
                                                           c->endpoint));
        else
                connection_lost(c, failure_timeout(c));
        return 0;
}

static int arm_timer(Connection *c, usec_t usec) {
        c->timer = sd_event_source_disable_unref(c->timer);
        return sd_event_add_time_relative(c->network->event, &c->timer, CLOCK_BOOTTIME, usec,
                                          TIMER_ACCURACY_USEC, on_connection_timer, c);
}

/* --- what the generation tells */

static usec_t silence_max(unsigned keep_alive_sec) {
        usec_t margin = keep_alive_sec * USEC_PER_SEC / 2;

        return keep_alive_sec * USEC_PER_SEC +
               (margin > SILENCE_MARGIN_USEC_MIN ? margin : SILENCE_MARGIN_USEC_MIN);
}

static void on_generation_connected(void *userdata) {
        Connection *c = userdata;
        int r;

        if (!generation_is_authenticated(c->generation)) {
                connection_lost(c, failure_new(ERROR_INTERNAL_FAILURE,
                                               "the MQTT library is connected to something else "
                                               "than our bridge to %s",
                                               c->endpoint));
                return;
        }
        r = generation_watch(c->generation, silence_max(c->keep_alive_sec));
        if (r < 0) {
                connection_lost(c, failure_from_errno(r, "cannot keep an eye on %s", c->endpoint));
                return;
        }
        c->phase = PHASE_UP;
        if (!c->ending)
                c->timer = sd_event_source_disable_unref(c->timer);
        c->handlers->connected(c->userdata);
}

static void on_generation_refused(int code, const char *text, void *userdata) {
        Connection *c = userdata;

        if (code > 0)
                connection_lost(c, connack_failure(code, c->endpoint, c->client_id, NULL));
        else if (c->reason)
                connection_lost(c, TAKE_PTR(c->reason));
        else
                connection_lost(c, failure_new(ERROR_MQTT_ERROR,
                                               "MQTT could not connect to %s: %s (%d)", c->endpoint,
                                               text ? text : "no reason given", code));
}

static void on_generation_subscribed(const char *topic, bool accepted, void *userdata) {
        Connection *c = userdata;

        clear_in_flight(c);
        c->handlers->subscribed(topic, accepted, c->userdata);
}

static void on_generation_message(const char *topic, size_t topic_size, const uint8_t *payload,
                                  size_t size, void *userdata) {
        Connection *c = userdata;

        clear_in_flight(c);
        c->handlers->message(topic, topic_size, payload, size, c->userdata);
}

static void on_generation_lost(void *userdata) {
        Connection *c = userdata;

        if (c->reason) {
                connection_lost(c, TAKE_PTR(c->reason));
                return;
        }
        /* The server's side still stands: it was the library that gave up, for want of a PINGRESP.
         */
        connection_lost(c, failure_new(ERROR_CONNECTION_LOST,
                                       "%s did not answer the MQTT keep-alive of %u s; check the "
                                       "network",
                                       c->endpoint, c->keep_alive_sec));
}

static void on_generation_overrun(void *userdata) {
        Connection *c = userdata;

        connection_lost(c, failure_new(ERROR_QUEUE_FULL,
                                       "%s sent messages faster than they could be taken; the "
                                       "connection was dropped",
                                       c->endpoint));
}

static void on_generation_error(const char *text, void *userdata) {
        Connection *c = userdata;

        connection_lost(c, failure_new(ERROR_MQTT_ERROR, "MQTT with %s failed: %s", c->endpoint,
                                       text ? text : "no reason given"));
}

static void on_generation_bridge_ended(PumpEnd end, Failure *failure, void *userdata) {
        Connection *c = userdata;

        if (end == PUMP_SERVER_ENDED && !generation_is_open(c->generation)) {
                connection_lost(c, failure);
                return;
        }
        if (!c->reason)
                c->reason = failure;
        else
                failure_free(failure);
        c->ending = true;
        if (arm_timer(c, LIBRARY_TELLS_USEC) < 0)
                connection_lost(c, TAKE_PTR(c->reason));
}

static const GenerationHandlers generation_handlers = {
        .connected = on_generation_connected,
        .refused = on_generation_refused,
        .subscribed = on_generation_subscribed,
        .message = on_generation_message,
        .lost = on_generation_lost,
        .overrun = on_generation_overrun,
        .error = on_generation_error,
        .bridge_ended = on_generation_bridge_ended,
};

/* --- the way up */

static void on_linked(Wire *wire, int fd, Failure *failure, void *userdata) {
        Connection *c = userdata;
        GenerationParameters p = {
                .endpoint = c->endpoint,
                .client_id = c->client_id,
                .user_name = c->user_name,
                .password = c->password,
                .keep_alive_sec = c->keep_alive_sec,
                .connect_timeout_usec = c->connect_timeout_usec,
                .packet_max = c->packet_max,
        };
        int r;

        c->uplink = uplink_free(c->uplink);
        if (!wire) {
                connection_lost(c, failure);
                return;
        }
        c->phase = PHASE_MQTT;
        r = generation_new(c->network, wire, fd, &p, &generation_handlers, c, &c->generation);
        c->password = secret_free(c->password);
        if (r < 0)
                connection_lost(c, failure_from_errno(r, "cannot start MQTT with %s", c->endpoint));
}

static int copy_parameters(Connection *c, const ConnectionParameters *p) {
        c->keep_alive_sec = p->keep_alive_sec;
        c->connect_timeout_usec = p->connect_timeout_usec;
        c->packet_max = p->packet_max;
        c->password = secret_copy(p->password);
        if ((p->password && !c->password) || free_and_strdup(&c->client_id, p->client_id) < 0 ||
            free_and_strdup(&c->user_name, p->user_name) < 0)
                return -ENOMEM;
        c->endpoint = host_port_text(p->road.tls.host, p->road.tls.port);
        return c->endpoint ? 0 : -ENOMEM;
}

static bool parameters_make_sense(const ConnectionParameters *p) {
        return road_makes_sense(&p->road) && p->client_id && *p->client_id &&
               (!p->password || p->user_name) && p->keep_alive_sec > 0 &&
               p->keep_alive_sec <= KEEP_ALIVE_SEC_MAX && p->connect_timeout_usec > 0 &&
               p->packet_max >= PACKET_MAX_LEAST;
}

int connection_new(Network *n, const ConnectionParameters *p, const ConnectionHandlers *handlers,
                   void *userdata, Connection **ret) {
        _cleanup_(connection_freep) Connection *c = NULL;
        usec_t user_timeout;
        int r;

        if (!parameters_make_sense(p))
                return -EINVAL;
        c = calloc(1, sizeof(Connection));
        if (!c)
                return -ENOMEM;
        c->network = n;
        c->handlers = handlers;
        c->userdata = userdata;
        r = copy_parameters(c, p);
        if (r < 0)
                return r;
        r = arm_timer(c, p->connect_timeout_usec);
        if (r < 0)
                return r;
        user_timeout = p->keep_alive_sec * USEC_PER_SEC * 3 / 2;
        r = uplink_new(n->event, n->names,
                       &(UplinkParameters){
                               .road = p->road,
                               .tokens = n->tokens,
                               .user_timeout_usec = user_timeout > USER_TIMEOUT_USEC_MIN
                                                            ? user_timeout
                                                            : USER_TIMEOUT_USEC_MIN,
                       },
                       on_linked, c, &c->uplink);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(c);
        return 0;
}

int connection_subscribe(Connection *c, const char *topic) {
        int r;

        if (c->phase != PHASE_UP)
                return -ENOTCONN;
        r = generation_subscribe(c->generation, topic);
        if (r >= 0)
                note_in_flight(c, "the subscription to", topic);
        return r;
}

int connection_publish(Connection *c, const char *topic, const void *payload, size_t size) {
        int r;

        if (c->phase != PHASE_UP)
                return -ENOTCONN;
        r = generation_publish(c->generation, topic, payload, size);
        if (r >= 0)
                note_in_flight(c, "the publication to", topic);
        return r;
}

Connection *connection_free(Connection *c) {
        if (!c)
                return NULL;
        shut(c, c->phase == PHASE_UP);
        failure_free(c->reason);
        free(c->in_flight);
        free(c->endpoint);
        free(c->client_id);
        free(c->user_name);
        secret_free(c->password);
        free(c);
        return NULL;
}
