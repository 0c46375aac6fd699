/* SPDX-License-Identifier: GPL-2.0-or-later */

/* A profile below /io/fleetprov/Provisioner1/profile:
 * protocol/ipc/io.fleetprov.Provisioner1.Profile.xml. Every caller may read those of his door;
 * others do not exist there. */

#include <errno.h>

#include "daemon/front/call.h"
#include "daemon/front/encode.h"
#include "daemon/front/objects.h"

static const ProfileStatus *profile_at(Link *l, size_t i) {
        return link_ops(l)->profile_at(link_ops_userdata(l), link_door(l), i);
}

static const ProfileStatus *find_profile(Link *l, const char *path) {
        _cleanup_free_ char *name = NULL;
        const ProfileStatus *p;

        if (sd_bus_path_decode(path, IPC_PROFILE_PREFIX, &name) <= 0)
                return NULL;
        for (size_t i = 0; (p = profile_at(l, i)); i++)
                if (streq(p->name, name))
                        return p;
        return NULL;
}

static int find_object(_unused_ sd_bus *bus, const char *path, _unused_ const char *interface,
                       void *userdata, void **ret_found, _unused_ sd_bus_error *error) {
        if (!find_profile(userdata, path))
                return 0;
        *ret_found = userdata;
        return 1;
}

static int list_paths(Link *l, char ***ret) {
        const ProfileStatus *p;
        char **paths;
        size_t n = 0;

        while (profile_at(l, n))
                n++;
        paths = calloc(n + 1, sizeof(char *));
        if (!paths)
                return -ENOMEM;
        for (size_t i = 0; i < n && (p = profile_at(l, i)); i++)
                if (sd_bus_path_encode(IPC_PROFILE_PREFIX, p->name, &paths[i]) < 0) {
                        while (i > 0)
                                free(paths[--i]);
                        free(paths);
                        return -ENOMEM;
                }
        *ret = paths;
        return 0;
}

static int enumerate(_unused_ sd_bus *bus, _unused_ const char *prefix, void *userdata,
                     char ***ret_nodes, _unused_ sd_bus_error *error) {
        return list_paths(userdata, ret_nodes);
}

int profile_object_append_paths(Link *l, sd_bus_message *m) {
        char **paths;
        int r;

        r = list_paths(l, &paths);
        if (r < 0)
                return r;
        r = sd_bus_message_open_container(m, 'a', "o");
        for (size_t i = 0; paths[i]; i++) {
                if (r >= 0)
                        r = sd_bus_message_append(m, "o", paths[i]);
                free(paths[i]);
        }
        free(paths);
        return r < 0 ? r : sd_bus_message_close_container(m);
}

static int method_check(sd_bus_message *m, void *userdata, _unused_ sd_bus_error *error) {
        Link *l = userdata;
        const ProfileStatus *p = find_profile(l, sd_bus_message_get_path(m));
        const Peer *peer = link_peer(l, m);
        FrontCall *call;
        int r;

        if (!peer || !p)
                return call_refuse(m,
                                   failure_new(ERROR_ACCESS_DENIED, "it cannot be told who calls"));
        r = front_call_new(l, m, &call);
        if (call)
                link_ops(l)->check(link_ops_userdata(l), peer, p->name, call);
        return r;
}

/* Name, Provider, Endpoint, SessionState */
static int get_text(_unused_ sd_bus *bus, const char *path, _unused_ const char *interface,
                    const char *property, sd_bus_message *reply, void *userdata,
                    _unused_ sd_bus_error *error) {
        const ProfileStatus *p = find_profile(userdata, path);

        if (!p)
                return -ENOENT;
        if (streq(property, "Name"))
                return encode_text(reply, p->name);
        if (streq(property, "Provider"))
                return encode_text(reply, p->provider);
        if (streq(property, "Endpoint"))
                return encode_text(reply, p->endpoint);
        return encode_text(reply, session_state_to_string(p->session));
}

static int get_connected_since(_unused_ sd_bus *bus, const char *path,
                               _unused_ const char *interface, _unused_ const char *property,
                               sd_bus_message *reply, void *userdata,
                               _unused_ sd_bus_error *error) {
        const ProfileStatus *p = find_profile(userdata, path);

        return p ? sd_bus_message_append(reply, "t", p->connected_since_real) : -ENOENT;
}

static int get_claim(_unused_ sd_bus *bus, const char *path, _unused_ const char *interface,
                     _unused_ const char *property, sd_bus_message *reply, void *userdata,
                     _unused_ sd_bus_error *error) {
        const ProfileStatus *p = find_profile(userdata, path);

        return p ? encode_claim(reply, p) : -ENOENT;
}

static int get_last_error(_unused_ sd_bus *bus, const char *path, _unused_ const char *interface,
                          _unused_ const char *property, sd_bus_message *reply, void *userdata,
                          _unused_ sd_bus_error *error) {
        const ProfileStatus *p = find_profile(userdata, path);

        return p ? encode_failure(reply, p->last_error) : -ENOENT;
}

static const sd_bus_vtable vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_METHOD_WITH_ARGS("Check", SD_BUS_NO_ARGS, SD_BUS_RESULT("a(sss)", results),
                                method_check, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_PROPERTY("Name", "s", get_text, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("Provider", "s", get_text, 0, 0),
        SD_BUS_PROPERTY("Endpoint", "s", get_text, 0, 0),
        SD_BUS_PROPERTY("SessionState", "s", get_text, 0, 0),
        SD_BUS_PROPERTY("ConnectedSince", "t", get_connected_since, 0, 0),
        SD_BUS_PROPERTY("Claim", "a{sv}", get_claim, 0, 0),
        SD_BUS_PROPERTY("LastError", "a{sv}", get_last_error, 0, 0),
        SD_BUS_VTABLE_END,
};

int profile_object_add(Link *l) {
        int r;

        r = sd_bus_add_fallback_vtable(l->bus, NULL, IPC_PROFILE_PREFIX, IPC_PROFILE_INTERFACE,
                                       vtable, find_object, l);
        if (r < 0)
                return r;
        return sd_bus_add_node_enumerator(l->bus, NULL, IPC_PROFILE_PREFIX, enumerate, l);
}
