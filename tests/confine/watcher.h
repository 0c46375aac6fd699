/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* A process beside the confined one that is told of each breach, says which call it was, and ends
 * the program (SIGKILL) or has the call refused (EPERM). It ends with the program. */

#include <stdbool.h>

typedef struct Watcher {
        int socket; /* over which it gets the filter's descriptor, or -1 */
} Watcher;

#define WATCHER_NONE ((Watcher){.socket = -1})

/* Before the filter: the watcher is not under it. 0 or -errno. */
int watcher_start(Watcher *w, bool refuses);

/* Hands it the filter's descriptor, which stays the caller's. 0 or -errno. */
int watcher_watch(const Watcher *w, int filter_fd);

void watcher_let_go(Watcher *w);
