/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/config/config-file.h"

#include <dirent.h>
#include <errno.h>
#include <libeconf.h>
#include <stdio.h>
#include <sys/mman.h>

#include "daemon/config/config-scan.h"
#include "daemon/config/secret-path.h"

#define MAIN_NAME "fleetprovd.conf"
#define DROP_IN_SUFFIX ".conf"

/* From the one that counts most to the vendor's. */
static const char *const default_folders[] = {CONF_DIR, "/run/fleetprovd", VENDOR_CONF_DIR};

static void econf_filep(econf_file **f) {
        if (*f)
                econf_freeFile(*f);
}

static int from_econf(econf_err e, const char *path, char **ret_why) {
        if (e == ECONF_SUCCESS)
                return 0;
        if (e == ECONF_NOMEM)
                return -ENOMEM;
        return config_refuse_text(ret_why, "%s: cannot be read: %s", path, econf_errString(e));
}

/* libeconf reads files, so the checked text is made one. */
static int econf_from_text(const char *text, const char *path, econf_file **ret, char **ret_why) {
        _cleanup_close_ int fd = -1;
        _cleanup_free_ char *proc = NULL;
        size_t size = strlen(text);

        fd = memfd_create("fleetprovd.conf", MFD_CLOEXEC);
        if (fd < 0)
                return -errno;
        for (size_t done = 0; done < size;) {
                ssize_t n = write(fd, text + done, size - done);

                if (n < 0 && errno != EINTR)
                        return -errno;
                done += n > 0 ? (size_t) n : 0;
        }
        if (lseek(fd, 0, SEEK_SET) < 0)
                return -errno;
        if (asprintf(&proc, "/proc/self/fd/%d", fd) < 0) {
                proc = NULL;
                return -ENOMEM;
        }
        /* '#' alone: with ';' as well a PKCS#11 URI would end at its first one. */
        return from_econf(econf_readFile(ret, proc, "=", "#"), path, ret_why);
}

/* Puts the values in, as libeconf has them, for the keys that the scan has found. */
static int read_values(const char *clean, const char *path, ConfigTree *t, char **ret_why) {
        _cleanup_(econf_filep) econf_file *f = NULL;
        int r;

        if (t->n_entries == 0)
                return 0;
        r = econf_from_text(clean, path, &f, ret_why);
        if (r < 0)
                return r;
        for (size_t i = 0; i < t->n_entries; i++) {
                ConfigEntry *e = t->entries + i;
                _cleanup_free_ char *value = NULL;

                r = from_econf(econf_getStringValue(f, e->section, e->key, &value), path, ret_why);
                if (r < 0)
                        return r;
                free(e->value);
                e->value = TAKE_PTR(value);
        }
        return 0;
}

static int read_text(const char *path, Secret **ret, char **ret_why) {
        int r;

        r = path_read(path, "", CONFIG_FILE_MAX, ret, NULL);
        if (r == -EFBIG)
                return config_refuse_text(ret_why, "%s: longer than %zu bytes; split it", path,
                                          CONFIG_FILE_MAX);
        if (r < 0 && r != -ENOENT && r != -ENOMEM)
                return config_refuse_text(ret_why, "%s: cannot be read: %s", path,
                                          strerrordesc_np(-r));
        return r;
}

int config_file_read(const char *path, ConfigTree *t, char **ret_why) {
        _cleanup_config_tree_ ConfigTree *file = NULL;
        _cleanup_secret_ Secret *text = NULL;
        _cleanup_free_ char *clean = NULL;
        int r;

        r = read_text(path, &text, ret_why);
        if (r < 0)
                return r;
        file = config_tree_new();
        if (!file)
                return -ENOMEM;
        r = config_scan(secret_text(text), text->size, path, file, &clean, ret_why);
        if (r < 0)
                return r;
        r = read_values(clean, path, file, ret_why);
        if (r < 0)
                return r;
        return config_tree_merge(t, file);
}

typedef struct DropIns {
        size_t n;
        struct DropIn {
                char *name;
                char *path;
        } items[CONFIG_DROP_INS_MAX];
} DropIns;

static DropIns *drop_ins_free(DropIns *d) {
        for (size_t i = 0; d && i < d->n; i++) {
                free(d->items[i].name);
                free(d->items[i].path);
        }
        free(d);
        return NULL;
}
DEFINE_CLEANUP(DropIns *, drop_ins_free);

static void closedirp(DIR **d) {
        if (*d)
                closedir(*d);
}

