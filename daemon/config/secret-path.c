/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/config/secret-path.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>

#include "daemon/config/config-tree.h"
#include "daemon/config/config-value.h"

#define READ_FIRST ((size_t) 4096)
#define GROUP_BUFFER_FIRST ((size_t) 1024)
#define GROUP_BUFFER_MAX ((size_t) 1024 * 1024) /* a group with very many members */

static const char *credentials_directory(void) {
        const char *d = secure_getenv("CREDENTIALS_DIRECTORY");

        return d && d[0] == '/' ? d : NULL;
}

static bool is_unresolved(const char *path) {
        return strncmp(path, CONFIG_CREDENTIAL_PREFIX, strlen(CONFIG_CREDENTIAL_PREFIX)) == 0;
}

static bool is_credential(const char *path) {
        const char *d = credentials_directory();
        size_t n = d ? strlen(d) : 0;

        return d && strncmp(path, d, n) == 0 && path[n] == '/' && !strchr(path + n + 1, '/');
}

int secret_path_resolve(const char *value, char **ret) {
        const char *d = credentials_directory();
        char *path;

        if (d && is_unresolved(value)) {
                if (asprintf(&path, "%s/%s", d, value + strlen(CONFIG_CREDENTIAL_PREFIX)) < 0)
                        return -ENOMEM;
        } else {
                path = strdup(value);
                if (!path)
                        return -ENOMEM;
        }
        *ret = path;
        return 0;
}

/* The id of our group; -ENOENT where the machine has none. */
static int own_group(gid_t *ret) {
        for (size_t size = GROUP_BUFFER_FIRST; size <= GROUP_BUFFER_MAX; size *= 2) {
                _cleanup_free_ char *buffer = malloc(size);
                struct group group, *found = NULL;
                int r;

                if (!buffer)
                        return -ENOMEM;
                r = getgrnam_r(SECRET_PATH_GROUP, &group, buffer, size, &found);
                if (r == ERANGE)
                        continue;
                if (!found)
                        return -ENOENT;
                *ret = found->gr_gid;
                return 0;
        }
        return -ENOENT;
}

static int refuse(char **ret_why, const char *format, ...) _printf_(2, 3);

static int refuse(char **ret_why, const char *format, ...) {
        va_list args;
        char *why;

        va_start(args, format);
        if (ret_why && vasprintf(&why, format, args) >= 0)
                *ret_why = why;
        va_end(args);
        return -EPERM;
}

/* What both rules begin with: a regular file of root or the daemon's user. */
static int check_owner(const struct stat *st, const char *path, const char *what, char **ret_why) {
        if (!S_ISREG(st->st_mode))
                return refuse(ret_why, "%s %s is no regular file", what, path);
        if (st->st_uid != 0 && st->st_uid != geteuid())
                return refuse(ret_why,
                              "%s %s belongs to user %u; it must belong to root or to the daemon's "
                              "user: chown root '%s'",
                              what, path, st->st_uid, path);
        return 0;
}

static int check_rule(int fd, const char *path, const char *what, char **ret_why) {
        struct stat st;
        gid_t gid;
        int r;

        if (fstat(fd, &st) < 0)
                return -errno;
        r = check_owner(&st, path, what, ret_why);
        if (r < 0)
                return r;
        if ((st.st_mode & S_IRWXO) != 0)
                return refuse(ret_why, "%s %s is open to everybody (mode %04o): chmod o= '%s'",
                              what, path, st.st_mode & 07777, path);
        if ((st.st_mode & S_IRWXG) == 0 || is_credential(path))
                return 0;
        if (own_group(&gid) >= 0 && gid == st.st_gid)
                return 0;
        return refuse(ret_why,
                      "%s %s is open to group %u (mode %04o); no group but " SECRET_PATH_GROUP
                      " may read it: chmod g= '%s'",
                      what, path, st.st_gid, st.st_mode & 07777, path);
}

