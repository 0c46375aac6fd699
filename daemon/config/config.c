/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/config/config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <strings.h>

#include "daemon/config/config-file.h"
#include "daemon/config/config-profile.h"
#include "daemon/config/config-setting.h"
#include "daemon/config/config-socket.h"
#include "daemon/config/config-value.h"
#include "daemon/config/secret-path.h"

#define DAEMON_SECTION "Daemon"

Config *config_free(Config *c) {
        if (!c)
                return NULL;
        free(c->default_profile);
        free(c->state_key);
        free(c->former_state_key);
        free(c->bus);
        for (size_t i = 0; i < c->n_profiles; i++)
                profile_free(c->profiles[i]);
        free(c->profiles);
        for (size_t i = 0; i < c->n_doors; i++)
                door_free(c->doors[i]);
        free(c->doors);
        for (size_t i = 0; i < c->n_files; i++)
                free(c->files[i]);
        free(c->files);
        free(c);
        return NULL;
}

Profile *config_find_profile(const Config *c, const char *name) {
        if (!name || *name == '\0') {
                if (!c->default_profile)
                        return c->n_profiles == 1 ? c->profiles[0] : NULL;
                name = c->default_profile;
        }
        for (size_t i = 0; i < c->n_profiles; i++)
                if (streq(c->profiles[i]->name, name))
                        return c->profiles[i];
        return NULL;
}

const Door *config_find_door(const Config *c, const char *name) {
        for (size_t i = 0; i < c->n_doors; i++)
                if (streq(c->doors[i]->name, name))
                        return c->doors[i];
        return NULL;
}

static int parse_count(const ConfigEntry *e, size_t *ret, char **ret_why) {
        uint64_t n;
        int r;

        r = config_parse_size(e->value, &n);
        if (r == -EINVAL)
                return config_refuse(ret_why, e, "'%s' is no number; write one such as 1000",
                                     e->value);
        if (r == -ERANGE || n < 1 || n > CONFIG_MAX_JOBS_MAX)
                return config_refuse(ret_why, e, "'%s' is out of bounds; write 1 to %zu", e->value,
                                     CONFIG_MAX_JOBS_MAX);
        *ret = (size_t) n;
        return 0;
}

static int set_max_jobs(Config *c, const ConfigEntry *e, char **ret_why) {
        return parse_count(e, &c->max_jobs, ret_why);
}

static int set_max_jobs_per_user(Config *c, const ConfigEntry *e, char **ret_why) {
        return parse_count(e, &c->max_jobs_per_user, ret_why);
}

static int set_retain(Config *c, const ConfigEntry *e, char **ret_why) {
        return setting_parse_span(e, CONFIG_RETAIN_MIN, CONFIG_RETAIN_MAX, true, &c->retain_usec,
                                  ret_why);
}

static int set_default_profile(Config *c, const ConfigEntry *e, char **ret_why) {
        /* Whether it is there is known when all profiles are (check_default_profile). */
        return free_and_strdup(&c->default_profile, e->value);
}

/* Who owns and reads it is asked here, where the line can be named. That it is missing, or too
 * short, is said by those who open it. */
static int check_state_key(const ConfigEntry *e, const char *path, char **ret_why) {
        _cleanup_secret_ Secret *key = NULL;
        _cleanup_free_ char *why = NULL;
        int r;

        r = secret_path_read(path, "the state key", CONFIG_STATE_KEY_MAX, &key, &why);
        if ((r == -EPERM || r == -EFBIG) && why)
                return config_refuse(ret_why, e, "%s", why);
        return r == -ENOMEM ? r : 0;
}

static int set_key(const ConfigEntry *e, char **field, char **ret_why) {
        _cleanup_free_ char *path = NULL;
        int r;

        r = setting_parse_path(e, &path, ret_why);
        if (r >= 0)
                r = check_state_key(e, path, ret_why);
        if (r < 0)
                return r;
        free(*field);
        *field = TAKE_PTR(path);
        return 0;
}

