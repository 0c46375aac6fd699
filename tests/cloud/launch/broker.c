/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/cloud/launch/broker.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "daemon/base/macro.h"

#define CONFIGURATION_FILE "mosquitto.conf"
#define LOG_FILE "mosquitto.log"

/* As main.c puts it there. A name with a slash is not searched for. */
#define PLUGIN "./fleet-cloud.so"

/* Where the plugin finds the pipe on which it says that the broker listens. */
#define READY_FD 3

#define LOG_SHOWN_MAX 4096

static const struct in6_addr loopback_v6 = IN6ADDR_LOOPBACK_INIT;

/* A socket bound to any port of ::1; -1 where there is no such address. */
static int bind_v6(void) {
        struct sockaddr_in6 address = {.sin6_family = AF_INET6, .sin6_addr = loopback_v6};
        int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);

        if (fd >= 0 && bind(fd, (const struct sockaddr *) &address, sizeof(address)) < 0)
                fd = close_fd(fd);
        return fd;
}

static bool have_v6(void) {
        _cleanup_close_ int fd = bind_v6();

        return fd >= 0;
}

int broker_find_port(void) {
        struct sockaddr_in address = {.sin_family = AF_INET,
                                      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        _cleanup_close_ int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        socklen_t n = sizeof(address);

        if (fd < 0 || bind(fd, (const struct sockaddr *) &address, n) < 0 ||
            getsockname(fd, (struct sockaddr *) &address, &n) < 0)
                return -errno;
        return ntohs(address.sin_port);
}

static void write_listener(FILE *out, int port, const char *address, bool mutual) {
        fprintf(out,
                "listener %d %s\n"
                "cafile trust.pem\n"
                "certfile server.pem\n"
                "keyfile server.key\n"
                "require_certificate %s\n",
                port, address, mutual ? "true" : "false");
}

static void write_listeners(FILE *out, const Options *options, int port, bool mutual) {
        if (options->bind) {
                write_listener(out, port, options->bind, mutual);
                return;
        }
        write_listener(out, port, "127.0.0.1", mutual);
        if (have_v6())
                write_listener(out, port, "::1", mutual);
}

static int write_configuration(const Place *place, const Options *options, int port, int dps_port) {
        _cleanup_free_ char *text = NULL;
        size_t n = 0;
        FILE *out = open_memstream(&text, &n);

        if (!out)
                return -ENOMEM;
        fprintf(out,
                "per_listener_settings false\n"
                "allow_anonymous false\n"
                "persistence false\n"
                "sys_interval 0\n"
                "set_tcp_nodelay true\n"
                "max_inflight_messages 100\n"
                "max_queued_messages 1000\n"
                "log_dest stderr\n"
                "log_timestamp_format %%Y-%%m-%%dT%%H:%%M:%%S\n"
                "plugin " PLUGIN "\n"
                "plugin_opt_token_ttl %u\n"
                "plugin_opt_ready_fd %d\n",
                options->token_ttl_sec, READY_FD);
        write_listeners(out, options, port, true);
        if (dps_port >= 0)
                write_listeners(out, options, dps_port, false);
        if (fclose(out) != 0)
                return -ENOMEM;
        return place_write(place->cloud_fd, CONFIGURATION_FILE, 0644, text, n);
}

/* Root becomes the broker's user; for others there is nothing to do. */
static int drop_privileges(const Place *place) {
        if (geteuid() != 0)
                return 0;
        if (setgroups(0, NULL) < 0 || setresgid(place->gid, place->gid, place->gid) < 0 ||
            setresuid(place->uid, place->uid, place->uid) < 0)
                return -errno;
        return 0;
}

/* In the child. Ends it. */
static _Noreturn void become_broker(const Place *place, pid_t parent, int ready_fd, int log_fd) {
        char *const arguments[] = {(char[]){"mosquitto"}, (char[]){"-c"},
                                   (char[]){CONFIGURATION_FILE}, NULL};
        static const char *const paths[] = {"/usr/sbin/mosquitto", "/usr/local/sbin/mosquitto"};
        sigset_t none;

        sigemptyset(&none);
        sigprocmask(SIG_SETMASK, &none, NULL);
        /* After the change of user, which clears it (prctl(2)). */
        if (fchdir(place->cloud_fd) < 0 || drop_privileges(place) < 0 ||
            prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || dup2(log_fd, STDOUT_FILENO) < 0 ||
            dup2(log_fd, STDERR_FILENO) < 0)
                _exit(EXIT_FAILURE);
        if (getppid() != parent)
                _exit(EXIT_FAILURE);
        if (ready_fd == READY_FD)
                fcntl(ready_fd, F_SETFD, 0);
        else if (dup2(ready_fd, READY_FD) < 0)
                _exit(EXIT_FAILURE);
        setenv("LD_PRELOAD", PLUGIN, 1);
        execvp(arguments[0], arguments);
        /* An unprivileged user's PATH has no sbin. */
        for (size_t i = 0; i < ELEMENTSOF(paths); i++)
                execv(paths[i], arguments);
        dprintf(STDERR_FILENO, "cannot run mosquitto: %s\n", strerror(errno));
        _exit(EXIT_FAILURE);
}

int broker_start(const Place *place, const Options *options, int port, int dps_port, Broker *ret) {
        _cleanup_close_ int log_fd = -1;
        int pipe_fds[2], r;
        pid_t parent = getpid(), pid;

        r = write_configuration(place, options, port, dps_port);
        if (r >= 0)
                r = place_hand_over(place);
        if (r < 0)
                return r;
        log_fd = openat(place->cloud_fd, LOG_FILE, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
        if (log_fd < 0 || pipe2(pipe_fds, O_CLOEXEC) < 0) {
                r = -errno;
                fprintf(stderr, "cannot start mosquitto: %s\n", strerror(-r));
                return r;
        }
        pid = fork();
        if (pid == 0)
                become_broker(place, parent, pipe_fds[1], log_fd);
        r = -errno;
        close(pipe_fds[1]);
        if (pid < 0) {
                close(pipe_fds[0]);
                return r;
        }
        *ret = (Broker){.pid = pid, .ready_fd = pipe_fds[0]};
        return 0;
}

void broker_show_log(const Place *place) {
        _cleanup_close_ int fd = openat(place->cloud_fd, LOG_FILE, O_RDONLY | O_CLOEXEC);
        _cleanup_free_ char *text = malloc(LOG_SHOWN_MAX);
        struct stat st;
        ssize_t n;

        if (fd < 0 || !text || fstat(fd, &st) < 0)
                return;
        if (st.st_size > LOG_SHOWN_MAX)
                (void) lseek(fd, st.st_size - LOG_SHOWN_MAX, SEEK_SET);
        n = read(fd, text, LOG_SHOWN_MAX);
        if (n > 0)
                (void) fwrite(text, 1, (size_t) n, stderr);
}
