/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/net/road.h"

Road road_of_profile(const Profile *p, const Secret *trusted, const Secret *proxy_credentials) {
        return (Road){
                .tls = {.host = profile_host(p),
                        .port = p->port,
                        .alpn = p->alpn,
                        .trusted = trusted,
                        .cipher_list = p->cipher_list},
                .websocket_path = p->websocket_path,
                .proxy = &p->proxy,
                .proxy_credentials = proxy_credentials,
        };
}

bool road_makes_sense(const Road *r) {
        const TlsParameters *t = &r->tls;
        const bool keyed = t->private_key || t->token_key;

        return t->host && *t->host && t->port > 0 && t->trusted && !t->certificate == !keyed &&
               (!t->private_key || !t->token_key);
}
