/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The one HTTP request of the loopback leg: CONNECT, with the secret of this bridge in its
 * Proxy-Authorization (RFC 9110, 9.3.6 and 11.7.2; RFC 7617). PURE. */

#include "daemon/base/secret.h"

#define PROXY_REQUEST_MAX ((size_t) 2048)

typedef enum ProxyRequest {
        PROXY_REQUEST_INCOMPLETE, /* so far so good */
        PROXY_REQUEST_RIGHT,
        PROXY_REQUEST_WRONG, /* no CONNECT, without the secret, or too long */
} ProxyRequest;

/* `credentials`: what must stand behind "Basic ", in base64. Compared in constant time. *ret_size
 * (filled when RIGHT): of the request; what stands behind it is MQTT already. */
ProxyRequest proxy_request_check(const uint8_t *data, size_t size, const Secret *credentials,
                                 size_t *ret_size);
