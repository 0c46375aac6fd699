/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/config/config-tree.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "daemon/config/config-value.h"

ConfigTree *config_tree_new(void) {
        return calloc(1, sizeof(ConfigTree));
}

ConfigTree *config_tree_free(ConfigTree *t) {
        if (!t)
                return NULL;
        for (size_t i = 0; i < t->n_entries; i++) {
                free(t->entries[i].section);
                free(t->entries[i].key);
                free(t->entries[i].value);
        }
        for (size_t i = 0; i < t->n_sections; i++)
                free(t->sections[i].name);
        for (size_t i = 0; i < t->n_files; i++)
                free(t->files[i]);
        free(t->entries);
        free(t->sections);
        free(t->files);
        free(t);
        return NULL;
}

const char *config_tree_add_file(ConfigTree *t, const char *file) {
        _cleanup_free_ char *copy = strdup(file);
        char **files;

        if (!copy)
                return NULL;
        files = reallocarray(t->files, t->n_files + 1, sizeof(char *));
        if (!files)
                return NULL;
        t->files = files;
        return t->files[t->n_files++] = TAKE_PTR(copy);
}

int config_tree_add_section(ConfigTree *t, const char *name, ConfigPlace place) {
        _cleanup_free_ char *copy = NULL;
        ConfigSection *sections;

        for (size_t i = 0; i < t->n_sections; i++)
                if (streq(t->sections[i].name, name))
                        return 0;
        copy = strdup(name);
        if (!copy)
                return -ENOMEM;
        sections = reallocarray(t->sections, t->n_sections + 1, sizeof(ConfigSection));
        if (!sections)
                return -ENOMEM;
        t->sections = sections;
        t->sections[t->n_sections++] = (ConfigSection){TAKE_PTR(copy), place};
        return 0;
}

static ConfigEntry *find(const ConfigTree *t, const char *section, const char *key) {
        for (size_t i = 0; i < t->n_entries; i++)
                if (streq(t->entries[i].key, key) && streq(t->entries[i].section, section))
                        return t->entries + i;
        return NULL;
}

const ConfigEntry *config_tree_find(const ConfigTree *t, const char *section, const char *key) {
        return find(t, section, key);
}

int config_tree_set(ConfigTree *t, const char *section, const char *key, const char *value,
                    ConfigPlace place) {
        _cleanup_free_ char *section_copy = NULL, *key_copy = NULL, *value_copy = NULL;
        ConfigEntry *entries, *present;

        present = find(t, section, key);
        if (present) {
                if (free_and_strdup(&present->value, value) < 0)
                        return -ENOMEM;
                present->place = place;
                return 0;
        }
        section_copy = strdup(section);
        key_copy = strdup(key);
        value_copy = value ? strdup(value) : NULL;
        if (!section_copy || !key_copy || (value && !value_copy))
                return -ENOMEM;
        entries = reallocarray(t->entries, t->n_entries + 1, sizeof(ConfigEntry));
        if (!entries)
                return -ENOMEM;
        t->entries = entries;
        t->entries[t->n_entries++] = (ConfigEntry){TAKE_PTR(section_copy), TAKE_PTR(key_copy),
                                                   TAKE_PTR(value_copy), place};
        return 0;
}

int config_tree_merge(ConfigTree *t, const ConfigTree *from) {
        for (size_t i = 0; i < from->n_files; i++) {
                const char *file = config_tree_add_file(t, from->files[i]);
                int r;

                if (!file)
                        return -ENOMEM;
                for (size_t k = 0; k < from->n_sections; k++) {
                        const ConfigSection *s = from->sections + k;

                        if (s->place.file != from->files[i])
                                continue;
                        r = config_tree_add_section(t, s->name, (ConfigPlace){file, s->place.line});
                        if (r < 0)
                                return r;
                }
                for (size_t k = 0; k < from->n_entries; k++) {
                        const ConfigEntry *e = from->entries + k;

                        if (e->place.file != from->files[i])
                                continue;
                        r = config_tree_set(t, e->section, e->key, e->value,
                                            (ConfigPlace){file, e->place.line});
                        if (r < 0)
                                return r;
                }
        }
        return 0;
}

/* A long value is shown by its first bytes, which may end within a character. */
static void mend_text(char *s) {
        for (size_t n = strlen(s), bad; (bad = config_text_check(s, n)) < n; s += bad, n -= bad)
                s[bad] = '?';
}

static int refuse(char **ret_why, const char *where, const char *format, va_list args)
        __attribute__((format(printf, 3, 0)));

static int refuse(char **ret_why, const char *where, const char *format, va_list args) {
        _cleanup_free_ char *text = NULL;
        char *why;

        if (!ret_why)
                return -EINVAL;
        if (!where || vasprintf(&text, format, args) < 0) {
                text = NULL;
                return -ENOMEM;
        }
        if (asprintf(&why, "%s%s", where, text) < 0)
                return -ENOMEM;
        mend_text(why);
        *ret_why = why;
        return -EINVAL;
}

int config_refuse(char **ret_why, const ConfigEntry *e, const char *format, ...) {
        _cleanup_free_ char *where = NULL;
        va_list args;
        int r;

        if (asprintf(&where, "%s:%u: [%s] %s=: ", e->place.file, e->place.line, e->section,
                     e->key) < 0)
                where = NULL;
        va_start(args, format);
        r = refuse(ret_why, where, format, args);
        va_end(args);
        return r;
}

int config_refuse_at(char **ret_why, ConfigPlace place, const char *section, const char *format,
                     ...) {
        _cleanup_free_ char *where = NULL;
        va_list args;
        int r;

        if (asprintf(&where, "%s:%u: %s%s%s", place.file, place.line, section ? "[" : "",
                     section ? section : "", section ? "]: " : "") < 0)
                where = NULL;
        va_start(args, format);
        r = refuse(ret_why, where, format, args);
        va_end(args);
        return r;
}

int config_refuse_text(char **ret_why, const char *format, ...) {
        va_list args;
        int r;

        va_start(args, format);
        r = refuse(ret_why, "", format, args);
        va_end(args);
        return r;
}
