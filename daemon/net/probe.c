/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/net/probe.h"

#include <errno.h>
#include <time.h>

#include "daemon/model/host-port.h"
#include "daemon/net/connack.h"
#include "daemon/net/mqtt-connect.h"
#include "daemon/net/mqtt-frame.h"
#include "daemon/net/mqtt-subscribe.h"
#include "daemon/net/network-internal.h"
#include "daemon/net/uplink.h"

#define TIMER_ACCURACY_USEC (50 * USEC_PER_MSEC)

/* The connection is over long before it counts; AWS IoT Core takes 30 to 1200 s. */
#define KEEP_ALIVE_SEC 60U

#define PROBE_TOPICS_MAX                                                         \
        ((size_t) 64) /* each is a packet id of its own, and a call on the stack \
                       */

struct Probe {
        sd_event *event;
        ProbeHandler handler;
        void *userdata;

        char *endpoint; /* host:port, for messages */
        char *client_id;
        const char *client_id_name;
        usec_t timeout_usec;

        sd_event_source *timer;
        Uplink *uplink; /* until the way stands */
        Wire *wire;
        int fd;
        sd_event_source *io;
        bool link_only;
        uint8_t *packet; /* CONNECT or SUBSCRIBE, until it was sent */
        size_t packet_size;
        ProbeStage stage;
        MqttConnack connack;
        char **topics;
        size_t n_topics, topic; /* the one asked about */
        MqttSuback suback;
};

static void shut(Probe *p) {
        p->timer = sd_event_source_disable_unref(p->timer);
        p->io = sd_event_source_disable_unref(p->io);
        p->uplink = uplink_free(p->uplink);
        p->wire = wire_free(p->wire);
        p->fd = close_fd(p->fd);
}

/* The last thing that the caller does: the handler may free the Probe. */
static void finish(Probe *p, ProbeVerdict verdict, Failure *failure) {
        shut(p);
        p->handler(verdict, failure, p->userdata);
}

/* --- TLS stands */

static void say_disconnect(Probe *p) {
        static const uint8_t packet[] = {MQTT_PACKET_DISCONNECT << 4, 0};
        Failure *failure = NULL;

        (void) wire_write(p->wire, packet, sizeof(packet), &failure);
        failure_free(failure);
}

static void write_packet(Probe *p);

static int make_subscribe(Probe *p) {
        int r;

        p->suback = (MqttSuback){.packet_id = (uint16_t) (p->topic + 1)};
        r = mqtt_subscribe_make(p->topics[p->topic], p->suback.packet_id, &p->packet,
                                &p->packet_size);
        if (r >= 0)
                r = sd_event_source_set_time_relative(p->timer, p->timeout_usec);
        return r < 0 ? r : sd_event_source_set_enabled(p->timer, SD_EVENT_ONESHOT);
}

/* Or the end, behind the last one. */
static void ask_topic(Probe *p) {
        int r;

        if (p->topic == p->n_topics) {
                say_disconnect(p);
                finish(p, PROBE_ACCEPTED, NULL);
                return;
        }
        p->stage = PROBE_STAGE_SUBSCRIBE;
        r = make_subscribe(p);
        if (r < 0)
                finish(p, PROBE_BROKEN, failure_from_errno(r, "cannot ask %s", p->endpoint));
        else
                write_packet(p);
}

static void on_suback(Probe *p) {
        Failure *failure;

        if (mqtt_suback_is_granted(&p->suback)) {
                p->topic++;
                ask_topic(p);
                return;
        }
        failure = failure_new(ERROR_PERMISSION_DENIED_BY_POLICY, "%s refused to subscribe to %s",
                              p->endpoint, p->topics[p->topic]);
        say_disconnect(p);
        finish(p, PROBE_REFUSED, failure);
}

static void on_connack(Probe *p) {
        int code = mqtt_connack_code(&p->connack);
        Failure *failure;

        if (code == 0) {
                ask_topic(p);
                return;
        }
        failure = connack_failure(code, p->endpoint, p->client_id, p->client_id_name);
        finish(p, failure && failure->retriable ? PROBE_UNDECIDED : PROBE_REFUSED, failure);
}

static void on_no_answer(Probe *p) {
        if (p->stage == PROBE_STAGE_SUBSCRIBE) {
                finish(p, PROBE_UNDECIDED,
                       failure_new(ERROR_BAD_RESPONSE,
                                   "%s did not answer MQTT SUBSCRIBE with a SUBACK, but with "
                                   "something else",
                                   p->endpoint));
                return;
        }
        finish(p, PROBE_UNDECIDED,
               failure_new(
                       ERROR_BAD_RESPONSE,
                       "%s did not answer MQTT CONNECT with a CONNACK, but with something else; "
                       "check that Port= is an MQTT port",
                       p->endpoint));
}

