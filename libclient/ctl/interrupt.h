/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Ctrl-C while waiting: the waiting ends, the job goes on, and a word says how to find it. */

#include "libclient/macro.h"

/* From now on SIGINT, SIGTERM and SIGHUP are noted instead of obeyed. */
void interrupt_note(void);
bool interrupt_seen(void);

/* Obeys the signal that was noted, if any: ends the process by it, as a shell expects. */
void interrupt_obey(void);
