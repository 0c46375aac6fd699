/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/net/bridge.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>

#include "daemon/crypto/base64.h"
#include "daemon/net/own-socket.h"
#include "daemon/net/proxy-request.h"

#define USER "fleetprovd"
#define SECRET_BYTES 16U
#define TIMER_ACCURACY_USEC (100 * USEC_PER_MSEC)

/* Room for the library's connection among strangers'. */
#define LISTEN_BACKLOG 64
#define ACCEPTS_A_ROUND_MAX 16U

/* Each in one write: the library takes what comes with the first bytes for the proxy's.
 *
 * The first is said before the library asks. It looks for the answer once, straight after its
 * question, and where there is none yet it sleeps for 250 ms with its global lock held, which holds
 * up every other session (paho.mqtt.c 1.3.12, Proxy_connect()). The answer opens nothing: only who
 * then says the secret is heard.
 *
 * The second makes it give up; at a mere end of the stream it would wait for ten seconds, and hold
 * its lock. */
#define ANSWER_RIGHT "HTTP/1.1 200 OK\r\n\r\n"
#define ANSWER_AWAY "HTTP/1.1 503 Service Unavailable\r\n\r\n"

struct Bridge {
        sd_event *event;
        Pump *pump;
        struct sockaddr_in address;
        int listener;
        sd_event_source *listener_io;
        char *proxy;         /* secret */
        Secret *credentials; /* base64 of USER:SECRET */

        int candidate; /* our own, but it has not said the secret; -1: none */
        sd_event_source *candidate_io, *candidate_timer;
        uint8_t *request; /* what it has said so far; secret */
        size_t request_size;

        bool authenticated, closed;
        BridgeHandler handler;
        void *userdata;
};

static void close_candidate(Bridge *b) {
        b->candidate_io = sd_event_source_disable_unref(b->candidate_io);
        b->candidate_timer = sd_event_source_disable_unref(b->candidate_timer);
        b->candidate = close_fd(b->candidate);
        if (b->request)
                explicit_bzero(b->request, PROXY_REQUEST_MAX); /* looked at, too */
        free(b->request);
        b->request = NULL;
        b->request_size = 0;
}

