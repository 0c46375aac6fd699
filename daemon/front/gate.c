/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/front/gate.h"

#include <assert.h>
#include <errno.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>

#include "daemon/base/log.h"
#include "protocol/ipc/limits.h"

#define READS_PER_TURN 32U /* then the others have theirs */
#define HELD_UP_USEC (20 * USEC_PER_MSEC)
/* Messages on their way between the gate and sd-bus are out of reach of `may_read`: few. */
#define PAIR_BUFFER (8 * 1024)

struct Gate {
        sd_event *event;
        int client_fd;
        int pair_fd;
        sd_event_source *readable; /* of client_fd */
        sd_event_source *writable; /* of pair_fd */
        sd_event_source *timer;    /* to finish what was begun, or to look again */
        GateMayRead may_read;
        void *userdata;
        Closer *closer; /* NULL: descriptors are closed on the spot */
        GateFrame frame;
        usec_t begun; /* when the unfinished thing was; 0: nothing unfinished */
        bool held_up;

        uint8_t *buffer; /* of GATE_BUFFER bytes, while something waits in it */
        size_t start, end;
        int fds[IPC_MESSAGE_FDS_MAX]; /* they go with the next byte, once the frame lets them pass
                                       */
        size_t n_fds;
};

static void close_fds(Gate *g) {
        for (size_t i = 0; i < g->n_fds; i++)
                close(g->fds[i]);
        g->n_fds = 0;
}

/* The other end reads what is there, and then the end of the stream. */
static void throw_out(Gate *g) {
        g->held_up = false;
        close_fds(g);
        free(g->buffer);
        g->buffer = NULL;
        g->readable = sd_event_source_disable_unref(g->readable);
        g->writable = sd_event_source_disable_unref(g->writable);
        g->timer = sd_event_source_disable_unref(g->timer);
        g->client_fd = close_fd(g->client_fd);
        g->pair_fd = close_fd(g->pair_fd);
}

static void refuse(Gate *g, int r) {
        const char *why = "sends what is no D-Bus message, or descriptors with one that takes none";

        if (r == -EMSGSIZE)
                why = "sends a message above the limit of 256 KiB, or an endless handshake";
        else if (r == -E2BIG)
                why = "sends more than 4 descriptors with a message, or some out of place";
        else if (r == -ETIMEDOUT)
                why = "did not finish a message, or its handshake, within 10 s";
        /* Not louder: whoever may connect could fill the log with it. */
        log_debug("A connection is closed: it %s", why);
        throw_out(g);
}

static usec_t now_usec(Gate *g) {
        uint64_t now = 0;

        (void) sd_event_now(g->event, CLOCK_MONOTONIC, &now);
        return now;
}

static void set_timer(Gate *g, usec_t when) {
        if (sd_event_source_set_time(g->timer, when) < 0 ||
            sd_event_source_set_enabled(g->timer, SD_EVENT_ONESHOT) < 0)
                throw_out(g);
}

/* Whether it does not read for now, however much there is. */
static bool waits_for_us(const Gate *g) {
        return g->buffer || g->held_up;
}

/* Reads on, or waits: for the client (and then not for ever), for the reader, or for `may_read`. It
 * looks all the while whether the client is gone: sd-bus is told so by its end of the connection
 * over and over, and does not close before its input ends, which comes from here. */
static void arrange(Gate *g) {
        bool waits = waits_for_us(g);

        if (sd_event_source_set_io_events(g->readable, waits ? EPOLLHUP : EPOLLIN) < 0 ||
            sd_event_source_set_enabled(g->writable, g->buffer ? SD_EVENT_ON : SD_EVENT_OFF) < 0) {
                throw_out(g);
                return;
        }
        if (waits)
                /* The time that we make it wait is not the client's. */
                g->begun = 0;
        else if (!gate_frame_is_unfinished(&g->frame))
                g->begun = 0;
        else if (g->begun == 0)
                g->begun = now_usec(g);
        if (g->held_up)
                set_timer(g, usec_add(now_usec(g), HELD_UP_USEC));
        else if (g->begun > 0)
                set_timer(g, usec_add(g->begun, IPC_MESSAGE_COMPLETE_USEC));
        else
                (void) sd_event_source_set_enabled(g->timer, SD_EVENT_OFF);
}

