/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The daemon's front in this process, on a socket of its own, with nothing behind it but a table of
 * jobs: each call is answered at once. What reaches the operations is held against the bounds of
 * protocol/ipc/limits.h there. A fresh one for each input. */

#include "daemon/front/front.h"

/* A job that is there from the start, has succeeded, and has a private key. */
#define FRONT_WORLD_JOB "0123456789abcdef0123456789abcdef"

typedef struct FrontWorld {
        sd_event *event;
        Front *front;
        JobTable *jobs;
        ProfileStatus profile;
        char *socket;
        size_t fds_before; /* that were open */
        unsigned submitted;
} FrontWorld;

void front_world_make(FrontWorld *w);

/* Until nothing is left to be done at once. */
void front_world_turn(FrontWorld *w);

/* A client's end of a connection, non-blocking. */
int front_world_connect(const FrontWorld *w);

/* Somebody else is served as if nothing had been. */
void front_world_check_alive(FrontWorld *w);

/* Ends it; no descriptor is left open. */
void front_world_done(FrontWorld *w);
