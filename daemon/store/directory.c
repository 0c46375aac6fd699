/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/store/directory.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statfs.h>

#include "daemon/base/log.h"
#include "daemon/crypto/why.h"
#include "daemon/store/file-name.h"

#define NUMBER_FILE_MAX ((size_t) 16)
#define NUMBER_TEXT_SIZE sizeof("4294967295\n")

void directory_init(Directory *d) {
        *d = (Directory){.disk = {.fd = -1}, .lock_fd = -1};
}

void directory_done(Directory *d) {
        d->lock_fd = close_fd(d->lock_fd);
        d->disk.fd = close_fd(d->disk.fd);
}

/* Makes the last component, and its name durable. */
static int make_directory(const char *path) {
        _cleanup_free_ char *parent = NULL;
        _cleanup_close_ int fd = -1;

        if (mkdir(path, DIRECTORY_MODE) < 0)
                return -errno;
        if (asprintf(&parent, "%s/..", path) < 0) {
                parent = NULL;
                return -ENOMEM;
        }
        fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0 || fsync(fd) < 0)
                return -errno;
        return 0;
}

/* The files in it are 0600 each; but whoever may write here may replace them. */
static int check_access(int fd, const char *path, char **ret_why) {
        struct stat st;

        if (fstat(fd, &st) < 0)
                return why(ret_why, -errno, "cannot look at %s: %s", path, strerrordesc_np(errno));
        if (st.st_uid != geteuid())
                return why(ret_why, -EPERM,
                           "the state directory %s belongs to uid %u and fleetprovd runs as %u: "
                           "chown it, or run as its owner",
                           path, st.st_uid, geteuid());
        if ((st.st_mode & 0022) != 0)
                return why(ret_why, -EPERM,
                           "others may write into the state directory %s (mode %04o): see whether "
                           "they did, then chmod it to 0700",
                           path, st.st_mode & 07777);
        if ((st.st_mode & 0077) != 0) {
                if (fchmod(fd, DIRECTORY_MODE) < 0)
                        return why(ret_why, -errno, "cannot chmod %s to 0700: %s", path,
                                   strerrordesc_np(errno));
                log_notice("state directory %s had mode %04o, it is 0700 now", path,
                           st.st_mode & 07777);
        }
        return 0;
}

/* No error: an image that is tried, a test. What lies below an overlay cannot be told. */
static void warn_if_volatile(int fd, const char *path) {
        struct statfs fs;

        if (fstatfs(fd, &fs) < 0 || (fs.f_type != TMPFS_MAGIC && fs.f_type != RAMFS_MAGIC))
                return;
        log_warning("state directory %s is in memory (%s): a reboot forgets all jobs, and who asks "
                    "again under the same key gets a second identity then; put it on a disk",
                    path, fs.f_type == TMPFS_MAGIC ? "tmpfs" : "ramfs");
}

static int open_directory(const char *path, int *ret, char **ret_why) {
        _cleanup_close_ int fd = -1;
        int r;

        fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0 && errno == ENOENT) {
                r = make_directory(path);
                if (r < 0)
                        return why(ret_why, r, "cannot make the state directory %s: %s", path,
                                   strerrordesc_np(-r));
                fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        }
        if (fd < 0)
                return why(ret_why, -errno, "cannot open the state directory %s: %s", path,
                           strerrordesc_np(errno));
        r = check_access(fd, path, ret_why);
        if (r < 0)
                return r;
        *ret = TAKE_FD(fd);
        return 0;
}

/* Digits and a line feed, and nothing else. */
static int read_number(const Disk *disk, const char *name, unsigned *ret) {
        _cleanup_secret_ Secret *text = NULL;
        unsigned long value;
        char *end;
        int r;

        r = disk_read(disk, name, NUMBER_FILE_MAX, &text);
        if (r < 0)
                return r == -EFBIG ? -EBADMSG : r;
        if (text->data[0] < '0' || text->data[0] > '9')
                return -EBADMSG;
        errno = 0;
        value = strtoul(secret_text(text), &end, 10);
        if (errno != 0 || value > INT_MAX || !streq(end, "\n"))
                return -EBADMSG;
        *ret = (unsigned) value;
        return 0;
}

static int write_number(const Disk *disk, const char *name, unsigned value) {
        char text[NUMBER_TEXT_SIZE];

        (void) snprintf(text, sizeof(text), "%u\n", value);
        return disk_replace(disk, name, text, strlen(text));
}

/* flock() goes with the open file: it ends with the process, however that ends. The id in the file
 * is for people alone. */
static int take_lock(Directory *d, const char *path, char **ret_why) {
        char text[NUMBER_TEXT_SIZE];

        d->lock_fd = openat(d->disk.fd, FILE_LOCK, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC,
                            DISK_FILE_MODE);
        if (d->lock_fd < 0)
                return why(ret_why, -errno, "cannot open %s/" FILE_LOCK ": %s", path,
                           strerrordesc_np(errno));
        if (flock(d->lock_fd, LOCK_EX | LOCK_NB) < 0) {
                unsigned pid = 0;

                if (errno != EWOULDBLOCK)
                        return why(ret_why, -errno, "cannot lock %s/" FILE_LOCK ": %s", path,
                                   strerrordesc_np(errno));
                (void) read_number(&d->disk, FILE_LOCK, &pid);
                return why(ret_why, -EBUSY,
                           "the state directory %s is in use by another fleetprovd (pid %u): stop "
                           "it, or give this one a --state-directory of its own",
                           path, pid);
        }
        (void) snprintf(text, sizeof(text), "%u\n", (unsigned) getpid());
        if (ftruncate(d->lock_fd, 0) < 0 ||
            pwrite(d->lock_fd, text, strlen(text), 0) != (ssize_t) strlen(text))
                /* A full disk must not keep the daemon from finishing what runs. */
                log_warning("cannot write the process id to %s/" FILE_LOCK, path);
        return 0;
}