static bool is_there(const ConfigEntry *e) {
        _cleanup_free_ char *path = NULL;

        return secret_path_resolve(e->value, &path) >= 0 &&
               faccessat(AT_FDCWD, path, F_OK, AT_EACCESS) >= 0;
}

/* The credential of the default is none where it is not there: a key is made on first start. Any
 * other one must be, which opening the store says: whoever names his own key is not to get one that
 * lies beside the secrets. */
static int set_state_key(Config *c, const ConfigEntry *e, char **ret_why) {
        if (streq(e->value, CONFIG_STATE_KEY_DEFAULT) && !is_there(e))
                return 0;
        return set_key(e, &c->state_key, ret_why);
}

static int set_former_state_key(Config *c, const ConfigEntry *e, char **ret_why) {
        return set_key(e, &c->former_state_key, ret_why);
}

static int set_bus(Config *c, const ConfigEntry *e, char **ret_why) {
        if (!config_bus_is_valid(e->value))
                return config_refuse(ret_why, e,
                                     "'%s' is no bus; write system, session, none, or an address "
                                     "such as unix:path=/run/dbus/system_bus_socket",
                                     e->value);
        return free_and_strdup(&c->bus, e->value);
}

/* Every key of [Daemon]. */
static const struct DaemonKey {
        const char *name;
        int (*set)(Config *c, const ConfigEntry *e, char **ret_why);
} daemon_keys[] = {
        {"MaxJobs", set_max_jobs},
        {"MaxJobsPerUser", set_max_jobs_per_user},
        {"RetainSec", set_retain},
        {"DefaultProfile", set_default_profile},
        {"StateKey", set_state_key},
        {"FormerStateKey", set_former_state_key},
        {"Bus", set_bus},
};

static int load_daemon_key(Config *c, const ConfigEntry *e, char **ret_why) {
        for (size_t i = 0; i < ELEMENTSOF(daemon_keys); i++)
                if (streq(e->key, daemon_keys[i].name))
                        return e->value && *e->value ? daemon_keys[i].set(c, e, ret_why) : 0;
        for (size_t i = 0; i < ELEMENTSOF(daemon_keys); i++)
                if (strcasecmp(e->key, daemon_keys[i].name) == 0)
                        return config_refuse(ret_why, e,
                                             "no such key; it is written %s=", daemon_keys[i].name);
        return config_refuse(ret_why, e,
                             "no such key in this section; fleetprovd.conf(5) lists them");
}

static int load_daemon(Config *c, const ConfigTree *t, char **ret_why) {
        char section[] = DAEMON_SECTION, key[] = "StateKey", value[] = CONFIG_STATE_KEY_DEFAULT;
        const ConfigEntry state_key = {section, key, value, {"(default)", 0}};
        int r;

        r = set_state_key(c, &state_key, ret_why);
        for (size_t i = 0; r >= 0 && i < t->n_entries; i++)
                if (streq(t->entries[i].section, DAEMON_SECTION))
                        r = load_daemon_key(c, t->entries + i, ret_why);
        return r;
}

static bool has_prefix(const char *s, const char *prefix) {
        return strncmp(s, prefix, strlen(prefix)) == 0;
}

static int load_profile(Config *c, const ConfigTree *t, const ConfigSection *section,
                        const Specifiers *specifiers, char **ret_why) {
        Profile **profiles;
        int r;

        if (c->n_profiles >= CONFIG_PROFILES_MAX)
                return config_refuse_at(ret_why, section->place, section->name,
                                        "more than %zu profiles", CONFIG_PROFILES_MAX);
        profiles = reallocarray(c->profiles, c->n_profiles + 1, sizeof(Profile *));
        if (!profiles)
                return -ENOMEM;
        c->profiles = profiles;
        r = config_profile_load(t, section, specifiers, c->profiles + c->n_profiles, ret_why);
        if (r < 0)
                return r;
        c->n_profiles++;
        return 0;
}

