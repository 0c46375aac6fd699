/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/store/commit.h"

#include <errno.h>
#include <stdio.h>

#include "daemon/base/clock.h"
#include "daemon/base/log.h"
#include "daemon/store/file-name.h"

typedef struct Round {
        const CommitContext *context;
        const Disk *disk;
        Change *changes[COMMIT_ROUND_MAX];
        size_t n;
} Round;

/* One step of all changes that are still well. */
static void each(Round *round, int (*step)(const Round *round, Change *c)) {
        for (size_t i = 0; i < round->n; i++)
                if (round->changes[i]->error >= 0)
                        round->changes[i]->error = step(round, round->changes[i]);
}

/* Several are written side by side; a single one is waited for right away. */
static void start_sync(const Round *round, int fd) {
        if (round->n > 1)
                disk_start_sync(fd);
}

/* But a file that takes the place of another must be whole: its name is flushed. */
static bool is_mere_note(const Change *c) {
        return c->type == CHANGE_NOTE && !c->file.is_new;
}

/* Once for all whose names changed since the last time. */
static void flush_directory(Round *round) {
        bool wanted = false;
        int r;

        for (size_t i = 0; i < round->n; i++)
                wanted = wanted || (round->changes[i]->error >= 0 && round->changes[i]->renames);
        if (!wanted)
                return;
        r = disk_sync_directory(round->disk);
        for (size_t i = 0; i < round->n; i++) {
                Change *c = round->changes[i];

                if (c->error >= 0 && c->renames)
                        c->error = r;
                /* After a crash the old ones may be there again, and must be whole. */
                c->has_replaced = c->has_replaced && c->error >= 0;
                c->renames = false;
        }
}

/* As they are on the disk now: what was asked for before this is done. */
static int read_to_reseal(const Round *round, Change *c) {
        FileName name = file_name_make(c->id, FILE_KIND_SECRET);
        const StateKeys *keys = round->context->keys;
        _cleanup_secret_ Secret *file = NULL;
        int r;

        r = disk_read(round->disk, name.text, SECRET_FILE_MAX, &file);
        if (r >= 0 && secret_file_is_erased(file->data, file->size))
                return -ENOENT; /* they went in the meantime; there is room for others */
        if (r < 0 || secret_file_is_current(keys, file->data, file->size))
                return r < 0 ? r : 0;
        r = secret_file_unseal(keys, &c->context, file->data, file->size, &c->secrets);
        c->has_secrets = r >= 0;
        return r;
}

/* Where room was made for them, or in a file under a temporary name. */
static int write_sealed(const Round *round, Change *c, const void *data, size_t size) {
        FileName temporary = file_name_make(c->id, FILE_KIND_SECRET_NEW);
        Room *room = round->context->room;

        c->secret_fd = room_fill(room, round->disk, c->id, data, size);
        c->in_place = c->secret_fd >= 0;
        if (!c->in_place)
                c->secret_fd = room_create(room, round->disk, temporary.text, data, size);
        return c->secret_fd < 0 ? c->secret_fd : 0;
}

static int write_secrets(const Round *round, Change *c) {
        _cleanup_free_ uint8_t *sealed = NULL;
        size_t size;
        int r = 0;

        if (c->type == CHANGE_RESEAL)
                r = read_to_reseal(round, c);
        if (r < 0 || !c->has_secrets)
                return r;
        r = secret_file_seal(round->context->keys, &c->context, &c->secrets, &sealed, &size);
        if (r < 0)
                return r;
        r = write_sealed(round, c, sealed, size);
        if (r < 0)
                return r;
        start_sync(round, c->secret_fd);
        return 0;
}

static int place_secrets(const Round *round, Change *c) {
        FileName name = file_name_make(c->id, FILE_KIND_SECRET);
        FileName written =
                file_name_make(c->id, c->in_place ? FILE_KIND_SECRET : FILE_KIND_SECRET_NEW);
        int r;

        if (!c->has_secrets)
                return 0;
        r = disk_sync_file(round->disk, c->secret_fd, written.text, c->in_place);
        if (r < 0)
                c->secret_fd = close_fd(c->secret_fd);
        else
                r = disk_close(&c->secret_fd);
        if (r >= 0 && !c->in_place) {
                r = disk_rename_keeping(round->disk, written.text, name.text);
                c->has_replaced = r > 0;
                c->renames = r >= 0;
        }
        if (r < 0)
                (void) disk_erase(round->disk, written.text);
        return r < 0 ? r : 0;
}

/* A crash before this, or in it: the next start erases what has a temporary name. */
static void erase_replaced(const Round *round) {
        for (size_t i = 0; i < round->n; i++) {
                const Change *c = round->changes[i];
                FileName name = file_name_make(c->id, FILE_KIND_SECRET_NEW);

                if (c->has_replaced)
                        (void) disk_erase(round->disk, name.text);
        }
}

static int append_lines(const Round *round, Change *c) {
        JobClock clock = *round->context->clock;
        int r;

        r = job_file_begin_append(round->disk, c->id, c->lines, c->lines_size, &c->file);
        if (r != -EFBIG)
                return r;
        clock.now_boot = clock_boot_usec();
        return job_file_begin_compact(round->disk, c->id, c->lines, c->lines_size, &clock,
                                      &c->file);
}

/* On a full disk the secrets make room for the line that says that they are gone. Whoever asked
 * for it has them, or has given them up: that the line comes second costs nothing. */
static int append_by_erasing(const Round *round, Change *c) {
        int r;

        FileName name = file_name_make(c->id, FILE_KIND_SECRET);

        r = disk_erase(round->disk, name.text);
        if (r >= 0)
                r = disk_sync_directory(round->disk);
        return r < 0 && r != -ENOENT ? r : append_lines(round, c);
}

