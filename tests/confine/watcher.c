/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/confine/watcher.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "daemon/base/macro.h"

#define FAILED 1

static int send_fd(int socket, int fd) {
        union {
                struct cmsghdr header;
                uint8_t space[CMSG_SPACE(sizeof(int))];
        } control = {};
        struct iovec byte = {.iov_base = (char[]){'f'}, .iov_len = 1};
        struct msghdr message = {.msg_iov = &byte,
                                 .msg_iovlen = 1,
                                 .msg_control = &control,
                                 .msg_controllen = sizeof(control)};
        struct cmsghdr *c = CMSG_FIRSTHDR(&message);

        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(c), &fd, sizeof(int));
        return sendmsg(socket, &message, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

static int receive_fd(int socket) {
        union {
                struct cmsghdr header;
                uint8_t space[CMSG_SPACE(sizeof(int))];
        } control = {};
        char byte;
        struct iovec iov = {.iov_base = &byte, .iov_len = 1};
        struct msghdr message = {.msg_iov = &iov,
                                 .msg_iovlen = 1,
                                 .msg_control = &control,
                                 .msg_controllen = sizeof(control)};
        const struct cmsghdr *c;
        int fd;

        if (recvmsg(socket, &message, MSG_CMSG_CLOEXEC) <= 0 || !(c = CMSG_FIRSTHDR(&message)) ||
            c->cmsg_type != SCM_RIGHTS)
                return -EBADMSG;
        memcpy(&fd, CMSG_DATA(c), sizeof(int));
        return fd;
}

/* --- the process of its own */

static void tell(const struct seccomp_notif *breach) {
        char *name = seccomp_syscall_resolve_num_arch(breach->data.arch, breach->data.nr);

        dprintf(STDERR_FILENO,
                "confine: BREACH: %s(%#llx, %#llx, %#llx) is not what the unit allows "
                "(SystemCallFilter= and the like, systemd/fleetprovd.service.in)\n",
                name ? name : "an unknown call", (unsigned long long) breach->data.args[0],
                (unsigned long long) breach->data.args[1],
                (unsigned long long) breach->data.args[2]);
        free(name);
}

static void answer_one(int filter_fd, bool refuses) {
        struct seccomp_notif *breach;
        struct seccomp_notif_resp *answer;

        if (seccomp_notify_alloc(&breach, &answer) < 0)
                _exit(FAILED);
        if (seccomp_notify_receive(filter_fd, breach) >= 0) {
                tell(breach);
                if (!refuses)
                        (void) kill((pid_t) breach->pid, SIGKILL); /* which nobody can block */
                answer->id = breach->id;
                answer->error = -EPERM;
                (void) seccomp_notify_respond(filter_fd, answer);
        }
        seccomp_notify_free(breach, answer);
}

/* The descriptor's end is of no help: there are kernels that keep it until the program is waited
 * for, by somebody who may wait for us to close its standard error. */
static _Noreturn void watch(int socket, int program, bool refuses) {
        struct pollfd fds[] = {{.fd = receive_fd(socket), .events = POLLIN},
                               {.fd = program, .events = POLLIN}};

        (void) close(socket);
        while (fds[0].fd >= 0 && (poll(fds, ELEMENTSOF(fds), -1) >= 0 || errno == EINTR)) {
                if (fds[0].revents & POLLIN)
                        answer_one(fds[0].fd, refuses);
                else if (fds[0].revents || fds[1].revents)
                        break;
        }
        _exit(0);
}

/* It holds nothing of the program's but standard error, and no signal to its group reaches it. */
static _Noreturn void become_watcher(int socket, int program, bool refuses) {
        if (fork() != 0)
                _exit(0); /* nobody has to wait for it */
        if (setsid() < 0 || dup2(socket, 0) < 0 || dup2(program, 1) < 0 ||
            close_range(STDERR_FILENO + 1, ~0U, 0) < 0)
                _exit(FAILED);
        watch(0, 1, refuses);
}

int watcher_start(Watcher *w, bool refuses) {
        _cleanup_close_ int program = pidfd_open(getpid(), 0);
        int fds[2], status;
        pid_t pid;

        if (program < 0 || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0)
                return -errno;
        pid = fork();
        if (pid == 0)
                become_watcher(fds[1], program, refuses);
        (void) close(fds[1]);
        w->socket = fds[0];
        return pid < 0 || waitpid(pid, &status, 0) < 0 ? -errno : 0;
}

int watcher_watch(const Watcher *w, int filter_fd) {
        return send_fd(w->socket, filter_fd);
}

void watcher_let_go(Watcher *w) {
        w->socket = close_fd(w->socket);
}
