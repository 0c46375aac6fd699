/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/store/job-file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "daemon/base/log.h"
#include "daemon/store/file-name.h"

#define TAIL_CHUNK ((size_t) 4096)

/* Where this fails, too, a line may stand that nobody was promised; the next one overtakes it. */
static void cut_back(int fd, const char *name, off_t size) {
        if (ftruncate(fd, size) < 0)
                log_warning_errno(-errno, "cannot take a failed write back from %s", name);
}

static void job_file_init(JobFile *f, const char *id) {
        *f = (JobFile){.fd = -1};
        memcpy(f->id, id, sizeof(f->id));
}

int job_file_begin_new(const Disk *d, const char *id, const char *text, size_t size, JobFile *ret) {
        FileName name = file_name_make(id, FILE_KIND_JOB_NEW);
        int fd;

        fd = disk_create(d, name.text, text, size);
        if (fd < 0)
                return fd;
        job_file_init(ret, id);
        ret->fd = fd;
        ret->is_new = true;
        return 0;
}

/* Where the last whole line ends. */
static int find_end(int fd, off_t size, off_t *ret) {
        char chunk[TAIL_CHUNK];

        while (size > 0) {
                size_t n = size < (off_t) sizeof(chunk) ? (size_t) size : sizeof(chunk);
                ssize_t got = pread(fd, chunk, n, size - (off_t) n);
                const char *feed;

                if (got < 0 && errno == EINTR)
                        continue;
                if (got < 0)
                        return -errno;
                if ((size_t) got != n)
                        return -EIO;
                feed = memrchr(chunk, '\n', n);
                if (feed) {
                        *ret = size - (off_t) n + (feed - chunk) + 1;
                        return 0;
                }
                size -= (off_t) n;
        }
        return -EBADMSG; /* not one line: whatever it is, it is no job of ours */
}

int job_file_begin_append(const Disk *d, const char *id, const char *text, size_t size,
                          JobFile *ret) {
        FileName name = file_name_make(id, FILE_KIND_JOB);
        _cleanup_close_ int fd = -1;
        struct stat st;
        off_t end;
        int r;

        fd = disk_open(d, name.text, O_RDWR | O_APPEND);
        if (fd < 0)
                return fd;
        if (fstat(fd, &st) < 0)
                return -errno;
        r = find_end(fd, st.st_size, &end);
        if (r < 0)
                return r;
        if ((size_t) end + size > JOB_FILE_COMPACT_SIZE)
                return -EFBIG;
        if (end != st.st_size) {
                r = disk_truncate(d, fd, name.text, end);
                if (r < 0)
                        return r;
        }
        r = disk_write(d, fd, name.text, text, size);
        if (r < 0) {
                cut_back(fd, name.text, end);
                return r;
        }
        job_file_init(ret, id);
        ret->fd = TAKE_FD(fd);
        ret->size_before = end;
        return 0;
}

int job_file_begin_compact(const Disk *d, const char *id, const char *text, size_t size,
                           const JobClock *clock, JobFile *ret) {
        _cleanup_free_ char *all = NULL, *compact = NULL;
        _cleanup_secret_ Secret *old = NULL;
        size_t n, compact_size;
        const char *feed;
        int r;

        r = job_file_read(d, id, &old);
        if (r < 0)
                return r;
        feed = memrchr(old->data, '\n', old->size);
        n = feed ? (size_t) (feed - secret_text(old)) + 1 : 0;
        all = malloc(n + size);
        if (!all)
                return -ENOMEM;
        memcpy(all, old->data, n);
        memcpy(all + n, text, size);
        r = job_record_compact(all, n + size, clock, &compact, &compact_size);
        if (r < 0)
                return r;
        return job_file_begin_new(d, id, compact, compact_size, ret);
}

static void undo(const Disk *d, JobFile *f) {
        FileName name = file_name_make(f->id, f->is_new ? FILE_KIND_JOB_NEW : FILE_KIND_JOB);

        if (f->is_new)
                (void) unlinkat(d->fd, name.text, 0);
        else if (f->fd >= 0)
                cut_back(f->fd, name.text, f->size_before);
}

int job_file_sync(const Disk *d, JobFile *f) {
        FileName name = file_name_make(f->id, f->is_new ? FILE_KIND_JOB_NEW : FILE_KIND_JOB);
        int r;

        r = disk_sync_file(d, f->fd, name.text, !f->is_new);
        if (r < 0)
                undo(d, f);
        if (r < 0) {
                f->fd = close_fd(f->fd);
                return r;
        }
        r = disk_close(&f->fd);
        if (r < 0)
                undo(d, f);
        return r;
}

int job_file_commit(const Disk *d, const JobFile *f) {
        FileName temporary = file_name_make(f->id, FILE_KIND_JOB_NEW);
        FileName name = file_name_make(f->id, FILE_KIND_JOB);
        int r;

        if (!f->is_new)
                return 0;
        r = disk_rename(d, temporary.text, name.text);
        if (r < 0)
                (void) unlinkat(d->fd, temporary.text, 0);
        return r;
}

int job_file_read(const Disk *d, const char *id, Secret **ret) {
        FileName name = file_name_make(id, FILE_KIND_JOB);

        return disk_read(d, name.text, JOB_FILE_MAX, ret);
}