/* 1: all of it is written; 0: later. */
static int pass_on(Gate *g, const uint8_t *data, size_t size, size_t *ret_written) {
        union {
                struct cmsghdr header; /* for its alignment */
                uint8_t bytes[CMSG_SPACE(sizeof(int) * IPC_MESSAGE_FDS_MAX)];
        } control = {};
        size_t done = 0;

        while (done < size) {
                struct iovec iov = {(uint8_t *) (uintptr_t) (data + done), size - done};
                struct msghdr message = {.msg_iov = &iov, .msg_iovlen = 1};
                ssize_t n;

                if (g->n_fds > 0 && g->frame.lets_fds_pass) {
                        message.msg_control = &control;
                        message.msg_controllen = CMSG_SPACE(sizeof(int) * g->n_fds);
                        control.header = (struct cmsghdr){
                                .cmsg_len = CMSG_LEN(sizeof(int) * g->n_fds),
                                .cmsg_level = SOL_SOCKET,
                                .cmsg_type = SCM_RIGHTS,
                        };
                        memcpy(CMSG_DATA(&control.header), g->fds, sizeof(int) * g->n_fds);
                }
                n = sendmsg(g->pair_fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0 && errno != EAGAIN)
                        return -errno;
                if (n < 0)
                        break;
                if (g->frame.lets_fds_pass)
                        close_fds(g);
                done += (size_t) n;
        }
        *ret_written = done;
        return done == size;
}

/* No secret comes by a file that could hang whoever closes it. In its place goes one that is as
 * little a secret, and that nobody waits for; the caller is told as if it were his. Negative: there
 * is none to be had. */
static int stand_in(Gate *g, int fd) {
        if (!g->closer || !closer_wants(fd))
                return fd;
        closer_close(g->closer, fd);
        return eventfd(0, EFD_CLOEXEC);
}

static void dispose(Gate *g, int fd) {
        if (g->closer && closer_wants(fd))
                closer_close(g->closer, fd);
        else
                close(fd);
}

/* Takes descriptors out of the control messages. More than there is room for are closed; so is
 * what the kernel could not fit in (MSG_CTRUNC). Returns how many there were, or too many where
 * there is no room for a stand-in. */
static size_t take_fds(Gate *g, struct msghdr *message) {
        size_t n = message->msg_flags & MSG_CTRUNC ? IPC_MESSAGE_FDS_MAX + 1 : 0;

        for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
                size_t count;

                if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
                        continue;
                count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
                for (size_t i = 0; i < count; i++) {
                        int fd;

                        memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(int));
                        if (g->n_fds == ELEMENTSOF(g->fds)) {
                                dispose(g, fd);
                                continue;
                        }
                        fd = stand_in(g, fd);
                        if (fd >= 0)
                                g->fds[g->n_fds++] = fd;
                        else
                                n += IPC_MESSAGE_FDS_MAX;
                }
                n += count;
        }
        return n;
}

