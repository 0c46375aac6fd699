/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/store/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "daemon/base/log.h"

#define OVERWRITE_CHUNK ((size_t) 4096)
#define OPEN_TO_ERASE (O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)
#define SYNC_ALL (SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER)

static int before(const Disk *d, DiskStep step, const char *name) {
        return d->hook ? d->hook(step, name, d->hook_userdata) : 0;
}

int disk_open(const Disk *d, const char *name, int flags) {
        _cleanup_close_ int fd = -1;
        struct stat st;

        /* O_NONBLOCK: a fifo in the place of a file must not hold the daemon. */
        fd = openat(d->fd, name, flags | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
        if (fd < 0)
                return errno == ELOOP || errno == EISDIR || errno == ENXIO ? -EBADMSG : -errno;
        if (fstat(fd, &st) < 0)
                return -errno;
        if (!S_ISREG(st.st_mode))
                return -EBADMSG;
        return TAKE_FD(fd);
}

bool disk_exists(const Disk *d, const char *name) {
        struct stat st;

        return fstatat(d->fd, name, &st, AT_SYMLINK_NOFOLLOW) >= 0 || errno != ENOENT;
}

int disk_write(const Disk *d, int fd, const char *name, const void *data, size_t size) {
        const uint8_t *bytes = data;
        int r;

        r = before(d, DISK_WRITE, name);
        if (r < 0)
                return r;
        while (size > 0) {
                ssize_t n = write(fd, bytes, size);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return -errno;
                if (n == 0)
                        return -EIO;
                bytes += n;
                size -= (size_t) n;
        }
        return 0;
}

/* From the first byte to the last, in place. */
static int overwrite(int fd) {
        static const uint8_t zeros[OVERWRITE_CHUNK];
        struct stat st;

        if (fstat(fd, &st) < 0)
                return -errno;
        for (off_t at = 0; at < st.st_size;) {
                size_t left = (size_t) (st.st_size - at);
                ssize_t n = pwrite(fd, zeros, left < sizeof(zeros) ? left : sizeof(zeros), at);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return -errno;
                if (n == 0)
                        return -EIO;
                at += n;
        }
        return 0;
}

/* The same, and the device has it. */
static int blank(int fd) {
        int r = overwrite(fd);

        return r < 0 ? r : sync_file_range(fd, 0, 0, SYNC_ALL) < 0 ? -errno : 0;
}

/* What is in the way of a new file, or half of one: it may hold sealed bytes. */
static int clear(const Disk *d, const char *name) {
        _cleanup_close_ int fd = openat(d->fd, name, OPEN_TO_ERASE);

        if (fd < 0 && errno == ENOENT)
                return 0;
        if (fd >= 0)
                (void) blank(fd);
        return unlinkat(d->fd, name, 0) < 0 && errno != ENOENT ? -errno : 0;
}

int disk_create(const Disk *d, const char *name, const void *data, size_t size) {
        _cleanup_close_ int fd = -1;
        int r;

        r = clear(d, name);
        if (r < 0)
                return r;
        fd = openat(d->fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                    DISK_FILE_MODE);
        if (fd < 0)
                return -errno;
        r = disk_write(d, fd, name, data, size);
        if (r < 0) {
                (void) clear(d, name);
                return r;
        }
        return TAKE_FD(fd);
}

static int write_over(const Disk *d, int fd, const char *name, const void *data, size_t size) {
        struct stat st;
        int r = 0;

        if (fstat(fd, &st) < 0)
                return -errno;
        if (st.st_size > (off_t) size)
                r = disk_truncate(d, fd, name, (off_t) size);
        return r < 0 ? r : disk_write(d, fd, name, data, size);
}

int disk_fill(const Disk *d, const char *name, const void *data, size_t size) {
        _cleanup_close_ int fd = disk_open(d, name, O_WRONLY);
        int r;

        if (fd < 0)
                return fd;
        r = write_over(d, fd, name, data, size);
        if (r < 0) {
                (void) clear(d, name);
                return r;
        }
        return TAKE_FD(fd);
}

int disk_truncate(const Disk *d, int fd, const char *name, off_t size) {
        int r;

        r = before(d, DISK_TRUNCATE, name);
        if (r < 0)
                return r;
        return ftruncate(fd, size) < 0 ? -errno : 0;
}

int disk_sync_file(const Disk *d, int fd, const char *name, bool data_only) {
        int r;

        r = before(d, DISK_SYNC_FILE, name);
        if (r < 0)
                return r;
        return (data_only ? fdatasync(fd) : fsync(fd)) < 0 ? -errno : 0;
}

void disk_start_sync(int fd) {
        (void) sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE);
}

int disk_close(int *fd) {
        /* On Linux the descriptor is gone even when close() was interrupted. */
        return close(TAKE_FD(*fd)) < 0 && errno != EINTR ? -errno : 0;
}

