/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/base/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

Secret *secret_new(const void *data, size_t size) {
        Secret *s;

        if (size > SIZE_MAX - sizeof(Secret) - 1)
                return NULL;
        s = calloc(1, sizeof(Secret) + size + 1);
        if (!s)
                return NULL;
        s->size = size;
        if (data && size > 0)
                memcpy(s->data, data, size);
        return s;
}

Secret *secret_copy(const Secret *s) {
        return s ? secret_new(s->data, s->size) : NULL;
}

Secret *secret_free(Secret *s) {
        if (!s)
                return NULL;
        explicit_bzero(s->data, s->size);
        free(s);
        return NULL;
}

bool secret_equal(const Secret *a, const Secret *b) {
        uint8_t difference = 0;

        if (a->size != b->size)
                return false;
        for (size_t i = 0; i < a->size; i++)
                difference |= (uint8_t) (a->data[i] ^ b->data[i]);
        return difference == 0;
}

char *secret_string_free(char *s) {
        if (s)
                explicit_bzero(s, strlen(s));
        free(s);
        return NULL;
}

#define SEALS_DEMANDED (F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK)

int secret_to_memfd(const Secret *s, const char *name) {
        _cleanup_close_ int fd = -1;
        size_t done = 0;

        fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
        if (fd < 0)
                return -errno;
        while (done < s->size) {
                ssize_t n = write(fd, s->data + done, s->size - done);

                if (n < 0)
                        return -errno;
                done += (size_t) n;
        }
        if (lseek(fd, 0, SEEK_SET) < 0)
                return -errno;
        if (fcntl(fd, F_ADD_SEALS, SEALS_DEMANDED | F_SEAL_SEAL) < 0)
                return -errno;
        return TAKE_FD(fd);
}

static int read_exactly(int fd, uint8_t *data, size_t size) {
        for (size_t done = 0; done < size;) {
                ssize_t n = pread(fd, data + done, size - done, (off_t) done);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return -errno;
                if (n == 0)
                        return -EIO; /* shorter than its size said */
                done += (size_t) n;
        }
        return 0;
}

int secret_from_memfd(int fd, size_t max, Secret **ret) {
        _cleanup_secret_ Secret *s = NULL;
        struct stat st;
        int seals, r;

        /* Only memory files know seals: on anything else (and on O_PATH) this fails, and so nothing
         * that could block or change under our hands is ever read. */
        seals = fcntl(fd, F_GET_SEALS);
        if (seals < 0 || (seals & SEALS_DEMANDED) != SEALS_DEMANDED)
                return -EBADF;
        if (fstat(fd, &st) < 0)
                return -errno;
        if (!S_ISREG(st.st_mode))
                return -EBADF;
        if (st.st_size == 0)
                return -ENODATA;
        if (st.st_size < 0 || (uint64_t) st.st_size > max)
                return -EMSGSIZE;
        s = secret_new(NULL, (size_t) st.st_size);
        if (!s)
                return -ENOMEM;
        r = read_exactly(fd, s->data, s->size);
        if (r == -EINVAL)
                return -EBADF; /* e.g. a descriptor that is open for writing alone */
        if (r < 0)
                return r;
        *ret = TAKE_PTR(s);
        return 0;
}

int secret_from_file(int dir_fd, const char *path, size_t max, Secret **ret) {
        _cleanup_secret_ Secret *s = NULL, *exact = NULL;
        _cleanup_close_ int fd = -1;
        size_t done = 0;

        /* O_NONBLOCK: a fifo in the place of a file must not hold the loop. */
        fd = openat(dir_fd, path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
        if (fd < 0)
                return -errno;
        s = secret_new(NULL, max + 1);
        if (!s)
                return -ENOMEM;
        while (done < s->size) {
                ssize_t n = read(fd, s->data + done, s->size - done);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return -errno;
                if (n == 0)
                        break;
                done += (size_t) n;
        }
        if (done > max)
                return -EFBIG;
        exact = secret_new(s->data, done);
        if (!exact)
                return -ENOMEM;
        *ret = TAKE_PTR(exact);
        return 0;
}
