/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/store/file-name.h"

#include <assert.h>
#include <stdio.h>

#include "daemon/store/disk.h"

static const char *const suffixes[] = {
        [FILE_KIND_JOB] = ".job",
        [FILE_KIND_JOB_NEW] = ".job" DISK_TEMPORARY_SUFFIX,
        [FILE_KIND_SECRET] = ".secret",
        [FILE_KIND_SECRET_NEW] = ".secret" DISK_TEMPORARY_SUFFIX,
};

FileName file_name_make(const char *id, FileKind kind) {
        FileName name;
        int n;

        assert(kind < ELEMENTSOF(suffixes));
        n = snprintf(name.text, sizeof(name.text), "%s%s", id, suffixes[kind]);
        assert(n > 0 && (size_t) n < sizeof(name.text));
        return name;
}

static bool starts_with(const char *s, const char *prefix) {
        return strncmp(s, prefix, strlen(prefix)) == 0;
}

static bool ends_with(const char *s, const char *end) {
        return strlen(s) >= strlen(end) && streq(s + strlen(s) - strlen(end), end);
}

static FileKind kind_of_latch(const char *name) {
        if (!starts_with(name, FILE_LATCH_PREFIX))
                return FILE_KIND_FOREIGN;
        if (ends_with(name, FILE_LATCH_END))
                return FILE_KIND_OWN;
        return ends_with(name, FILE_LATCH_END DISK_TEMPORARY_SUFFIX) ? FILE_KIND_NEW
                                                                     : FILE_KIND_FOREIGN;
}

static FileKind kind_without_id(const char *name) {
        static const char *const own[] = {FILE_LOCK,   FILE_VERSION,   FILE_STARTS,
                                          FILE_UPTIME, FILE_STATE_KEY, FILE_STATE_KEY_FORMER};

        for (size_t i = 0; i < ELEMENTSOF(own); i++) {
                if (!starts_with(name, own[i]))
                        continue;
                if (streq(name + strlen(own[i]), ""))
                        return FILE_KIND_OWN;
                if (streq(name + strlen(own[i]), DISK_TEMPORARY_SUFFIX))
                        return FILE_KIND_NEW;
        }
        if (starts_with(name, FILE_SPARE_PREFIX))
                return FILE_KIND_SPARE;
        return kind_of_latch(name);
}

FileKind file_name_kind(const char *name, char ret_id[static IPC_JOB_ID_LENGTH + 1]) {
        char id[IPC_JOB_ID_LENGTH + 1] = "";
        const char *suffix;

        if (strlen(name) <= IPC_JOB_ID_LENGTH)
                return kind_without_id(name);
        memcpy(id, name, IPC_JOB_ID_LENGTH);
        suffix = name + IPC_JOB_ID_LENGTH;
        if (!ipc_job_id_is_valid(id))
                return kind_without_id(name);
        for (size_t kind = 0; kind < ELEMENTSOF(suffixes); kind++)
                if (streq(suffix, suffixes[kind])) {
                        memcpy(ret_id, id, sizeof(id));
                        return (FileKind) kind;
                }
        if (starts_with(suffix, ".job.") || starts_with(suffix, ".secret."))
                return FILE_KIND_SET_ASIDE;
        return FILE_KIND_FOREIGN;
}
