/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* What stands in configuration files, before any of it has a meaning: sections, keys and values,
 * each with the file and the line where it stands. */

#include "daemon/base/macro.h"

typedef struct ConfigPlace {
        const char *file; /* as long as the tree lives */
        unsigned line;    /* from 1 on */
} ConfigPlace;

typedef struct ConfigSection {
        char *name;
        ConfigPlace place; /* where it is first named */
} ConfigSection;

typedef struct ConfigEntry {
        char *section;
        char *key;
        char *value; /* NULL: "Key=", which goes back to the default; `Key=""` is an empty text */
        ConfigPlace place;
} ConfigEntry;

typedef struct ConfigTree {
        char **files; /* those that were read, in that order */
        size_t n_files;
        ConfigSection *sections;
        size_t n_sections;
        ConfigEntry *entries;
        size_t n_entries;
} ConfigTree;

ConfigTree *config_tree_new(void);
ConfigTree *config_tree_free(ConfigTree *t);
DEFINE_CLEANUP(ConfigTree *, config_tree_free);
#define _cleanup_config_tree_ _cleanup_(config_tree_freep)

/* Keeps a copy of the file's name; NULL where memory is short. */
const char *config_tree_add_file(ConfigTree *t, const char *file);

/* Nothing happens where the section is there already. -ENOMEM. */
int config_tree_add_section(ConfigTree *t, const char *name, ConfigPlace place);

/* Replaces the value and the place of a key that is there. `value` may be NULL. -ENOMEM. */
int config_tree_set(ConfigTree *t, const char *section, const char *key, const char *value,
                    ConfigPlace place);

const ConfigEntry *config_tree_find(const ConfigTree *t, const char *section, const char *key);

/* All of `from` over what is in `t`: later files replace keys. -ENOMEM leaves a half. */
int config_tree_merge(ConfigTree *t, const ConfigTree *from);

/* Fills *ret_why with "file:line: [Section] Key=: " and the text; gives -EINVAL, -ENOMEM where
 * memory is short. ret_why may be NULL. */
int config_refuse(char **ret_why, const ConfigEntry *e, const char *format, ...) _printf_(3, 4);

/* The same with "file:line: " alone, or "file:line: [Section]: " where `section` is not NULL. */
int config_refuse_at(char **ret_why, ConfigPlace place, const char *section, const char *format,
                     ...) _printf_(4, 5);

/* The text alone, for what belongs to no line. */
int config_refuse_text(char **ret_why, const char *format, ...) _printf_(2, 3);
