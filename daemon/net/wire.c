/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/net/wire.h"

#include <errno.h>
#include <sys/random.h>

#include "daemon/model/host-port.h"
#include "daemon/net/websocket-frame.h"
#include "daemon/net/websocket-opening.h"

typedef struct Websocket {
        char *endpoint;            /* for messages */
        WebsocketOpening *opening; /* NULL: it stands */
        bool asked;                /* its request was sent */
        WebsocketReader reader;
        uint8_t *out; /* a frame that is being sent; NULL: none */
        size_t out_size;
        bool out_is_callers; /* of the wire_write() that is to be called again */
} Websocket;

struct Wire {
        Tls *tls;
        Websocket *websocket; /* NULL: TLS as it is */
        bool over;            /* nothing can be said any more */
};

static WebsocketOpening *opening_free(WebsocketOpening *o) {
        if (!o)
                return NULL;
        websocket_opening_done(o);
        free(o);
        return NULL;
}

static Websocket *websocket_free(Websocket *s) {
        if (!s)
                return NULL;
        if (s->out)
                explicit_bzero(s->out, s->out_size);
        free(s->out);
        opening_free(s->opening);
        free(s->endpoint);
        free(s);
        return NULL;
}
DEFINE_CLEANUP(Websocket *, websocket_free);

static int websocket_new(const WireParameters *p, Websocket **ret) {
        _cleanup_(websocket_freep) Websocket *s = calloc(1, sizeof(Websocket));
        int r;

        if (!s)
                return -ENOMEM;
        s->endpoint = host_port_text(p->host, p->port);
        s->opening = calloc(1, sizeof(WebsocketOpening));
        if (!s->endpoint || !s->opening)
                return -ENOMEM;
        r = websocket_opening_begin(s->opening, p->host, p->port, p->websocket_path);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(s);
        return 0;
}

int wire_new(Tls *tls, const WireParameters *p, Wire **ret) {
        _cleanup_(wire_freep) Wire *w = calloc(1, sizeof(Wire));
        int r;

        if (!w) {
                tls_free(tls);
                return -ENOMEM;
        }
        w->tls = tls;
        if (p->websocket_path) {
                r = websocket_new(p, &w->websocket);
                if (r < 0)
                        return r;
        }
        *ret = TAKE_PTR(w);
        return 0;
}

/* --- frames that go */

static TlsStatus flush(Wire *w, Failure **ret_failure) {
        Websocket *s = w->websocket;
        TlsStatus status;

        if (!s->out)
                return TLS_DONE;
        status = tls_write(w->tls, s->out, s->out_size, ret_failure);
        if (status != TLS_DONE)
                return status;
        explicit_bzero(s->out, s->out_size);
        free(s->out);
        s->out = NULL;
        return TLS_DONE;
}

/* None is under way. False: no memory, no random numbers. */
static bool begin_frame(Websocket *s, WebsocketOpcode opcode, const void *data, size_t size) {
        uint8_t mask[WEBSOCKET_MASK_SIZE];

        /* 5.3: one that nobody can foresee, fresh for each frame. */
        if (getrandom(mask, sizeof(mask), 0) != (ssize_t) sizeof(mask))
                return false;
        s->out = malloc(WEBSOCKET_HEADER_MAX + size);
        if (!s->out)
                return false;
        s->out_size = websocket_frame_make(opcode, mask, data, size, s->out);
        s->out_is_callers = opcode == WEBSOCKET_BINARY;
        return true;
}

static TlsStatus write_frame(Wire *w, const void *data, size_t size, Failure **ret_failure) {
        Websocket *s = w->websocket;
        TlsStatus status;
        bool ours;

        ours = s->out && s->out_is_callers;
        status = flush(w, ret_failure);
        if (status != TLS_DONE || ours)
                return status;
        if (!begin_frame(s, WEBSOCKET_BINARY, data, size)) {
                *ret_failure = NULL;
                return TLS_FAILED;
        }
        return flush(w, ret_failure);
}

/* In passing: where a frame is under way this one waits, and goes behind it with a later read. */
static TlsStatus answer_ping(Wire *w, Failure **ret_failure) {
        Websocket *s = w->websocket;

        if (s->out && !s->out_is_callers)
                return flush(w, ret_failure);
        if (!s->reader.pinged || s->out)
                return TLS_DONE;
        s->reader.pinged = false;
        if (!begin_frame(s, WEBSOCKET_PONG, s->reader.pong, s->reader.n_pong)) {
                *ret_failure = NULL;
                return TLS_FAILED;
        }
        return flush(w, ret_failure);
}

/* --- frames that come */

