/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/front/socket-peer.h"

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>

#define OVERFLOW_UID_DEFAULT ((uid_t) 65534) /* include/linux/highuid.h */

bool socket_peer_is_privileged(uid_t uid) {
        return uid == 0 || uid == geteuid();
}

uid_t socket_peer_overflow_uid(void) {
        FILE *f = fopen("/proc/sys/kernel/overflowuid", "re");
        unsigned uid;

        if (!f)
                return OVERFLOW_UID_DEFAULT;
        if (fscanf(f, "%u", &uid) != 1)
                uid = OVERFLOW_UID_DEFAULT;
        (void) fclose(f);
        return uid;
}

/* `first` and what SO_PEERGROUPS says. The kernel answers ERANGE with the size that it takes. */
static int read_groups(int fd, gid_t first, gid_t **ret, size_t *ret_n) {
        _cleanup_free_ gid_t *gids = NULL;
        socklen_t size = 0;

        if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, NULL, &size) < 0 && errno != ERANGE)
                return -errno;
        gids = malloc(sizeof(gid_t) + size);
        if (!gids)
                return -ENOMEM;
        gids[0] = first;
        if (size > 0 && getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, gids + 1, &size) < 0)
                return -errno;
        *ret_n = 1 + size / sizeof(gid_t);
        *ret = TAKE_PTR(gids);
        return 0;
}

int socket_peer_read(int fd, const char *door, uid_t nobody, Peer **ret) {
        _cleanup_free_ gid_t *gids = NULL;
        struct ucred cred;
        socklen_t size = sizeof(cred);
        size_t n_gids = 0;
        int r;

        if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &size) < 0)
                return -errno;
        if (cred.uid == (uid_t) -1 || cred.uid == nobody)
                return -EACCES;
        r = read_groups(fd, cred.gid, &gids, &n_gids);
        if (r < 0)
                return r;
        *ret = peer_new(door, cred.uid, gids, n_gids,
                        streq(door, DOOR_MAIN) && socket_peer_is_privileged(cred.uid));
        return *ret ? 0 : -ENOMEM;
}
