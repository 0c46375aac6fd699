/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Group commit: carries out many changes with few flushes. On the disk's thread.
 *
 * The changes are taken in rounds, in the order in which they were asked for. A round ends before
 * a second change of the same job, or at COMMIT_ROUND_MAX, which bounds the descriptors it holds.
 * In each round, for all of its changes together:
 *
 *   1. secrets (those that are to be sealed anew are read first) are written and flushed: in the
 *      room that was made for them, or aside, and then they take their names and the directory
 *      is flushed;
 *   2. lines are written and flushed (a note's is not): a line never speaks of secrets that could
 *      still be lost;
 *   3. new job files take their names, what is to be erased is overwritten and unlinked, the
 *      directory is flushed: the line that says so is durable by then, and a crash between is
 *      mended at the next start. Secrets that others have replaced are erased, too, for which
 *      nobody waits. Those that are spent, and room for those that are expected, are left for
 *      room_tidy();
 *   4. what is wanted is read.
 *
 * A change that fails has its errno in `error`, and does not touch the others; but a directory that
 * cannot be flushed fails all whose names depended on it. */

#include "daemon/store/change.h"
#include "daemon/store/room.h"

#define COMMIT_ROUND_MAX 64U

typedef struct CommitContext {
        const Disk *disk;
        const StateKeys *keys;
        const JobClock *clock; /* but for the present time */
        Room *room;
} CommitContext;

/* Takes the changes out of the list one by one; whoever owns them reads their `error` then. */
void commit_changes(const CommitContext *context, ChangeList *list);