static void send_away(int fd) {
        (void) send(fd, ANSWER_AWAY, strlen(ANSWER_AWAY), MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void on_pump_end(PumpEnd end, Failure *failure, void *userdata) {
        Bridge *b = userdata;

        b->handler(end, failure, b->userdata);
}

static void bridge_failed(Bridge *b, int r, const char *what) {
        bridge_close(b, false);
        b->handler(PUMP_SERVER_ENDED, failure_from_errno(r, "%s", what), b->userdata);
}

/* The candidate has proven to be the library: it is the leg now. */
static void adopt_candidate(Bridge *b) {
        int fd = TAKE_FD(b->candidate), r;

        close_candidate(b);
        b->authenticated = true;
        r = pump_attach(b->pump, fd);
        if (r < 0 && r != -ENOTCONN)
                bridge_failed(b, r, "cannot wait for the MQTT library");
}

/* Looks before it takes: what stands behind the request is for the pump. */
static int on_candidate_io(sd_event_source *s, int fd, uint32_t revents, void *userdata) {
        Bridge *b = userdata;
        uint8_t *at = b->request + b->request_size;
        ssize_t n = recv(fd, at, PROXY_REQUEST_MAX - b->request_size, MSG_DONTWAIT | MSG_PEEK);
        size_t size;

        if (n < 0 && (errno == EAGAIN || errno == EINTR))
                return 0;
        if (n <= 0) {
                close_candidate(b);
                return 0;
        }
        switch (proxy_request_check(b->request, b->request_size + (size_t) n, b->credentials,
                                    &size)) {
        case PROXY_REQUEST_INCOMPLETE:
                (void) recv(fd, at, (size_t) n, MSG_DONTWAIT);
                b->request_size += (size_t) n;
                break;
        case PROXY_REQUEST_WRONG:
                close_candidate(b);
                break;
        case PROXY_REQUEST_RIGHT:
                (void) recv(fd, at, size - b->request_size, MSG_DONTWAIT);
                b->request_size = size;
                adopt_candidate(b);
                break;
        }
        return 0;
}

static int on_candidate_timer(sd_event_source *s, uint64_t usec, void *userdata) {
        close_candidate(userdata);
        return 0;
}

static int take_candidate(Bridge *b, int fd) {
        int r;

        b->request = malloc(PROXY_REQUEST_MAX);
        if (!b->request)
                return -ENOMEM;
        r = sd_event_add_io(b->event, &b->candidate_io, fd, EPOLLIN, on_candidate_io, b);
        if (r < 0)
                return r;
        r = sd_event_add_time_relative(b->event, &b->candidate_timer, CLOCK_BOOTTIME,
                                       BRIDGE_REQUEST_USEC, TIMER_ACCURACY_USEC, on_candidate_timer,
                                       b);
        if (r < 0)
                return r;
        if (send(fd, ANSWER_RIGHT, strlen(ANSWER_RIGHT), MSG_DONTWAIT | MSG_NOSIGNAL) !=
            (ssize_t) strlen(ANSWER_RIGHT))
                return -EPIPE;
        b->candidate = fd;
        return 0;
}

static void reset(int fd) {
        static const struct linger linger = {.l_onoff = 1};

        (void) setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
        close(fd);
}

static void on_accepted(Bridge *b, int fd, const struct sockaddr_in *peer) {
        static const int one = 1;

        if (!own_socket_exists(peer, &b->address)) {
                reset(fd);
                return;
        }
        (void) setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
        if (b->closed || b->authenticated || b->candidate >= 0) {
                send_away(fd);
                close(fd);
                return;
        }
        if (take_candidate(b, fd) < 0) {
                close_candidate(b);
                send_away(fd);
                close(fd);
        }
}

/* 0, or -errno where accepting itself fails. */
static int accept_some(Bridge *b) {
        for (size_t i = 0; i < ACCEPTS_A_ROUND_MAX; i++) {
                struct sockaddr_in peer = {};
                socklen_t size = sizeof(peer);
                int fd = accept4(b->listener, (struct sockaddr *) &peer, &size,
                                 SOCK_CLOEXEC | SOCK_NONBLOCK);

                if (fd >= 0)
                        on_accepted(b, fd, &peer);
                else if (errno == EAGAIN)
                        return 0;
                else if (errno != EINTR && errno != ECONNABORTED)
                        return -errno;
        }
        return 0;
}

void bridge_step(Bridge *b) {
        (void) accept_some(b);
}

static int on_listener_io(sd_event_source *s, int fd, uint32_t revents, void *userdata) {
        Bridge *b = userdata;
        int r = accept_some(b);

        if (r == 0)
                return 0;
        /* No descriptors, no memory: it would spin. What waits gets no answer, and gives up: the
         * library too, unless it is in already, and then nobody is expected. */
        (void) sd_event_source_set_enabled(b->listener_io, SD_EVENT_OFF);
        if (!b->closed && !b->authenticated)
                bridge_failed(b, r, "cannot accept the MQTT library's connection");
        return 0;
}

static int make_listener(Bridge *b) {
        socklen_t size = sizeof(b->address);
        static const int one = 1;

        b->address = (struct sockaddr_in){
                .sin_family = AF_INET,
                .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
        };
        b->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        /* Accepted sockets inherit TCP_NODELAY. */
        if (b->listener < 0 ||
            setsockopt(b->listener, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)) < 0 ||
            bind(b->listener, (struct sockaddr *) &b->address, size) < 0 ||
            listen(b->listener, LISTEN_BACKLOG) < 0 ||
            getsockname(b->listener, (struct sockaddr *) &b->address, &size) < 0)
                return -errno;
        return sd_event_add_io(b->event, &b->listener_io, b->listener, EPOLLIN, on_listener_io, b);
}

/* In hex: a '%' in a URL would send the library into an endless loop. */
static int make_secret(Bridge *b) {
        uint8_t bytes[SECRET_BYTES];
        char hex[2 * SECRET_BYTES + 1];
        char plain[sizeof(USER ":") + 2 * SECRET_BYTES];
        int n, r;

        if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t) sizeof(bytes))
                return -errno;
        for (size_t i = 0; i < SECRET_BYTES; i++)
                (void) snprintf(hex + 2 * i, sizeof(hex) - 2 * i, "%02x", bytes[i]);
        n = snprintf(plain, sizeof(plain), "%s:%s", USER, hex);
        r = base64_encode(plain, (size_t) n, &b->credentials);
        if (r >= 0 &&
            asprintf(&b->proxy, "http://%s@127.0.0.1:%u", plain, ntohs(b->address.sin_port)) < 0) {
                b->proxy = NULL;
                r = -ENOMEM;
        }
        explicit_bzero(bytes, sizeof(bytes));
        explicit_bzero(hex, sizeof(hex));
        explicit_bzero(plain, sizeof(plain));
        return r;
}

int bridge_new(sd_event *event, Wire *wire, int wire_fd, const char *endpoint, size_t packet_max,
               BridgeHandler handler, void *userdata, Bridge **ret) {
        _cleanup_(bridge_freep) Bridge *b = NULL;
        int r;

        b = calloc(1, sizeof(Bridge));
        if (!b) {
                wire_free(wire);
                close_fd(wire_fd);
                return -ENOMEM;
        }
        b->listener = b->candidate = -1;
        b->event = sd_event_ref(event);
        b->handler = handler;
        b->userdata = userdata;
        r = pump_new(event, wire, wire_fd, endpoint, packet_max, on_pump_end, b, &b->pump);
        if (r < 0)
                return r;
        r = make_listener(b);
        if (r < 0)
                return r;
        r = make_secret(b);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(b);
        return 0;
}

const char *bridge_proxy(const Bridge *b) {
        return b->proxy;
}

bool bridge_is_authenticated(const Bridge *b) {
        return b->authenticated;
}

bool bridge_is_open(const Bridge *b) {
        return pump_is_open(b->pump);
}

int bridge_watch(Bridge *b, usec_t silence_max_usec) {
        return pump_watch(b->pump, silence_max_usec);
}

void bridge_close(Bridge *b, bool polite) {
        b->closed = true;
        close_candidate(b);
        pump_close(b->pump, polite);
        b->proxy = secret_string_free(b->proxy);
        b->credentials = secret_free(b->credentials);
}

Bridge *bridge_free(Bridge *b) {
        if (!b)
                return NULL;
        close_candidate(b);
        pump_free(b->pump);
        sd_event_source_disable_unref(b->listener_io);
        close_fd(b->listener);
        secret_string_free(b->proxy);
        secret_free(b->credentials);
        sd_event_unref(b->event);
        free(b);
        return NULL;
}
