/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Starts the daemon as systemd would and says how long it took to READY=1 and to a ready session.
 * Usage: bench-start COUNT LOG COMMAND ARGUMENTS.... The daemon must log at level info or above
 * into LOG. With COUNT 0 it is left running, and its PID is printed. */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/bench/figures.h"

#define READY_LINE "is ready."

static void die(const char *what) {
        fprintf(stderr, "bench-start: %s: %s\n", what, strerror(errno));
        exit(1);
}

static int notify_socket(char *path, size_t size) {
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

        (void) snprintf(path, size, "/tmp/bench-notify-%d", (int) getpid());
        (void) unlink(path);
        memcpy(address.sun_path, path, strlen(path) + 1);
        if (fd < 0 || bind(fd, (struct sockaddr *) &address, sizeof(address)) < 0)
                die("cannot make a notify socket");
        (void) setenv("NOTIFY_SOCKET", path, 1);
        return fd;
}

static pid_t spawn(char **command, const char *log) {
        pid_t pid = fork();

        if (pid == 0) {
                int fd = open(log, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

                if (fd >= 0) {
                        (void) dup2(fd, STDOUT_FILENO); /* nobody waits for its end through ours */
                        (void) dup2(fd, STDERR_FILENO);
                }
                (void) execv(command[0], command);
                _exit(127);
        }
        return pid;
}

static void wait_for_ready(int fd) {
        char text[512];

        for (;;) {
                ssize_t n = recv(fd, text, sizeof(text) - 1, 0);

                if (n < 0)
                        die("no READY");
                text[n] = '\0';
                if (strstr(text, "READY=1"))
                        return;
        }
}

static void wait_for_session(const char *log, pid_t pid) {
        for (;;) {
                char text[4096] = "";
                int fd = open(log, O_RDONLY | O_CLOEXEC);

                if (fd >= 0) {
                        ssize_t n = read(fd, text, sizeof(text) - 1);

                        close(fd);
                        if (n > 0 && strstr(text, READY_LINE))
                                return;
                }
                if (waitpid(pid, NULL, WNOHANG) == pid)
                        die("the daemon ended");
                usleep(500);
        }
}

int main(int argc, char **argv) {
        char path[64];
        int fd, count;
        double *ready, *session;

        if (argc < 4) {
                fputs("usage: bench-start COUNT LOG COMMAND...\n", stderr);
                return 2;
        }
        count = atoi(argv[1]);
        ready = calloc((size_t) count + 1, sizeof(double));
        session = calloc((size_t) count + 1, sizeof(double));
        fd = notify_socket(path, sizeof(path));
        for (int i = 0; i < (count > 0 ? count : 1); i++) {
                double began = figures_now_ms();
                pid_t pid = spawn(argv + 3, argv[2]);

                wait_for_ready(fd);
                ready[i] = figures_now_ms() - began;
                wait_for_session(argv[2], pid);
                session[i] = figures_now_ms() - began;
                if (count == 0) {
                        printf("%d\n", (int) pid);
                        break;
                }
                (void) kill(pid, SIGTERM);
                (void) waitpid(pid, NULL, 0);
        }
        if (count > 0) {
                printf("ready");
                figures_print(ready, (size_t) count, 1);
                printf("session");
                figures_print(session, (size_t) count, 1);
        }
        (void) unlink(path);
        free(ready);
        free(session);
        return 0;
}
