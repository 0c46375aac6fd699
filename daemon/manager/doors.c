/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Which profiles there are, for whoever stands at a door. At the main one all; at a further one
 * those that its [Socket NAME] lists; where there is no such section, none. */

#include "daemon/base/log.h"
#include "daemon/manager/manager-internal.h"

bool doors_show(const Manager *m, const char *door, const char *profile) {
        const Door *d;

        if (streq(door, DOOR_MAIN))
                return true;
        d = config_find_door(m->config, door);
        return d && door_lists(d, profile);
}

Slot *doors_slot_at(const Manager *m, const char *door, size_t i) {
        Slot *s;

        LIST_FOREACH(slots, s, m)
                if (doors_show(m, door, s->profile->name) && i-- == 0)
                        return s;
        return NULL;
}

Slot *doors_find_slot(const Manager *m, const char *door, const char *profile) {
        Slot *s = slot_find(m, profile);

        return s && doors_show(m, door, s->profile->name) ? s : NULL;
}

Slot *doors_default_slot(const Manager *m, const char *door) {
        Slot *s = m->config->default_profile ? doors_find_slot(m, door, m->config->default_profile)
                                             : NULL;

        /* At a further door the default may be one that is not for it: then its only one is. */
        if (s || (m->config->default_profile && streq(door, DOOR_MAIN)))
                return s;
        return doors_slot_at(m, door, 1) ? NULL : doors_slot_at(m, door, 0);
}

Failure *doors_refuse(const Manager *m, const Profile *profile, const Peer *peer) {
        if (doors_show(m, peer->door, profile->name))
                return submission_refuses_peer(profile, peer);
        return failure_new(ERROR_NOT_INITIALIZED,
                           "There is no profile '%s' at this socket any more; name it in Profiles= "
                           "of [Socket %s]",
                           profile->name, peer->door);
}

size_t doors_jobs_max(const Manager *m) {
        size_t part = m->config->max_jobs / DOOR_JOBS_PART;

        return part > m->config->max_jobs_per_user ? part : m->config->max_jobs_per_user;
}

static bool is_open(const Manager *m, const char *name) {
        const char *door;

        for (size_t i = 0; (door = front_door_at(m->front, i)); i++)
                if (streq(door, name))
                        return true;
        return false;
}

void doors_say(const Manager *m) {
        const char *door;

        for (size_t i = 0; (door = front_door_at(m->front, i)); i++)
                if (!streq(door, DOOR_MAIN) && !config_find_door(m->config, door))
                        log_warning("Socket '%s' has no section [Socket %s], so there is no "
                                    "profile for those who come in there; add it with Profiles=, "
                                    "and reload",
                                    door, door);
        for (size_t i = 0; i < m->config->n_doors; i++)
                if (!is_open(m, m->config->doors[i]->name))
                        log_notice("[Socket %s] waits for a socket: none was passed with "
                                   "FileDescriptorName=%s",
                                   m->config->doors[i]->name, m->config->doors[i]->name);
}
