/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "libclient/ctl/out-swap.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>

#include "libclient/ctl/out-write.h"
#include "protocol/ipc/limits.h"

#define TEMPORARY_LINK ".link"

int out_step(Out *out, OutStep step) {
        int r = out->on_step ? out->on_step(out->userdata, step) : 0;

        return r < 0 ? out_fail(out, r, "%s: stopped by a test", out->path) : 0;
}

bool out_is_result_name(const char *name) {
        for (size_t i = 0; i < IPC_JOB_ID_LENGTH; i++)
                if (!isdigit((unsigned char) name[i]) && (name[i] < 'a' || name[i] > 'f'))
                        return false;
        name += IPC_JOB_ID_LENGTH;
        if (!*name)
                return true;
        return *name == '.' && name[1] && strspn(name + 1, "0123456789") == strlen(name + 1);
}

static bool same_job(const char *a, const char *b) {
        return strncmp(a, b, IPC_JOB_ID_LENGTH) == 0;
}

int out_read_link(Out *out, const char *name, char **ret) {
        char target[NAME_MAX + 1];
        struct stat st;
        ssize_t n;

        *ret = NULL;
        if (fstatat(out->fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
                return errno == ENOENT ? 0
                                       : out_fail(out, -errno, "%s/%s: %s", out->path, name,
                                                  strerror(errno));
        if (st.st_uid != 0 && st.st_uid != geteuid())
                return out_fail(out, -EPERM, "%s/%s: belongs to another user; remove it", out->path,
                                name);
        if (!S_ISLNK(st.st_mode))
                return out_fail(out, -EEXIST,
                                "%s/%s: is there and is no link of a former run; move it away",
                                out->path, name);
        n = readlinkat(out->fd, name, target, sizeof(target));
        if (n < 0)
                return out_fail(out, -errno, "%s/%s: %s", out->path, name, strerror(errno));
        *ret = strndup(target, (size_t) n);
        return *ret ? 0 : out_fail(out, -ENOMEM, "out of memory");
}

/* By a rename, so that the name never is without a meaning. */
static int set_link(Out *out, const char *target, const char *name) {
        _cleanup_free_ char *present = NULL;
        int r;

        r = out_read_link(out, name, &present);
        if (r < 0)
                return r;
        if (present && streq(present, target))
                return 0;
        (void) unlinkat(out->fd, TEMPORARY_LINK, 0);
        if (symlinkat(target, out->fd, TEMPORARY_LINK) < 0 ||
            renameat(out->fd, TEMPORARY_LINK, out->fd, name) < 0)
                return out_fail(out, -errno, "%s/%s: %s", out->path, name, strerror(errno));
        return 0;
}

static int sync_dir(Out *out) {
        return fsync(out->fd) < 0 ? out_fail(out, -errno, "%s: cannot be synced: %s", out->path,
                                             strerror(errno))
                                  : 0;
}

static bool result_has(const Out *out, const char *result, const char *name) {
        _cleanup_free_ char *path = NULL;
        struct stat st;

        if (asprintf(&path, "%s/%s", result, name) < 0) {
                path = NULL;
                return false;
        }
        return fstatat(out->fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode);
}

static bool is_whole(const Out *out, const char *result) {
        struct stat st;

        return out_is_result_name(result) &&
               fstatat(out->fd, result, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode) &&
               result_has(out, result, OUT_CONFIGURATION);
}

/* Links through `current` for what `result` has. They come before the swap, so that afterwards no
 * name is missing for a moment. */
static int add_links(Out *out, const char *result) {
        for (size_t i = 0; out_names[i]; i++) {
                _cleanup_free_ char *target = NULL;
                int r;

                if (!result_has(out, result, out_names[i]))
                        continue;
                if (asprintf(&target, "current/%s", out_names[i]) < 0) {
                        target = NULL;
                        return out_fail(out, -ENOMEM, "out of memory");
                }
                r = set_link(out, target, out_names[i]);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int remove_links(Out *out, const char *result) {
        for (size_t i = 0; out_names[i]; i++) {
                _cleanup_free_ char *present = NULL;
                int r;

                if (result_has(out, result, out_names[i]))
                        continue;
                r = out_read_link(out, out_names[i], &present);
                if (r < 0)
                        return r;
                if (present && strncmp(present, "current/", 8) == 0 &&
                    unlinkat(out->fd, out_names[i], 0) < 0 && errno != ENOENT)
                        return out_fail(out, -errno, "%s/%s: %s", out->path, out_names[i],
                                        strerror(errno));
        }
        return 0;
}

void out_remove_result(const Out *out, const char *name) {
        _cleanup_close_ int fd =
                openat(out->fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

        if (fd < 0)
                return;
        for (size_t i = 0; out_names[i]; i++)
                (void) unlinkat(fd, out_names[i], 0);
        (void) unlinkat(fd, ".probe", 0);
        /* Where somebody put something of his own into it, it stays. */
        (void) unlinkat(out->fd, name, AT_REMOVEDIR);
}

static void tidy(Out *out, const char *current, const char *previous) {
        _cleanup_close_ int fd = openat(out->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        struct dirent *e;
        DIR *d;

        d = fd >= 0 ? fdopendir(fd) : NULL;
        if (!d)
                return;
        (void) TAKE_FD(fd);
        while ((e = readdir(d))) {
                bool rubbish =
                        strncmp(e->d_name, ".new-", 5) == 0 && !streq_ptr(e->d_name, out->staged);
                bool former = out_is_result_name(e->d_name) && !streq_ptr(e->d_name, current) &&
                              !streq_ptr(e->d_name, previous);

                if (rubbish || former)
                        out_remove_result(out, e->d_name);
        }
        closedir(d);
        (void) unlinkat(out->fd, TEMPORARY_LINK, 0);
}

/* From the moment that .next stands. Each step may have been done before. */
static int swap(Out *out, const char *next) {
        _cleanup_free_ char *current = NULL, *previous = NULL;
        int r;

        r = out_read_link(out, "current", &current);
        if (r < 0)
                return r;
        if (current && !same_job(current, next)) {
                r = set_link(out, current, "previous");
                if (r < 0)
                        return r;
        }
        if ((r = out_step(out, OUT_STEP_PREVIOUS)) < 0 || (r = add_links(out, next)) < 0 ||
            (r = sync_dir(out)) < 0 || (r = out_step(out, OUT_STEP_LINKED)) < 0)
                return r;
        if (renameat(out->fd, ".next", out->fd, "current") < 0)
                return out_fail(out, -errno, "%s/current: %s", out->path, strerror(errno));
        if ((r = sync_dir(out)) < 0 || (r = out_step(out, OUT_STEP_SWAPPED)) < 0 ||
            (r = remove_links(out, next)) < 0 ||
            (r = out_read_link(out, "previous", &previous)) < 0)
                return r;
        tidy(out, next, previous);
        r = sync_dir(out);
        return r < 0 ? r : out_step(out, OUT_STEP_TIDIED);
}

int out_swap_to(Out *out, const char *name) {
        int r;

        r = set_link(out, name, ".next");
        if (r >= 0)
                r = sync_dir(out);
        if (r >= 0)
                r = out_step(out, OUT_STEP_NEXT);
        return r < 0 ? r : swap(out, name);
}

int out_finish(Out *out) {
        _cleanup_free_ char *next = NULL, *current = NULL, *previous = NULL;
        int r;

        r = out_read_link(out, ".next", &next);
        if (r < 0)
                return r;
        if (next && is_whole(out, next))
                return swap(out, next);
        if (next)
                (void) unlinkat(out->fd, ".next", 0);
        if ((r = out_read_link(out, "current", &current)) < 0 ||
            (r = out_read_link(out, "previous", &previous)) < 0)
                return r;
        if (current && is_whole(out, current) &&
            ((r = add_links(out, current)) < 0 || (r = remove_links(out, current)) < 0))
                return r;
        tidy(out, current, previous);
        return 0;
}
