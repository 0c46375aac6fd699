/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* All that is said between a proxy and us until it has opened the way to a server, for either kind
 * of proxy. PURE: bytes in, bytes out, and a failure in words at the end. The credentials are in no
 * message. */

#include "daemon/model/failure.h"
#include "daemon/model/proxy.h"

typedef struct ProxyTalk ProxyTalk;

typedef enum ProxyTalkStatus {
        PROXY_TALK_GOES_ON,
        PROXY_TALK_OPEN, /* what comes from now on is the server's */
        PROXY_TALK_OVER, /* *ret_failure says why */
} ProxyTalkStatus;

/* Nothing of the parameters is referred to later. -EINVAL: no such host can be asked for. */
int proxy_talk_new(const Proxy *proxy, const Secret *credentials, const char *host, uint16_t port,
                   ProxyTalk **ret);
ProxyTalk *proxy_talk_free(ProxyTalk *t); /* wipes */
DEFINE_CLEANUP(ProxyTalk *, proxy_talk_free);

/* What has to be sent before more is read; *ret_size 0: nothing. */
const uint8_t *proxy_talk_output(const ProxyTalk *t, size_t *ret_size);
void proxy_talk_sent(ProxyTalk *t, size_t size);

/* How many bytes may be read: those behind them may be the server's. */
#define PROXY_TALK_WANTS_MAX ((size_t) 512)
size_t proxy_talk_wants(const ProxyTalk *t);

/* size: at most what proxy_talk_wants() says. */
ProxyTalkStatus proxy_talk_feed(ProxyTalk *t, const uint8_t *data, size_t size,
                                Failure **ret_failure);

/* It went silent or away in the middle. `how`: "closed the connection". */
Failure *proxy_talk_broken(const ProxyTalk *t, const char *how);
Failure *proxy_talk_timeout(const ProxyTalk *t);