static int say_errno(int r, const char *path, const char *what, size_t max, char **ret_why) {
        if (r == -ENOENT && is_unresolved(path))
                (void) config_refuse_text(ret_why,
                                          "%s: there is no credential '%s', since "
                                          "$CREDENTIALS_DIRECTORY is not set; add "
                                          "LoadCredential=%s:… to the service",
                                          what, path + strlen(CONFIG_CREDENTIAL_PREFIX),
                                          path + strlen(CONFIG_CREDENTIAL_PREFIX));
        else if (r == -ENOENT)
                (void) config_refuse_text(ret_why, "%s %s is not there yet", what, path);
        else if (r == -EFBIG)
                (void) config_refuse_text(ret_why, "%s %s is longer than %zu bytes", what, path,
                                          max);
        else if (r == -EACCES)
                (void) config_refuse_text(ret_why,
                                          "%s %s cannot be opened: permission denied; it must be "
                                          "readable by the daemon's user",
                                          what, path);
        else if (r != -ENOMEM)
                (void) config_refuse_text(ret_why, "%s %s cannot be read: %s", what, path,
                                          strerrordesc_np(-r));
        return r;
}

/* All of it, from the descriptor that the rule was asked of. -EFBIG: more than `max` bytes. The
 * buffer grows: one of the largest size allowed would raise malloc's threshold for mappings and
 * leave the heap larger for good (mallopt(3), M_MMAP_THRESHOLD). */
static int read_whole(int fd, size_t max, Secret **ret) {
        _cleanup_secret_ Secret *s = NULL;
        size_t done = 0;

        for (;;) {
                ssize_t n;

                if (!s || done == s->size) {
                        size_t size = !s ? READ_FIRST : s->size * 2;
                        Secret *larger;

                        if (done > max)
                                return -EFBIG;
                        larger = secret_new(NULL, size > max + 1 ? max + 1 : size);
                        if (!larger)
                                return -ENOMEM;
                        if (s)
                                memcpy(larger->data, s->data, done);
                        secret_free(s);
                        s = larger;
                }
                n = read(fd, s->data + done, s->size - done);
                if (n == 0)
                        break;
                if (n < 0 && errno != EINTR)
                        return -errno;
                done += n > 0 ? (size_t) n : 0;
        }
        if (done > max)
                return -EFBIG;
        *ret = secret_new(s->data, done);
        return *ret ? 0 : -ENOMEM;
}

static int read_checked(const char *path, const char *what, size_t max, bool is_secret,
                        Secret **ret, char **ret_why) {
        _cleanup_close_ int fd = -1;
        int r;

        if (is_unresolved(path))
                return say_errno(-ENOENT, path, what, max, ret_why);
        /* O_NONBLOCK: a fifo in the place of a file must not hold the daemon. */
        fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
        if (fd < 0)
                return say_errno(errno == ENOTDIR ? -ENOENT : -errno, path, what, max, ret_why);
        if (is_secret) {
                r = check_rule(fd, path, what, ret_why);
                if (r < 0)
                        return r;
        }
        r = read_whole(fd, max, ret);
        return r < 0 ? say_errno(r, path, what, max, ret_why) : 0;
}

int secret_path_check(const char *path, const char *what, char **ret_why) {
        _cleanup_close_ int fd = open(path, O_PATH | O_CLOEXEC);

        return fd < 0 ? -errno : check_rule(fd, path, what, ret_why);
}

int path_read(const char *path, const char *what, size_t max, Secret **ret, char **ret_why) {
        return read_checked(path, what, max, false, ret, ret_why);
}

int secret_path_read(const char *path, const char *what, size_t max, Secret **ret, char **ret_why) {
        return read_checked(path, what, max, true, ret, ret_why);
}

int module_path_check(const char *path, char **ret_why) {
        static const char what[] = "the module of Pkcs11Module=";
        struct stat st;
        int r;

        if (stat(path, &st) < 0) {
                r = errno == ENOTDIR ? -ENOENT : -errno;
                if (r != -ENOENT)
                        return say_errno(r, path, what, 0, ret_why);
                (void) config_refuse_text(ret_why,
                                          "%s %s is not there; install the token's software, or "
                                          "name the file that it has put elsewhere",
                                          what, path);
                return r;
        }
        r = check_owner(&st, path, what, ret_why);
        if (r < 0)
                return r;
        if ((st.st_mode & (S_IWGRP | S_IWOTH)) != 0)
                return refuse(ret_why,
                              "%s %s can be written by others (mode %04o): chmod go-w '%s'", what,
                              path, st.st_mode & 07777, path);
        return 0;
}