static void on_closed(Probe *p, Failure *why) {
        if (p->stage == PROBE_STAGE_SUBSCRIBE) {
                finish(p, PROBE_REFUSED,
                       failure_with_cause(failure_new(ERROR_PERMISSION_DENIED_BY_POLICY,
                                                      "%s closed the connection upon the request "
                                                      "to subscribe to %s",
                                                      p->endpoint, p->topics[p->topic]),
                                          why));
                return;
        }
        finish(p, PROBE_REFUSED,
               failure_with_cause(
                       failure_new(ERROR_CONNECTION_LOST,
                                   "%s closed the connection upon MQTT CONNECT with the client id "
                                   "\"%s\" and without an answer; a cloud does so where the "
                                   "certificate is not active, or its policy does not allow "
                                   "iot:Connect for this client id",
                                   p->endpoint, p->client_id),
                       why));
}

/* A refused certificate shows here too: in TLS 1.3 the server judges it after our handshake. */
static void on_broken_off(Probe *p, Failure *failure) {
        ErrorCode code = failure_code(failure);

        if (code == ERROR_CONNECTION_LOST)
                on_closed(p, failure);
        else if (code == ERROR_CREDENTIALS_REFUSED)
                finish(p, PROBE_REFUSED, failure);
        else
                finish(p, failure ? PROBE_UNDECIDED : PROBE_BROKEN, failure);
}

static void wait_for(Probe *p, uint32_t events) {
        int r;

        r = sd_event_source_set_io_events(p->io, events);
        if (r < 0)
                finish(p, PROBE_BROKEN, failure_from_errno(r, "cannot wait for %s", p->endpoint));
}

/* 1: the answer that is waited for is whole. */
static int feed(Probe *p, const uint8_t *bytes, size_t size) {
        return p->stage == PROBE_STAGE_SUBSCRIBE ? mqtt_suback_feed(&p->suback, bytes, size)
                                                 : mqtt_connack_feed(&p->connack, bytes, size);
}

static void on_answer(Probe *p) {
        if (p->stage == PROBE_STAGE_SUBSCRIBE)
                on_suback(p);
        else
                on_connack(p);
}

static void read_answer(Probe *p) {
        for (;;) {
                uint8_t bytes[MQTT_CONNACK_SIZE];
                Failure *failure = NULL;
                size_t size = 0;

                switch (wire_read(p->wire, bytes, sizeof(bytes), &size, &failure)) {
                case TLS_WANT_READ:
                        wait_for(p, EPOLLIN);
                        return;
                case TLS_WANT_WRITE:
                        wait_for(p, EPOLLOUT);
                        return;
                case TLS_CLOSED:
                        on_closed(p, NULL);
                        return;
                case TLS_FAILED:
                        on_broken_off(p, failure);
                        return;
                case TLS_DONE:
                        break;
                }
                switch (feed(p, bytes, size)) {
                case 0:
                        continue;
                case 1:
                        on_answer(p);
                        return;
                default:
                        on_no_answer(p);
                        return;
                }
        }
}

static void write_packet(Probe *p) {
        Failure *failure = NULL;

        switch (wire_write(p->wire, p->packet, p->packet_size, &failure)) {
        case TLS_WANT_READ:
                wait_for(p, EPOLLIN);
                return;
        case TLS_WANT_WRITE:
                wait_for(p, EPOLLOUT);
                return;
        case TLS_DONE:
                free(TAKE_PTR(p->packet));
                read_answer(p);
                return;
        case TLS_CLOSED:
        case TLS_FAILED:
                on_broken_off(p, failure);
                return;
        }
}

static void step(Probe *p) {
        if (p->packet)
                write_packet(p);
        else
                read_answer(p);
}

/* A server that is near refuses a certificate and is gone before CONNECT is written: the write
 * would fail, and then nobody reads the alert that says why. */
static void begin(Probe *p) {
        Failure *failure = NULL;
        size_t size = 0;
        uint8_t byte;

        switch (wire_read(p->wire, &byte, sizeof(byte), &size, &failure)) {
        case TLS_WANT_READ:
        case TLS_WANT_WRITE:
                write_packet(p);
                return;
        case TLS_CLOSED:
                on_closed(p, NULL);
                return;
        case TLS_FAILED:
                on_broken_off(p, failure);
                return;
        case TLS_DONE:
                on_no_answer(p);
                return;
        }
}

static int on_probe_io(sd_event_source *s, int fd, uint32_t revents, void *userdata) {
        step(userdata);
        return 0;
}

/* --- the way there */

static ProbeVerdict verdict_of_link(const Failure *failure) {
        ErrorCode code = failure_code(failure);

        if (code == ERROR_CREDENTIALS_REFUSED)
                return PROBE_REFUSED;
        if (code == ERROR_NOT_INITIALIZED || code == ERROR_BAD_PARAMETER ||
            code == ERROR_NO_MEMORY || code == ERROR_INTERNAL_FAILURE)
                return PROBE_BROKEN;
        return PROBE_UNDECIDED;
}

