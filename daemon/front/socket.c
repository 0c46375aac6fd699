/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/front/socket.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <systemd/sd-id128.h>
#include <time.h>

#include "daemon/base/log.h"
#include "daemon/front/listener.h"
#include "daemon/front/objects.h"
#include "daemon/front/socket-peer.h"

#define ACCEPTS_PER_TURN 16U
/* sd-bus asks for 8 MB: what a client does not read would wait in the kernel at our expense. */
#define SEND_BUFFER (64 * 1024)
/* The sender of what we send: a bus would put one in, and clients match signals by it. */
#define OWN_NAME ":1.0"

struct Sockets {
        sd_event *event;
        const FrontContext *context;
        sd_id128_t id;
        uid_t nobody;
        uint64_t serial; /* of the last unique name given */
        Closer *closer;
        int reserve; /* a descriptor to let go of when there is none left */
        sd_event_source *resume;
        Listener listeners[LISTENERS_MAX];
        sd_event_source *sources[LISTENERS_MAX];
        size_t n_listeners;
        LIST_HEAD(Link, links);
        size_t n_links;
};

const char *sockets_door_at(const Sockets *s, size_t i) {
        return i < s->n_listeners ? s->listeners[i].door : NULL;
}

bool sockets_are_closing(const Sockets *s) {
        return closer_is_busy(s->closer);
}

Link *sockets_first(Sockets *s) {
        return s->links_first;
}

static void on_link_closed(Link *l, void *owner) {
        Sockets *s = owner;

        LIST_REMOVE(links, s, l);
        s->n_links--;
        link_free(l);
}

void sockets_close_slowest(Sockets *s) {
        Link *slowest = NULL, *l;
        uint64_t total = 0;

        LIST_FOREACH(links, l, s) {
                uint64_t queued = link_queued(l);

                total += queued;
                if (!slowest || queued > link_queued(slowest))
                        slowest = l;
        }
        if (total <= LINK_QUEUE_TOTAL_MAX)
                return;
        log_debug("A connection of uid %u is closed: it does not read its signals",
                  (unsigned) slowest->peer->uid);
        link_close(slowest);
}

static bool may_read(void *userdata, bool in_handshake) {
        const Link *l = userdata;

        if (l->closing)
                return false;
        if (in_handshake)
                return true;
        /* While sd-bus reads the handshake, it would swallow the first message with it, and then
         * not look at it before the next one comes. */
        return sd_bus_is_ready(l->bus) > 0 && l->n_calls < LINK_CALLS_MAX &&
               link_queued(l) < LINK_QUEUE_PAUSE;
}

static size_t count_owner(const Sockets *s, const Peer *owner) {
        size_t n = 0;
        Link *l;

        LIST_FOREACH(links, l, s)
                n += peer_same_owner(l->peer, owner);
        return n;
}

/* Through this door; or, where that is NULL, through all but the main one. */
static size_t count_door(const Sockets *s, const char *door) {
        size_t n = 0;
        Link *l;

        LIST_FOREACH(links, l, s)
                n += door ? streq(l->peer->door, door) : !streq(l->peer->door, DOOR_MAIN);
        return n;
}

/* Who has a user namespace comes as as many users as he likes: his door has a bound, too. */
static bool door_has_room(const Sockets *s, const char *door) {
        return streq(door, DOOR_MAIN) || (count_door(s, door) < SOCKET_CONNECTIONS_PER_DOOR_MAX &&
                                          count_door(s, NULL) < SOCKET_CONNECTIONS_DOORS_MAX);
}

static bool has_room(const Sockets *s, const Peer *peer) {
        size_t max = SOCKET_CONNECTIONS_MAX - (peer->privileged ? 0 : SOCKET_CONNECTIONS_KEPT_BACK);

        return s->n_links < max && count_owner(s, peer) < SOCKET_CONNECTIONS_PER_USER_MAX &&
               door_has_room(s, peer->door);
}

