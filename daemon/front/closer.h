/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Closes descriptors that callers have sent, on a thread of its own: close(2) of a file asks its
 * file system to flush, and one whose server says nothing (FUSE, which anybody may mount in a user
 * namespace of his own; a network that is gone) never comes back from that. A socket may linger.
 *
 * What hangs hangs there, and is not waited for. At most CLOSER_MAX wait behind it; then no
 * descriptors are taken from anybody until it moves, and all that needs none goes on. */

#include <systemd/sd-event.h>

#include "daemon/base/macro.h"

#define CLOSER_MAX ((size_t) 64)

typedef struct Closer Closer;

int closer_new(sd_event *event, Closer **ret);
Closer *closer_free(Closer *c);
DEFINE_CLEANUP(Closer *, closer_free);

/* Whether so many may be taken. */
bool closer_has_room(const Closer *c, size_t n);

/* Some are not closed yet. */
bool closer_is_busy(const Closer *c);

/* Takes the descriptor, and does not wait. */
void closer_close(Closer *c, int fd);

/* Whether closing it can hang: a file that lives in memory, by which secrets come, cannot. Does not
 * touch the file itself. */
bool closer_wants(int fd);
