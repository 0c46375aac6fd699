/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/integration/lib/daemon.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "tests/integration/lib/agent.h"
#include "tests/integration/lib/process.h"

#define ARGUMENTS_MAX 16
#define PASSED_FROM 100 /* out of the way of what the shell puts in its place */
#define NOTIFICATION_MAX 4096

static int bind_notify(const char *path) {
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

        ck_assert_int_ge(fd, 0);
        ck_assert_uint_lt(strlen(path), sizeof(address.sun_path));
        memcpy(address.sun_path, path, strlen(path) + 1);
        ck_assert_int_eq(bind(fd, (const struct sockaddr *) &address, sizeof(address)), 0);
        return fd;
}

void daemon_make(Daemon *d) {
        *d = (Daemon){.notify_fd = -1,
                      .passed = {-1, -1},
                      .bus = "none",
                      .program = FLEETPROVD,
                      .confinement = CONFINEMENT};
        place_make(&d->place);
        d->config = place_path(&d->place, "fleetprovd.conf");
        d->state = place_path(&d->place, "state");
        d->socket = place_path(&d->place, "socket");
        d->log = place_path(&d->place, "log");
        ck_assert_int_eq(mkdir(d->state, 0700), 0);
}

static int listen_at(const char *path) {
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), passed;

        ck_assert_int_ge(fd, 0);
        ck_assert_uint_lt(strlen(path), sizeof(address.sun_path));
        memcpy(address.sun_path, path, strlen(path) + 1);
        ck_assert_int_eq(bind(fd, (const struct sockaddr *) &address, sizeof(address)), 0);
        ck_assert_int_eq(listen(fd, SOMAXCONN), 0);
        passed = fcntl(fd, F_DUPFD, PASSED_FROM);
        ck_assert_int_ge(passed, 0);
        close(fd);
        return passed;
}

void daemon_add_door(Daemon *d, const char *name) {
        d->door = name;
        d->door_socket = place_path(&d->place, "door");
        d->passed[0] = listen_at(d->socket);
        d->passed[1] = listen_at(d->door_socket);
}

/* A shell puts the sockets where sd_listen_fds(3) looks, knows its own number, which stays, and
 * becomes another user: then it is the daemon. */
static const char *wrap(Daemon *d) {
        const char *sockets = "", *user = "";

        if (d->door)
                sockets =
                        place_text(&d->place,
                                   "exec 3<&%d 4<&%d %d<&- %d<&-; export LISTEN_PID=$$ "
                                   "LISTEN_FDS=2 LISTEN_FDNAMES=main:%s; ",
                                   d->passed[0], d->passed[1], d->passed[0], d->passed[1], d->door);
        if (d->user) {
                ck_assert_int_eq(chown(d->state, d->user, d->user), 0);
                ck_assert_int_eq(chown(d->config, d->user, d->user), 0);
                /* A leak is found by tracing oneself, which is for root alone here. */
                user = place_text(&d->place,
                                  "ASAN_OPTIONS=detect_leaks=0 setpriv --reuid=%u --regid=%u "
                                  "--clear-groups --pdeathsig=TERM ",
                                  (unsigned) d->user, (unsigned) d->user);
        }
        return place_text(&d->place, "%sexec env %s\"$0\" \"$@\"", sockets, user);
}

void daemon_configure(Daemon *d, const char *text) {
        (void) place_write(&d->place, "fleetprovd.conf", 0600, text);
}

/* Another user may not pass the folder that the tests are built in: root's home, for one. */
static const char *for_user(Daemon *d, const char *name, const char *path) {
        return d->user ? place_copy(&d->place, name, path) : path;
}

static void start(Daemon *d, const char *notify_socket) {
        const bool wrapped = d->door || d->user;
        const char *const argv[] = {"bash",
                                    "-c",
                                    wrapped ? wrap(d) : "",
                                    for_user(d, "confine", CONFINE),
                                    for_user(d, "confinement", d->confinement),
                                    for_user(d, "fleetprovd", d->program),
                                    place_text(&d->place, "--config=%s", d->config),
                                    place_text(&d->place, "--state-directory=%s", d->state),
                                    place_text(&d->place, "--socket=%s", d->socket),
                                    place_text(&d->place, "--bus=%s", d->bus),
                                    "--log-level=debug",
                                    NULL};
        const char *environment[] = {
                "LSAN_OPTIONS=print_suppressions=0:suppressions='" LEAKS_OF_LIBRARIES "'",
                place_text(&d->place, "NOTIFY_SOCKET=%s", notify_socket), NULL, NULL, NULL};
        size_t n = 2;

        if (d->fault)
                environment[n++] = place_text(&d->place, "FLEETPROV_FAULT=%s", d->fault);
        if (d->fault_list)
                environment[n++] = place_text(&d->place, "FLEETPROV_FAULT_LIST=%s", d->fault_list);
        d->pid = process_start(wrapped ? argv : argv + 3, d->log, environment);
}

