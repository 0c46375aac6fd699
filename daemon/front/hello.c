/* SPDX-License-Identifier: GPL-2.0-or-later */

/* What a bus daemon would answer (D-Bus specification, "Message Bus Messages"), as far as busctl,
 * gdbus and the D-Bus libraries ask for it before they talk to anybody: without Hello they give up.
 * There are two names here: the client's, given by Hello, and ours. Nothing is routed, no rule is
 * kept: a client gets all signals of the jobs that it may see. */

#include "daemon/front/objects.h"
#include "protocol/ipc/names.h"

#define HELLO_PATH "/org/freedesktop/DBus"
#define HELLO_INTERFACE "org.freedesktop.DBus"
#define OWN_UNIQUE_NAME ":1.0"
#define START_REPLY_ALREADY_RUNNING 2U
#define SERVICE_UNKNOWN "org.freedesktop.DBus.Error.ServiceUnknown"
#define NAME_HAS_NO_OWNER "org.freedesktop.DBus.Error.NameHasNoOwner"
#define ACCESS_DENIED "org.freedesktop.DBus.Error.AccessDenied"

static const char *owner_of(const Link *l, const char *name) {
        if (streq(name, IPC_BUS_NAME) || streq(name, OWN_UNIQUE_NAME))
                return OWN_UNIQUE_NAME;
        if (streq(name, HELLO_INTERFACE))
                return HELLO_INTERFACE;
        return streq(name, l->unique_name) ? l->unique_name : NULL;
}

static int method_hello(sd_bus_message *m, void *userdata, _unused_ sd_bus_error *error) {
        const Link *l = userdata;

        return sd_bus_reply_method_return(m, "s", l->unique_name);
}

static int method_nothing(sd_bus_message *m, _unused_ void *userdata,
                          _unused_ sd_bus_error *error) {
        return sd_bus_reply_method_return(m, NULL);
}

static int method_get_name_owner(sd_bus_message *m, void *userdata, _unused_ sd_bus_error *error) {
        const char *name, *owner;
        int r;

        r = sd_bus_message_read(m, "s", &name);
        if (r < 0)
                return r;
        owner = owner_of(userdata, name);
        if (!owner)
                return sd_bus_reply_method_errorf(m, NAME_HAS_NO_OWNER,
                                                  "Nobody has the name '%s' here", name);
        return sd_bus_reply_method_return(m, "s", owner);
}

static int method_name_has_owner(sd_bus_message *m, void *userdata, _unused_ sd_bus_error *error) {
        const char *name;
        int r;

        r = sd_bus_message_read(m, "s", &name);
        if (r < 0)
                return r;
        return sd_bus_reply_method_return(m, "b", (int) (owner_of(userdata, name) != NULL));
}

static int method_list_names(sd_bus_message *m, void *userdata, _unused_ sd_bus_error *error) {
        const Link *l = userdata;

        return sd_bus_reply_method_return(m, "as", 4, HELLO_INTERFACE, IPC_BUS_NAME,
                                          OWN_UNIQUE_NAME, l->unique_name);
}

static int method_list_activatable_names(sd_bus_message *m, _unused_ void *userdata,
                                         _unused_ sd_bus_error *error) {
        return sd_bus_reply_method_return(m, "as", 2, HELLO_INTERFACE, IPC_BUS_NAME);
}

static int method_start_service(sd_bus_message *m, void *userdata, _unused_ sd_bus_error *error) {
        const char *name;
        int r;

        r = sd_bus_message_read(m, "su", &name, NULL);
        if (r < 0)
                return r;
        if (!owner_of(userdata, name))
                return sd_bus_reply_method_errorf(m, SERVICE_UNKNOWN,
                                                  "There is no service '%s' here", name);
        return sd_bus_reply_method_return(m, "u", START_REPLY_ALREADY_RUNNING);
}

static int method_request_name(sd_bus_message *m, _unused_ void *userdata,
                               _unused_ sd_bus_error *error) {
        return sd_bus_reply_method_errorf(m, ACCESS_DENIED, "No names are given on this socket");
}

static int method_get_id(sd_bus_message *m, void *userdata, _unused_ sd_bus_error *error) {
        const Link *l = userdata;
        char text[SD_ID128_STRING_MAX];
        sd_id128_t id;
        int r;

        r = sd_bus_get_bus_id(l->bus, &id);
        if (r < 0)
                return r;
        return sd_bus_reply_method_return(m, "s", sd_id128_to_string(id, text));
}

#define UNPRIVILEGED SD_BUS_VTABLE_UNPRIVILEGED

static const sd_bus_vtable vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_METHOD("Hello", NULL, "s", method_hello, UNPRIVILEGED),
        SD_BUS_METHOD("AddMatch", "s", NULL, method_nothing, UNPRIVILEGED),
        SD_BUS_METHOD("RemoveMatch", "s", NULL, method_nothing, UNPRIVILEGED),
        SD_BUS_METHOD("GetNameOwner", "s", "s", method_get_name_owner, UNPRIVILEGED),
        SD_BUS_METHOD("NameHasOwner", "s", "b", method_name_has_owner, UNPRIVILEGED),
        SD_BUS_METHOD("ListNames", NULL, "as", method_list_names, UNPRIVILEGED),
        SD_BUS_METHOD("ListActivatableNames", NULL, "as", method_list_activatable_names,
                      UNPRIVILEGED),
        SD_BUS_METHOD("StartServiceByName", "su", "u", method_start_service, UNPRIVILEGED),
        SD_BUS_METHOD("RequestName", "su", "u", method_request_name, UNPRIVILEGED),
        SD_BUS_METHOD("ReleaseName", "s", "u", method_request_name, UNPRIVILEGED),
        SD_BUS_METHOD("GetId", NULL, "s", method_get_id, UNPRIVILEGED),
        SD_BUS_VTABLE_END,
};

int hello_object_add(Link *l) {
        return sd_bus_add_object_vtable(l->bus, NULL, HELLO_PATH, HELLO_INTERFACE, vtable, l);
}
