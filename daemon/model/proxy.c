/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/model/proxy.h"

#include <stdio.h>

#include "daemon/model/host-port.h"

static const char *const proxy_kind_table[PROXY_KIND_MAX] = {
        [PROXY_HTTP] = "http",
        [PROXY_SOCKS5] = "socks5",
};
DEFINE_STRING_TABLE(proxy_kind, ProxyKind, PROXY_KIND_INVALID);

void proxy_done(Proxy *p) {
        free(p->host);
        secret_free(p->credentials);
        free(p->credentials_file);
        *p = (Proxy){};
}

int proxy_copy(const Proxy *from, Proxy *to) {
        Proxy copy = {.kind = from->kind, .port = from->port};

        copy.credentials = secret_copy(from->credentials);
        if ((from->credentials && !copy.credentials) ||
            free_and_strdup(&copy.host, from->host) < 0 ||
            free_and_strdup(&copy.credentials_file, from->credentials_file) < 0) {
                proxy_done(&copy);
                return -ENOMEM;
        }
        proxy_done(to);
        *to = copy;
        return 0;
}

bool proxy_equal(const Proxy *a, const Proxy *b) {
        bool same_credentials = a->credentials && b->credentials
                                        ? secret_equal(a->credentials, b->credentials)
                                        : a->credentials == b->credentials;

        return streq_ptr(a->host, b->host) && a->kind == b->kind && a->port == b->port &&
               same_credentials && streq_ptr(a->credentials_file, b->credentials_file);
}

char *proxy_text(const Proxy *p) {
        _cleanup_free_ char *at = host_port_text(p->host, p->port);
        char *text;

        if (!at || asprintf(&text, "%s://%s", proxy_kind_to_string(p->kind), at) < 0)
                return NULL;
        return text;
}

/* --- credentials */

const char *proxy_credentials_check(const uint8_t *text, size_t size) {
        const uint8_t *colon = memchr(text, ':', size);
        size_t user = colon ? (size_t) (colon - text) : 0;

        if (!colon || user == 0 || user + 1 == size)
                return "they must be one line of the form user:password";
        for (size_t i = 0; i < size; i++)
                if (text[i] < 0x20 || text[i] == 0x7f)
                        return "they must be one line, without control characters";
        if (user > PROXY_USER_MAX || size - user - 1 > PROXY_PASSWORD_MAX)
                return "a user's name and a password have 255 bytes at most";
        return NULL;
}

int proxy_credentials_read(const Secret *file, Secret **ret, const char **ret_why) {
        size_t size = file->size;
        const char *why;

        if (size > 0 && file->data[size - 1] == '\n')
                size--;
        if (size > 0 && file->data[size - 1] == '\r')
                size--;
        why = proxy_credentials_check(file->data, size);
        if (why) {
                *ret_why = why;
                return -EINVAL;
        }
        *ret = secret_new(file->data, size);
        return *ret ? 0 : -ENOMEM;
}

size_t proxy_credentials_user_size(const Secret *credentials) {
        return strcspn(secret_text(credentials), ":");
}
