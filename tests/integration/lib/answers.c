/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/integration/lib/answers.h"

#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

bool socket_answers(const char *path) {
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        bool yes;

        strncpy(address.sun_path, path, sizeof(address.sun_path) - 1);
        yes = fd >= 0 && connect(fd, (struct sockaddr *) &address, sizeof(address)) == 0;
        if (fd >= 0)
                (void) close(fd);
        return yes;
}
