/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/net/pump.h"

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>

#include "daemon/net/blank.h"
#include "daemon/net/mqtt-frame.h"
#include "daemon/net/silence.h"

/* A TLS record holds no more (RFC 8446, 5.1). */
#define PUMP_BUFFER_BYTES ((size_t) 16 * 1024)

/* Records that are moved before the loop sees to the others. */
#define PUMP_ROUNDS_MAX 16U

/* Bytes on their way; `data` is there while start < end. */
typedef struct Buffer {
        uint8_t *data;
        size_t start, end;
} Buffer;

struct Pump {
        char *endpoint;
        Wire *wire;
        int wire_fd, leg_fd; /* -1: not there yet, or not any more */
        sd_event *event;
        sd_event_source *wire_io, *leg_io;
        sd_event_source *again; /* decrypted bytes may wait where epoll does not see them */
        Buffer up, down;        /* to the server, to the library */
        MqttFrame sent, received;
        size_t zeroes_left; /* of a blank packet that is on its way to the library */
        Silence *silence;   /* of the server; NULL: any is borne */
        usec_t silence_max_usec;
        bool heard;           /* the server, since it was last looked for */
        bool wire_wants_read; /* to go on writing */
        bool server_ended;    /* the leg is still to be given the rest of `down` */
        bool over;
        Failure *failure;
        PumpHandler handler;
        void *userdata;
};

static bool buffer_is_empty(const Buffer *b) {
        return b->start == b->end;
}

static bool buffer_prepare(Buffer *b) {
        b->start = b->end = 0;
        if (!b->data)
                b->data = malloc(PUMP_BUFFER_BYTES);
        return b->data;
}

static void buffer_release(Buffer *b) {
        if (b->data)
                explicit_bzero(b->data, b->end);
        free(b->data);
        *b = (Buffer){};
}

static void close_leg(Pump *p) {
        p->leg_io = sd_event_source_disable_unref(p->leg_io);
        p->leg_fd = close_fd(p->leg_fd);
}

static void close_server(Pump *p) {
        p->wire_io = sd_event_source_disable_unref(p->wire_io);
        p->again = sd_event_source_disable_unref(p->again);
        p->silence = silence_free(p->silence);
        p->wire = wire_free(p->wire);
        p->wire_fd = close_fd(p->wire_fd);
}

static void pump_end(Pump *p, PumpEnd end, Failure *failure) {
        if (p->over) {
                failure_free(failure);
                return;
        }
        p->over = true;
        close_server(p);
        buffer_release(&p->up);
        buffer_release(&p->down);
        /* Half a close: the library reads to the end and tells what it saw, a CONNACK, or a last
         * answer. */
        if (end == PUMP_SERVER_ENDED && p->leg_fd >= 0) {
                p->leg_io = sd_event_source_disable_unref(p->leg_io);
                (void) shutdown(p->leg_fd, SHUT_WR);
        } else
                close_leg(p);
        p->handler(end, failure, p->userdata);
}

static void server_failed(Pump *p, Failure *failure) {
        p->server_ended = true;
        p->failure = failure;
        close_server(p);
        if (buffer_is_empty(&p->down))
                pump_end(p, PUMP_SERVER_ENDED, TAKE_PTR(p->failure));
}

/* A source without events would still be told of errors and hang-ups, again and again: off. */
static int wait_for(sd_event_source *s, uint32_t events) {
        int r;

        if (!s)
                return 0;
        r = sd_event_source_set_io_events(s, events);
        if (r < 0)
                return r;
        return sd_event_source_set_enabled(s, events != 0 ? SD_EVENT_ON : SD_EVENT_OFF);
}

/* What each side waits for follows from what is in the buffers. */
static void update_events(Pump *p) {
        uint32_t wire_events = 0, leg_events = 0;
        int r;

        if (p->over)
                return;
        if (buffer_is_empty(&p->down) || p->wire_wants_read)
                wire_events |= EPOLLIN;
        if (!buffer_is_empty(&p->up) && !p->wire_wants_read)
                wire_events |= EPOLLOUT;
        if (buffer_is_empty(&p->up) && !p->server_ended)
                leg_events |= EPOLLIN;
        if (!buffer_is_empty(&p->down))
                leg_events |= EPOLLOUT;
        r = wait_for(p->wire_io, wire_events);
        if (r >= 0)
                r = wait_for(p->leg_io, leg_events);
        if (r < 0)
                pump_end(p, PUMP_SERVER_ENDED,
                         failure_from_errno(r, "cannot wait for %s", p->endpoint));
}

/* Behind a packet that may have held a secret the library gets a blank one (blank.h). False: there
 * is no need, or more of the server's packet must come first. */