static void on_linked(Wire *wire, int fd, Failure *failure, void *userdata) {
        Probe *p = userdata;
        int r;

        p->uplink = uplink_free(p->uplink);
        if (!wire) {
                finish(p, verdict_of_link(failure), failure);
                return;
        }
        p->wire = wire;
        p->fd = fd;
        p->stage = PROBE_STAGE_CONNECT;
        if (p->link_only) {
                finish(p, PROBE_ACCEPTED, NULL);
                return;
        }
        r = sd_event_add_io(p->event, &p->io, fd, EPOLLIN, on_probe_io, p);
        if (r < 0)
                finish(p, PROBE_BROKEN, failure_from_errno(r, "cannot wait for %s", p->endpoint));
        else
                begin(p);
}

static int on_probe_timer(sd_event_source *s, uint64_t usec, void *userdata) {
        Probe *p = userdata;
        Failure *failure;

        if (p->uplink)
                failure = uplink_failure_timeout(p->uplink);
        else if (p->stage == PROBE_STAGE_SUBSCRIBE)
                failure = failure_new(ERROR_TIMEOUT,
                                      "%s did not answer the request to subscribe to %s in time",
                                      p->endpoint, p->topics[p->topic]);
        else
                failure =
                        failure_new(ERROR_TIMEOUT,
                                    "%s took the TLS connection, but did not answer MQTT CONNECT "
                                    "within %g s; check that Port= is an MQTT port",
                                    p->endpoint, (double) p->timeout_usec / (double) USEC_PER_SEC);
        finish(p, PROBE_UNDECIDED, failure);
        return 0;
}

static int copy_topics(Probe *probe, const ProbeParameters *p) {
        probe->topics = calloc(p->n_topics + 1, sizeof(char *));
        if (!probe->topics)
                return -ENOMEM;
        for (size_t i = 0; i < p->n_topics; i++, probe->n_topics++)
                if (!(probe->topics[i] = strdup(p->topics[i])))
                        return -ENOMEM;
        return 0;
}

static int copy_parameters(Probe *probe, const ProbeParameters *p) {
        probe->client_id_name = p->client_id_name;
        probe->timeout_usec = p->timeout_usec;
        if (free_and_strdup(&probe->client_id, p->client_id) < 0 || copy_topics(probe, p) < 0)
                return -ENOMEM;
        probe->endpoint = host_port_text(p->road.tls.host, p->road.tls.port);
        if (!probe->endpoint)
                return -ENOMEM;
        probe->link_only = p->link_only;
        if (p->link_only)
                return 0;
        return mqtt_connect_make(p->client_id, KEEP_ALIVE_SEC, &probe->packet, &probe->packet_size);
}

static bool parameters_make_sense(const ProbeParameters *p) {
        return road_makes_sense(&p->road) && (p->client_id || p->link_only) &&
               p->timeout_usec > 0 && p->n_topics <= PROBE_TOPICS_MAX;
}

static int start(Probe *probe, Network *n, const ProbeParameters *p) {
        const UplinkParameters uplink = {
                .road = p->road,
                .tokens = n->tokens,
                .user_timeout_usec = p->timeout_usec,
        };
        int r;

        r = sd_event_add_time_relative(n->event, &probe->timer, CLOCK_BOOTTIME, p->timeout_usec,
                                       TIMER_ACCURACY_USEC, on_probe_timer, probe);
        if (r < 0)
                return r;
        return uplink_new(n->event, n->names, &uplink, on_linked, probe, &probe->uplink);
}

int probe_new(Network *n, const ProbeParameters *p, ProbeHandler handler, void *userdata,
              Probe **ret) {
        _cleanup_(probe_freep) Probe *probe = NULL;
        int r;

        if (!parameters_make_sense(p))
                return -EINVAL;
        probe = calloc(1, sizeof(Probe));
        if (!probe)
                return -ENOMEM;
        probe->fd = -1;
        probe->event = sd_event_ref(n->event);
        probe->handler = handler;
        probe->userdata = userdata;
        r = copy_parameters(probe, p);
        if (r < 0)
                return r;
        r = start(probe, n, p);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(probe);
        return 0;
}

ProbeStage probe_stage(const Probe *p) {
        return p->stage;
}

size_t probe_topic(const Probe *p) {
        return p->topic;
}

Probe *probe_free(Probe *p) {
        if (!p)
                return NULL;
        shut(p);
        for (size_t i = 0; p->topics && i < p->n_topics; i++)
                free(p->topics[i]);
        free(p->topics);
        free(p->packet);
        free(p->client_id);
        free(p->endpoint);
        sd_event_unref(p->event);
        free(p);
        return NULL;
}
