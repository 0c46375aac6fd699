/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The way to a server, up to where MQTT begins: where it is, who we are there, whom we trust, which
 * proxy is between, and whether a WebSocket is opened. What a session, a probe and an uplink have
 * in common, described once.
 *
 * A Road owns nothing: all that it points at is whoever's who wrote it there. connection_new(),
 * probe_new() and uplink_new() copy what they keep of it (of `token_key` they take a reference), so
 * it need not live longer than the call. Their copies of secrets are wiped when they have been
 * used, or with the uplink; the originals are their owner's to wipe. PURE. */

#include "daemon/model/profile.h"
#include "daemon/net/tls.h"

typedef struct Road {
        TlsParameters tls;               /* `trusted` is never NULL */
        const char *websocket_path;      /* NULL: MQTT over TLS as it is; never empty */
        const Proxy *proxy;              /* NULL, or without a host: none */
        const Secret *proxy_credentials; /* user:password; NULL: none */
} Road;

/* The way that a profile describes. What the profile has only as names of files is the claim's, or
 * the job's: `trusted` and `proxy_credentials` (NULL: none) are given; whoever has a certificate
 * sets it and its key in `tls`. It points into the profile, which must live as long. */
Road road_of_profile(const Profile *p, const Secret *trusted, const Secret *proxy_credentials);

/* Whether there is a server and whom to trust, and of certificate and key both or neither, with one
 * key alone. What the strings hold is looked at where they are used. */
bool road_makes_sense(const Road *r);