static int load_sections(Config *c, const ConfigTree *t, char **ret_why) {
        Specifiers specifiers;
        int r;

        r = specifiers_get(&specifiers);
        if (r < 0)
                return r;
        for (size_t i = 0; r >= 0 && i < t->n_sections; i++) {
                const ConfigSection *s = t->sections + i;

                if (has_prefix(s->name, CONFIG_PROFILE_SECTION))
                        r = load_profile(c, t, s, &specifiers, ret_why);
                else if (has_prefix(s->name, CONFIG_SOCKET_SECTION))
                        r = config_socket_load(c, t, s, ret_why);
                else if (!streq(s->name, DAEMON_SECTION))
                        r = config_refuse_at(ret_why, s->place, s->name,
                                             "no such section; there are [Daemon], "
                                             "[Profile NAME] and [Socket NAME]");
        }
        specifiers_done(&specifiers);
        return r;
}

static int check_default_profile(const Config *c, const ConfigTree *t, char **ret_why) {
        if (!c->default_profile || config_find_profile(c, c->default_profile))
                return 0;
        return config_refuse(ret_why, config_tree_find(t, DAEMON_SECTION, "DefaultProfile"),
                             "there is no [Profile %s]; add it, or name one that is there",
                             c->default_profile);
}

/* A second connection with a session's client id would throw the session off. */
static const Profile *find_session(const Config *c, const Profile *p, const char *client_id) {
        for (size_t i = 0; i < c->n_profiles; i++) {
                const Profile *other = c->profiles[i];

                if (other->port == p->port && streq_ptr(other->endpoint, p->endpoint) &&
                    streq_ptr(other->client_id, client_id))
                        return other;
        }
        return NULL;
}

static int check_verify_client_ids(const Config *c, const ConfigTree *t, char **ret_why) {
        for (size_t i = 0; i < c->n_profiles; i++) {
                const Profile *p = c->profiles[i], *taken;
                _cleanup_free_ char *section = NULL;

                taken = p->verify_client_id ? find_session(c, p, p->verify_client_id) : NULL;
                if (!taken)
                        continue;
                if (asprintf(&section, CONFIG_PROFILE_SECTION "%s", p->name) < 0) {
                        section = NULL;
                        return -ENOMEM;
                }
                return config_refuse(ret_why, config_tree_find(t, section, "VerifyClientId"),
                                     "'%s' is the client id of the session of [Profile %s]; write "
                                     "another one, or take the key out",
                                     p->verify_client_id, taken->name);
        }
        return 0;
}

static Config *config_with_defaults(void) {
        _cleanup_config_ Config *c = calloc(1, sizeof(Config));

        if (!c || free_and_strdup(&c->bus, "system") < 0)
                return NULL;
        c->max_jobs = CONFIG_MAX_JOBS_DEFAULT;
        c->max_jobs_per_user = CONFIG_MAX_JOBS_PER_USER_DEFAULT;
        c->retain_usec = CONFIG_RETAIN_DEFAULT;
        return TAKE_PTR(c);
}

int config_load_root(const char *root, const char *path, Config **ret, char **ret_why) {
        _cleanup_config_tree_ ConfigTree *t = NULL;
        _cleanup_config_ Config *c = config_with_defaults();
        int r;

        if (!c)
                return -ENOMEM;
        r = config_files_read(root, path, &t, ret_why);
        if (r < 0)
                return r;
        r = load_sections(c, t, ret_why);
        if (r < 0)
                return r;
        r = load_daemon(c, t, ret_why);
        if (r < 0)
                return r;
        r = check_default_profile(c, t, ret_why);
        if (r >= 0)
                r = config_sockets_check(c, t, ret_why);
        if (r < 0)
                return r;
        r = check_verify_client_ids(c, t, ret_why);
        if (r < 0)
                return r;
        c->files = TAKE_PTR(t->files);
        c->n_files = t->n_files;
        t->n_files = 0;
        *ret = TAKE_PTR(c);
        return 0;
}

int config_load(const char *path, Config **ret, char **ret_why) {
        return config_load_root("", path, ret, ret_why);
}
