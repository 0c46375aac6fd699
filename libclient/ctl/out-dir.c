/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "libclient/ctl/out-dir.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>

static int refuse(char **ret_why, int r, const char *where, const char *why) {
        if (asprintf(ret_why, "%s: %s", where, why) < 0)
                *ret_why = NULL;
        return r;
}

static bool group_is_foreign(gid_t gid) {
        return gid != 0 && gid != getegid();
}

/* Whether nobody but the caller and root can change what the names in this directory mean. */
static int check_component(int fd, const char *where, char **ret_why) {
        struct stat st;

        if (fstat(fd, &st) < 0)
                return refuse(ret_why, -errno, where, strerror(errno));
        if (st.st_uid != 0 && st.st_uid != geteuid())
                return refuse(ret_why, -EPERM, where,
                              "belongs to another user, who could replace it; choose a directory "
                              "below your own or root's");
        if (st.st_mode & S_ISVTX)
                return 0;
        if ((st.st_mode & S_IWOTH) || ((st.st_mode & S_IWGRP) && group_is_foreign(st.st_gid)))
                return refuse(ret_why, -EPERM, where,
                              "may be written by others, who could replace what is in it; take "
                              "that right away (chmod go-w) or choose another directory");
        return 0;
}

/* Makes a directory's entries durable; `fd` may be O_PATH. */
static int sync_directory(int fd) {
        _cleanup_close_ int readable = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        /* A directory that may be searched and not read: nothing of ours to be made durable. */
        if (readable < 0)
                return errno == EACCES ? 0 : -errno;
        return fsync(readable) < 0 ? -errno : 0;
}

static int open_component(int dir, const char *name, const char *where, char **ret_why) {
        int fd, r;

        fd = openat(dir, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0 && errno == ENOENT) {
                if (mkdirat(dir, name, 0755) < 0 && errno != EEXIST)
                        return refuse(ret_why, -errno, where, strerror(errno));
                r = sync_directory(dir);
                if (r < 0)
                        return refuse(ret_why, r, where, strerror(-r));
                fd = openat(dir, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        }
        if (fd < 0 && (errno == ELOOP || errno == ENOTDIR)) {
                struct stat st;

                /* With O_PATH and O_DIRECTORY a symlink is ENOTDIR, too: open(2). */
                if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(st.st_mode))
                        return refuse(ret_why, -ELOOP, where,
                                      "is a symbolic link; name the directory that it leads to");
                return refuse(ret_why, -ENOTDIR, where, "is no directory; choose another name");
        }
        if (fd < 0)
                return refuse(ret_why, -errno, where, strerror(errno));
        return fd;
}

static char *absolute(const char *path) {
        _cleanup_free_ char *cwd = NULL;
        char *full;

        if (*path == '/')
                return strdup(path);
        cwd = getcwd(NULL, 0);
        if (!cwd || asprintf(&full, "%s/%s", streq(cwd, "/") ? "" : cwd, path) < 0)
                return NULL;
        return full;
}

/* Goes from the root to the directory. `path` is taken apart and put together again, with a slash
 * less where there were two. */
static int walk(char *path, char **ret_why) {
        _cleanup_close_ int fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
        _cleanup_free_ char *where = calloc(1, strlen(path) + 2);
        char *state = NULL;
        int r;

        if (fd < 0)
                return -errno;
        if (!where)
                return -ENOMEM;
        r = check_component(fd, "/", ret_why);
        if (r < 0)
                return r;
        for (char *name = strtok_r(path, "/", &state); name; name = strtok_r(NULL, "/", &state)) {
                int next;

                if (streq(name, "."))
                        continue;
                strcat(strcat(where, "/"), name);
                next = open_component(fd, name, where, ret_why);
                if (next < 0)
                        return next;
                close(fd);
                fd = next;
                r = check_component(fd, where, ret_why);
                if (r < 0)
                        return r;
        }
        strcpy(path, *where ? where : "/");
        return TAKE_FD(fd);
}

int out_dir_open(const char *path, char **ret_path, char **ret_why) {
        _cleanup_close_ int fd = -1;
        _cleanup_free_ char *full = absolute(path), *copy = NULL;
        int real;

        *ret_why = NULL;
        if (!full)
                return refuse(ret_why, -ENOENT, path,
                              "the working directory is gone; give a full path");
        if (strlen(full) >= PATH_MAX)
                return refuse(ret_why, -ENAMETOOLONG, path, "the name is too long");
        copy = strdup(full);
        if (!copy)
                return -ENOMEM;
        fd = walk(full, ret_why);
        if (fd < 0)
                return fd;
        real = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (real < 0)
                return refuse(ret_why, -errno, copy, strerror(errno));
        *ret_path = TAKE_PTR(full);
        return real;
}
