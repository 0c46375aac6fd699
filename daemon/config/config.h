/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The configuration as a whole: read, checked, plain data. Nothing of it changes afterwards; a
 * reload makes another one. fleetprovd.conf(5) is the manual of what stands in the files. */

#include "daemon/base/macro.h"
#include "daemon/model/door.h"
#include "daemon/model/profile.h"

#define CONFIG_PROFILES_MAX ((size_t) 64)
#define CONFIG_DOORS_MAX \
        ((size_t) 15) /* further sockets; with the main one, as many as are taken */
#define CONFIG_MAX_JOBS_DEFAULT ((size_t) 10000)
#define CONFIG_MAX_JOBS_PER_USER_DEFAULT ((size_t) 1000)
#define CONFIG_MAX_JOBS_MAX ((size_t) 1000000)
#define CONFIG_RETAIN_DEFAULT USEC_PER_DAY
#define CONFIG_RETAIN_MIN USEC_PER_SEC
#define CONFIG_RETAIN_MAX (3660 * USEC_PER_DAY) /* some ten years; or infinity */
#define CONFIG_STATE_KEY_DEFAULT "credential:state-key"
#define CONFIG_STATE_KEY_MAX ((size_t) 4096)

typedef struct Config {
        size_t max_jobs;          /* in the queue, all callers */
        size_t max_jobs_per_user; /* queued and retained */
        usec_t retain_usec;       /* USEC_INFINITY: until released */
        char *default_profile;    /* NULL: none; else it is one of `profiles` */
        char *state_key;          /* a path, or credential:NAME that is not there; NULL: one is made
                                     on first start */
        char *former_state_key;   /* a path, or credential:NAME that is not there; NULL: none */
        char *bus;                /* "system", "session", "none" or an address */
        Profile **profiles;       /* in the order of the files */
        size_t n_profiles;
        Door **doors; /* beside the main one */
        size_t n_doors;
        char **files; /* that were read, in that order */
        size_t n_files;
} Config;

/* Reads and checks all files. `path`: that file and its drop-ins alone; NULL: the default ones,
 * where nothing at all is a valid configuration without profiles. Blocks: files, host, users and
 * groups are looked up. -EINVAL: refused, and *ret_why names file, line, key, reason and mend (NULL
 * where memory is short); else another negative errno, perhaps without *ret_why. */
int config_load(const char *path, Config **ret, char **ret_why);

/* The same with `root` before the default folders, e.g. to check an image. */
int config_load_root(const char *root, const char *path, Config **ret, char **ret_why);

Config *config_free(Config *c);
DEFINE_CLEANUP(Config *, config_free);
#define _cleanup_config_ _cleanup_(config_freep)

/* The profile of this name; "" or NULL asks for the default one: DefaultProfile=, or the only one.
 * NULL: there is none. */
Profile *config_find_profile(const Config *c, const char *name);

/* The further socket of this name; NULL: there is no such section. */
const Door *config_find_door(const Config *c, const char *name);