/* 1: read and passed on, go on; 0: nothing to be had, or the reader is slow; negative: the end. */
static int relay_once(Gate *g) {
        uint8_t data[GATE_BUFFER];
        union {
                struct cmsghdr header;
                uint8_t bytes[CMSG_SPACE(sizeof(int) * (IPC_MESSAGE_FDS_MAX + 1))];
        } control;
        size_t want = gate_frame_want(&g->frame), n_fds, written;
        struct iovec iov = {data, want < sizeof(data) ? want : sizeof(data)};
        struct msghdr message = {.msg_iov = &iov,
                                 .msg_iovlen = 1,
                                 .msg_control = &control,
                                 .msg_controllen = sizeof(control)};
        ssize_t n;
        int r;

        if (g->closer && !closer_has_room(g->closer, IPC_MESSAGE_FDS_MAX + 1))
                message.msg_controllen = 0; /* the kernel drops them, and says so */
        n = recvmsg(g->client_fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
        if (n < 0)
                return errno == EAGAIN || errno == EINTR ? 0 : -errno;
        n_fds = take_fds(g, &message);
        if (n == 0)
                return -ECONNRESET;
        r = gate_frame_feed(&g->frame, data, (size_t) n, n_fds);
        if (r < 0)
                return r;
        if (!gate_frame_is_unfinished(&g->frame))
                g->begun = 0;
        r = pass_on(g, data, (size_t) n, &written);
        if (r != 0)
                return r;
        g->buffer = malloc(GATE_BUFFER);
        if (!g->buffer)
                return -ENOMEM;
        memcpy(g->buffer, data + written, (size_t) n - written);
        g->start = 0;
        g->end = (size_t) n - written;
        return 0;
}

static bool may_read_now(const Gate *g) {
        return !g->may_read || g->may_read(g->userdata, gate_frame_is_handshake(&g->frame));
}

static void relay(Gate *g) {
        int r = 1;

        for (unsigned i = 0; i < READS_PER_TURN && r > 0; i++) {
                g->held_up = !may_read_now(g);
                if (g->held_up)
                        break;
                r = relay_once(g);
        }
        if (r == -EMSGSIZE || r == -E2BIG || r == -EBADMSG)
                refuse(g, r);
        else if (r < 0)
                throw_out(g);
        else
                arrange(g);
}

static int on_client_readable(_unused_ sd_event_source *s, _unused_ int fd, uint32_t revents,
                              void *userdata) {
        Gate *g = userdata;

        if (!waits_for_us(g))
                relay(g);
        else if (revents & (EPOLLHUP | EPOLLERR))
                throw_out(g); /* who could be answered no more need not be heard either */
        return 0;
}

static int on_pair_writable(_unused_ sd_event_source *s, _unused_ int fd, _unused_ uint32_t revents,
                            void *userdata) {
        Gate *g = userdata;
        size_t written;
        int r;

        r = pass_on(g, g->buffer + g->start, g->end - g->start, &written);
        if (r < 0) {
                throw_out(g);
                return 0;
        }
        g->start += written;
        if (r > 0) {
                free(g->buffer);
                g->buffer = NULL;
        }
        arrange(g);
        return 0;
}

static int on_timer(_unused_ sd_event_source *s, _unused_ uint64_t usec, void *userdata) {
        Gate *g = userdata;

        if (!g->held_up) {
                refuse(g, -ETIMEDOUT);
                return 0;
        }
        g->held_up = !may_read_now(g);
        arrange(g);
        return 0;
}

void gate_resume(Gate *g) {
        if (!g || !g->held_up || !may_read_now(g))
                return;
        g->held_up = false;
        arrange(g);
}

static int add_sources(Gate *g, int64_t priority) {
        int r;

        r = sd_event_add_io(g->event, &g->readable, g->client_fd, EPOLLIN, on_client_readable, g);
        if (r < 0)
                return r;
        r = sd_event_add_io(g->event, &g->writable, g->pair_fd, EPOLLOUT, on_pair_writable, g);
        if (r < 0)
                return r;
        r = sd_event_add_time(g->event, &g->timer, CLOCK_MONOTONIC, 0, USEC_PER_MSEC, on_timer, g);
        if (r < 0)
                return r;
        if (sd_event_source_set_priority(g->readable, priority) < 0 ||
            sd_event_source_set_priority(g->writable, priority) < 0 ||
            sd_event_source_set_priority(g->timer, priority) < 0)
                return -EINVAL;
        return 0;
}

void gate_set_closer(Gate *g, Closer *closer) {
        g->closer = closer;
}

void gate_set_may_read(Gate *g, GateMayRead may, void *userdata) {
        g->may_read = may;
        g->userdata = userdata;
}

int gate_new(sd_event *event, int64_t priority, int client_fd, Gate **ret, int *ret_fd) {
        _cleanup_(gate_freep) Gate *g = calloc(1, sizeof(Gate));
        int pair[2], size = PAIR_BUFFER, r;

        if (!g) {
                close(client_fd);
                return -ENOMEM;
        }
        g->client_fd = client_fd;
        g->pair_fd = -1;
        g->event = sd_event_ref(event);
        gate_frame_init(&g->frame);
        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) < 0)
                return -errno;
        g->pair_fd = pair[0];
        if (setsockopt(g->pair_fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)) < 0)
                r = -errno;
        else
                r = add_sources(g, priority);
        if (r < 0) {
                close(pair[1]);
                return r;
        }
        arrange(g);
        *ret = TAKE_PTR(g);
        *ret_fd = pair[1];
        return 0;
}

Gate *gate_free(Gate *g) {
        if (!g)
                return NULL;
        throw_out(g);
        sd_event_unref(g->event);
        free(g);
        return NULL;
}
