/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/front/listener.h"

#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <systemd/sd-daemon.h>

#include "daemon/base/log.h"
#include "daemon/model/door.h"
#include "daemon/model/peer.h"

#define OWN_UNIT "fleetprovd.socket" /* systemd/fleetprovd.socket */
#define BACKLOG SOMAXCONN /* a client that does not wait is told EAGAIN when it is full */

static void free_names(char **names) {
        for (size_t i = 0; names && names[i]; i++)
                free(names[i]);
        free(names);
}

/* systemd gives the unit's name where FileDescriptorName= is not set, and "unknown" where the
 * passer said no names at all. NULL: it can be no door. */
static const char *door_of_name(const char *name) {
        if (*name == '\0' || streq(name, DOOR_MAIN) || streq(name, "unknown") ||
            streq(name, OWN_UNIT))
                return DOOR_MAIN;
        return door_name_is_valid(name) ? name : NULL;
}

/* -ENOMEM; 0: it is of no use. */
static int take_one(int fd, const char *name, Listener *ret) {
        const char *door = door_of_name(name);

        if (!door) {
                log_warning("Socket '%s' is not used: no door can have this name; set "
                            "FileDescriptorName= in its unit to " DOOR_MAIN
                            ", or to the NAME of a [Socket NAME] section",
                            name);
                return 0;
        }
        if (sd_is_socket_unix(fd, SOCK_STREAM, 1, NULL, 0) <= 0) {
                log_warning("Socket '%s' is not used: it is no listening Unix stream socket", name);
                return 0;
        }
        *ret = (Listener){.fd = fd};
        return free_and_strdup(&ret->door, door) < 0 ? -ENOMEM : 1;
}

int listener_take_passed(Listener listeners[static LISTENERS_MAX], size_t *ret_n) {
        char **names = NULL;
        size_t used = 0;
        int n, r = 0;

        n = sd_listen_fds_with_names(1, &names);
        if (n < 0)
                return log_error_errno(n, "Cannot take the sockets that were passed");
        for (int i = 0; i < n; i++) {
                int fd = SD_LISTEN_FDS_START + i;

                if (r >= 0 && used == LISTENERS_MAX)
                        log_warning("Socket '%s' is not used: at most %zu are", names[i],
                                    LISTENERS_MAX);
                else if (r >= 0) {
                        r = take_one(fd, names[i], &listeners[used]);
                        if (r > 0) {
                                used++;
                                continue;
                        }
                }
                close(fd);
        }
        free_names(names);
        if (r < 0) {
                while (used > 0)
                        listener_done(&listeners[--used]);
                return log_error_errno(r, "Cannot take the sockets that were passed");
        }
        *ret_n = used;
        return 0;
}

/* Whether somebody accepts connections there. */
static int is_answered(const struct sockaddr_un *address) {
        _cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

        if (fd < 0)
                return -errno;
        if (connect(fd, (const struct sockaddr *) address, sizeof(*address)) >= 0)
                return 1;
        /* EAGAIN: its queue is full. */
        if (errno == EAGAIN)
                return 1;
        return errno == ECONNREFUSED ? 0 : -errno;
}

static int remove_stale(const struct sockaddr_un *address) {
        struct stat st;
        int r;

        if (lstat(address->sun_path, &st) < 0)
                return errno == ENOENT ? 0 : -errno;
        if (!S_ISSOCK(st.st_mode))
                return -EEXIST;
        r = is_answered(address);
        if (r < 0)
                return r;
        if (r > 0)
                return -EADDRINUSE;
        return unlink(address->sun_path) < 0 && errno != ENOENT ? -errno : 0;
}

/* Group and mode. The file is made with the socket's mode less the umask, so it starts narrow:
 * nobody gets in between. */
static int open_to_group(const char *path) {
        const struct group *g;

        errno = 0;
        g = getgrnam(LISTENER_GROUP);
        if (g && lchown(path, (uid_t) -1, g->gr_gid) < 0)
                return -errno;
        if (!g)
                log_debug("There is no group %s: the socket keeps the daemon's own",
                          LISTENER_GROUP);
        return chmod(path, LISTENER_MODE) < 0 ? -errno : 0;
}

/* Where the socket stands until it is ready: beside its place, under a name of the same length,
 * since any path that fits is allowed. */
static void unready_name(const struct sockaddr_un *address, struct sockaddr_un *ret) {
        char *last;

        *ret = *address;
        last = ret->sun_path + strlen(ret->sun_path) - 1;
        *last = *last == '~' ? '#' : '~';
}

static int bind_at(const struct sockaddr_un *address, Listener *l) {
        struct stat st;
        int r;

        /* Of a daemon that died in between. */
        if (unlink(address->sun_path) < 0 && errno != ENOENT)
                return -errno;
        if (fchmod(l->fd, 0600) < 0)
                return -errno;
        if (bind(l->fd, (const struct sockaddr *) address, sizeof(*address)) < 0)
                return -errno;
        r = free_and_strdup(&l->path, address->sun_path);
        if (r < 0)
                return r;
        if (lstat(l->path, &st) < 0)
                return -errno;
        l->device = st.st_dev;
        l->inode = st.st_ino;
        r = open_to_group(l->path);
        if (r < 0)
                return r;
        return listen(l->fd, BACKLOG) < 0 ? -errno : 0;
}

/* It gets its name last: whoever waits for the file to appear connects to it next, and must be
 * neither refused nor kept out. */
static int publish(const struct sockaddr_un *address, Listener *l) {
        if (rename(l->path, address->sun_path) < 0)
                return -errno;
        return free_and_strdup(&l->path, address->sun_path);
}

int listener_make(const char *path, Listener *ret) {
        struct sockaddr_un address = {.sun_family = AF_UNIX}, unready;
        Listener l = {.fd = -1};
        int r;

        if (*path == '\0' || path[strlen(path) - 1] == '/')
                return -EINVAL;
        if (strlen(path) >= sizeof(address.sun_path))
                return -ENAMETOOLONG;
        memcpy(address.sun_path, path, strlen(path) + 1);
        r = remove_stale(&address);
        if (r < 0)
                return r;
        unready_name(&address, &unready);
        l.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (l.fd < 0)
                return -errno;
        r = free_and_strdup(&l.door, DOOR_MAIN);
        if (r >= 0)
                r = bind_at(&unready, &l);
        if (r >= 0)
                r = publish(&address, &l);
        if (r < 0) {
                listener_done(&l);
                return r;
        }
        *ret = l;
        return 0;
}

void listener_done(Listener *l) {
        struct stat st;

        if (l->path && lstat(l->path, &st) >= 0 && st.st_dev == l->device && st.st_ino == l->inode)
                (void) unlink(l->path);
        free(l->path);
        free(l->door);
        close_fd(l->fd);
        *l = (Listener){.fd = -1};
}
