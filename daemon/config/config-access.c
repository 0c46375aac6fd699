/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/config/config-access.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>

#include "daemon/config/config-value.h"

#define SEPARATORS " \t,"
#define LOOKUP_BUFFER_FIRST ((size_t) 1024)
#define LOOKUP_BUFFER_MAX ((size_t) 1024 * 1024)

/* What the kernel shows for an id that it cannot map (user_namespaces(7)); peers with it are
 * refused, so naming it would promise what never happens. */
#define OVERFLOW_ID ((uint64_t) 65534)

/* One user's, or group's, id by name. -ENOENT: there is none; else what the look-up failed with. */
typedef int (*Lookup)(const char *name, char *buffer, size_t size, uint32_t *ret);

static int lookup_user(const char *name, char *buffer, size_t size, uint32_t *ret) {
        struct passwd user, *found = NULL;
        int r = getpwnam_r(name, &user, buffer, size, &found);

        if (!found)
                return r == ERANGE ? -ERANGE : -ENOENT;
        *ret = found->pw_uid;
        return 0;
}

static int lookup_group(const char *name, char *buffer, size_t size, uint32_t *ret) {
        struct group group, *found = NULL;
        int r = getgrnam_r(name, &group, buffer, size, &found);

        if (!found)
                return r == ERANGE ? -ERANGE : -ENOENT;
        *ret = found->gr_gid;
        return 0;
}

static int lookup_name(Lookup lookup, const char *name, uint32_t *ret) {
        int r = -ERANGE;

        for (size_t size = LOOKUP_BUFFER_FIRST; r == -ERANGE && size <= LOOKUP_BUFFER_MAX;
             size *= 2) {
                _cleanup_free_ char *buffer = malloc(size);

                if (!buffer)
                        return -ENOMEM;
                r = lookup(name, buffer, size, ret);
        }
        return r;
}

static int resolve(const ConfigEntry *e, const char *kind, Lookup lookup, const char *name,
                   uint32_t *ret, char **ret_why) {
        uint32_t id = 0;
        uint64_t n;
        int r;

        r = config_parse_number(name, UINT32_MAX - 1, &n);
        if (r == -ERANGE)
                return config_refuse(ret_why, e, "%s is no %s id: too large", name, kind);
        if (r < 0) {
                r = lookup_name(lookup, name, &id);
                if (r == -ENOMEM)
                        return r;
                if (r < 0)
                        return config_refuse(
                                ret_why, e,
                                "there is no %s '%s'; make it first (systemd-sysusers, "
                                "%sadd), or write its number",
                                kind, name, kind);
                n = id;
        }
        if (n == OVERFLOW_ID)
                return config_refuse(ret_why, e,
                                     "%s %s is what the kernel shows for everybody it does not "
                                     "know, and is always refused; name a %s of its own",
                                     kind, name, kind);
        *ret = (uint32_t) n;
        return 0;
}

static int resolve_list(const ConfigEntry *e, const char *kind, Lookup lookup, uint32_t **ret,
                        size_t *ret_n, char **ret_why) {
        _cleanup_free_ char *list = strdup(e->value ? e->value : "");
        _cleanup_free_ uint32_t *ids = NULL;
        char *state = NULL;
        size_t n = 0;

        if (!list)
                return -ENOMEM;
        ids = calloc(CONFIG_ACCESS_MAX, sizeof(uint32_t));
        if (!ids)
                return -ENOMEM;
        for (char *name = strtok_r(list, SEPARATORS, &state); name;
             name = strtok_r(NULL, SEPARATORS, &state)) {
                int r;

                if (n >= CONFIG_ACCESS_MAX)
                        return config_refuse(ret_why, e, "more than %zu %ss; use a group",
                                             CONFIG_ACCESS_MAX, kind);
                r = resolve(e, kind, lookup, name, ids + n, ret_why);
                if (r < 0)
                        return r;
                n++;
        }
        *ret = TAKE_PTR(ids);
        *ret_n = n;
        return 0;
}

int config_access_set_users(AccessRule *rule, const ConfigEntry *e, char **ret_why) {
        uint32_t *ids = NULL;
        size_t n = 0;
        int r;

        r = resolve_list(e, "user", lookup_user, &ids, &n, ret_why);
        if (r < 0)
                return r;
        free(rule->uids);
        rule->uids = ids;
        rule->n_uids = n;
        return 0;
}

int config_access_set_groups(AccessRule *rule, const ConfigEntry *e, char **ret_why) {
        uint32_t *ids = NULL;
        size_t n = 0;
        int r;

        r = resolve_list(e, "group", lookup_group, &ids, &n, ret_why);
        if (r < 0)
                return r;
        free(rule->gids);
        rule->gids = ids;
        rule->n_gids = n;
        return 0;
}
