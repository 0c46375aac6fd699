/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The disk's fault points. Before each step: the store's own hook, which sees those inside a
 * disk_create() or disk_replace(), too. After it: the linker. */

#include <stdio.h>

#include "daemon/store/file-name.h"
#include "daemon/store/store.h"
#include "tests/faults/fault-point.h"

typedef struct Name {
        char text[32];
} Name;

/* A job's files are called after it: what counts is which one of them it is. */
static Name describe(const char *name) {
        char id[IPC_JOB_ID_LENGTH + 1];
        FileKind kind = file_name_kind(name, id);
        bool is_jobs = kind == FILE_KIND_JOB || kind == FILE_KIND_JOB_NEW ||
                       kind == FILE_KIND_SECRET || kind == FILE_KIND_SECRET_NEW;
        const char *which = name;
        Name n;

        if (streq(name, "."))
                which = "directory";
        else if (is_jobs && strlen(name) > IPC_JOB_ID_LENGTH)
                which = name + IPC_JOB_ID_LENGTH + 1;
        (void) snprintf(n.text, sizeof(n.text), "%s", which);
        for (char *p = n.text; *p; p++)
                if (*p == '.')
                        *p = '-';
        return n;
}

static void at(FaultWhen when, const char *what, const char *name) {
        if (when == FAULT_BEFORE)
                fault_point_slow(when, what, describe(name).text);
        else
                fault_point(when, what, describe(name).text);
}

static int on_step(DiskStep step, const char *name, void *userdata) {
        static const char *const steps[DISK_STEP_MAX] = {
                [DISK_WRITE] = "write",         [DISK_TRUNCATE] = "truncate",
                [DISK_SYNC_FILE] = "sync",      [DISK_RENAME] = "rename",
                [DISK_OVERWRITE] = "overwrite", [DISK_UNLINK] = "unlink",
                [DISK_SYNC_DIRECTORY] = "sync",
        };

        at(FAULT_BEFORE, steps[step] ? steps[step] : "step", name);
        return 0;
}

int __wrap_store_open(sd_event *event, const char *directory, const char *state_key,
                      const char *former, Store **ret, char **ret_why);
int __wrap_store_open(sd_event *event, const char *directory, const char *state_key,
                      const char *former, Store **ret, char **ret_why) {
        return store_open_hooked(event, directory, state_key, former, on_step, NULL, ret, ret_why);
}

/* Those that the hook has announced. One that fails has its point, too. */
#define AFTER(what, name, function, parameters, arguments) \
        int __real_##function parameters;                  \
        int __wrap_##function parameters;                  \
        int __wrap_##function parameters {                 \
                int r = __real_##function arguments;       \
                                                           \
                at(FAULT_AFTER, what, name);               \
                return r;                                  \
        }                                                  \
        struct function##_needs_a_semicolon

AFTER("write", name, disk_create, (const Disk *d, const char *name, const void *data, size_t size),
      (d, name, data, size));
AFTER("write", name, disk_write,
      (const Disk *d, int fd, const char *name, const void *data, size_t size),
      (d, fd, name, data, size));
AFTER("write", name, disk_fill, (const Disk *d, const char *name, const void *data, size_t size),
      (d, name, data, size));
AFTER("truncate", name, disk_truncate, (const Disk *d, int fd, const char *name, off_t size),
      (d, fd, name, size));
AFTER("sync", name, disk_sync_file, (const Disk *d, int fd, const char *name, bool data_only),
      (d, fd, name, data_only));
AFTER("rename", to, disk_rename, (const Disk *d, const char *from, const char *to), (d, from, to));
AFTER("rename", to, disk_rename_keeping, (const Disk *d, const char *from, const char *to),
      (d, from, to));
AFTER("overwrite", name, disk_begin_erase, (const Disk *d, const char *name, int *ret_fd),
      (d, name, ret_fd));
AFTER("erase", name, disk_end_erase, (const Disk *d, const char *name, int *fd), (d, name, fd));
AFTER("erase", name, disk_erase, (const Disk *d, const char *name), (d, name));
AFTER("overwrite", name, disk_blank, (const Disk *d, const char *name), (d, name));
AFTER("sync", "all", disk_sync_all, (const Disk *d), (d));
AFTER("unlink", name, disk_unlink, (const Disk *d, const char *name), (d, name));
AFTER("sync", ".", disk_sync_directory, (const Disk *d), (d));
AFTER("replace", name, disk_replace,
      (const Disk *d, const char *name, const void *data, size_t size), (d, name, data, size));
