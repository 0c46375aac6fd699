/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/integration/lib/silent-file.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "tests/integration/lib/own-mounts.h"

#define REQUEST_MAX ((size_t) 256 * 1024)
#define FILE_NODE 2U
#define SERVER_SEC 60U /* it lives no longer */

static void answer(int fd, const struct fuse_in_header *in, const void *data, size_t size) {
        struct fuse_out_header out = {.len = (uint32_t) (sizeof(out) + size), .unique = in->unique};
        const struct iovec iov[] = {{&out, sizeof(out)}, {(void *) (uintptr_t) data, size}};

        ck_assert_int_eq(writev(fd, iov, size > 0 ? 2 : 1), (ssize_t) out.len);
}

static struct fuse_attr attributes(uint64_t node) {
        return (struct fuse_attr){.ino = node,
                                  .size = 5,
                                  .mode = node == FILE_NODE ? S_IFREG | 0644 : S_IFDIR | 0755,
                                  .nlink = 1};
}

/* Answers as long as the file is not open. */
static void serve(int fd) {
        _cleanup_free_ char *request = malloc(REQUEST_MAX);
        bool is_open = false;

        ck_assert_ptr_nonnull(request);
        while (!is_open) {
                const struct fuse_in_header *in = (const void *) request;
                ssize_t n = read(fd, request, REQUEST_MAX);

                if (n < 0 && (errno == EINTR || errno == ENOENT))
                        continue;
                ck_assert_int_gt(n, 0);
                if (in->opcode == FUSE_INIT)
                        answer(fd, in,
                               &(struct fuse_init_out){.major = FUSE_KERNEL_VERSION,
                                                       .minor = FUSE_KERNEL_MINOR_VERSION,
                                                       .max_write = 4096},
                               sizeof(struct fuse_init_out));
                else if (in->opcode == FUSE_LOOKUP)
                        answer(fd, in,
                               &(struct fuse_entry_out){.nodeid = FILE_NODE,
                                                        .attr = attributes(FILE_NODE)},
                               sizeof(struct fuse_entry_out));
                else if (in->opcode == FUSE_GETATTR)
                        answer(fd, in, &(struct fuse_attr_out){.attr = attributes(in->nodeid)},
                               sizeof(struct fuse_attr_out));
                else if (in->opcode == FUSE_OPEN) {
                        answer(fd, in, &(struct fuse_open_out){.fh = 1},
                               sizeof(struct fuse_open_out));
                        is_open = true;
                }
        }
}

/* The only one that has the connection: a process that dies with its own end of it and the file
 * open waits for itself. */
static pid_t start_server(int fd) {
        pid_t pid = fork();

        ck_assert_int_ge(pid, 0);
        if (pid == 0) {
                (void) alarm(SERVER_SEC);
                serve(fd);
                (void) pause();
                _exit(0);
        }
        close(fd);
        return pid;
}

bool silent_file_make(SilentFile *f) {
        _cleanup_free_ char *options = NULL, *path = NULL;
        int fd = open("/dev/fuse", O_RDWR | O_CLOEXEC);

        *f = (SilentFile){.fd = -1, .folder = strdup("/tmp/fleetprovd-silent-XXXXXX")};
        ck_assert_ptr_nonnull(mkdtemp(f->folder));
        ck_assert_int_ge(asprintf(&options, "fd=%d,rootmode=40000,user_id=0,group_id=0", fd), 0);
        ck_assert_int_ge(asprintf(&path, "%s/file", f->folder), 0);
        if (fd < 0 || own_mounts(0) < 0 ||
            mount("fleetprovd-test", f->folder, "fuse", MS_NODEV | MS_NOSUID, options) < 0) {
                close_fd(fd);
                (void) rmdir(f->folder);
                free(f->folder);
                return false;
        }
        f->server = start_server(fd);
        f->fd = open(path, O_RDONLY | O_CLOEXEC);
        ck_assert_int_ge(f->fd, 0);
        return true;
}

void silent_file_end(SilentFile *f) {
        (void) kill(f->server, SIGKILL); /* all that wait get ENOTCONN */
        (void) waitpid(f->server, NULL, 0);
        (void) umount2(f->folder, MNT_DETACH);
        close_fd(f->fd);
        (void) rmdir(f->folder);
        free(f->folder);
}
