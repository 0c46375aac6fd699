/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* A message bus of a test's own, where everybody may everything. */

#include "tests/integration/lib/place.h"

/* Its address lives as long as the place. */
typedef struct BusDaemon {
        Place *place;
        const char *address;
        pid_t pid;
} BusDaemon;

/* Names the address, and no more. */
void bus_daemon_make(BusDaemon *b, Place *place);
void bus_daemon_start(BusDaemon *b);
void bus_daemon_stop(BusDaemon *b); /* nothing where none runs */

/* Whether somebody has the daemon's name there. */
bool bus_daemon_has_us(const BusDaemon *b);
