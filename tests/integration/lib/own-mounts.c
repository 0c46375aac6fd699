/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/integration/lib/own-mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>

#include "daemon/base/macro.h"

static int make_private(void) {
        return mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) < 0 ? -errno : 0;
}

/* Outside of the chroot for so long. Our own root is opened here, not earlier: it is the one that
 * lies in the new namespace. */
static int make_private_from_outside(void) {
        _cleanup_close_ int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
        _cleanup_close_ int here = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
        _cleanup_close_ int space = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
        int r;

        if (root < 0 || here < 0 || space < 0 || setns(space, CLONE_NEWNS) < 0)
                return -errno;
        r = make_private();
        if (fchdir(root) < 0 || chroot(".") < 0 || fchdir(here) < 0)
                return -errno;
        return r;
}

int own_mounts(int more_flags) {
        int r;

        if (unshare(CLONE_NEWNS | more_flags) < 0)
                return -errno;
        r = make_private();
        return r == -EINVAL ? make_private_from_outside() : r;
}
