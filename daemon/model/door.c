/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/model/door.h"

#include <errno.h>

#include "daemon/model/peer.h"
#include "protocol/ipc/limits.h"

Door *door_new(const char *name) {
        _cleanup_door_ Door *d = calloc(1, sizeof(Door));

        if (!d || free_and_strdup(&d->name, name) < 0)
                return NULL;
        return TAKE_PTR(d);
}

void door_clear(Door *d) {
        for (size_t i = 0; i < d->n_profiles; i++)
                free(d->profiles[i]);
        free(TAKE_PTR(d->profiles));
        d->n_profiles = 0;
}

Door *door_free(Door *d) {
        if (!d)
                return NULL;
        door_clear(d);
        free(d->name);
        free(d);
        return NULL;
}

int door_add_profile(Door *d, const char *profile) {
        char **profiles;

        if (door_lists(d, profile))
                return 0;
        profiles = reallocarray(d->profiles, d->n_profiles + 1, sizeof(char *));
        if (!profiles)
                return -ENOMEM;
        d->profiles = profiles;
        d->profiles[d->n_profiles] = strdup(profile);
        if (!d->profiles[d->n_profiles])
                return -ENOMEM;
        d->n_profiles++;
        return 0;
}

bool door_lists(const Door *d, const char *profile) {
        for (size_t i = 0; i < d->n_profiles; i++)
                if (streq(d->profiles[i], profile))
                        return true;
        return false;
}

bool door_name_is_valid(const char *name) {
        return ipc_profile_name_is_valid(name) && !streq(name, DOOR_MAIN);
}
