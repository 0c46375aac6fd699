/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The way to the daemon: its own socket, or a message bus. On both the client says Hello and asks
 * for the signals by AddMatch, which the daemon answers on its sockets as a bus would. On a socket
 * a restart of the daemon is a lost connection; on a bus it is a name that changes its owner. */

#include "libclient/client.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <sys/random.h>

#include "protocol/ipc/names.h"

void connection_retry(fleetprov_client *c) {
        uint32_t random = 0;

        /* Half fixed, half by chance: many clients of one daemon must not come back as one. */
        if (getrandom(&random, sizeof(random), GRND_NONBLOCK) < 0)
                random = (uint32_t) getpid();
        c->retry_at = client_now() + c->backoff / 2 + random % (c->backoff / 2);
        c->backoff = usec_min(c->backoff * 2, CLIENT_BACKOFF_MAX_USEC);
}

void connection_away(fleetprov_client *c) {
        if (c->away)
                return;
        c->away = true;
        client_post(c, event_new(FLEETPROV_EVENT_DISCONNECTED));
}

void connection_alive(fleetprov_client *c) {
        c->seen = true;
        c->backoff = CLIENT_BACKOFF_MIN_USEC;
        if (!c->away)
                return;
        c->away = false;
        client_post(c, event_new(FLEETPROV_EVENT_RESYNC));
}

static int on_job_signal(sd_bus_message *m, void *userdata, _unused_ sd_bus_error *e) {
        _cleanup_(fleetprov_event_freep) fleetprov_event *event = NULL;
        fleetprov_client *c = userdata;
        const char *path, *state, *phase, *id;
        int type, r;

        if (sd_bus_message_is_signal(m, IPC_MANAGER_INTERFACE, "JobChanged"))
                type = FLEETPROV_EVENT_JOB_CHANGED;
        else if (sd_bus_message_is_signal(m, IPC_MANAGER_INTERFACE, "JobAdded"))
                type = FLEETPROV_EVENT_JOB_ADDED;
        else if (sd_bus_message_is_signal(m, IPC_MANAGER_INTERFACE, "JobRemoved"))
                type = FLEETPROV_EVENT_JOB_REMOVED;
        else
                return 0;
        event = event_new(type);
        r = sd_bus_message_read(m, "o", &path);
        if (r < 0)
                return 0; /* not as the interface says: nobody waits for that */
        id = strrchr(path, '/') + 1;
        if (event)
                event->job_id = strdup(id);
        if (event && type == FLEETPROV_EVENT_JOB_CHANGED) {
                r = sd_bus_message_read(m, "ss", &state, &phase);
                if (r < 0)
                        return 0;
                event->state = FLEETPROV_STATE_UNKNOWN;
                for (int i = FLEETPROV_STATE_QUEUED; i <= FLEETPROV_STATE_EXPIRED; i++)
                        if (streq(fleetprov_state_to_string(i), state))
                                event->state = i;
                event->phase = strdup(phase);
                if (!event->phase)
                        event = fleetprov_event_free(event);
        }
        if (event && !event->job_id)
                event = fleetprov_event_free(event);
        client_post(c, TAKE_PTR(event));
        return 0;
}

static int on_owner_changed(sd_bus_message *m, void *userdata, _unused_ sd_bus_error *e) {
        fleetprov_client *c = userdata;
        const char *name, *old_owner, *new_owner;

        if (sd_bus_message_read(m, "sss", &name, &old_owner, &new_owner) < 0 ||
            !streq(name, IPC_BUS_NAME))
                return 0;
        /* Handed over from one owner to the next: events in between may be missing all the same. */
        if (*old_owner && c->seen) {
                connection_away(c);
                connection_retry(c);
        }
        if (*new_owner && c->away) {
                connection_alive(c);
                c->retry_at = 0;
        }
        return 0;
}

static int on_subscribed(sd_bus_message *m, void *userdata, _unused_ sd_bus_error *e) {
        fleetprov_client *c = userdata;

        /* A refusal must not end the connection: calls work without signals, too. An answer made
         * by sd-bus itself, because the connection ended, is no sign of life. */
        if (sd_bus_message_is_method_error(m, NULL))
                return 0;
        if (c->on_socket || c->away)
                connection_alive(c);
        return 0;
}

