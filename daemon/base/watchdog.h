/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Tells the service manager that the process makes progress (sd_watchdog_enabled(3)), and stops
 * telling it when it does not: the loop must come round, and a worker must be done with a task
 * within the time that the service manager allows (WatchdogSec=). A hung disk or a loop that spins
 * inside one callback so ends in a restart, and not in a daemon that answers and does nothing. */

#include <systemd/sd-event.h>

#include "daemon/base/macro.h"

typedef struct Watchdog Watchdog;

/* `busy_since`: since when (boot clock) the worker that has been at one task for longest has been
 * at it; USEC_INFINITY where none is. *ret is NULL where the service manager did not ask. Loop
 * thread. */
int watchdog_new(sd_event *event, usec_t (*busy_since)(void *userdata), void *userdata,
                 Watchdog **ret);
Watchdog *watchdog_free(Watchdog *w);
DEFINE_CLEANUP(Watchdog *, watchdog_free);
