/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/integration/lib/bus-daemon.h"

#include <signal.h>
#include <unistd.h>

#include "tests/integration/lib/answers.h"
#include "tests/integration/lib/process.h"
#include "tests/integration/lib/raw.h"

#include <check.h>

void bus_daemon_make(BusDaemon *b, Place *place) {
        *b = (BusDaemon){.place = place,
                         .address = place_text(place, "unix:path=%s/bus", place->dir)};
}

void bus_daemon_start(BusDaemon *b) {
        const char *config = place_write(
                b->place, "bus.conf", 0644,
                place_text(b->place,
                           "<!DOCTYPE busconfig PUBLIC \"-//freedesktop//DTD D-Bus Bus "
                           "Configuration 1.0//EN\" "
                           "\"http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd\">\n"
                           "<busconfig><type>custom</type><listen>%s</listen>"
                           "<auth>EXTERNAL</auth><policy context=\"default\">"
                           "<allow send_destination=\"*\" eavesdrop=\"true\"/>"
                           "<allow eavesdrop=\"true\"/><allow own=\"*\"/><allow user=\"*\"/>"
                           "</policy></busconfig>\n",
                           b->address));
        const char *const argv[] = {"dbus-daemon", place_text(b->place, "--config-file=%s", config),
                                    "--nofork", NULL};

        b->pid = process_start(argv, place_path(b->place, "bus.log"), NULL);
        WAIT_FOR(socket_answers(place_path(b->place, "bus")));
}

void bus_daemon_stop(BusDaemon *b) {
        (void) process_end(b->pid, SIGTERM);
        b->pid = 0;
        (void) unlink(place_path(b->place, "bus"));
}

bool bus_daemon_has_us(const BusDaemon *b) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        sd_bus *bus = raw_open(b->address, true);
        bool has;

        has = sd_bus_call_method(bus, "org.freedesktop.DBus", "/org/freedesktop/DBus",
                                 "org.freedesktop.DBus", "GetNameOwner", &error, NULL, "s",
                                 IPC_BUS_NAME) >= 0;
        sd_bus_flush_close_unref(bus);
        return has;
}