/* sd-bus reads from the gate and writes to the client. Takes both descriptors. */
static int start_bus(Sockets *s, int input_fd, int output_fd, sd_bus **ret) {
        _cleanup_(sd_bus_close_unrefp) sd_bus *bus = NULL;
        int r, size = SEND_BUFFER;

        r = sd_bus_new(&bus);
        if (r >= 0)
                r = sd_bus_set_fd(bus, input_fd, output_fd);
        if (r < 0) {
                close(input_fd);
                close(output_fd);
                return r;
        }
        r = sd_bus_set_description(bus, "socket");
        if (r >= 0)
                r = sd_bus_set_server(bus, 1, s->id);
        if (r >= 0)
                r = sd_bus_negotiate_fds(bus, 1);
        if (r >= 0)
                /* Who he is was read at accept. What he claims in the handshake counts for
                 * nothing, and from inside a user namespace he claims another uid. */
                r = sd_bus_set_anonymous(bus, 1);
        if (r >= 0)
                r = sd_bus_set_sender(bus, OWN_NAME);
        if (r >= 0)
                r = sd_bus_set_connected_signal(bus, 1);
        if (r >= 0)
                r = sd_bus_start(bus);
        if (r < 0)
                return r;
        if (setsockopt(output_fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)) < 0)
                return -errno;
        *ret = TAKE_PTR(bus);
        return 0;
}

/* sd-bus, behind a gate. Two descriptors of the one connection: an epoll set has each only once. */
static int open_behind_gate(Sockets *s, int fd, Gate **ret_gate, sd_bus **ret_bus) {
        _cleanup_(gate_freep) Gate *gate = NULL;
        int client_fd, output_fd, input_fd, r;

        client_fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
        if (client_fd < 0)
                return -errno;
        r = gate_new(s->event, FRONT_PRIORITY, client_fd, &gate, &input_fd);
        if (r < 0)
                return r;
        gate_set_closer(gate, s->closer);
        output_fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
        if (output_fd < 0) {
                r = -errno;
                close(input_fd);
                return r;
        }
        r = start_bus(s, input_fd, output_fd, ret_bus);
        if (r < 0)
                return r;
        *ret_gate = TAKE_PTR(gate);
        return 0;
}

static int add_link(Sockets *s, int fd, Peer *peer) {
        _cleanup_(gate_freep) Gate *gate = NULL;
        _cleanup_peer_ Peer *owned_peer = peer;
        _cleanup_(link_freep) Link *l = NULL;
        sd_bus *bus = NULL;
        int r;

        r = open_behind_gate(s, fd, &gate, &bus);
        if (r < 0)
                return r;
        r = link_new(s->event, s->context, bus, on_link_closed, s, &l);
        if (r < 0)
                return r;
        l->gate = TAKE_PTR(gate);
        l->peer = TAKE_PTR(owned_peer);
        gate_set_may_read(l->gate, may_read, l);
        if (asprintf(&l->unique_name, ":1.%" PRIu64, ++s->serial) < 0) {
                l->unique_name = NULL;
                return -ENOMEM;
        }
        r = hello_object_add(l);
        if (r < 0)
                return r;
        LIST_APPEND(links, s, l);
        s->n_links++;
        l = NULL;
        return 0;
}

/* Lets in whoever is entitled to it; the others are closed without a word, as a full queue would
 * do. Negative: descriptors or memory ran out. */
static int let_in(Sockets *s, const char *door, int fd) {
        _cleanup_peer_ Peer *peer = NULL;
        int r;

        r = socket_peer_read(fd, door, s->nobody, &peer);
        if (r < 0) {
                log_debug("A connection is refused: it cannot be told whose it is");
                return 0;
        }
        if (!has_room(s, peer)) {
                log_debug("A connection of uid %u is refused: there are %zu already, %zu of them "
                          "its own",
                          (unsigned) peer->uid, s->n_links, count_owner(s, peer));
                return 0;
        }
        return add_link(s, fd, TAKE_PTR(peer));
}

static void set_listening(Sockets *s, bool on) {
        for (size_t i = 0; i < s->n_listeners; i++)
                (void) sd_event_source_set_enabled(s->sources[i], on ? SD_EVENT_ON : SD_EVENT_OFF);
}

static int on_resume(_unused_ sd_event_source *source, _unused_ uint64_t usec, void *userdata) {
        set_listening(userdata, true);
        return 0;
}

/* Without a descriptor to spare a connection can be neither taken nor refused, and the loop would
 * spin: give up the reserve to refuse this one, then leave the rest in the queue for a while. */
