/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/net/uplink.h"

#include <errno.h>

#include "daemon/net/dial.h"
#include "daemon/net/handshake.h"
#include "daemon/net/tunnel.h"

struct Uplink {
        sd_event *event;
        UplinkHandler handler;
        void *userdata;

        /* Copies, until the handshake begins. */
        TlsParameters p;
        char *host, *alpn, *cipher_list;
        Secret *trusted, *certificate, *private_key;
        TokenKey *token_key;
        Worker *tokens;
        Proxy proxy;
        Secret *proxy_credentials;
        char *websocket_path;

        Dial *dial;
        Tunnel *tunnel;
        Handshake *handshake; /* of TLS */
        int fd;
        Wire *wire; /* then, while its own goes on */
        sd_event_source *io;
};

static void forget_parameters(Uplink *l) {
        l->alpn = (free(l->alpn), NULL);
        l->cipher_list = (free(l->cipher_list), NULL);
        l->trusted = secret_free(l->trusted);
        l->certificate = secret_free(l->certificate);
        l->private_key = secret_free(l->private_key);
        l->token_key = token_key_unref(l->token_key);
        l->proxy_credentials = secret_free(l->proxy_credentials);
        l->p.alpn = l->p.cipher_list = NULL;
        l->p.trusted = l->p.certificate = l->p.private_key = NULL;
        l->p.token_key = NULL;
}

/* The last thing that the caller does: the handler may free the Uplink. */
static void leg_failed(Uplink *l, Failure *failure) {
        l->io = sd_event_source_disable_unref(l->io);
        l->wire = wire_free(l->wire);
        l->fd = close_fd(l->fd);
        l->handler(NULL, -1, failure, l->userdata);
}

static void leg_step(Uplink *l) {
        Failure *failure = NULL;
        int r = 0;

        switch (wire_open(l->wire, &failure)) {
        case TLS_WANT_READ:
                r = sd_event_source_set_io_events(l->io, EPOLLIN);
                break;
        case TLS_WANT_WRITE:
                r = sd_event_source_set_io_events(l->io, EPOLLOUT);
                break;
        case TLS_DONE:
                l->io = sd_event_source_disable_unref(l->io);
                l->handler(TAKE_PTR(l->wire), TAKE_FD(l->fd), NULL, l->userdata);
                return;
        case TLS_CLOSED: /* not from a handshake */
        case TLS_FAILED:
                leg_failed(l, failure);
                return;
        }
        if (r < 0)
                leg_failed(l, failure_from_errno(r, "cannot wait for %s", l->host));
}

static int on_uplink_io(sd_event_source *s, int fd, uint32_t revents, void *userdata) {
        leg_step(userdata);
        return 0;
}

/* TLS stands; then what is opened over it. */
static void on_shaken(Tls *tls, int fd, Failure *failure, void *userdata) {
        Uplink *l = userdata;
        const WireParameters p = {
                .websocket_path = l->websocket_path, .host = l->host, .port = l->p.port};
        int r;

        l->handshake = handshake_free(l->handshake);
        if (!tls) {
                leg_failed(l, failure);
                return;
        }
        l->fd = fd;
        r = wire_new(tls, &p, &l->wire);
        if (r >= 0)
                r = sd_event_add_io(l->event, &l->io, fd, EPOLLOUT, on_uplink_io, l);
        if (r < 0)
                leg_failed(l, failure_from_errno(r, "cannot speak to %s", l->host));
        else
                leg_step(l);
}

/* The way to the server is open, through a proxy or not. */
static void on_open(Uplink *l, int fd) {
        Worker *tokens = l->p.token_key ? l->tokens : NULL;
        Failure *failure = NULL;
        Tls *tls = NULL;
        bool made;
        int r;

        made = tls_new(fd, &l->p, &tls, &failure);
        forget_parameters(l);
        if (!made) {
                close_fd(fd);
                leg_failed(l, failure);
                return;
        }
        r = handshake_new(l->event, tokens, tls, fd, on_shaken, l, &l->handshake);
        if (r < 0)
                leg_failed(l, failure_from_errno(r, "cannot wait for %s", l->host));
}

static void on_tunnelled(int fd, Failure *failure, void *userdata) {
        Uplink *l = userdata;

        l->tunnel = tunnel_free(l->tunnel);
        if (fd < 0)
                leg_failed(l, failure);
        else
                on_open(l, fd);
}

