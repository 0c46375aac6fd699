/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/store/set-aside.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>

#include "daemon/base/clock.h"
#include "daemon/base/log.h"
#include "daemon/store/file-name.h"
#include "daemon/store/secret-file.h"

#define SECRET_ASIDE ".secret."

/* --- there */

/* 1: it was there. */
static int set_aside_file(const Disk *d, const char *id, FileKind kind, const char *reason,
                          usec_t time) {
        FileName name = file_name_make(id, kind);
        _cleanup_free_ char *aside = NULL;
        int r;

        if (asprintf(&aside, "%s.%s-%" PRIu64, name.text, reason, time) < 0) {
                aside = NULL;
                return -ENOMEM;
        }
        r = disk_rename(d, name.text, aside);
        if (r < 0 && r != -ENOENT)
                log_warning_errno(r, "cannot rename %s", name.text);
        return r < 0 ? r : 1;
}

void set_aside(const Disk *d, const char *id, const char *reason) {
        usec_t now = clock_real_usec();

        /* Two renames in one directory may reach the disk in any order. */
        if (set_aside_file(d, id, FILE_KIND_SECRET, reason, now) > 0)
                (void) disk_sync_directory(d);
        (void) set_aside_file(d, id, FILE_KIND_JOB, reason, now);
}

/* --- and back */

typedef struct Return {
        const Disk *disk;
        const StateKeys *keys;
        int (*on_taken)(const char *id, void *userdata);
        void *userdata;
        MissingKey *missing;
} Return;

static bool is_there(const Disk *d, const char *name) {
        struct stat st;

        return fstatat(d->fd, name, &st, AT_SYMLINK_NOFOLLOW) >= 0;
}

/* Whether the keys are here; others than a missing key are not asked about. */
static int look_at_keys(Return *b, const char *aside) {
        char key_id[SEAL_KEY_ID_LENGTH + 1];
        _cleanup_secret_ Secret *file = NULL;
        int r;

        r = disk_read(b->disk, aside, SECRET_FILE_MAX, &file);
        if (r < 0)
                return r;
        r = secret_file_check(b->keys, file->data, file->size, key_id);
        if (r == -ENOKEY && b->missing->n_jobs++ == 0)
                memcpy(b->missing->id, key_id, sizeof(key_id));
        return r;
}

static int put_back(Return *b, const char *id, const char *job_aside, const char *secret_aside) {
        FileName job = file_name_make(id, FILE_KIND_JOB);
        FileName secret = file_name_make(id, FILE_KIND_SECRET);
        int r = 0;

        if (!is_there(b->disk, job.text))
                r = disk_rename(b->disk, job_aside, job.text);
        if (r >= 0)
                r = disk_sync_directory(b->disk);
        if (r >= 0)
                r = disk_rename(b->disk, secret_aside, secret.text);
        if (r >= 0)
                r = disk_sync_directory(b->disk);
        if (r < 0) {
                log_warning_errno(r, "cannot take job %s back", id);
                return 0;
        }
        return b->on_taken(id, b->userdata);
}

/* `secret_aside`: <id>.secret.REASON-TIME. */
static int consider(Return *b, const char *id, const char *secret_aside) {
        FileName job = file_name_make(id, FILE_KIND_JOB);
        FileName secret = file_name_make(id, FILE_KIND_SECRET);
        const char *reason = secret_aside + IPC_JOB_ID_LENGTH + strlen(SECRET_ASIDE);
        _cleanup_free_ char *job_aside = NULL;
        int r;

        if (is_there(b->disk, secret.text))
                return 0;
        if (is_there(b->disk, job.text)) /* a crash came between */
                return put_back(b, id, NULL, secret_aside);
        if (strncmp(reason, SET_ASIDE_UNKNOWN_KEY "-", strlen(SET_ASIDE_UNKNOWN_KEY "-")) != 0)
                return 0;
        if (asprintf(&job_aside, "%s.%s", job.text, reason) < 0) {
                job_aside = NULL;
                return -ENOMEM;
        }
        if (!is_there(b->disk, job_aside))
                return 0;
        r = look_at_keys(b, secret_aside);
        if (r < 0)
                return r == -ENOMEM ? r : 0;
        log_notice("job %s: taken back, the state key of its secrets is here again", id);
        return put_back(b, id, job_aside, secret_aside);
}

static int on_name(const char *name, void *userdata) {
        char id[IPC_JOB_ID_LENGTH + 1] = "";

        if (file_name_kind(name, id) != FILE_KIND_SET_ASIDE)
                return 0;
        memcpy(id, name, IPC_JOB_ID_LENGTH);
        if (strncmp(name + IPC_JOB_ID_LENGTH, SECRET_ASIDE, strlen(SECRET_ASIDE)) != 0)
                return 0;
        return consider(userdata, id, name);
}

int set_aside_take_back(const Directory *directory, const StateKeys *keys,
                        int (*on_taken)(const char *id, void *userdata), void *userdata,
                        MissingKey *missing) {
        Return b = {.disk = &directory->disk,
                    .keys = keys,
                    .on_taken = on_taken,
                    .userdata = userdata,
                    .missing = missing};

        return directory->has_set_aside ? directory_each(directory, on_name, &b) : 0;
}