static void pause_accepting(Sockets *s, int listen_fd, int reason) {
        (void) log_warning_errno(reason, "No new connections for a moment");
        if (s->reserve >= 0) {
                s->reserve = close_fd(s->reserve);
                close_fd(accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK));
                s->reserve = open("/dev/null", O_RDONLY | O_CLOEXEC);
        }
        set_listening(s, false);
        if (sd_event_source_set_time_relative(s->resume, SOCKET_PAUSE_USEC) < 0 ||
            sd_event_source_set_enabled(s->resume, SD_EVENT_ONESHOT) < 0)
                set_listening(s, true);
}

static const char *door_of(const Sockets *s, int listen_fd) {
        for (size_t i = 0; i < s->n_listeners; i++)
                if (s->listeners[i].fd == listen_fd)
                        return s->listeners[i].door;
        return NULL;
}

static int on_connection(_unused_ sd_event_source *source, int listen_fd, _unused_ uint32_t revents,
                         void *userdata) {
        Sockets *s = userdata;

        for (unsigned i = 0; i < ACCEPTS_PER_TURN; i++) {
                _cleanup_close_ int fd =
                        accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
                int r;

                if (fd < 0 && (errno == EAGAIN || errno == EINTR || errno == ECONNABORTED))
                        break;
                r = fd < 0 ? -errno : let_in(s, door_of(s, listen_fd), fd);
                if (r < 0) {
                        pause_accepting(s, listen_fd, r);
                        break;
                }
        }
        return 0;
}

static int open_listeners(Sockets *s, const char *path) {
        int r;

        r = listener_take_passed(s->listeners, &s->n_listeners);
        if (r < 0 || s->n_listeners > 0 || !path)
                return r;
        r = listener_make(path, &s->listeners[0]);
        if (r == -EADDRINUSE)
                return log_error_errno(r, "Cannot listen at %s: another daemon answers there",
                                       path);
        if (r == -EEXIST)
                return log_error_errno(r, "Cannot listen at %s: what is there is no socket", path);
        if (r < 0)
                return log_error_errno(r, "Cannot listen at %s", path);
        s->n_listeners = 1;
        return 0;
}

static int watch_listeners(Sockets *s) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < s->n_listeners; i++) {
                int fd = s->listeners[i].fd, flags = fcntl(fd, F_GETFL);

                /* systemd passes blocking ones: somebody who connects and leaves would hold us. */
                if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
                        return -errno;
                r = sd_event_add_io(s->event, &s->sources[i], fd, EPOLLIN, on_connection, s);
                if (r >= 0)
                        r = sd_event_source_set_priority(s->sources[i], FRONT_PRIORITY);
        }
        return r;
}

int sockets_new(sd_event *event, const FrontContext *context, const char *path, Sockets **ret) {
        _cleanup_(sockets_freep) Sockets *s = calloc(1, sizeof(Sockets));
        int r;

        if (!s)
                return -ENOMEM;
        s->event = sd_event_ref(event);
        s->context = context;
        s->nobody = socket_peer_overflow_uid();
        s->reserve = open("/dev/null", O_RDONLY | O_CLOEXEC);
        r = closer_new(event, &s->closer);
        if (r >= 0)
                r = sd_id128_randomize(&s->id);
        if (r >= 0)
                r = sd_event_add_time(event, &s->resume, CLOCK_MONOTONIC, 0, USEC_PER_MSEC,
                                      on_resume, s);
        if (r >= 0)
                r = sd_event_source_set_enabled(s->resume, SD_EVENT_OFF);
        if (r < 0)
                return log_error_errno(r, "Cannot prepare the sockets");
        r = open_listeners(s, path);
        if (r < 0)
                return r;
        r = watch_listeners(s);
        if (r < 0)
                return log_error_errno(r, "Cannot watch the sockets");
        *ret = TAKE_PTR(s);
        return 0;
}

Sockets *sockets_free(Sockets *s) {
        if (!s)
                return NULL;
        while (s->links_first)
                on_link_closed(s->links_first, s);
        for (size_t i = 0; i < s->n_listeners; i++) {
                sd_event_source_disable_unref(s->sources[i]);
                listener_done(&s->listeners[i]);
        }
        closer_free(s->closer);
        sd_event_source_disable_unref(s->resume);
        close_fd(s->reserve);
        sd_event_unref(s->event);
        free(s);
        return NULL;
}