int disk_rename(const Disk *d, const char *from, const char *to) {
        int r;

        r = before(d, DISK_RENAME, to);
        if (r < 0)
                return r;
        return renameat(d->fd, from, d->fd, to) < 0 ? -errno : 0;
}

int disk_rename_keeping(const Disk *d, const char *from, const char *to) {
        int r;

        r = before(d, DISK_RENAME, to);
        if (r < 0)
                return r;
        if (renameat2(d->fd, from, d->fd, to, RENAME_NOREPLACE) >= 0)
                return 0;
        if (errno == EEXIST && renameat2(d->fd, from, d->fd, to, RENAME_EXCHANGE) >= 0)
                return 1;
        if (errno != EINVAL && errno != ENOSYS)
                return -errno;
        return renameat(d->fd, from, d->fd, to) < 0 ? -errno : 0;
}

int disk_unlink(const Disk *d, const char *name) {
        int r;

        r = before(d, DISK_UNLINK, name);
        if (r < 0)
                return r;
        return unlinkat(d->fd, name, 0) < 0 ? -errno : 0;
}

int disk_begin_erase(const Disk *d, const char *name, int *ret_fd) {
        _cleanup_close_ int fd = openat(d->fd, name, OPEN_TO_ERASE);
        int r;

        if (fd < 0 && errno == ENOENT)
                return -ENOENT;
        r = fd < 0 ? -errno : 0;
        if (r >= 0) {
                r = before(d, DISK_OVERWRITE, name);
                if (r < 0)
                        return r;
                r = overwrite(fd);
        }
        if (r < 0)
                log_warning_errno(r, "%s cannot be overwritten, only unlinked", name);
        else
                disk_start_sync(fd);
        *ret_fd = TAKE_FD(fd);
        return 0;
}

int disk_end_erase(const Disk *d, const char *name, int *fd) {
        _cleanup_close_ int mine = TAKE_FD(*fd);

        /* Unlinked before they are written, the zeros would never be. */
        if (mine >= 0 && sync_file_range(mine, 0, 0, SYNC_ALL) < 0)
                log_warning_errno(-errno, "%s may not have been overwritten, only unlinked", name);
        return disk_unlink(d, name);
}

int disk_erase(const Disk *d, const char *name) {
        int fd, r;

        r = disk_begin_erase(d, name, &fd);
        return r < 0 ? r : disk_end_erase(d, name, &fd);
}

int disk_blank(const Disk *d, const char *name) {
        _cleanup_close_ int fd = openat(d->fd, name, OPEN_TO_ERASE);
        int r;

        if (fd < 0)
                return -errno;
        r = before(d, DISK_OVERWRITE, name);
        return r < 0 ? r : blank(fd);
}

int disk_sync_all(const Disk *d) {
        return syncfs(d->fd) < 0 ? -errno : 0;
}

int disk_sync_directory(const Disk *d) {
        int r;

        r = before(d, DISK_SYNC_DIRECTORY, ".");
        if (r < 0)
                return r;
        return fsync(d->fd) < 0 ? -errno : 0;
}

int disk_replace(const Disk *d, const char *name, const void *data, size_t size) {
        _cleanup_free_ char *temporary = NULL;
        _cleanup_close_ int fd = -1;
        int r;

        if (asprintf(&temporary, "%s" DISK_TEMPORARY_SUFFIX, name) < 0) {
                temporary = NULL;
                return -ENOMEM;
        }
        fd = disk_create(d, temporary, data, size);
        if (fd < 0)
                return fd;
        r = disk_sync_file(d, fd, temporary, false);
        if (r >= 0)
                r = disk_close(&fd);
        if (r >= 0)
                r = disk_rename(d, temporary, name);
        if (r < 0) {
                (void) unlinkat(d->fd, temporary, 0);
                return r;
        }
        return disk_sync_directory(d);
}

int disk_read(const Disk *d, const char *name, size_t max, Secret **ret) {
        _cleanup_secret_ Secret *s = NULL;
        _cleanup_close_ int fd = -1;
        size_t done = 0;
        struct stat st;

        fd = disk_open(d, name, O_RDONLY);
        if (fd < 0)
                return fd;
        if (fstat(fd, &st) < 0)
                return -errno;
        if (st.st_size < 0 || (uint64_t) st.st_size > max)
                return -EFBIG;
        s = secret_new(NULL, (size_t) st.st_size);
        if (!s)
                return -ENOMEM;
        while (done < s->size) {
                ssize_t n = pread(fd, s->data + done, s->size - done, (off_t) done);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return -errno;
                if (n == 0)
                        return -EIO; /* shorter than its size said: nobody else may write here */
                done += (size_t) n;
        }
        *ret = TAKE_PTR(s);
        return 0;
}