static bool is_drop_in(const char *name) {
        size_t n = strlen(name), suffix = strlen(DROP_IN_SUFFIX);

        return name[0] != '.' && n > suffix && streq(name + n - suffix, DROP_IN_SUFFIX);
}

/* Adds one file unless an earlier folder has one of this name. */
static int drop_ins_add(DropIns *d, const char *folder, const char *name, char **ret_why) {
        struct DropIn *item = d->items + d->n;

        for (size_t i = 0; i < d->n; i++)
                if (streq(d->items[i].name, name))
                        return 0;
        if (d->n >= CONFIG_DROP_INS_MAX)
                return config_refuse_text(ret_why, "%s: more than %zu drop-in files", folder,
                                          CONFIG_DROP_INS_MAX);
        *item = (struct DropIn){.name = strdup(name)};
        if (asprintf(&item->path, "%s/%s", folder, name) < 0)
                item->path = NULL;
        d->n++;
        return item->name && item->path ? 0 : -ENOMEM;
}

static int drop_ins_add_folder(DropIns *d, const char *folder, char **ret_why) {
        _cleanup_(closedirp) DIR *dir = opendir(folder);
        struct dirent *entry;

        if (!dir && (errno == ENOENT || errno == ENOTDIR))
                return 0;
        while (dir && (errno = 0, entry = readdir(dir))) {
                int r = is_drop_in(entry->d_name) ? drop_ins_add(d, folder, entry->d_name, ret_why)
                                                  : 0;

                if (r < 0)
                        return r;
        }
        if (errno != 0)
                return config_refuse_text(ret_why, "%s: cannot be read: %s", folder,
                                          strerrordesc_np(errno));
        return 0;
}

static int compare_drop_ins(const void *a, const void *b) {
        const struct DropIn *x = a, *y = b;

        return strcmp(x->name, y->name);
}

static int drop_ins_read(DropIns *d, ConfigTree *t, char **ret_why) {
        qsort(d->items, d->n, sizeof(struct DropIn), compare_drop_ins);
        for (size_t i = 0; i < d->n; i++) {
                int r = config_file_read(d->items[i].path, t, ret_why);

                if (r == -ENOENT)
                        return config_refuse_text(ret_why,
                                                  "%s: a link that leads nowhere; mend or remove "
                                                  "it (a link to /dev/null masks a file)",
                                                  d->items[i].path);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* The named file, which must be there, and what stands in its folder X.d. */
static int read_named(const char *path, ConfigTree *t, DropIns *d, char **ret_why) {
        _cleanup_free_ char *folder = NULL;
        int r;

        r = config_file_read(path, t, ret_why);
        if (r == -ENOENT)
                return config_refuse_text(ret_why, "%s: no such file; name one that is there",
                                          path);
        if (r < 0)
                return r;
        if (asprintf(&folder, "%s.d", path) < 0) {
                folder = NULL;
                return -ENOMEM;
        }
        return drop_ins_add_folder(d, folder, ret_why);
}

static int read_default(const char *root, ConfigTree *t, DropIns *d, char **ret_why) {
        bool found = false;

        for (size_t i = 0; i < ELEMENTSOF(default_folders); i++) {
                _cleanup_free_ char *file = NULL, *folder = NULL;
                int r = -ENOENT;

                if (asprintf(&file, "%s%s/" MAIN_NAME, root, default_folders[i]) < 0)
                        file = NULL;
                if (asprintf(&folder, "%s%s/" MAIN_NAME ".d", root, default_folders[i]) < 0)
                        folder = NULL;
                if (!file || !folder)
                        return -ENOMEM;
                if (!found)
                        r = config_file_read(file, t, ret_why);
                if (r < 0 && r != -ENOENT)
                        return r;
                found |= r >= 0;
                r = drop_ins_add_folder(d, folder, ret_why);
                if (r < 0)
                        return r;
        }
        return 0;
}

int config_files_read(const char *root, const char *path, ConfigTree **ret, char **ret_why) {
        _cleanup_config_tree_ ConfigTree *t = config_tree_new();
        _cleanup_(drop_ins_freep) DropIns *d = calloc(1, sizeof(DropIns));
        int r;

        if (!t || !d)
                return -ENOMEM;
        r = path ? read_named(path, t, d, ret_why) : read_default(root, t, d, ret_why);
        if (r < 0)
                return r;
        r = drop_ins_read(d, t, ret_why);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(t);
        return 0;
}
