/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Sockets to listen on: those that systemd passed (sd_listen_fds(3)), or one that is made at a
 * path. Making one is the only thing in here that touches the file system. */

#include "daemon/base/macro.h"

#define LISTENER_GROUP "fleetprov" /* callers; where that group exists, the socket is its */
#define LISTENER_MODE 0660
#define LISTENERS_MAX ((size_t) 16)

typedef struct Listener {
        int fd;
        char *door; /* what comes in here comes through this one */
        char *path; /* that we made; NULL: it is systemd's */
        uint64_t device, inode;
} Listener;

/* Of the main door are those named "main", or not named at all; any other name that a door can have
 * is that door, whether it is configured or not. One that was given no FileDescriptorName= comes
 * with its unit's name: only our own socket unit's is the main door then, since a door for a
 * container must not become the host's by a line that was forgotten. What cannot be used is closed,
 * with a warning. Fills up to LISTENERS_MAX. */
int listener_take_passed(Listener listeners[static LISTENERS_MAX], size_t *ret_n);

/* Of the main door. Mode 0660, group LISTENER_GROUP where it exists, never wider for a moment. A
 * socket file that nobody answers at is a dead daemon's, and removed; anything else in the way is
 * left alone. -EADDRINUSE: somebody answers; -EEXIST: it is no socket; -ENAMETOOLONG. */
int listener_make(const char *path, Listener *ret);

/* Closes; removes the file that we made, if it is still that one. */
void listener_done(Listener *l);
