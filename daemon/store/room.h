/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Room for secrets: files of zeros. Made before the secrets come, while the answer that brings them
 * is on its way, so that a disk that is full by then has room for them, and one flush of data keeps
 * them; and left by those that have served. On the disk's thread.
 *
 * To give a file back and make another one costs more than all else of a job: ext4 passes by inodes
 * that were given back within the last minutes, one by one (recently_deleted() in its ialloc.c).
 *
 * None of these files matters after a crash: the next start erases them. (A power cut may leave a
 * name to what was written under the next one.) */

#include "daemon/store/disk.h"
#include "protocol/ipc/limits.h"

#define SPENT_MAX 16U
#define ROOM_MAX 4U /* a session has one set of secrets at a time, and sessions are few */

typedef struct IdList {
        char ids[SPENT_MAX][IPC_JOB_ID_LENGTH + 1];
        size_t n;
} IdList;

typedef struct Room {
        IdList spent;    /* their secrets go */
        IdList expected; /* ROOM_MAX at most: theirs will come */
        IdList made;     /* ROOM_MAX at most: the name is durable, what stands under it is zeros */
        size_t n_spares; /* files without a job, by their numbers */
} Room;

/* Its secrets have served, as a durable line says. Where there is no room for one more to remember,
 * those before it go at once. */
void room_spent(Room *r, const Disk *d, const char *id);

/* It has no secrets yet, and is about to get some. */
void room_expect(Room *r, const char *id);

/* What was expected does not come: what was made for it goes as if it were spent. */
void room_give_up(Room *r, const Disk *d, const char *id);

/* Whoever calls has erased what was made for it. */
void room_forget(Room *r, const char *id);

/* Overwrites what is spent: before other changes are carried out. A crash before this, or in it, is
 * mended at the next start; so is a name that comes back after a power cut, of zeros, since the
 * directory is not flushed for it. */
void room_wipe(Room *r, const Disk *d);

/* The same, and makes what is expected: when all changes were told. */
void room_tidy(Room *r, const Disk *d);

/* Writes secrets where room was made for them under their own name. Gives the descriptor: a flush
 * of data makes them durable. -ENOENT: none was made. */
int room_fill(Room *r, const Disk *d, const char *id, const void *data, size_t size);

/* disk_create(), in a spare file if there is one. */
int room_create(Room *r, const Disk *d, const char *name, const void *data, size_t size);

/* Unlinks them all. */
void room_done(Room *r, const Disk *d);
