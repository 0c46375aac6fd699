/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/front/bus.h"

#include <errno.h>
#include <time.h>

#include "daemon/base/log.h"
#include "protocol/ipc/names.h"

struct Bus {
        sd_event *event;
        const FrontContext *context;
        char *address;
        Link *link;
        sd_bus_slot *naming; /* the request for our name */
        sd_event_source *retry;
        usec_t delay; /* of the next retry */
        bool complained;
};

Link *bus_link(Bus *b) {
        return b->link;
}

static void retry_later(Bus *b) {
        usec_t delay = b->delay;

        b->delay = delay * 2 < BUS_RETRY_LAST_USEC ? delay * 2 : BUS_RETRY_LAST_USEC;
        if (sd_event_source_set_time_relative(b->retry, delay) < 0 ||
            sd_event_source_set_enabled(b->retry, SD_EVENT_ONESHOT) < 0)
                log_error("Cannot set a timer: the bus is not looked for any more");
}

/* Once per absence, not once per try. */
static void complain(Bus *b, int r, const char *what) {
        if (!b->complained)
                (void) log_warning_errno(r,
                                         "%s (%s); the sockets go on, and the bus is tried again",
                                         what, b->address);
        b->complained = true;
}

static void drop(Bus *b) {
        b->naming = sd_bus_slot_unref(b->naming);
        b->link = link_free(b->link);
}

static void on_link_closed(_unused_ Link *l, void *owner) {
        Bus *b = owner;

        complain(b, -ENOTCONN, "The bus is not there");
        drop(b);
        retry_later(b);
}

static int on_named(sd_bus_message *m, void *userdata, _unused_ sd_bus_error *error) {
        const sd_bus_error *e = sd_bus_message_get_error(m);
        Bus *b = userdata;
        uint32_t answer;

        if (e) {
                if (!b->complained)
                        log_warning("The bus does not give us the name " IPC_BUS_NAME ": %s; is "
                                    "its policy file installed?",
                                    e->message ? e->message : e->name);
                b->complained = true;
                link_close(b->link);
                return 0;
        }
        if (sd_bus_message_read(m, "u", &answer) < 0) {
                link_close(b->link);
                return 0;
        }
        /* DBUS_REQUEST_NAME_REPLY_IN_QUEUE: it becomes ours when the other one leaves. */
        if (answer == 2)
                log_warning("Another program has the name " IPC_BUS_NAME "; waiting for it");
        else
                log_info("On the bus (%s) as " IPC_BUS_NAME, b->address);
        b->complained = false;
        b->delay = BUS_RETRY_FIRST_USEC;
        return 0;
}

static int open_address(const char *address, sd_bus **ret) {
        _cleanup_(sd_bus_unrefp) sd_bus *bus = NULL;
        int r;

        if (streq(address, "system"))
                return sd_bus_open_system(ret);
        if (streq(address, "session"))
                return sd_bus_open_user(ret);
        r = sd_bus_new(&bus);
        if (r >= 0)
                r = sd_bus_set_address(bus, address);
        if (r >= 0)
                r = sd_bus_set_bus_client(bus, 1);
        if (r >= 0)
                r = sd_bus_start(bus);
        if (r >= 0)
                *ret = TAKE_PTR(bus);
        return r;
}

static int connect_bus(Bus *b) {
        sd_bus *bus = NULL;
        int r;

        r = open_address(b->address, &bus);
        if (r < 0)
                return r;
        r = link_new(b->event, b->context, bus, on_link_closed, b, &b->link);
        if (r < 0)
                return r;
        r = bus_peers_new(bus, &b->link->senders);
        if (r >= 0)
                r = sd_bus_request_name_async(bus, &b->naming, IPC_BUS_NAME, SD_BUS_NAME_QUEUE,
                                              on_named, b);
        if (r < 0)
                drop(b);
        return r;
}

static void look_for_bus(Bus *b) {
        int r;

        r = connect_bus(b);
        if (r < 0) {
                complain(b, r, "The bus is not there");
                retry_later(b);
        }
}

static int on_retry(_unused_ sd_event_source *s, _unused_ uint64_t usec, void *userdata) {
        look_for_bus(userdata);
        return 0;
}

/* Whether sd-bus can read it; opening it is another matter. */
static int check_address(const char *address) {
        _cleanup_(sd_bus_unrefp) sd_bus *bus = NULL;
        int r;

        if (streq(address, "system") || streq(address, "session"))
                return 0;
        if (!strchr(address, ':'))
                return -EINVAL;
        r = sd_bus_new(&bus);
        return r < 0 ? r : sd_bus_set_address(bus, address);
}

int bus_new(sd_event *event, const FrontContext *context, const char *address, Bus **ret) {
        _cleanup_(bus_freep) Bus *b = NULL;
        int r;

        r = check_address(address);
        if (r < 0)
                return log_error_errno(r,
                                       "Bus '%s' is neither system, session, none nor a D-Bus "
                                       "address as unix:path=/run/dbus/system_bus_socket",
                                       address);
        b = calloc(1, sizeof(Bus));
        if (!b)
                return -ENOMEM;
        b->event = sd_event_ref(event);
        b->context = context;
        b->delay = BUS_RETRY_FIRST_USEC;
        r = free_and_strdup(&b->address, address);
        if (r < 0)
                return r;
        r = sd_event_add_time(event, &b->retry, CLOCK_MONOTONIC, 0, USEC_PER_SEC / 4, on_retry, b);
        if (r >= 0)
                r = sd_event_source_set_enabled(b->retry, SD_EVENT_OFF);
        if (r < 0)
                return r;
        look_for_bus(b);
        *ret = TAKE_PTR(b);
        return 0;
}

Bus *bus_free(Bus *b) {
        if (!b)
                return NULL;
        drop(b);
        sd_event_source_disable_unref(b->retry);
        sd_event_unref(b->event);
        free(b->address);
        free(b);
        return NULL;
}
