/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/net/tunnel.h"

#include <errno.h>
#include <sys/socket.h>

struct Tunnel {
        ProxyTalk *talk;
        int fd;
        sd_event_source *io;
        TunnelHandler handler;
        void *userdata;
};

/* The last thing that the caller does: the handler may free the Tunnel. */
static void finish(Tunnel *t, Failure *failure, bool open) {
        t->io = sd_event_source_disable_unref(t->io);
        if (!open)
                t->fd = close_fd(t->fd);
        t->handler(TAKE_FD(t->fd), failure, t->userdata);
}

static void wait_for(Tunnel *t, uint32_t events) {
        int r = sd_event_source_set_io_events(t->io, events);

        if (r < 0)
                finish(t, failure_from_errno(r, "cannot wait for the proxy"), false);
}

static void broken(Tunnel *t, int error) {
        finish(t,
               proxy_talk_broken(t->talk,
                                 error == 0 ? "closed the connection" : strerrordesc_np(error)),
               false);
}

/* True: all has been sent. */
static bool send_output(Tunnel *t) {
        for (;;) {
                size_t size;
                const uint8_t *data = proxy_talk_output(t->talk, &size);
                ssize_t n;

                if (size == 0)
                        return true;
                n = send(t->fd, data, size, MSG_DONTWAIT | MSG_NOSIGNAL);
                if (n >= 0) {
                        proxy_talk_sent(t->talk, (size_t) n);
                        continue;
                }
                if (errno == EINTR)
                        continue;
                if (errno == EAGAIN)
                        wait_for(t, EPOLLOUT);
                else
                        broken(t, errno);
                return false;
        }
}

/* True: there may be more. */
static bool receive_input(Tunnel *t) {
        uint8_t data[PROXY_TALK_WANTS_MAX];
        Failure *failure = NULL;
        ssize_t n = recv(t->fd, data, proxy_talk_wants(t->talk), MSG_DONTWAIT);

        if (n < 0 && errno == EINTR)
                return true;
        if (n < 0 && errno == EAGAIN) {
                wait_for(t, EPOLLIN);
                return false;
        }
        if (n <= 0) {
                broken(t, n < 0 ? errno : 0);
                return false;
        }
        switch (proxy_talk_feed(t->talk, data, (size_t) n, &failure)) {
        case PROXY_TALK_GOES_ON:
                return true;
        case PROXY_TALK_OPEN:
                finish(t, NULL, true);
                return false;
        case PROXY_TALK_OVER:
                finish(t, failure, false);
                return false;
        }
        return false;
}

static int on_tunnel_io(sd_event_source *s, int fd, uint32_t revents, void *userdata) {
        Tunnel *t = userdata;

        /* Bounded by what a talk may be long. */
        while (send_output(t) && receive_input(t))
                ;
        return 0;
}

int tunnel_new(sd_event *event, int fd, const Proxy *proxy, const Secret *credentials,
               const char *host, uint16_t port, TunnelHandler handler, void *userdata,
               Tunnel **ret) {
        _cleanup_(tunnel_freep) Tunnel *t = calloc(1, sizeof(Tunnel));
        int r;

        if (!t) {
                close_fd(fd);
                return -ENOMEM;
        }
        t->fd = fd;
        t->handler = handler;
        t->userdata = userdata;
        r = proxy_talk_new(proxy, credentials, host, port, &t->talk);
        if (r < 0)
                return r;
        r = sd_event_add_io(event, &t->io, fd, EPOLLOUT, on_tunnel_io, t);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(t);
        return 0;
}

Tunnel *tunnel_free(Tunnel *t) {
        if (!t)
                return NULL;
        sd_event_source_disable_unref(t->io);
        close_fd(t->fd);
        proxy_talk_free(t->talk);
        free(t);
        return NULL;
}

Failure *tunnel_failure_timeout(const Tunnel *t) {
        return proxy_talk_timeout(t->talk);
}
