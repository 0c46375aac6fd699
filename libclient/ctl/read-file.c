/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "libclient/ctl/read-file.h"

#include <errno.h>
#include <fcntl.h>

#include "libclient/ctl/complain.h"

int read_file(const char *option, const char *path, size_t max, char **ret, size_t *ret_size) {
        _cleanup_close_ int opened = -1;
        char *buffer;
        size_t n = 0;
        int fd = STDIN_FILENO, r = 0;

        if (!streq(path, "-")) {
                fd = opened = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
                if (fd < 0) {
                        r = -errno;
                        complain("--%s=%s: %s", option, path, strerror(errno));
                        return r;
                }
        }
        buffer = malloc(max + 2);
        if (!buffer) {
                complain("out of memory");
                return -ENOMEM;
        }
        while (n <= max) {
                ssize_t k = read(fd, buffer + n, max + 1 - n);

                if (k < 0 && errno == EINTR)
                        continue;
                if (k < 0)
                        r = -errno;
                if (k <= 0)
                        break;
                n += (size_t) k;
        }
        if (r < 0)
                complain("--%s=%s: %s", option, path, strerror(-r));
        else if (n > max) {
                complain("--%s=%s: longer than %zu bytes; that is not the right file", option, path,
                         max);
                r = -EFBIG;
        } else if (n == 0) {
                complain("--%s=%s: is empty; name the right file", option, path);
                r = -ENODATA;
        }
        if (r < 0) {
                /* It may be half a secret. */
                explicit_bzero(buffer, n);
                free(buffer);
                return r;
        }
        buffer[n] = '\0';
        *ret = buffer;
        *ret_size = n;
        return 0;
}
