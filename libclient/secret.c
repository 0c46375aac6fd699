/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "libclient/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "libclient/result.h"
#include "protocol/ipc/limits.h"

#define SEALS (F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK)

struct fleetprov_secret {
        size_t size;
        char data[];
};

_public_ fleetprov_secret *fleetprov_secret_free(fleetprov_secret *secret) {
        if (!secret)
                return NULL;
        explicit_bzero(secret->data, secret->size);
        free(secret);
        return NULL;
}

_public_ const void *fleetprov_secret_get_data(const fleetprov_secret *secret) {
        return secret ? secret->data : NULL;
}

_public_ size_t fleetprov_secret_get_size(const fleetprov_secret *secret) {
        return secret ? secret->size : 0;
}

int secret_seal(const void *data, size_t size) {
        _cleanup_close_ int fd = -1;
        const char *p = data;

        if (!data || size == 0)
                return -EINVAL;
        if (size > IPC_SECRET_MAX)
                return -E2BIG;
        fd = memfd_create("fleetprov-secret", MFD_CLOEXEC | MFD_ALLOW_SEALING);
        if (fd < 0)
                return -errno;
        while (size > 0) {
                ssize_t n = write(fd, p, size);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return -errno;
                p += n;
                size -= (size_t) n;
        }
        if (fcntl(fd, F_ADD_SEALS, SEALS | F_SEAL_SEAL) < 0)
                return -errno;
        return TAKE_FD(fd);
}

int secret_check_sealed(int fd) {
        int seals = fcntl(fd, F_GET_SEALS);
        struct stat st;

        /* -1 with EINVAL: no memory file at all. */
        if (seals < 0 || (seals & SEALS) != SEALS)
                return -EBADMSG;
        if (fstat(fd, &st) < 0)
                return -errno;
        if (st.st_size <= 0 || (uint64_t) st.st_size > IPC_SECRET_MAX)
                return -EBADMSG;
        return 0;
}

static int secret_read_fd(int fd, fleetprov_secret **ret) {
        _cleanup_(fleetprov_secret_freep) fleetprov_secret *s = NULL;
        struct stat st;
        size_t done = 0;

        if (fstat(fd, &st) < 0)
                return -errno;
        s = calloc(1, sizeof(fleetprov_secret) + (size_t) st.st_size + 1);
        if (!s)
                return -ENOMEM;
        s->size = (size_t) st.st_size;
        while (done < s->size) {
                /* pread: the offset is shared with whoever else holds the file. */
                ssize_t n = pread(fd, s->data + done, s->size - done, (off_t) done);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return -errno;
                if (n == 0)
                        return -EBADMSG;
                done += (size_t) n;
        }
        *ret = TAKE_PTR(s);
        return 0;
}

static int result_secret_fd(const fleetprov_result *result, int kind) {
        if (!result || kind < 0 || kind >= SECRET_KINDS)
                return -EINVAL;
        return result->secrets[kind] < 0 ? -ENOENT : result->secrets[kind];
}

_public_ int fleetprov_result_has_secret(const fleetprov_result *result, int kind) {
        return result_secret_fd(result, kind) >= 0;
}

_public_ int fleetprov_result_dup_secret_fd(const fleetprov_result *result, int kind) {
        int fd = result_secret_fd(result, kind);

        if (fd < 0)
                return fd;
        fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
        return fd < 0 ? -errno : fd;
}

_public_ int fleetprov_result_read_secret(const fleetprov_result *result, int kind,
                                          fleetprov_secret **ret) {
        int fd = result_secret_fd(result, kind);

        if (fd < 0)
                return fd;
        return ret ? secret_read_fd(fd, ret) : -EINVAL;
}
