/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Tells when somebody sets the real clock: a gateway often boots with a clock of years ago, and has
 * the right time a minute later. Loop thread only. */

#include <systemd/sd-event.h>

#include "daemon/base/macro.h"

/* A clock that is set again and again is told so often and no more. */
#define CLOCK_WATCH_SPACING_USEC USEC_PER_SEC

typedef struct ClockWatch ClockWatch;

/* The first change is told at once; what follows within CLOCK_WATCH_SPACING_USEC is one more, at
 * the end of it. A machine that wakes from sleep counts as one whose clock was set: it jumped. */
int clock_watch_new(sd_event *event, void (*changed)(void *userdata), void *userdata,
                    ClockWatch **ret);
ClockWatch *clock_watch_free(ClockWatch *w);
DEFINE_CLEANUP(ClockWatch *, clock_watch_free);
