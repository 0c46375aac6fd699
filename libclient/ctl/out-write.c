/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "libclient/ctl/out-write.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "libclient/ctl/out-swap.h"
#include "protocol/ipc/limits.h"

#define PROBE_SIZE (256 * 1024) /* more than the largest result */
#define SAME_JOB_MAX 1000U      /* results of one job side by side */

const char *const out_names[] = {
        OUT_CERTIFICATE,
        OUT_PRIVATE_KEY,
        OUT_PRIVATE_KEY_URI,
        OUT_TOKEN,
        OUT_SYMMETRIC_KEY,
        OUT_CONFIGURATION,
        NULL,
};

int out_stage(Out *out) {
        _cleanup_close_ int dir = -1, fd = -1;
        int r;

        if (out->staged)
                return 0;
        if (asprintf(&out->staged, ".new-%d", (int) getpid()) < 0) {
                out->staged = NULL;
                return out_fail(out, -ENOMEM, "out of memory");
        }
        out_remove_result(out, out->staged);
        if (mkdirat(out->fd, out->staged, 0755) < 0)
                return out_fail(out, -errno, "%s: cannot be written: %s", out->path,
                                strerror(errno));
        dir = openat(out->fd, out->staged, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (dir >= 0)
                fd = openat(dir, ".probe", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        if (fd < 0)
                return out_fail(out, -errno, "%s: cannot be written: %s", out->path,
                                strerror(errno));
        r = posix_fallocate(fd, 0, PROBE_SIZE);
        (void) unlinkat(dir, ".probe", 0);
        if (r != 0)
                return out_fail(out, -r, "%s: has no room for a result: %s", out->path,
                                strerror(r));
        return out_step(out, OUT_STEP_STAGED);
}

static int write_all(int fd, const char *p, size_t size) {
        while (size > 0) {
                ssize_t n = write(fd, p, size);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return -errno;
                p += n;
                size -= (size_t) n;
        }
        return 0;
}

static int write_file(Out *out, int dir, const OutFile *file) {
        int fd, r;

        fd = openat(dir, file->name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                    file->secret ? 0600 : 0644);
        if (fd < 0)
                return out_fail(out, -errno, "%s/%s: %s", out->path, file->name, strerror(errno));
        r = write_all(fd, file->data, file->size);
        if (r >= 0 && fsync(fd) < 0)
                r = -errno;
        /* Some file systems tell of a full disk only here. */
        if (close(fd) < 0 && r >= 0)
                r = -errno;
        return r < 0 ? out_fail(out, r, "%s/%s: %s", out->path, file->name, strerror(-r)) : 0;
}

/* Gives the staged directory a name of its own: the job's id, with a number where the same job's
 * result was fetched before. */
static int name_result(Out *out, const char *id, char **ret) {
        for (unsigned i = 0; i < SAME_JOB_MAX; i++) {
                _cleanup_free_ char *name = NULL;
                int n;

                n = i == 0 ? asprintf(&name, "%s", id) : asprintf(&name, "%s.%u", id, i);
                if (n < 0) {
                        name = NULL;
                        return out_fail(out, -ENOMEM, "out of memory");
                }
                if (renameat2(out->fd, out->staged, out->fd, name, RENAME_NOREPLACE) >= 0) {
                        free(out->staged);
                        out->staged = NULL;
                        *ret = TAKE_PTR(name);
                        return 0;
                }
                /* EINVAL: a file system without RENAME_NOREPLACE. The lock is ours, and rename()
                 * replaces no directory that has something in it. */
                if (errno == EINVAL && renameat(out->fd, out->staged, out->fd, name) >= 0) {
                        free(out->staged);
                        out->staged = NULL;
                        *ret = TAKE_PTR(name);
                        return 0;
                }
                if (errno != EEXIST && errno != ENOTEMPTY)
                        return out_fail(out, -errno, "%s/%s: %s", out->path, name, strerror(errno));
        }
        return out_fail(out, -EEXIST, "%s: too many results of one job; remove some", out->path);
}

int out_store(Out *out, const char *id, const OutFile *files, size_t n_files) {
        _cleanup_free_ char *name = NULL;
        _cleanup_close_ int dir = -1;
        int r;

        if (!ipc_job_id_is_valid(id))
                return out_fail(out, -EINVAL, "%s: no job id", id);
        r = out_stage(out);
        if (r < 0)
                return r;
        dir = openat(out->fd, out->staged, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (dir < 0)
                return out_fail(out, -errno, "%s: %s", out->path, strerror(errno));
        for (size_t i = 0; i < n_files; i++) {
                r = write_file(out, dir, &files[i]);
                if (r < 0)
                        return r;
        }
        if (fsync(dir) < 0)
                return out_fail(out, -errno, "%s: %s", out->path, strerror(errno));
        if ((r = out_step(out, OUT_STEP_WRITTEN)) < 0 || (r = name_result(out, id, &name)) < 0)
                return r;
        if (fsync(out->fd) < 0)
                return out_fail(out, -errno, "%s: %s", out->path, strerror(errno));
        r = out_step(out, OUT_STEP_WHOLE);
        return r < 0 ? r : out_swap_to(out, name);
}

static int open_current(const Out *out, const char *name) {
        _cleanup_free_ char *path = NULL;

        if (asprintf(&path, "current/%s", name) < 0) {
                path = NULL;
                return -ENOMEM;
        }
        return openat(out->fd, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
}

int out_has(const Out *out, const char *name) {
        _cleanup_close_ int fd = open_current(out, name);

        return fd >= 0;
}

int out_has_content(const Out *out, const char *name, const void *data, size_t size) {
        _cleanup_close_ int fd = open_current(out, name);
        _cleanup_free_ char *buffer = malloc(size + 1);
        size_t done = 0;

        if (fd < 0 || !buffer)
                return 0;
        while (done < size + 1) {
                ssize_t n = read(fd, buffer + done, size + 1 - done);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n <= 0)
                        break;
                done += (size_t) n;
        }
        return done == size && memcmp(buffer, data, size) == 0;
}

int out_read(const Out *out, const char *name, size_t max, char **ret, size_t *ret_size) {
        _cleanup_close_ int fd = open_current(out, name);
        size_t done = 0;
        ssize_t n = 1;
        char *buffer;
        int r = 0;

        if (fd < 0)
                return -errno;
        buffer = malloc(max + 2);
        if (!buffer)
                return -ENOMEM;
        while (n != 0 && done <= max && r == 0) {
                n = read(fd, buffer + done, max + 1 - done);
                if (n > 0)
                        done += (size_t) n;
                else if (n < 0 && errno != EINTR)
                        r = -errno;
        }
        if (r == 0)
                r = done > max ? -EFBIG : done == 0 ? -ENODATA : 0;
        if (r < 0) {
                explicit_bzero(buffer, done);
                free(buffer);
                return r;
        }
        buffer[done] = '\0';
        *ret = buffer;
        *ret_size = done;
        return 0;
}