static int check_version(const Directory *d, const char *path, char **ret_why) {
        unsigned version;
        int r;

        r = read_number(&d->disk, FILE_VERSION, &version);
        if (r == -ENOENT) {
                r = write_number(&d->disk, FILE_VERSION, DIRECTORY_VERSION);
                return r < 0 ? why(ret_why, r, "cannot write %s/" FILE_VERSION ": %s", path,
                                   strerrordesc_np(-r))
                             : 0;
        }
        if (r < 0)
                return why(ret_why, r,
                           "%s/" FILE_VERSION " does not read as a version: if this is a state "
                           "directory of fleetprovd, remove that file (each job names its own)",
                           path);
        if (version != DIRECTORY_VERSION)
                return why(ret_why, -EPROTONOSUPPORT,
                           "the state directory %s has layout %u, and this fleetprovd knows %u: "
                           "install the version that wrote it, or give another directory",
                           path, version, DIRECTORY_VERSION);
        return 0;
}

/* It may be what newer secrets have replaced; and these must be durable then, which they are not
 * where a daemon was killed between. */
static int erase_leftover(const Directory *d, const char *name) {
        int r;

        r = disk_sync_all(&d->disk);
        return r < 0 ? r : disk_erase(&d->disk, name);
}

static int sweep_name(const char *name, void *userdata) {
        char id[IPC_JOB_ID_LENGTH + 1];
        Directory *d = userdata;

        switch (file_name_kind(name, id)) {
        case FILE_KIND_SECRET_NEW:
                return erase_leftover(d, name);
        case FILE_KIND_SPARE:
                return disk_erase(&d->disk, name);
        case FILE_KIND_JOB_NEW:
        case FILE_KIND_NEW:
                return disk_unlink(&d->disk, name);
        case FILE_KIND_SECRET:
                d->has_secrets = true;
                return 0;
        case FILE_KIND_FOREIGN:
                log_warning("state directory: \"%s\" is none of fleetprovd's files, left alone",
                            name);
                return 0;
        case FILE_KIND_SET_ASIDE:
                d->has_set_aside = true;
                return 0;
        case FILE_KIND_JOB:
        case FILE_KIND_OWN:
        case FILE_KIND_MAX:
                return 0;
        }
        return 0;
}

/* Its one use is to number the jobs; where it is damaged, the jobs on record say enough. */
static int count_start(Directory *d, const char *path, char **ret_why) {
        int r;

        r = read_number(&d->disk, FILE_STARTS, &d->starts);
        if (r < 0 && r != -ENOENT)
                log_warning_errno(r, "%s/" FILE_STARTS " cannot be read, counting anew", path);
        if (r < 0)
                d->starts = 0;
        d->starts++;
        r = write_number(&d->disk, FILE_STARTS, d->starts);
        if (r == -ENOSPC || r == -EDQUOT) {
                log_warning_errno(r, "cannot count the start in %s/" FILE_STARTS, path);
                return 0;
        }
        return r < 0 ? why(ret_why, r, "cannot write to the state directory %s: %s", path,
                           strerrordesc_np(-r))
                     : 0;
}

int directory_open(const char *path, DiskHook hook, void *hook_userdata, Directory *d,
                   char **ret_why) {
        int r;

        d->disk.hook = hook;
        d->disk.hook_userdata = hook_userdata;
        r = open_directory(path, &d->disk.fd, ret_why);
        if (r < 0)
                return r;
        r = take_lock(d, path, ret_why);
        if (r < 0)
                return r;
        r = check_version(d, path, ret_why);
        if (r < 0)
                return r;
        warn_if_volatile(d->disk.fd, path);
        r = directory_each(d, sweep_name, d);
        if (r < 0)
                return why(ret_why, r, "cannot clean the state directory %s: %s", path,
                           strerrordesc_np(-r));
        return count_start(d, path, ret_why);
}

int directory_each(const Directory *d, int (*on_name)(const char *name, void *userdata),
                   void *userdata) {
        struct dirent *entry;
        DIR *dir;
        int fd, r = 0;

        fd = openat(d->disk.fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
                return -errno;
        dir = fdopendir(fd);
        if (!dir) {
                r = -errno;
                close(fd);
                return r;
        }
        for (;;) {
                errno = 0;
                entry = readdir(dir);
                if (!entry) {
                        r = -errno;
                        break;
                }
                if (streq(entry->d_name, ".") || streq(entry->d_name, ".."))
                        continue;
                r = on_name(entry->d_name, userdata);
                if (r < 0)
                        break;
        }
        closedir(dir);
        return r;
}