static bool refill_with_blank(Pump *p) {
        Buffer *b = &p->down;
        size_t n;

        if (!mqtt_frame_between_packets(&p->received) ||
            (p->zeroes_left == 0 && p->received.longest < BLANK_FROM_BYTES))
                return false;
        if (b->data)
                explicit_bzero(b->data, b->end);
        if (!buffer_prepare(b))
                return false;
        if (p->zeroes_left == 0) {
                b->end = blank_begin(p->received.longest, b->data, &p->zeroes_left);
                p->received.longest = 0;
        }
        n = PUMP_BUFFER_BYTES - b->end;
        if (n > p->zeroes_left)
                n = p->zeroes_left;
        memset(b->data + b->end, 0, n);
        b->end += n;
        p->zeroes_left -= n;
        return true;
}

/* True: all of `down` has gone to the library. */
static bool flush_down(Pump *p) {
        while (!buffer_is_empty(&p->down) || refill_with_blank(p)) {
                ssize_t n = send(p->leg_fd, p->down.data + p->down.start,
                                 p->down.end - p->down.start, MSG_DONTWAIT | MSG_NOSIGNAL);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0 && errno == EAGAIN)
                        return false;
                if (n < 0) {
                        pump_end(p, p->server_ended ? PUMP_SERVER_ENDED : PUMP_LEG_ENDED,
                                 TAKE_PTR(p->failure));
                        return false;
                }
                p->down.start += (size_t) n;
        }
        buffer_release(&p->down);
        return true;
}

static Failure *failure_about_frame(const Pump *p, int r) {
        if (r == -EMSGSIZE)
                return failure_new(
                        ERROR_BAD_RESPONSE,
                        "%s announced an MQTT packet of %zu bytes, more than the %zu that "
                        "are taken",
                        p->endpoint, p->received.announced, p->received.packet_max);
        return failure_new(
                ERROR_BAD_RESPONSE,
                "%s sent something that is no MQTT; check Endpoint= and Port=", p->endpoint);
}

/* True: there may be more to read. */
static bool read_from_server(Pump *p) {
        Failure *failure = NULL;
        size_t size = 0;
        int r;

        if (!buffer_prepare(&p->down)) {
                server_failed(p, NULL);
                return false;
        }
        switch (wire_read(p->wire, p->down.data, PUMP_BUFFER_BYTES, &size, &failure)) {
        case TLS_WANT_READ:
        case TLS_WANT_WRITE: /* its own business: a key update is sent with the next write */
                buffer_release(&p->down);
                return false;
        case TLS_CLOSED:
                server_failed(p, failure_new(ERROR_CONNECTION_LOST, "%s closed the connection",
                                             p->endpoint));
                return false;
        case TLS_FAILED:
                server_failed(p, failure);
                return false;
        case TLS_DONE:
                break;
        }
        p->heard = true;
        silence_heard(p->silence);
        /* A server answers; it never begins (MQTT 3.1.1, 3.1). And while the bridge has not handed
         * over its leg, each byte to the library would be taken for the proxy's. */
        r = pump_is_open(p) ? mqtt_frame_feed(&p->received, p->down.data, size) : -EBADMSG;
        p->down.end = size;
        if (r < 0) {
                buffer_release(&p->down);
                server_failed(p, failure_about_frame(p, r));
                return false;
        }
        return flush_down(p);
}

static void write_to_server(Pump *p) {
        Failure *failure = NULL;

        if (buffer_is_empty(&p->up) || !p->wire)
                return;
        switch (wire_write(p->wire, p->up.data, p->up.end, &failure)) {
        case TLS_WANT_READ:
                p->wire_wants_read = true;
                return;
        case TLS_WANT_WRITE:
                p->wire_wants_read = false;
                return;
        case TLS_CLOSED:
        case TLS_FAILED:
                server_failed(p, failure);
                return;
        case TLS_DONE:
                p->wire_wants_read = false;
                buffer_release(&p->up);
                return;
        }
}

static void pump_server(Pump *p) {
        for (size_t i = 0; i < PUMP_ROUNDS_MAX; i++)
                if (!p->wire || !buffer_is_empty(&p->down) || !read_from_server(p))
                        return;
        if (sd_event_source_set_enabled(p->again, SD_EVENT_ONESHOT) < 0)
                pump_end(p, PUMP_SERVER_ENDED, NULL);
}

static int on_server_again(sd_event_source *s, void *userdata) {
        pump_server(userdata);
        update_events(userdata);
        return 0;
}

static int on_server_io(sd_event_source *s, int fd, uint32_t revents, void *userdata) {
        Pump *p = userdata;

        write_to_server(p);
        pump_server(p);
        update_events(p);
        return 0;
}

