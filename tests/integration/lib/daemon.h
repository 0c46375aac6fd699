/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* A daemon of a test's own, in a temporary folder of its own, under the filter of system calls that
 * its unit gives it (tests/confine). What goes wrong here fails the test. */

#include "tests/integration/lib/cloud.h"

typedef struct Daemon {
        Place place;
        const char *config, *state, *socket, *log, *bus;
        const char *program;     /* fleetprovd, or another build of it */
        const char *confinement; /* what it may do: a list as tests/confine/expand makes it */
        const char *fault;       /* FLEETPROV_FAULT=, or NULL: see tests/faults */
        const char *fault_list;  /* FLEETPROV_FAULT_LIST=, or NULL */
        const char *door;        /* the name of a further socket that is passed, or NULL */
        const char *door_socket; /* where that is */
        int passed[2];           /* main socket and door, listening as long as the place is there */
        uid_t user;              /* whom it runs as; 0: root */
        int notify_fd;           /* what sd_notify(3) says arrives here, or -1 */
        pid_t pid;
} Daemon;

/* The folder, and no more. */
void daemon_make(Daemon *d);

/* From the next start on it is passed its socket and a further one of this name, as systemd would.
 */
void daemon_add_door(Daemon *d, const char *name);

/* Replaces the configuration file. */
void daemon_configure(Daemon *d, const char *text);

void daemon_start(Daemon *d); /* and waits until it is READY; hears no more notifications */
void daemon_start_without_wait(Daemon *d);
void daemon_start_unheard(Daemon *d); /* one that may end at any time: it notifies nobody */
void daemon_wait_notify(Daemon *d, const char *text); /* until a notification holds the text */

/* SIGTERM: it ends with status 0, and no sanitizer had a word to say. */
void daemon_stop(Daemon *d);
void daemon_kill(Daemon *d); /* SIGKILL */
void daemon_assert_log_is_sane(const Daemon *d);

/* Stopped if it runs, and the folder removed; nothing where none was made. */
void daemon_done(Daemon *d);

/* The short way: one profile `aws` of that cloud, with `more` in its section and `daemon` in
 * [Daemon]; started. */
void daemon_run(Daemon *d, Cloud *c, const char *daemon, const char *more);

/* Waits until the profile's session is in that state. */
void daemon_wait_session(const Daemon *d, const char *profile, const char *state);

/* Runs the program with these arguments (without its name, up to a NULL) to its end. */
int daemon_run_once(const char *const arguments[], const char *const environment[],
                    char **ret_output);