static void on_dialled(int fd, Failure *failure, void *userdata) {
        Uplink *l = userdata;
        int r;

        l->dial = dial_free(l->dial);
        if (fd < 0) {
                leg_failed(l, failure);
                return;
        }
        if (!l->proxy.host) {
                on_open(l, fd);
                return;
        }
        r = tunnel_new(l->event, fd, &l->proxy, l->proxy_credentials, l->host, l->p.port,
                       on_tunnelled, l, &l->tunnel);
        l->proxy_credentials = secret_free(l->proxy_credentials);
        if (r < 0)
                leg_failed(l, failure_from_errno(r, "cannot ask a proxy for %s", l->host));
}

static int copy_secret(const Secret *s, Secret **ret) {
        *ret = secret_copy(s);
        return s && !*ret ? -ENOMEM : 0;
}

static int copy_parameters(Uplink *l, const TlsParameters *p) {
        if (free_and_strdup(&l->host, p->host) < 0 || free_and_strdup(&l->alpn, p->alpn) < 0 ||
            free_and_strdup(&l->cipher_list, p->cipher_list) < 0 ||
            copy_secret(p->trusted, &l->trusted) < 0 ||
            copy_secret(p->certificate, &l->certificate) < 0 ||
            copy_secret(p->private_key, &l->private_key) < 0)
                return -ENOMEM;
        l->token_key = token_key_ref(p->token_key);
        l->p = (TlsParameters){
                .host = l->host,
                .port = p->port,
                .alpn = l->alpn,
                .trusted = l->trusted,
                .certificate = l->certificate,
                .private_key = l->private_key,
                .token_key = l->token_key,
                .cipher_list = l->cipher_list,
                .certificate_name = p->certificate_name,
                .private_key_name = p->private_key_name,
        };
        return 0;
}

/* What stands in Proxy= is of no concern here: `proxy_credentials` are all there are. */
static int copy_proxy(Uplink *l, const Road *p) {
        if (!p->proxy || !p->proxy->host)
                return 0;
        l->proxy.kind = p->proxy->kind;
        l->proxy.port = p->proxy->port;
        if (free_and_strdup(&l->proxy.host, p->proxy->host) < 0)
                return -ENOMEM;
        return copy_secret(p->proxy_credentials, &l->proxy_credentials);
}

static int dial(Uplink *l, Worker *names, const UplinkParameters *p) {
        const bool is_proxy = l->proxy.host != NULL;
        const DialParameters parameters = {
                .host = is_proxy ? l->proxy.host : l->host,
                .port = is_proxy ? l->proxy.port : l->p.port,
                .is_proxy = is_proxy,
                .user_timeout_usec = p->user_timeout_usec,
        };

        return dial_new(l->event, names, &parameters, on_dialled, l, &l->dial);
}

int uplink_new(sd_event *event, Worker *names, const UplinkParameters *p, UplinkHandler handler,
               void *userdata, Uplink **ret) {
        _cleanup_(uplink_freep) Uplink *l = NULL;
        int r;

        l = calloc(1, sizeof(Uplink));
        if (!l)
                return -ENOMEM;
        l->fd = -1;
        l->event = sd_event_ref(event);
        l->tokens = p->tokens;
        l->handler = handler;
        l->userdata = userdata;
        r = copy_parameters(l, &p->road.tls);
        if (r >= 0)
                r = copy_proxy(l, &p->road);
        if (r >= 0)
                r = free_and_strdup(&l->websocket_path, p->road.websocket_path);
        if (r >= 0)
                r = dial(l, names, p);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(l);
        return 0;
}

Uplink *uplink_free(Uplink *l) {
        if (!l)
                return NULL;
        dial_free(l->dial);
        tunnel_free(l->tunnel);
        sd_event_source_disable_unref(l->io);
        handshake_free(l->handshake);
        wire_free(l->wire);
        close_fd(l->fd);
        forget_parameters(l);
        proxy_done(&l->proxy);
        free(l->websocket_path);
        free(l->host);
        sd_event_unref(l->event);
        free(l);
        return NULL;
}

Failure *uplink_failure_timeout(const Uplink *l) {
        if (l->dial)
                return dial_failure_timeout(l->dial);
        if (l->tunnel)
                return tunnel_failure_timeout(l->tunnel);
        if (l->wire)
                return failure_new(ERROR_TIMEOUT,
                                   "%s port %u took the TLS connection, but did not answer the "
                                   "wish for a WebSocket in time; check Port= and Transport=",
                                   l->host, l->p.port);
        if (l->handshake && handshake_waits_for_token(l->handshake))
                return failure_new(ERROR_NOT_INITIALIZED,
                                   "the token with the private key did not answer in time, while "
                                   "%s port %u waited; look at the token and its reader",
                                   l->host, l->p.port);
        return failure_new(
                ERROR_TLS_FAILED,
                "%s port %u did not finish the TLS handshake in time; check that Port= is "
                "a TLS port, and the network",
                l->host, l->p.port);
}
