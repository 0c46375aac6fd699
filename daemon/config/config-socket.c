/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/config/config-socket.h"

#include <errno.h>
#include <stdio.h>
#include <strings.h>

#include "protocol/ipc/limits.h"

#define PROFILES_KEY "Profiles"
#define SEPARATORS " \t,"

/* A list replaces the one before it, as in every key; an empty one lists nothing. */
static int set_profiles(Door *d, const ConfigEntry *e, char **ret_why) {
        _cleanup_free_ char *list = strdup(e->value ? e->value : "");
        char *state = NULL;
        int r = 0;

        if (!list)
                return -ENOMEM;
        door_clear(d);
        for (char *name = strtok_r(list, SEPARATORS, &state); r >= 0 && name;
             name = strtok_r(NULL, SEPARATORS, &state)) {
                if (!ipc_profile_name_is_valid(name))
                        return config_refuse(ret_why, e,
                                             "'%s' is no name of a profile; write names of "
                                             "[Profile NAME] sections with blanks between them",
                                             name);
                if (d->n_profiles >= CONFIG_PROFILES_MAX)
                        return config_refuse(ret_why, e, "more than %zu profiles",
                                             CONFIG_PROFILES_MAX);
                r = door_add_profile(d, name);
        }
        return r;
}

static int load_key(Door *d, const ConfigEntry *e, char **ret_why) {
        if (streq(e->key, PROFILES_KEY))
                return set_profiles(d, e, ret_why);
        if (strcasecmp(e->key, PROFILES_KEY) == 0)
                return config_refuse(ret_why, e, "no such key; it is written " PROFILES_KEY "=");
        return config_refuse(ret_why, e, "no such key in this section; there is " PROFILES_KEY "=");
}

int config_socket_load(Config *c, const ConfigTree *t, const ConfigSection *section,
                       char **ret_why) {
        const char *name = section->name + strlen(CONFIG_SOCKET_SECTION);
        _cleanup_door_ Door *d = NULL;
        Door **doors;
        int r = 0;

        if (!door_name_is_valid(name))
                return config_refuse_at(ret_why, section->place, section->name,
                                        "'%s' is no name of a further socket: 1 to %zu letters, "
                                        "digits, '_' and '-', and not " DOOR_MAIN,
                                        name, IPC_PROFILE_NAME_MAX);
        if (c->n_doors >= CONFIG_DOORS_MAX)
                return config_refuse_at(ret_why, section->place, section->name,
                                        "more than %zu further sockets", CONFIG_DOORS_MAX);
        d = door_new(name);
        if (!d)
                return -ENOMEM;
        for (size_t i = 0; r >= 0 && i < t->n_entries; i++)
                if (streq(t->entries[i].section, section->name))
                        r = load_key(d, t->entries + i, ret_why);
        if (r < 0)
                return r;
        doors = reallocarray(c->doors, c->n_doors + 1, sizeof(Door *));
        if (!doors)
                return -ENOMEM;
        c->doors = doors;
        c->doors[c->n_doors++] = TAKE_PTR(d);
        return 0;
}

static int check_door(const Config *c, const ConfigTree *t, const Door *d, char **ret_why) {
        _cleanup_free_ char *section = NULL;

        if (asprintf(&section, CONFIG_SOCKET_SECTION "%s", d->name) < 0) {
                section = NULL;
                return -ENOMEM;
        }
        for (size_t i = 0; i < d->n_profiles; i++)
                if (!config_find_profile(c, d->profiles[i]))
                        return config_refuse(ret_why, config_tree_find(t, section, PROFILES_KEY),
                                             "there is no [Profile %s]; add it, or name one that "
                                             "is there",
                                             d->profiles[i]);
        return 0;
}

int config_sockets_check(const Config *c, const ConfigTree *t, char **ret_why) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < c->n_doors; i++)
                r = check_door(c, t, c->doors[i], ret_why);
        return r;
}