static int ignore_answer(_unused_ sd_bus_message *m, _unused_ void *userdata,
                         _unused_ sd_bus_error *e) {
        return 0;
}

static int subscribe(fleetprov_client *c, sd_bus *bus) {
        int r;

        if (!c->on_socket) {
                r = sd_bus_add_match_async(bus, NULL,
                                           "type='signal',sender='org.freedesktop.DBus',"
                                           "path='/org/freedesktop/DBus',"
                                           "interface='org.freedesktop.DBus',"
                                           "member='NameOwnerChanged',arg0='" IPC_BUS_NAME "'",
                                           on_owner_changed, ignore_answer, c);
                if (r < 0)
                        return r;
        }
        /* On a socket there is one possible sender, and it has no name. */
        return sd_bus_match_signal_async(bus, NULL, c->on_socket ? NULL : IPC_BUS_NAME,
                                         IPC_MANAGER_PATH, IPC_MANAGER_INTERFACE, NULL,
                                         on_job_signal, on_subscribed, c);
}

static int start_address(const char *address, sd_bus **ret) {
        sd_bus *bus = NULL;
        int r;

        r = sd_bus_new(&bus);
        if (r < 0)
                return r;
        if ((r = sd_bus_set_address(bus, address)) < 0 ||
            (r = sd_bus_set_bus_client(bus, true)) < 0 ||
            (r = sd_bus_negotiate_fds(bus, true)) < 0 || (r = sd_bus_start(bus)) < 0) {
                sd_bus_close_unref(bus);
                return r;
        }
        *ret = bus;
        return 0;
}

/* Let in and shown the door at once, before the first words were written. */
static int turned_away(int r) {
        return r == -EPIPE || r == -ECONNRESET || r == -ENOTCONN ? -EAGAIN : r;
}

int connection_open(fleetprov_client *c) {
        sd_bus *bus = NULL;
        int r;

        if (streq(c->address, "system"))
                r = sd_bus_open_system(&bus);
        else if (streq(c->address, "session"))
                r = sd_bus_open_user(&bus);
        else
                r = start_address(c->address, &bus);
        if (r < 0)
                return turned_away(r);
        r = subscribe(c, bus);
        if (r < 0) {
                sd_bus_close_unref(bus);
                return turned_away(r);
        }
        sd_bus_close_unref(c->bus);
        c->bus = bus;
        c->open = true;
        c->retry_at = 0;
        return 0;
}

void connection_lost(fleetprov_client *c) {
        sd_bus_close(c->bus);
        c->open = false;
        call_forget_tries(c);
        if (!c->seen)
                /* Let in and shown the door, or no daemon of ours: waiting would not mend it. */
                call_fail_all(c, FLEETPROV_CONNECTION_LOST,
                              "the daemon closed the connection before it answered: it has too "
                              "many, is stopping, or does not serve this user; try again later");
        connection_away(c);
        connection_retry(c);
}

/* The characters that the D-Bus specification lets stand as they are in an address; the rest is
 * escaped with a percent sign. */
static char *socket_address(const char *path) {
        char *address = malloc(strlen("unix:path=") + 3 * strlen(path) + 1), *p;

        if (!address)
                return NULL;
        p = stpcpy(address, "unix:path=");
        for (; *path; path++) {
                unsigned char ch = (unsigned char) *path;

                if ((ch < 0x80 && isalnum(ch)) || strchr("-_/.", ch))
                        *p++ = (char) ch;
                else
                        p += sprintf(p, "%%%02x", ch);
        }
        *p = '\0';
        return address;
}

static int try_target(fleetprov_client *c, const char *address, bool on_socket) {
        char *copy = on_socket ? socket_address(address) : strdup(address);

        if (!copy)
                return -ENOMEM;
        free(c->address);
        c->address = copy;
        c->on_socket = on_socket;
        return connection_open(c);
}

int connection_choose(fleetprov_client *c, const char *address) {
        int r;

        if (address && !*address)
                return -EINVAL;
        if (address)
                return try_target(c, address, *address == '/');
        r = try_target(c, IPC_DEFAULT_SOCKET, true);
        if (r >= 0 || r == -ENOMEM)
                return r;
        /* The socket's own reason tells more than that there is no bus either. */
        return try_target(c, "system", false) >= 0 ? 0 : r;
}
