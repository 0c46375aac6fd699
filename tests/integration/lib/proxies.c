/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/integration/lib/proxies.h"

#include <arpa/inet.h>
#include <check.h>
#include <netdb.h>
#include <stdio.h>
#include <sys/socket.h>

#include "tests/integration/lib/process.h"

uint16_t proxy_free_port(void) {
        struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        _cleanup_close_ int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        socklen_t size = sizeof(at);

        ck_assert_int_eq(bind(fd, (struct sockaddr *) &at, size), 0);
        ck_assert_int_eq(getsockname(fd, (struct sockaddr *) &at, &size), 0);
        return ntohs(at.sin_port);
}

const char *proxy_log(Place *p, uint16_t port) {
        return place_text(p, "%s/proxy-%u.log", p->dir, port);
}

static bool listens(const char *address, const char *port) {
        const struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV,
                                       .ai_socktype = SOCK_STREAM};
        _cleanup_close_ int fd = -1;
        struct addrinfo *to;
        bool is;

        ck_assert_int_eq(getaddrinfo(address, port, &hints, &to), 0);
        fd = socket(to->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
        is = connect(fd, to->ai_addr, to->ai_addrlen) == 0;
        freeaddrinfo(to);
        return is;
}

void proxy_start_http(Place *p, const char *address, uint16_t port, const char *user,
                      const char *password) {
        const char *text = place_text(p, "%u", port);
        const char *conf = place_write(
                p, place_text(p, "tinyproxy-%u.conf", port), 0644,
                place_text(p, "Listen %s\nPort %u\nTimeout 600\n%s", address, port,
                           user ? place_text(p, "BasicAuth %s %s\n", user, password) : ""));

        (void) process_start((const char *const[]){"tinyproxy", "-d", "-c", conf, NULL},
                             proxy_log(p, port), NULL);
        WAIT_FOR(listens(address, text));
}

void proxy_start_socks(Place *p, const char *address, uint16_t port, const char *user,
                       const char *password) {
        const char *text = place_text(p, "%u", port);
        const char *const argv[] = {"microsocks",       "-i", address, "-p",     text,
                                    user ? "-u" : NULL, user, "-P",    password, NULL};

        (void) process_start(argv, proxy_log(p, port), NULL);
        WAIT_FOR(listens(address, text));
}
