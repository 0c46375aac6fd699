/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Another real clock than the machine's for some daemons; see clock-preload.c. What goes wrong here
 * fails the test. */

#include "tests/integration/lib/place.h"

/* By so many seconds the clock in that file is ahead, from now on. */
void other_clock_set(const char *path, int64_t ahead);

/* The clock's file, in that place: what the daemons go by that have this clock. */
const char *other_clock_make(Place *place, int64_t ahead);

/* The daemons that are started between the two have it. The place outlives them. */
void other_clock_begin(Place *place);
void other_clock_end(void);
