/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/cloud/run's program: makes the certificates, starts the broker with the plugin, says "ready
 * PORT", and stays until it is told to end. Nothing of it is left then, in whatever way it ends. */

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>

#include "daemon/base/macro.h"
#include "tests/cloud/launch/broker.h"
#include "tests/cloud/launch/certificates.h"

#define START_TIMEOUT_MSEC 30000
#define STOP_TIMEOUT_MSEC 5000

/* A port that was free may be taken before the broker has it. */
#define PORT_TRIES 10

#define EXIT_USAGE 2

typedef enum StartResult {
        START_READY,
        START_FAILED,
        START_STOPPED, /* a signal came first */
} StartResult;

/* SIGTERM, SIGINT and the end of the broker, as a descriptor. */
static int open_signals(void) {
        sigset_t mask;

        sigemptyset(&mask);
        sigaddset(&mask, SIGTERM);
        sigaddset(&mask, SIGINT);
        sigaddset(&mask, SIGCHLD);
        if (sigprocmask(SIG_BLOCK, &mask, NULL) < 0)
                return -errno;
        return signalfd(-1, &mask, SFD_CLOEXEC);
}

/* The number of the signal that came; 0 when none could be read. */
static int read_signal(int fd) {
        struct signalfd_siginfo info;

        return read(fd, &info, sizeof(info)) == sizeof(info) ? (int) info.ssi_signo : 0;
}

static StartResult await_ready(const Broker *broker, int signal_fd) {
        struct pollfd fds[] = {{.fd = broker->ready_fd, .events = POLLIN},
                               {.fd = signal_fd, .events = POLLIN}};
        char byte;

        for (;;) {
                int r = poll(fds, ELEMENTSOF(fds), START_TIMEOUT_MSEC);

                if (r < 0 && errno == EINTR)
                        continue;
                if (r <= 0)
                        return START_FAILED;
                if (fds[0].revents)
                        return read(broker->ready_fd, &byte, 1) == 1 ? START_READY : START_FAILED;
                if (read_signal(signal_fd) != SIGCHLD)
                        return START_STOPPED;
        }
}

/* Ends the broker, and waits until it is gone. */
static void stop(Broker *broker, int signal_fd) {
        struct pollfd fd = {.fd = signal_fd, .events = POLLIN};

        broker->ready_fd = close_fd(broker->ready_fd);
        kill(broker->pid, SIGTERM);
        while (waitpid(broker->pid, NULL, WNOHANG) == 0) {
                if (poll(&fd, 1, STOP_TIMEOUT_MSEC) <= 0) {
                        kill(broker->pid, SIGKILL);
                        waitpid(broker->pid, NULL, 0);
                        break;
                }
                (void) read_signal(signal_fd);
        }
}

/* Until a signal says so, or the broker has ended by itself: then EXIT_FAILURE. */
static int stay(const Place *place, Broker *broker, int signal_fd) {
        for (;;) {
                int signo = read_signal(signal_fd);

                if (signo == SIGTERM || signo == SIGINT) {
                        stop(broker, signal_fd);
                        return EXIT_SUCCESS;
                }
                if (waitpid(broker->pid, NULL, WNOHANG) == broker->pid) {
                        fputs("mosquitto has ended by itself\n", stderr);
                        broker_show_log(place);
                        return EXIT_FAILURE;
                }
        }
}

static int announce(const Place *place, int port, int dps_port) {
        if (place_write_profile(place, port) < 0)
                return EXIT_FAILURE;
        if (dps_port >= 0 && place_write_dps_profile(place, dps_port) < 0)
                return EXIT_FAILURE;
        if (dps_port >= 0)
                printf("ready %d %d\n", port, dps_port);
        else
                printf("ready %d\n", port);
        return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int run(const Place *place, const Options *options, int signal_fd) {
        unsigned tries = options->port == 0 || options->dps_port == 0 ? PORT_TRIES : 1;
        Broker broker;
        int port, dps_port, r;

        for (unsigned i = 0; i < tries; i++) {
                port = options->port == 0 ? broker_find_port() : options->port;
                dps_port = options->dps_port == 0 ? broker_find_port() : options->dps_port;
                if (port < 0 || (options->dps_port == 0 && dps_port < 0) ||
                    broker_start(place, options, port, dps_port, &broker) < 0)
                        return EXIT_FAILURE;
                switch (await_ready(&broker, signal_fd)) {
                case START_READY:
                        r = announce(place, port, dps_port);
                        if (r == EXIT_SUCCESS)
                                return stay(place, &broker, signal_fd);
                        stop(&broker, signal_fd);
                        return r;
                case START_STOPPED:
                        stop(&broker, signal_fd);
                        return EXIT_SUCCESS;
                case START_FAILED:
                        stop(&broker, signal_fd);
                        break;
                }
        }
        fprintf(stderr, "mosquitto did not start on port %d:\n", port);
        broker_show_log(place);
        return EXIT_FAILURE;
}

/* The plugin and the fault tool stand beside this program. */
static int install_tools(const Place *place) {
        _cleanup_free_ char *self = realpath("/proc/self/exe", NULL);
        _cleanup_free_ char *plugin = NULL;
        char *slash = self ? strrchr(self, '/') : NULL;
        int r;

        if (!slash)
                return -ENOENT;
        *slash = '\0';
        if (asprintf(&plugin, "%s/fleet-cloud.so", self) < 0)
                return -ENOMEM;
        r = place_copy(place, plugin, "fleet-cloud.so", 0755);
        if (r < 0)
                return r;
        *slash = '\n';
        slash[1] = '\0';
        return place_write(place->cloud_fd, "tools", 0644, self, strlen(self));
}

int main(int argc, char **argv) {
        _cleanup_close_ int signal_fd = -1;
        pid_t parent = getppid();
        Options options;
        Place place;
        int r = EXIT_FAILURE;

        switch (options_parse(argc, argv, &options)) {
        case OPTIONS_RUN:
                break;
        case OPTIONS_HELP:
                return EXIT_SUCCESS;
        case OPTIONS_BAD:
                return EXIT_USAGE;
        }
        signal_fd = open_signals();
        if (options.die_with_parent &&
            (prctl(PR_SET_PDEATHSIG, SIGTERM) < 0 || getppid() != parent))
                return EXIT_FAILURE;
        if (signal_fd < 0 || place_open(options.dir, &place) < 0)
                return EXIT_FAILURE;
        if (certificates_make(&place, &options) >= 0 && install_tools(&place) >= 0)
                r = run(&place, &options, signal_fd);
        place_close(&place);
        return r;
}
