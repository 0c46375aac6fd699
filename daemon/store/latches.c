/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The records of tried PINs (crypto/token-latch.h), as small files of the state directory. The
 * thread of the tokens reads and writes them itself: it cannot go on before they are durable. */

#include "daemon/store/latches.h"

#include <errno.h>
#include <fcntl.h>

static int on_read(void *userdata, const char *name, size_t max, Secret **ret) {
        return disk_read(userdata, name, max, ret);
}

static int on_write(void *userdata, const char *name, const void *data, size_t size) {
        return disk_replace(userdata, name, data, size);
}

static int on_erase(void *userdata, const char *name) {
        int r = disk_erase(userdata, name);

        return r < 0 ? r : disk_sync_directory(userdata);
}

static void on_free(void *userdata) {
        Disk *d = userdata;

        close_fd(d->fd);
        free(d);
}

static const TokenLatchStore latches = {
        .read = on_read, .write = on_write, .erase = on_erase, .free = on_free};

int latches_new(const Disk *directory, const TokenLatchStore **ret, void **ret_userdata) {
        Disk *d = calloc(1, sizeof(*d));

        if (!d)
                return -ENOMEM;
        d->fd = fcntl(directory->fd, F_DUPFD_CLOEXEC, 3);
        if (d->fd < 0) {
                int r = -errno;

                free(d);
                return r;
        }
        *ret = &latches;
        *ret_userdata = d;
        return 0;
}
