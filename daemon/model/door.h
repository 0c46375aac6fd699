/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* A further way in beside the main one: a socket that the service manager passes with
 * FileDescriptorName=NAME, for a container as a rule. Who stands behind it are users of another
 * world: their numbers mean nobody of this one, so nobody there is root, and no AllowUsers= or
 * AllowGroups= speaks of them. Two things decide who may do what there: who can open the socket,
 * and which profiles the door lists. A profile that it does not list does not exist there. */

#include "daemon/base/macro.h"

typedef struct Door {
        char *name;
        char **profiles; /* that it lists, each of them once */
        size_t n_profiles;
} Door;

/* NULL where memory is short. */
Door *door_new(const char *name);
Door *door_free(Door *d);
DEFINE_CLEANUP(Door *, door_free);
#define _cleanup_door_ _cleanup_(door_freep)

/* Names one more; nothing happens where it is listed already. -ENOMEM. */
int door_add_profile(Door *d, const char *profile);

/* Drops the list. */
void door_clear(Door *d);

bool door_lists(const Door *d, const char *profile);

/* Whether a further door can be called so: like a profile, and not DOOR_MAIN. */
bool door_name_is_valid(const char *name);
