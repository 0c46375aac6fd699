/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Opens DIR as a whole: the way to it (out-dir.c), the lock, what an interrupted run left
 * (out-swap.c), and whose identity it holds. */

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "libclient/ctl/out-swap.h"
#include "libclient/ctl/out-write.h"

#define CONFIGURATION_MAX (1024 * 1024)

int out_fail(Out *out, int r, const char *format, ...) {
        va_list ap;

        free(out->why);
        va_start(ap, format);
        if (vasprintf(&out->why, format, ap) < 0)
                out->why = NULL;
        va_end(ap);
        return r;
}

Out *out_free(Out *out) {
        if (!out)
                return NULL;
        if (out->staged)
                out_remove_result(out, out->staged);
        closep(&out->fd);
        closep(&out->lock_fd);
        free(out->path);
        free(out->staged);
        free(out->id);
        free(out->key);
        free(out->profile);
        free(out->thing);
        free(out->why);
        free(out);
        return NULL;
}

/* A file of its own, which only its owner can open: a lock on DIR itself anybody could take who
 * may read it. */
static int lock(Out *out) {
        struct stat st;

        out->lock_fd = openat(out->fd, ".lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (out->lock_fd < 0)
                return out_fail(out, -errno, "%s: cannot be written: %s", out->path,
                                strerror(errno));
        if (fstat(out->lock_fd, &st) < 0 || (st.st_uid != 0 && st.st_uid != geteuid()))
                return out_fail(out, -EPERM, "%s/.lock: belongs to another user; remove it",
                                out->path);
        if (flock(out->lock_fd, LOCK_EX | LOCK_NB) < 0)
                return errno == EWOULDBLOCK
                               ? out_fail(out, -EBUSY,
                                          "%s: another fleetprovctl is at work there; wait for it",
                                          out->path)
                               : out_fail(out, -errno, "%s/.lock: %s", out->path, strerror(errno));
        return 0;
}

static int copy_member(const json_t *o, const char *name, char **to) {
        const char *s = json_string_value(json_object_get(o, name));

        if (!s)
                return 0;
        *to = strdup(s);
        return *to ? 0 : -ENOMEM;
}

/* What `current` says of itself. A damaged one is still somebody's identity. */
static int read_identity(Out *out) {
        _cleanup_free_ char *current = NULL, *buffer = NULL;
        _cleanup_close_ int fd = -1;
        ssize_t n;
        json_t *o;
        int r;

        r = out_read_link(out, "current", &current);
        if (r < 0 || !current)
                return r;
        out->holds_identity = true;
        fd = openat(out->fd, "current/" OUT_CONFIGURATION, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
        if (fd < 0)
                return 0;
        buffer = malloc(CONFIGURATION_MAX);
        if (!buffer)
                return out_fail(out, -ENOMEM, "out of memory");
        n = read(fd, buffer, CONFIGURATION_MAX);
        o = n > 0 ? json_loadb(buffer, (size_t) n, JSON_REJECT_DUPLICATES, NULL) : NULL;
        if (!o)
                return 0;
        r = copy_member(o, "id", &out->id);
        if (r >= 0)
                r = copy_member(o, "key", &out->key);
        if (r >= 0)
                r = copy_member(o, "profile", &out->profile);
        if (r >= 0)
                r = copy_member(o, "thingName", &out->thing);
        json_decref(o);
        return r < 0 ? out_fail(out, r, "out of memory") : 0;
}

int out_open(const char *path, Out **ret, char **ret_why) {
        _cleanup_(out_freep) Out *out = calloc(1, sizeof(Out));
        int r;

        *ret_why = NULL;
        if (!out)
                return -ENOMEM;
        out->fd = out->lock_fd = -1;
        out->fd = out_dir_open(path, &out->path, ret_why);
        if (out->fd < 0)
                return out->fd;
        if ((r = lock(out)) < 0 || (r = out_finish(out)) < 0 || (r = read_identity(out)) < 0) {
                *ret_why = TAKE_PTR(out->why);
                return r;
        }
        *ret = TAKE_PTR(out);
        return 0;
}
