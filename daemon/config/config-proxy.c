/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Proxy= and ProxyCredentials=. No message repeats the value of Proxy=, in which a password may
 * stand; and where one does, the file is a secret one, with the rule of secret-path.h. */

#include "daemon/config/config-setting.h"

#include <errno.h>

#include "daemon/config/config-value.h"
#include "daemon/config/secret-path.h"

#define SCHEME_END "://"
#define PORT_HTTP ((uint16_t) 80)
#define PORT_SOCKS5 ((uint16_t) 1080) /* IANA's "socks" */
#define FORM "write http://host:port or socks5://host:port"

static int hex_value(char c) {
        if (c >= '0' && c <= '9')
                return c - '0';
        if (c >= 'a' && c <= 'f')
                return c - 'a' + 10;
        return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* "%40" is '@' (RFC 3986, 2.1). -EINVAL: no two digits stand behind a '%'. */
static int decode(const char *text, size_t size, Secret **ret) {
        _cleanup_secret_ Secret *s = secret_new(text, size);
        size_t n = 0;

        if (!s)
                return -ENOMEM;
        for (size_t i = 0; i < size; i++, n++) {
                int high, low;

                s->data[n] = s->data[i];
                if (text[i] != '%')
                        continue;
                high = i + 2 < size ? hex_value(text[i + 1]) : -1;
                low = i + 2 < size ? hex_value(text[i + 2]) : -1;
                if (high < 0 || low < 0)
                        return -EINVAL;
                s->data[n] = (uint8_t) (high << 4 | low);
                i += 2;
        }
        *ret = secret_new(s->data, n);
        return *ret ? 0 : -ENOMEM;
}

/* In a user's name, where it would be taken for the one that ends it. */
static bool has_encoded_colon(const char *text, size_t size) {
        const char *colon = memchr(text, ':', size);

        for (size_t n = colon ? (size_t) (colon - text) : size; n >= 3; n--, text++)
                if (strncasecmp(text, "%3a", 3) == 0)
                        return true;
        return false;
}

/* user:password@, each of them encoded: a ':' that is not encoded is the one between the two. */
static int take_credentials(ProfileLoader *l, const ConfigEntry *e, const char *text, size_t size,
                            Proxy *proxy) {
        _cleanup_free_ char *reason = NULL;
        const char *why = NULL;
        int r;

        r = decode(text, size, &proxy->credentials);
        if (r == -ENOMEM)
                return r;
        if (r < 0)
                why = "a '%' in them must be written %25, and any other byte may be %XX";
        else if (has_encoded_colon(text, size))
                why = "a user's name can have no ':'";
        else
                why = proxy_credentials_check(proxy->credentials->data, proxy->credentials->size);
        if (why)
                return config_refuse(l->ret_why, e,
                                     "the user and password before '@': %s; better name a file "
                                     "with ProxyCredentials=",
                                     why);
        r = secret_path_check(e->place.file, "a password stands in this key, so the file", &reason);
        if (r == -EPERM)
                return config_refuse(l->ret_why, e,
                                     "%s (0600); or name another file with ProxyCredentials=",
                                     reason ? reason : "out of memory");
        return r;
}

/* host, host:port, [address] or [address]:port */
static int take_address(ProfileLoader *l, const ConfigEntry *e, const char *text, size_t size,
                        Proxy *proxy) {
        _cleanup_free_ char *host = strndup(text, size);
        char *end, *port;

        if (!host)
                return -ENOMEM;
        if (host[0] == '[') {
                end = strchr(host, ']');
                if (!end || (end[1] != '\0' && end[1] != ':'))
                        return config_refuse(l->ret_why, e,
                                             "the address of the proxy has no ']'; " FORM);
                port = end[1] == ':' ? end + 2 : NULL;
                *end = '\0';
                memmove(host, host + 1, strlen(host));
        } else {
                end = strchr(host, ':');
                port = end ? end + 1 : NULL;
                if (end)
                        *end = '\0';
        }
        proxy->port = proxy->kind == PROXY_HTTP ? PORT_HTTP : PORT_SOCKS5;
        if (!config_host_is_valid(host))
                return config_refuse(l->ret_why, e, "'%s' is no host of a proxy; " FORM, host);
        if (port && config_parse_port(port, &proxy->port) < 0)
                return config_refuse(l->ret_why, e,
                                     "the port of the proxy is no number from 1 to 65535");
        proxy->host = TAKE_PTR(host);
        return 0;
}

static int take_scheme(ProfileLoader *l, const ConfigEntry *e, Proxy *proxy) {
        _cleanup_free_ char *scheme = NULL;
        const char *end = strstr(e->value, SCHEME_END);

        if (!end)
                return config_refuse(l->ret_why, e, "no address of a proxy; " FORM);
        scheme = strndup(e->value, (size_t) (end - e->value));
        if (!scheme)
                return -ENOMEM;
        proxy->kind = proxy_kind_from_string(scheme);
        if (proxy->kind == PROXY_KIND_INVALID)
                return config_refuse(l->ret_why, e, "no kind of proxy; %s",
                                     streq(scheme, "socks5h") ? "write socks5: the proxy always "
                                                                "resolves the name"
                                                              : FORM);
        return 0;
}

int setting_proxy(ProfileLoader *l, const ConfigEntry *e) {
        Proxy *proxy = &l->profile->proxy;
        const char *rest, *at;
        size_t size;
        int r;

        r = take_scheme(l, e, proxy);
        if (r < 0)
                return r;
        rest = strstr(e->value, SCHEME_END) + strlen(SCHEME_END);
        size = strlen(rest);
        if (size > 0 && rest[size - 1] == '/')
                size--;
        at = memrchr(rest, '@', size);
        if (at) {
                r = take_credentials(l, e, rest, (size_t) (at - rest), proxy);
                if (r < 0)
                        return r;
                size -= (size_t) (at + 1 - rest);
                rest = at + 1;
        }
        return take_address(l, e, rest, size, proxy);
}

int setting_proxy_credentials(ProfileLoader *l, const ConfigEntry *e) {
        return setting_set_path(l, e, &l->profile->proxy.credentials_file);
}

int setting_complete_proxy(ProfileLoader *l, const ConfigTree *t, const ConfigSection *section) {
        const Proxy *proxy = &l->profile->proxy;
        const ConfigEntry *e = config_tree_find(t, section->name, "ProxyCredentials");

        if (!proxy->credentials_file)
                return 0;
        if (!proxy->host)
                return config_refuse(l->ret_why, e, "there is no Proxy= that they are for");
        if (proxy->credentials)
                return config_refuse(l->ret_why, e,
                                     "does not go with a user and password in Proxy=; take one of "
                                     "them out");
        return 0;
}
