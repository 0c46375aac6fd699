/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Wires the folders together and carries a job from Submit to its end. It holds no rule of its own
 * that a machine of daemon/model could hold. Loop thread only. */

#include <systemd/sd-event.h>

#include "daemon/base/macro.h"

typedef struct Manager Manager;

typedef struct ManagerOptions {
        const char *config; /* --config=; NULL: the default files */
        const char *state_directory;
        const char *socket; /* to listen on where systemd passed none; NULL: none */
        const char *bus;    /* --bus=; NULL: as the configuration says */
} ManagerOptions;

/* Exit codes of the daemon. */
#define MANAGER_EXIT_CONFIG 78 /* EX_CONFIG of sysexits.h */

/* Reads the configuration and the jobs, and takes requests from then on. Does not wait for any
 * cloud. On failure it has logged why; *ret_exit is the exit status that fits. */
int manager_new(sd_event *event, const ManagerOptions *options, Manager **ret, int *ret_exit);
Manager *manager_free(Manager *m);
DEFINE_CLEANUP(Manager *, manager_free);

/* Reads the configuration again (SIGHUP). Logs what is wrong with it, and then changes nothing. */
void manager_reload(Manager *m);

/* Since when (boot clock) the worker of keys or of the disk has been at one task, whichever is
 * longer; USEC_INFINITY where neither is. Names are not asked for: a resolver may well hang. */
usec_t manager_busy_since(void *manager);