static void read_from_leg(Pump *p) {
        ssize_t n;

        if (!buffer_is_empty(&p->up) || p->server_ended)
                return;
        if (!buffer_prepare(&p->up)) {
                server_failed(p, NULL);
                return;
        }
        n = recv(p->leg_fd, p->up.data, PUMP_BUFFER_BYTES, MSG_DONTWAIT);
        if (n > 0) {
                p->up.end = (size_t) n;
                (void) mqtt_frame_feed(&p->sent, p->up.data, (size_t) n);
                write_to_server(p);
                return;
        }
        if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
                buffer_release(&p->up);
                return;
        }
        pump_end(p, PUMP_LEG_ENDED, NULL);
}

static int on_leg_io(sd_event_source *s, int fd, uint32_t revents, void *userdata) {
        Pump *p = userdata;

        if (!buffer_is_empty(&p->down)) {
                if (flush_down(p)) {
                        if (p->server_ended)
                                pump_end(p, PUMP_SERVER_ENDED, TAKE_PTR(p->failure));
                        else
                                pump_server(p);
                }
        }
        if (!p->over && revents & (EPOLLIN | EPOLLHUP | EPOLLERR))
                read_from_leg(p);
        update_events(p);
        return 0;
}

int pump_new(sd_event *event, Wire *wire, int wire_fd, const char *endpoint, size_t packet_max,
             PumpHandler handler, void *userdata, Pump **ret) {
        _cleanup_(pump_freep) Pump *p = NULL;
        int r;

        p = calloc(1, sizeof(Pump));
        if (!p) {
                wire_free(wire);
                close_fd(wire_fd);
                return -ENOMEM;
        }
        p->wire = wire;
        p->wire_fd = wire_fd;
        p->leg_fd = -1;
        p->event = sd_event_ref(event);
        p->handler = handler;
        p->userdata = userdata;
        mqtt_frame_init(&p->received, packet_max);
        mqtt_frame_init(&p->sent, SIZE_MAX);
        r = free_and_strdup(&p->endpoint, endpoint);
        if (r < 0)
                return r;
        r = sd_event_add_io(event, &p->wire_io, wire_fd, EPOLLIN, on_server_io, p);
        if (r < 0)
                return r;
        /* Once now: what the server said behind its handshake may be read already. */
        r = sd_event_add_defer(event, &p->again, on_server_again, p);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(p);
        return 0;
}

int pump_attach(Pump *p, int leg_fd) {
        int r;

        p->leg_fd = leg_fd;
        if (p->over || p->server_ended) {
                close_leg(p);
                return -ENOTCONN;
        }
        r = sd_event_add_io(p->event, &p->leg_io, leg_fd, EPOLLIN, on_leg_io, p);
        if (r < 0)
                close_leg(p);
        return r;
}

/* What has come in the meantime is read first: the loop may have slept as long as the server seems
 * to. And where the library takes nothing, nothing is read, and no silence is the server's. */
static void on_silence(void *userdata) {
        Pump *p = userdata;

        if (!buffer_is_empty(&p->down))
                return;
        p->heard = false;
        pump_server(p);
        if (!p->heard && p->wire)
                server_failed(p, failure_new(ERROR_CONNECTION_LOST,
                                             "%s has said nothing for %g s, not even in answer to "
                                             "the MQTT keep-alive, so the connection is dead; "
                                             "check the network",
                                             p->endpoint,
                                             (double) p->silence_max_usec / USEC_PER_SEC));
        update_events(p);
}

int pump_watch(Pump *p, usec_t silence_max_usec) {
        if (p->over || p->server_ended)
                return 0;
        p->silence_max_usec = silence_max_usec;
        p->silence = silence_free(p->silence);
        return silence_new(p->event, silence_max_usec, on_silence, p, &p->silence);
}

bool pump_is_open(const Pump *p) {
        return p->sent.packets > 0 || !mqtt_frame_between_packets(&p->sent);
}

static void say_disconnect(Pump *p) {
        static const uint8_t packet[] = {MQTT_PACKET_DISCONNECT << 4, 0};
        Failure *failure = NULL;

        if (p->wire && p->sent.packets > 0 && buffer_is_empty(&p->up) &&
            mqtt_frame_between_packets(&p->sent))
                (void) wire_write(p->wire, packet, sizeof(packet), &failure);
        failure_free(failure);
}

void pump_close(Pump *p, bool polite) {
        if (polite && !p->over)
                say_disconnect(p);
        p->over = true;
        close_server(p);
        close_leg(p);
        buffer_release(&p->up);
        buffer_release(&p->down);
        p->failure = failure_free(p->failure);
}

Pump *pump_free(Pump *p) {
        if (!p)
                return NULL;
        pump_close(p, false);
        sd_event_unref(p->event);
        free(p->endpoint);
        free(p);
        return NULL;
}