void daemon_start_without_wait(Daemon *d) {
        const char *path = place_path(&d->place, "notify");

        d->notify_fd = bind_notify(path);
        if (d->user)
                ck_assert_int_eq(chown(path, d->user, d->user), 0);
        start(d, path);
}

void daemon_start_unheard(Daemon *d) {
        start(d, "");
}

void daemon_wait_notify(Daemon *d, const char *text) {
        struct pollfd poll_fd = {.fd = d->notify_fd, .events = POLLIN};
        _cleanup_free_ char *message = malloc(NOTIFICATION_MAX + 1);
        ssize_t n;

        ck_assert_ptr_nonnull(message);
        do {
                for (unsigned tries = 0; poll(&poll_fd, 1, 0) == 0;) {
                        siginfo_t end = {};

                        (void) waitid(P_PID, (id_t) d->pid, &end, WEXITED | WNOHANG | WNOWAIT);
                        ck_assert_msg(end.si_pid == 0 || poll(&poll_fd, 1, 0) > 0,
                                      "the daemon ended before it said %s; see %s", text, d->log);
                        ck_assert_msg(process_pause(&tries), "never said: %s", text);
                }
                n = recv(d->notify_fd, message, NOTIFICATION_MAX, 0);
                ck_assert_int_ge(n, 0);
                message[n] = '\0';
        } while (!strstr(message, text));
}

/* A socket that nobody reads fills up, and whoever notifies then waits. */
static void stop_listening(Daemon *d) {
        d->notify_fd = close_fd(d->notify_fd);
        (void) unlink(place_path(&d->place, "notify"));
}

void daemon_start(Daemon *d) {
        daemon_start_without_wait(d);
        daemon_wait_notify(d, "READY=1");
        stop_listening(d);
}

void daemon_assert_log_is_sane(const Daemon *d) {
        static const char *const words[] = {"Sanitizer", "runtime error:", "Assertion",
                                            "confine: "};

        for (size_t i = 0; i < ELEMENTSOF(words); i++) {
                _cleanup_free_ char *log = file_read(d->log, NULL);
                const char *found = log ? strstr(log, words[i]) : NULL;

                ck_assert_msg(!found, "the daemon's log: %.3000s", found);
        }
}

void daemon_stop(Daemon *d) {
        int status = process_end(d->pid, SIGTERM);

        d->pid = 0;
        daemon_assert_log_is_sane(d);
        ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0,
                      "the daemon ended with wait status %#x", (unsigned) status);
}

void daemon_kill(Daemon *d) {
        (void) process_end(d->pid, SIGKILL);
        d->pid = 0;
        daemon_assert_log_is_sane(d);
}

void daemon_done(Daemon *d) {
        if (!d->place.dir)
                return;
        if (d->pid > 0)
                daemon_stop(d);
        stop_listening(d);
        for (size_t i = 0; i < ELEMENTSOF(d->passed); i++)
                d->passed[i] = close_fd(d->passed[i]);
        place_remove(&d->place);
}

void daemon_run(Daemon *d, Cloud *c, const char *daemon, const char *more) {
        daemon_make(d);
        daemon_configure(d, place_text(&d->place, "[Daemon]\n%s\n%s", daemon,
                                       cloud_profile(c, "aws", more)));
        daemon_start(d);
}

static bool session_is(fleetprov_client *client, const char *profile, const char *state) {
        fleetprov_status *status = agent_status(client);
        bool is = false;

        for (size_t i = 0; i < fleetprov_status_get_n_profiles(status); i++)
                if (streq(fleetprov_status_get_profile_name(status, i), profile))
                        is = streq(fleetprov_status_get_profile_session(status, i), state);
        fleetprov_status_free(status);
        return is;
}

void daemon_wait_session(const Daemon *d, const char *profile, const char *state) {
        fleetprov_client *client = agent_open(d->socket);

        WAIT_FOR(session_is(client, profile, state));
        fleetprov_client_free(client);
}

int daemon_run_once(const char *const arguments[], const char *const environment[],
                    char **ret_output) {
        const char *argv[ARGUMENTS_MAX] = {CONFINE, CONFINEMENT, FLEETPROVD};
        size_t n = 3;

        for (; *arguments; arguments++) {
                ck_assert_uint_lt(n, ARGUMENTS_MAX - 1);
                argv[n++] = *arguments;
        }
        return process_run(argv, environment, ret_output);
}
