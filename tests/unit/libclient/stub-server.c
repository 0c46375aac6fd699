/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/libclient/stub.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "protocol/ipc/names.h"
#include "tests/unit/libclient/stub-inside.h"

static void open_bus(StubServer *s);

static void must(int r, const char *what) {
        if (r >= 0)
                return;
        fprintf(stderr, "stub: %s: %s\n", what, strerror(-r));
        _exit(99);
}

void stub_hang_up(StubServer *s) {
        for (size_t i = 0; i < STUB_CONNECTIONS_MAX; i++) {
                StubConnection *c = &s->connections[i];

                if (!c->bus)
                        continue;
                sd_bus_flush(c->bus);
                sd_bus_detach_event(c->bus);
                sd_bus_close(c->bus);
                c->bus = sd_bus_unref(c->bus);
                c->greeted = false;
        }
        if (s->bus_address)
                open_bus(s);
}

static int on_disconnected(sd_bus_message *m, void *userdata, sd_bus_error *e) {
        StubServer *s = userdata;

        (void) e;
        for (size_t i = 0; i < STUB_CONNECTIONS_MAX; i++)
                if (s->connections[i].bus == sd_bus_message_get_bus(m)) {
                        sd_bus_close(s->connections[i].bus);
                        s->connections[i].bus = sd_bus_unref(s->connections[i].bus);
                        s->connections[i].greeted = false;
                }
        return 0;
}

static int on_accept(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        StubServer *s = userdata;
        StubConnection *c = NULL;
        sd_id128_t id;
        sd_bus *bus = NULL;
        int conn;

        (void) source;
        (void) revents;
        conn = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (conn < 0)
                return 0;
        for (size_t i = 0; i < STUB_CONNECTIONS_MAX && !c; i++)
                if (!s->connections[i].bus)
                        c = &s->connections[i];
        if (!c) {
                close(conn);
                return 0;
        }
        must(sd_id128_randomize(&id), "id");
        must(sd_bus_new(&bus), "new");
        must(sd_bus_set_fd(bus, conn, conn), "set fd");
        must(sd_bus_set_server(bus, 1, id), "set server");
        must(sd_bus_negotiate_fds(bus, 1), "negotiate fds");
        must(stub_add_driver(s, bus), "driver");
        must(stub_add_objects(s, bus), "objects");
        must(sd_bus_match_signal(bus, NULL, NULL, "/org/freedesktop/DBus/Local",
                                 "org.freedesktop.DBus.Local", "Disconnected", on_disconnected, s),
             "match");
        must(sd_bus_start(bus), "start");
        must(sd_bus_attach_event(bus, s->event, 0), "attach");
        c->bus = bus;
        c->greeted = false;
        return 0;
}

/* As a restarted daemon would: a new connection, the same name. */
static void open_bus(StubServer *s) {
        sd_bus *bus = NULL;

        must(sd_bus_new(&bus), "new");
        must(sd_bus_set_address(bus, s->bus_address), "address");
        must(sd_bus_set_bus_client(bus, 1), "client");
        must(sd_bus_start(bus), "start");
        must(stub_add_objects(s, bus), "objects");
        must(sd_bus_request_name(bus, IPC_BUS_NAME, 0), "name");
        must(sd_bus_attach_event(bus, s->event, 0), "attach");
        s->connections[0] = (StubConnection){.bus = bus, .greeted = true};
}

static void serve(int listen_fd, const char *bus_address) {
        StubServer s = {.bus_address = bus_address};

        prctl(PR_SET_PDEATHSIG, SIGKILL);
        must(sd_event_new(&s.event), "event");
        if (bus_address)
                open_bus(&s);
        else
                must(sd_event_add_io(s.event, NULL, listen_fd, 1U /* EPOLLIN */, on_accept, &s),
                     "io");
        must(sd_event_loop(s.event), "loop");
        _exit(0);
}

static void spawn(Stub *stub) {
        struct sockaddr_un sa = {.sun_family = AF_UNIX};
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

        must(fd < 0 ? -errno : 0, "socket");
        must(strlen(stub->path) < sizeof(sa.sun_path) ? 0 : -ENAMETOOLONG, stub->path);
        strcpy(sa.sun_path, stub->path);
        unlink(stub->path);
        must(bind(fd, (struct sockaddr *) &sa, sizeof(sa)) < 0 ? -errno : 0, "bind");
        must(listen(fd, 16) < 0 ? -errno : 0, "listen");
        stub->pid = fork();
        must(stub->pid < 0 ? -errno : 0, "fork");
        if (stub->pid == 0)
                serve(fd, NULL);
        close(fd);
}

void stub_start(Stub *stub) {
        char template[] = "/tmp/fleetprov-stub-XXXXXX";

        *stub = (Stub){0};
        must(mkdtemp(template) ? 0 : -errno, "mkdtemp");
        stub->dir = strdup(template);
        must(asprintf(&stub->path, "%s/socket", template), "path");
        spawn(stub);
}

static void spawn_on_bus(Stub *stub) {
        stub->pid = fork();
        must(stub->pid < 0 ? -errno : 0, "fork");
        if (stub->pid == 0)
                serve(-1, stub->path);
}

bool stub_start_on_bus(Stub *stub) {
        char template[] = "/tmp/fleetprov-stub-XXXXXX", address[64];
        int ready[2];

        *stub = (Stub){0};
        if (access("/usr/bin/dbus-daemon", X_OK) < 0)
                return false;
        must(mkdtemp(template) ? 0 : -errno, "mkdtemp");
        stub->dir = strdup(template);
        must(asprintf(&stub->path, "unix:path=%s/bus", template), "path");
        must(pipe(ready) < 0 ? -errno : 0, "pipe");
        stub->bus_pid = fork();
        must(stub->bus_pid < 0 ? -errno : 0, "fork");
        if (stub->bus_pid == 0) {
                prctl(PR_SET_PDEATHSIG, SIGKILL);
                dup2(ready[1], STDOUT_FILENO);
                execl("/usr/bin/dbus-daemon", "dbus-daemon", "--session", "--nofork", "--nosyslog",
                      "--print-address=1", "--address", stub->path, (char *) NULL);
                _exit(127);
        }
        close(ready[1]);
        /* It says its address when it listens. */
        must(read(ready[0], address, sizeof(address)) > 0 ? 0 : -EIO, "dbus-daemon");
        close(ready[0]);
        spawn_on_bus(stub);
        return true;
}

void stub_kill(Stub *stub) {
        kill(stub->pid, SIGKILL);
        waitpid(stub->pid, NULL, 0);
        stub->pid = 0;
}

void stub_restart(Stub *stub) {
        if (stub->bus_pid > 0)
                spawn_on_bus(stub);
        else
                spawn(stub);
}

void stub_stop(Stub *stub) {
        if (stub->pid > 0)
                stub_kill(stub);
        if (stub->bus_pid > 0) {
                kill(stub->bus_pid, SIGTERM);
                waitpid(stub->bus_pid, NULL, 0);
                unlink(strchr(stub->path, '/'));
        }
        unlink(stub->path);
        rmdir(stub->dir);
        free(stub->path);
        free(stub->dir);
}
