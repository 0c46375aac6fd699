/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* A proxy, as Proxy= names it, and who one is there. PURE. */

#include <errno.h>

#include "daemon/base/macro.h"
#include "daemon/base/secret.h"
#include "protocol/ipc/string-table.h"

typedef enum ProxyKind {
        PROXY_HTTP,   /* CONNECT (RFC 9110, 9.3.6) */
        PROXY_SOCKS5, /* RFC 1928 */
        PROXY_KIND_MAX,
        PROXY_KIND_INVALID = -EINVAL,
} ProxyKind;
DECLARE_STRING_TABLE(proxy_kind, ProxyKind); /* "http", "socks5": the scheme of Proxy= */

typedef struct Proxy {
        ProxyKind kind;
        char *host; /* without brackets; NULL: there is no proxy */
        uint16_t port;
        Secret *credentials;    /* those that stand in Proxy= itself; NULL: none do */
        char *credentials_file; /* a path, of ProxyCredentials=; or NULL */
} Proxy;

void proxy_done(Proxy *p);
int proxy_copy(const Proxy *from, Proxy *to); /* in the place of what is there; -ENOMEM */
bool proxy_equal(const Proxy *a, const Proxy *b);

/* "http://proxy:3128", without the credentials; the caller's to free. NULL: no memory. */
char *proxy_text(const Proxy *p);

/* --- credentials: "user:password", bytes without control characters */

/* RFC 1929, 2, counts either in one byte, and wants one at least. */
#define PROXY_USER_MAX ((size_t) 255)
#define PROXY_PASSWORD_MAX ((size_t) 255)
#define PROXY_CREDENTIALS_MAX (PROXY_USER_MAX + 1 + PROXY_PASSWORD_MAX)

/* NULL: they are well. Else what is wrong with them, of static storage, without a byte of them. */
const char *proxy_credentials_check(const uint8_t *text, size_t size);

/* Of a file: a line's end behind them is none of them. -EINVAL with *ret_why as above; -ENOMEM. */
int proxy_credentials_read(const Secret *file, Secret **ret, const char **ret_why);

/* How long the user's name is; the password stands behind the ':' that follows. */
size_t proxy_credentials_user_size(const Secret *credentials);
