/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The state directory, step by step: each write, flush, rename and unlink that the store is made
 * of. All go through here, so that each is checked, none follows a symlink, and a test can watch
 * the order of them and have any of them fail.
 *
 * A name becomes durable when its directory is flushed (fsync(2)); a file's bytes when the file is.
 * Neither implies the other. */

#include <sys/types.h>

#include "daemon/base/macro.h"
#include "daemon/base/secret.h"

typedef enum DiskStep {
        DISK_WRITE,
        DISK_TRUNCATE,
        DISK_SYNC_FILE,
        DISK_OVERWRITE,
        DISK_RENAME,
        DISK_UNLINK,
        DISK_SYNC_DIRECTORY,
        DISK_STEP_MAX,
} DiskStep;

/* Told before each step, on the thread that does it; `name` is "." for the directory. A negative
 * errno makes the step fail with it, not done. */
typedef int (*DiskHook)(DiskStep step, const char *name, void *userdata);

typedef struct Disk {
        int fd; /* the directory */
        DiskHook hook;
        void *hook_userdata;
} Disk;

#define DISK_TEMPORARY_SUFFIX ".new"
#define DISK_FILE_MODE 0600

/* All give 0, or a negative errno. */

/* Opens a regular file that is there; -EBADMSG where it is something else. Gives the descriptor. */
int disk_open(const Disk *d, const char *name, int flags);

/* Whether something has that name, or may have. */
bool disk_exists(const Disk *d, const char *name);

/* Makes the file with these bytes, not flushed. A leftover of that name is replaced. Nothing is
 * left behind on an error. Gives the descriptor. */
int disk_create(const Disk *d, const char *name, const void *data, size_t size);

/* Writes these bytes in place of those that a file has, which is not flushed, and whose end moves.
 * On an error the file is gone. Gives the descriptor. */
int disk_fill(const Disk *d, const char *name, const void *data, size_t size);

/* Writes all of it, or says why not; what was written of it by then stays. */
int disk_write(const Disk *d, int fd, const char *name, const void *data, size_t size);
int disk_truncate(const Disk *d, int fd, const char *name, off_t size);

/* `data_only`: for a file whose name is durable already (fdatasync flushes the size, too). */
int disk_sync_file(const Disk *d, int fd, const char *name, bool data_only);

/* Lets the device begin with what will be flushed soon. No promise, and so no error. */
void disk_start_sync(int fd);

/* Flushed and checked: an error of the last write may show only here. Sets *fd to -1. */
int disk_close(int *fd);

int disk_rename(const Disk *d, const char *from, const char *to);

/* The same, but where `to` is there already the two change names, if the file system can do that
 * (renameat2(2)): 1, and what was there before is `from` now, to be erased. 0: there was nothing,
 * or it could only be replaced. */
int disk_rename_keeping(const Disk *d, const char *from, const char *to);

int disk_unlink(const Disk *d, const char *name);
int disk_sync_directory(const Disk *d);

/* Erasing: the bytes are overwritten where they are, since free blocks can be read, and then the
 * name is unlinked. Begun first, ended after (`fd` may be -1): the device has the zeros then,
 * though perhaps in its cache, and the flush of the directory that must follow is one for both.
 * Zeros do not wait for anything: what says that the bytes are not needed must be durable before.
 *
 * File systems that write in another place (btrfs, anything that journals data) and flash keep the
 * old bytes for a while; there, only the sealing protects. So a file that cannot be overwritten is
 * no error, and logged: unlinked it is in any case. -ENOENT: there is none. */
int disk_begin_erase(const Disk *d, const char *name, int *ret_fd);
int disk_end_erase(const Disk *d, const char *name, int *fd);
int disk_erase(const Disk *d, const char *name); /* both */

/* Overwrites likewise, and keeps the file for other use. 0: the device has the zeros. */
int disk_blank(const Disk *d, const char *name);

/* All that was ever written to this file system, by anybody. */
int disk_sync_all(const Disk *d);

/* The whole of a small file, durable before it returns: temporary file, flush, rename, flush. */
int disk_replace(const Disk *d, const char *name, const void *data, size_t size);

/* The whole file. -EFBIG: longer than `max`; -EBADMSG: no regular file. */
int disk_read(const Disk *d, const char *name, size_t max, Secret **ret);
