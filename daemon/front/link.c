/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/front/link.h"

#include <errno.h>

#include "daemon/base/log.h"
#include "daemon/front/call.h"
#include "daemon/front/objects.h"

/* libdbus, GDBus and sd-bus all make this of a connection that ended, and no message of a client
 * can look like it: this path never travels. */
#define MATCH_DISCONNECTED                                   \
        "type='signal',sender='org.freedesktop.DBus.Local'," \
        "path='/org/freedesktop/DBus/Local',"                \
        "interface='org.freedesktop.DBus.Local',member='Disconnected'"

static int on_disconnected(_unused_ sd_bus_message *m, void *userdata,
                           _unused_ sd_bus_error *error) {
        link_close(userdata);
        return 0;
}

static int on_closed(_unused_ sd_event_source *s, void *userdata) {
        Link *l = userdata;

        l->on_closed(l, l->owner);
        return 0;
}

static int on_greet(_unused_ sd_event_source *s, void *userdata) {
        Link *l = userdata;

        /* Not while the first call waits for its answer: that answer is the greeting then. */
        if (l->n_calls == 0)
                l->greeted = true;
        return 0;
}

static int on_any_message(sd_bus_message *m, void *userdata, _unused_ sd_bus_error *error) {
        Link *l = userdata;

        /* The handshake is done: the first message may come. */
        if (sd_bus_message_is_signal(m, "org.freedesktop.DBus.Local", "Connected") > 0)
                gate_resume(l->gate);
        if (!l->greeted && sd_bus_message_is_method_call(m, NULL, NULL) > 0)
                (void) sd_event_source_set_enabled(l->greet, SD_EVENT_ONESHOT);
        return 0;
}

static int add_defer(sd_event *event, sd_event_handler_t handler, Link *l, sd_event_source **ret) {
        int r;

        r = sd_event_add_defer(event, ret, handler, l);
        return r < 0 ? r : sd_event_source_set_enabled(*ret, SD_EVENT_OFF);
}

int link_new(sd_event *event, const FrontContext *context, sd_bus *bus,
             void (*closed)(Link *l, void *owner), void *owner, Link **ret) {
        _cleanup_(link_freep) Link *l = calloc(1, sizeof(Link));
        int r;

        if (!l) {
                sd_bus_close_unref(bus);
                return -ENOMEM;
        }
        l->context = context;
        l->bus = bus;
        l->on_closed = closed;
        l->owner = owner;
        r = add_defer(event, on_closed, l, &l->closed);
        if (r >= 0)
                r = add_defer(event, on_greet, l, &l->greet);
        if (r >= 0)
                r = sd_bus_add_filter(bus, NULL, on_any_message, l);
        if (r >= 0)
                r = sd_bus_add_match(bus, NULL, MATCH_DISCONNECTED, on_disconnected, l);
        if (r >= 0)
                r = manager_object_add(l);
        if (r >= 0)
                r = profile_object_add(l);
        if (r >= 0)
                r = job_object_add(l);
        if (r >= 0)
                r = sd_bus_attach_event(bus, event, FRONT_PRIORITY);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(l);
        return 0;
}

Link *link_free(Link *l) {
        if (!l)
                return NULL;
        front_calls_forget(l);
        gate_free(l->gate);
        bus_peers_free(l->senders);
        /* Calls that are still to be answered keep the object alive: it must not dispatch. */
        (void) sd_bus_detach_event(l->bus);
        sd_bus_close_unref(l->bus);
        sd_event_source_disable_unref(l->greet);
        sd_event_source_disable_unref(l->closed);
        peer_free(l->peer);
        free(l->unique_name);
        free(l);
        return NULL;
}

void link_close(Link *l) {
        l->closing = true;
        (void) sd_event_source_set_enabled(l->closed, SD_EVENT_ONESHOT);
}

const Peer *link_peer(Link *l, sd_bus_message *m) {
        if (l->peer)
                /* What the message says of its sender is the client's own word. */
                return l->peer;
        return l->senders && m ? bus_peers_get(l->senders, sd_bus_message_get_sender(m)) : NULL;
}

const char *link_door(const Link *l) {
        return l->peer ? l->peer->door : DOOR_MAIN;
}

bool link_hears(Link *l, const Job *job) {
        if (l->closing)
                return false;
        if (!l->peer)
                return sd_bus_is_ready(l->bus) > 0;
        /* A signal before the answer to Hello ends an sd-bus client with EIO. */
        return l->greeted && job_is_visible_to(job, l->peer);
}

uint64_t link_queued(const Link *l) {
        uint64_t n = 0;

        if (l->closing || sd_bus_get_n_queued_write(l->bus, &n) < 0)
                return 0;
        return n;
}
