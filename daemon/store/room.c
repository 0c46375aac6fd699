/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/store/room.h"

#include <errno.h>
#include <stdio.h>

#include "daemon/base/log.h"
#include "daemon/store/file-name.h"

/* What seals a token fits, and any block is longer. */
#define ROOM_SIZE 512U

typedef struct SpareName {
        char text[sizeof(FILE_SPARE_PREFIX "0")];
} SpareName;

_Static_assert(ROOM_MAX <= 10, "one digit");

static SpareName spare_name(size_t i) {
        SpareName name;

        (void) snprintf(name.text, sizeof(name.text), FILE_SPARE_PREFIX "%u",
                        (unsigned) i % ROOM_MAX);
        return name;
}

static bool list_has(const IdList *l, const char *id) {
        for (size_t i = 0; i < l->n; i++)
                if (streq(l->ids[i], id))
                        return true;
        return false;
}

static void list_add(IdList *l, const char *id) {
        memcpy(l->ids[l->n++], id, sizeof(l->ids[0]));
}

static bool list_remove(IdList *l, const char *id) {
        for (size_t i = 0; i < l->n; i++)
                if (streq(l->ids[i], id)) {
                        memmove(l->ids[i], l->ids[--l->n], sizeof(l->ids[0]));
                        return true;
                }
        return false;
}

static int make_spare(Room *room, const Disk *d, const char *name) {
        SpareName spare = spare_name(room->n_spares);
        int r;

        if (room->n_spares >= ROOM_MAX)
                return -ENOSPC;
        r = disk_blank(d, name);
        if (r >= 0)
                r = disk_rename(d, name, spare.text);
        if (r >= 0)
                room->n_spares++;
        return r;
}

void room_wipe(Room *room, const Disk *d) {
        for (size_t i = 0; i < room->spent.n; i++) {
                FileName name = file_name_make(room->spent.ids[i], FILE_KIND_SECRET);
                int r;

                r = make_spare(room, d, name.text);
                if (r < 0)
                        r = disk_erase(d, name.text);
                if (r < 0 && r != -ENOENT)
                        log_warning_errno(r, "%s is spent, and is erased at the next start",
                                          name.text);
        }
        room->spent.n = 0;
}

void room_spent(Room *room, const Disk *d, const char *id) {
        room_forget(room, id);
        if (room->spent.n >= SPENT_MAX)
                room_wipe(room, d);
        list_add(&room->spent, id);
}

void room_expect(Room *room, const char *id) {
        if (!list_has(&room->made, id) && !list_has(&room->expected, id) &&
            room->expected.n < ROOM_MAX)
                list_add(&room->expected, id);
}

void room_give_up(Room *room, const Disk *d, const char *id) {
        if (list_has(&room->made, id))
                room_spent(room, d, id);
        else
                room_forget(room, id);
}

void room_forget(Room *room, const char *id) {
        (void) list_remove(&room->expected, id);
        (void) list_remove(&room->made, id);
}

static int make_file(const Disk *d, const char *name) {
        static const uint8_t zeros[ROOM_SIZE];
        int fd, r;

        fd = disk_create(d, name, zeros, sizeof(zeros));
        if (fd < 0)
                return fd;
        r = disk_sync_file(d, fd, name, false);
        close_fd(fd);
        return r;
}

static int take_spare(Room *room, const Disk *d, const char *name) {
        SpareName spare;
        int r;

        if (room->n_spares == 0)
                return -ENOENT;
        spare = spare_name(--room->n_spares);
        r = disk_rename(d, spare.text, name);
        if (r < 0)
                (void) disk_unlink(d, spare.text);
        return r;
}

/* Where it fails, nothing is lost by that: the secrets make room for themselves. */
static void make(Room *room, const Disk *d, const char *id) {
        FileName name = file_name_make(id, FILE_KIND_SECRET);
        int r;

        if (room->made.n >= ROOM_MAX || disk_exists(d, name.text))
                return;
        r = take_spare(room, d, name.text);
        if (r < 0)
                r = make_file(d, name.text);
        if (r >= 0)
                r = disk_sync_directory(d);
        if (r >= 0)
                list_add(&room->made, id);
        else
                (void) disk_erase(d, name.text);
}

void room_tidy(Room *room, const Disk *d) {
        room_wipe(room, d);
        for (size_t i = 0; i < room->expected.n; i++)
                make(room, d, room->expected.ids[i]);
        room->expected.n = 0;
}

int room_fill(Room *room, const Disk *d, const char *id, const void *data, size_t size) {
        FileName name = file_name_make(id, FILE_KIND_SECRET);

        (void) list_remove(&room->expected, id);
        return list_remove(&room->made, id) ? disk_fill(d, name.text, data, size) : -ENOENT;
}

int room_create(Room *room, const Disk *d, const char *name, const void *data, size_t size) {
        while (room->n_spares > 0 && take_spare(room, d, name) >= 0) {
                int r = disk_fill(d, name, data, size);

                if (r >= 0)
                        return r;
        }
        return disk_create(d, name, data, size);
}

void room_done(Room *room, const Disk *d) {
        for (size_t i = 0; i < room->made.n; i++) {
                FileName name = file_name_make(room->made.ids[i], FILE_KIND_SECRET);

                (void) disk_unlink(d, name.text);
        }
        room->made.n = 0;
        while (room->n_spares > 0) {
                SpareName spare = spare_name(--room->n_spares);

                (void) disk_unlink(d, spare.text);
        }
}