static int write_lines(const Round *round, Change *c) {
        int r = 0;

        switch (c->type) {
        case CHANGE_CREATE:
        case CHANGE_REWRITE:
                r = job_file_begin_new(round->disk, c->id, c->lines, c->lines_size, &c->file);
                break;
        case CHANGE_UPDATE:
        case CHANGE_NOTE:
                r = append_lines(round, c);
                break;
        case CHANGE_ERASE:
        case CHANGE_SPEND:
                r = append_lines(round, c);
                if (r == -ENOSPC || r == -EDQUOT)
                        r = append_by_erasing(round, c);
                break;
        case CHANGE_REMOVE:
        case CHANGE_READ:
        case CHANGE_RESEAL:
        case CHANGE_TYPE_MAX:
                return 0;
        }
        if (r >= 0 && !is_mere_note(c))
                start_sync(round, c->file.fd);
        return r;
}

static int flush_lines(const Round *round, Change *c) {
        if (c->file.fd < 0)
                return 0;
        if (is_mere_note(c))
                return disk_close(&c->file.fd);
        return job_file_sync(round->disk, &c->file);
}

/* All of a round are under way before the first is waited for. */
static int begin_erase(const Round *round, Change *c) {
        FileName name = file_name_make(c->id, FILE_KIND_SECRET);
        int r;

        if (c->type != CHANGE_ERASE && c->type != CHANGE_REMOVE)
                return 0;
        r = disk_begin_erase(round->disk, name.text, &c->erase_fd);
        c->erases = r >= 0;
        return r == -ENOENT ? 0 : r;
}

static int end_erase(const Round *round, Change *c) {
        FileName name = file_name_make(c->id, FILE_KIND_SECRET);

        return c->erases ? disk_end_erase(round->disk, name.text, &c->erase_fd) : 0;
}

static int unlink_job(const Round *round, const Change *c) {
        FileName name = file_name_make(c->id, FILE_KIND_JOB);
        int r = disk_unlink(round->disk, name.text);

        return r == -ENOENT ? 0 : r;
}

static int change_names(const Round *round, Change *c) {
        int r;

        if (c->file.is_new) {
                r = job_file_commit(round->disk, &c->file);
                if (r < 0)
                        return r;
                c->renames = true;
        }
        if (c->type == CHANGE_ERASE || c->type == CHANGE_REMOVE) {
                r = end_erase(round, c);
                if (r < 0)
                        return r;
                c->renames = true;
        }
        /* Last: secrets without a job are litter, a job without its secrets knows what happened. */
        return c->type == CHANGE_REMOVE ? unlink_job(round, c) : 0;
}

static int read_secrets(const Round *round, Change *c) {
        FileName name = file_name_make(c->id, FILE_KIND_SECRET);
        _cleanup_secret_ Secret *file = NULL;
        int r;

        if (c->type != CHANGE_READ)
                return 0;
        r = disk_read(round->disk, name.text, SECRET_FILE_MAX, &file);
        if (r < 0)
                return r == -EFBIG ? -EBADMSG : r;
        if (secret_file_is_erased(file->data, file->size))
                return -ENOENT; /* there is room for some, no more */
        return secret_file_unseal(round->context->keys, &c->context, file->data, file->size,
                                  &c->secrets);
}

/* What was refused must not come to life at the next start. */
static void undo_failed_creates(const Round *round) {
        for (size_t i = 0; i < round->n; i++) {
                const Change *c = round->changes[i];
                FileName job = file_name_make(c->id, FILE_KIND_JOB);
                FileName secret = file_name_make(c->id, FILE_KIND_SECRET);

                if (c->type != CHANGE_CREATE || c->error >= 0)
                        continue;
                (void) unlinkat(round->disk->fd, job.text, 0);
                (void) disk_erase(round->disk, secret.text);
        }
}

static bool round_has(const Round *round, const char *id) {
        for (size_t i = 0; i < round->n; i++)
                if (streq(round->changes[i]->id, id))
                        return true;
        return false;
}

/* What was to come with this change, or came, decides what room is wanted. */
static int plan_room(const Round *round, Change *c) {
        Room *room = round->context->room;

        switch (c->type) {
        case CHANGE_SPEND:
                room_spent(room, round->disk, c->id);
                break;
        case CHANGE_CREATE:
        case CHANGE_REWRITE:
        case CHANGE_UPDATE:
        case CHANGE_NOTE:
                if (!c->has_secrets && !c->expects_secrets)
                        room_give_up(room, round->disk, c->id);
                break;
        case CHANGE_ERASE:
        case CHANGE_REMOVE:
                room_forget(room, c->id);
                break;
        case CHANGE_READ:
        case CHANGE_RESEAL:
        case CHANGE_TYPE_MAX:
                break;
        }
        if (c->expects_secrets)
                room_expect(room, c->id);
        return 0;
}

void commit_changes(const CommitContext *context, ChangeList *list) {
        while (list->changes_first) {
                Round round = {.context = context, .disk = context->disk};
                Change *c;

                /* Of an earlier round: it must not meet later secrets. */
                room_wipe(context->room, round.disk);
                while ((c = list->changes_first) && round.n < ELEMENTSOF(round.changes) &&
                       !round_has(&round, c->id)) {
                        LIST_REMOVE(changes, list, c);
                        round.changes[round.n++] = c;
                }
                each(&round, write_secrets);
                each(&round, place_secrets);
                flush_directory(&round);
                each(&round, write_lines);
                each(&round, flush_lines);
                each(&round, begin_erase);
                each(&round, change_names);
                erase_replaced(&round);
                flush_directory(&round);
                each(&round, plan_room);
                each(&round, read_secrets);
                undo_failed_creates(&round);
        }
}
