/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/net/own-socket.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

typedef int (*NameFunction)(int fd, struct sockaddr *address, socklen_t *size);

static bool address_is(int fd, NameFunction name, const struct sockaddr_in *expected) {
        struct sockaddr_storage address = {};
        socklen_t size = sizeof(address);
        const struct sockaddr_in *in = (const struct sockaddr_in *) &address;

        return name(fd, (struct sockaddr *) &address, &size) == 0 && in->sin_family == AF_INET &&
               in->sin_port == expected->sin_port &&
               in->sin_addr.s_addr == expected->sin_addr.s_addr;
}

static int get_socket_name(int fd, struct sockaddr *address, socklen_t *size) {
        return getsockname(fd, address, size);
}

static int get_peer_name(int fd, struct sockaddr *address, socklen_t *size) {
        return getpeername(fd, address, size);
}

bool own_socket_exists(const struct sockaddr_in *peer, const struct sockaddr_in *local) {
        const struct dirent *entry;
        bool found = false;
        DIR *dir;

        /* The library does not say which descriptor is its. */
        dir = opendir("/proc/self/fd");
        if (!dir)
                return false;
        while (!found && (entry = readdir(dir))) {
                char *end;
                long fd = strtol(entry->d_name, &end, 10);

                if (*end != '\0' || fd < 0 || fd > INT32_MAX)
                        continue;
                found = address_is((int) fd, get_socket_name, peer) &&
                        address_is((int) fd, get_peer_name, local);
        }
        closedir(dir);
        return found;
}
