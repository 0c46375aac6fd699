/* SPDX-License-Identifier: GPL-2.0-or-later */

/* A client that speaks D-Bus on the daemon's socket, and then lies: everything from the first byte
 * through gate and sd-bus up to the operations.
 *
 * An input: a byte that says how many descriptors there are, two that say before which byte of the
 * stream they are sent (little endian), then the stream, written as a client writes it.
 *
 *   - what reaches an operation is within its bounds (front-world.c)
 *   - what is answered is D-Bus: lines, then whole messages
 *   - the connection ends, or waits; no descriptor is left behind, and the next client is served */

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>

#include "tests/fuzz/front-world.h"
#include "tests/fuzz/fuzz.h"

#define HEADER_SIZE 3U
#define FDS_MAX 8U
#define HEAD 16U

typedef struct Answers {
        uint8_t *data;
        size_t size;
} Answers;

static void read_answers(int fd, Answers *a) {
        uint8_t data[4096];
        union {
                struct cmsghdr header;
                uint8_t bytes[CMSG_SPACE(sizeof(int) * FDS_MAX)];
        } control;

        for (;;) {
                struct iovec iov = {data, sizeof(data)};
                struct msghdr message = {.msg_iov = &iov,
                                         .msg_iovlen = 1,
                                         .msg_control = &control,
                                         .msg_controllen = sizeof(control)};
                ssize_t n = recvmsg(fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

                if (n <= 0)
                        return;
                for (struct cmsghdr *c = CMSG_FIRSTHDR(&message); c; c = CMSG_NXTHDR(&message, c))
                        for (size_t i = 0; i < (c->cmsg_len - CMSG_LEN(0)) / sizeof(int); i++) {
                                int passed;

                                memcpy(&passed, CMSG_DATA(c) + i * sizeof(int), sizeof(int));
                                close(passed);
                        }
                a->data = realloc(a->data, a->size + (size_t) n);
                must(a->data);
                memcpy(a->data + a->size, data, (size_t) n);
                a->size += (size_t) n;
        }
}

/* The handshake's lines are told from messages by their ends; what may follow is no third thing. */
static void check_answers(const Answers *a) {
        const uint8_t *p = a->data, *end = p ? p + a->size : NULL, *line;

        while (p < end && *p != 'l' && (line = memchr(p, '\n', (size_t) (end - p)))) {
                must(line > p && line[-1] == '\r' && *p >= 'A' && *p <= 'Z');
                p = line + 1;
        }
        while (p && (size_t) (end - p) >= HEAD) {
                uint32_t body, fields;
                size_t size;

                memcpy(&body, p + 4, sizeof(body));
                memcpy(&fields, p + 12, sizeof(fields));
                must(p[0] == 'l' && p[1] >= 2 && p[1] <= 4 && p[3] == 1);
                size = HEAD + ((size_t) fields + 7) / 8 * 8 + body;
                if (size > (size_t) (end - p))
                        break;
                p += size;
        }
}

static size_t make_fds(size_t n, int fds[static FDS_MAX]) {
        for (size_t i = 0; i < n; i++) {
                _cleanup_secret_ Secret *s = secret_new("secret", strlen("secret"));

                fds[i] = i % 2 == 0 ? secret_to_memfd(s, "fuzz") : open("/dev/null", O_CLOEXEC);
                must(fds[i] >= 0);
        }
        return n;
}

/* -1: nobody takes it any more. */
static ssize_t send_some(int fd, const uint8_t *data, size_t size, const int *fds, size_t n_fds) {
        union {
                struct cmsghdr header;
                uint8_t bytes[CMSG_SPACE(sizeof(int) * FDS_MAX)];
        } control = {};
        struct iovec iov = {(uint8_t *) (uintptr_t) data, size};
        struct msghdr message = {.msg_iov = &iov, .msg_iovlen = 1};
        ssize_t n;

        if (n_fds > 0) {
                message.msg_control = &control;
                message.msg_controllen = CMSG_SPACE(sizeof(int) * n_fds);
                control.header = (struct cmsghdr){.cmsg_len = CMSG_LEN(sizeof(int) * n_fds),
                                                  .cmsg_level = SOL_SOCKET,
                                                  .cmsg_type = SCM_RIGHTS};
                memcpy(CMSG_DATA(&control.header), fds, sizeof(int) * n_fds);
        }
        n = sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
        return n < 0 && errno == EAGAIN ? 0 : n;
}

/* Until all is written, nobody takes it, or the daemon reads no further for now. */
static bool send_all(FrontWorld *w, int fd, const uint8_t *data, size_t size, const int *fds,
                     size_t n_fds, Answers *answers) {
        for (size_t done = 0; done < size;) {
                ssize_t n = send_some(fd, data + done, size - done, fds, done == 0 ? n_fds : 0);

                front_world_turn(w);
                read_answers(fd, answers);
                if (n <= 0)
                        return false;
                done += (size_t) n;
        }
        return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        FrontWorld w;
        Answers answers = {};
        int fds[FDS_MAX], fd;
        size_t first, n_fds;

        if (size < HEADER_SIZE)
                return -1;
        front_world_make(&w);
        n_fds = make_fds(data[0] % FDS_MAX, fds);
        first = (size_t) data[1] | (size_t) data[2] << 8;
        data += HEADER_SIZE;
        size -= HEADER_SIZE;
        first = first < size ? first : size;
        fd = front_world_connect(&w);
        if (send_all(&w, fd, data, first, NULL, 0, &answers))
                (void) send_all(&w, fd, data + first, size - first, fds, n_fds, &answers);
        check_answers(&answers);
        free(answers.data);
        for (size_t i = 0; i < n_fds; i++)
                close(fds[i]);
        close(fd);
        front_world_check_alive(&w);
        front_world_done(&w);
        return 0;
}