static TlsStatus on_close(Wire *w, Failure **ret_failure) {
        uint16_t code = w->websocket->reader.close_code;

        if (code == 0 || code == WEBSOCKET_CODE_NORMAL || code == WEBSOCKET_CODE_GOING_AWAY)
                return TLS_CLOSED;
        *ret_failure =
                failure_new(ERROR_CONNECTION_LOST, "%s closed the WebSocket with the code %u",
                            w->websocket->endpoint, code);
        return TLS_FAILED;
}

static TlsStatus on_bad_frame(Wire *w, Failure **ret_failure) {
        *ret_failure = failure_new(ERROR_BAD_RESPONSE,
                                   "%s sent something that is no binary WebSocket frame; check "
                                   "Endpoint=, Port= and Transport=",
                                   w->websocket->endpoint);
        return TLS_FAILED;
}

static TlsStatus read_frames(Wire *w, void *buffer, size_t size, size_t *ret_size,
                             Failure **ret_failure) {
        Websocket *s = w->websocket;
        TlsStatus status;
        size_t n;

        for (;;) {
                if (s->reader.closed)
                        return on_close(w, ret_failure);
                if (s->reader.error != 0)
                        return on_bad_frame(w, ret_failure);
                status = tls_read(w->tls, buffer, size, &n, ret_failure);
                if (status != TLS_DONE)
                        return status;
                (void) websocket_reader_feed(&s->reader, buffer, n, ret_size);
                status = answer_ping(w, ret_failure);
                if (status == TLS_FAILED)
                        return status;
                if (*ret_size > 0)
                        return TLS_DONE;
        }
}

/* --- before and behind them */

static TlsStatus read_opening(Wire *w, Failure **ret_failure) {
        Websocket *s = w->websocket;

        for (;;) {
                TlsStatus status;
                uint8_t byte;
                size_t n;
                int r;

                status = tls_read(w->tls, &byte, sizeof(byte), &n, ret_failure);
                if (status == TLS_CLOSED) {
                        *ret_failure = failure_new(ERROR_CONNECTION_LOST,
                                                   "%s closed the connection upon the wish for a "
                                                   "WebSocket; check Endpoint= and Port=",
                                                   s->endpoint);
                        return TLS_FAILED;
                }
                if (status != TLS_DONE)
                        return status;
                r = websocket_opening_feed(s->opening, byte, s->endpoint, ret_failure);
                if (r < 0)
                        return TLS_FAILED;
                if (r > 0) {
                        s->opening = opening_free(s->opening);
                        return TLS_DONE;
                }
        }
}

/* Reads before it asks: a server that is near refuses a certificate and is gone before; the write
 * would fail, and then nobody reads the alert that says why. */
static TlsStatus open_websocket(Wire *w, Failure **ret_failure) {
        Websocket *s = w->websocket;
        TlsStatus status;

        if (!s->asked) {
                status = read_opening(w, ret_failure);
                if (status == TLS_FAILED)
                        return status;
                status = tls_write(w->tls, s->opening->request, strlen(s->opening->request),
                                   ret_failure);
                if (status != TLS_DONE)
                        return status;
                s->asked = true;
        }
        return read_opening(w, ret_failure);
}

static void say_close(Wire *w) {
        static const uint8_t code[] = {WEBSOCKET_CODE_NORMAL >> 8, WEBSOCKET_CODE_NORMAL & 0xff};
        Websocket *s = w->websocket;
        Failure *failure = NULL;

        if (s && !s->opening && !s->out && begin_frame(s, WEBSOCKET_CLOSE, code, sizeof(code)))
                (void) flush(w, &failure);
        failure_free(failure);
}

Wire *wire_free(Wire *w) {
        if (!w)
                return NULL;
        if (w->tls && !w->over)
                say_close(w);
        tls_free(w->tls);
        websocket_free(w->websocket);
        free(w);
        return NULL;
}

/* --- either */

static TlsStatus note(Wire *w, TlsStatus status) {
        if (status == TLS_FAILED || status == TLS_CLOSED)
                w->over = true;
        return status;
}

TlsStatus wire_open(Wire *w, Failure **ret_failure) {
        if (!w->websocket || !w->websocket->opening)
                return TLS_DONE;
        return note(w, open_websocket(w, ret_failure));
}

TlsStatus wire_read(Wire *w, void *buffer, size_t size, size_t *ret_size, Failure **ret_failure) {
        return note(w, w->websocket ? read_frames(w, buffer, size, ret_size, ret_failure)
                                    : tls_read(w->tls, buffer, size, ret_size, ret_failure));
}

TlsStatus wire_write(Wire *w, const void *data, size_t size, Failure **ret_failure) {
        return note(w, w->websocket ? write_frame(w, data, size, ret_failure)
                                    : tls_write(w->tls, data, size, ret_failure));
}
