/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * A daemon for tests of its clients: it speaks the interface of protocol/ipc/ on a Unix socket, and
 * lets a request say how it shall end, by the parameter "outcome":
 *
 *   ok (default)   succeeds at once           fail      failed, with all that a service can say
 *   slow           succeeds after 300 ms      expire    expired
 *   hang           stays queued               cancelled cancelled
 *   restart        hangs up on everybody after the answer, succeeds 300 ms later
 *   denied         refused: access-denied     full      refused: queue-full
 *
 *   unverified     failed with verify-failed; GetResult gives its identity
 *   lost-end       hangs up likewise, and has succeeded when it can be asked again
 *   lost-release   succeeds; the connection is cut instead of an answer to Release
 *   unsealed       succeeds, with a secret that is not sealed
 *   lost-answer    succeeds, and the connection is cut instead of an answer (the first time)
 *
 * The parameter "silent" has the job send no signal.
 */

#include <stdbool.h>
#include <sys/types.h>

typedef struct Stub {
        pid_t pid;
        char *dir;     /* temporary, with the socket in it */
        char *path;    /* of the socket */
        pid_t bus_pid; /* of the message bus; 0: none */
} Stub;

void stub_start(Stub *stub);

/* On a message bus of its own instead: `path` is then its D-Bus address. False where this machine
 * has no dbus-daemon. */
bool stub_start_on_bus(Stub *stub);

void stub_stop(Stub *stub); /* and removes the directory */

/* Ends the process and begins a new one at the same path, with no jobs. */
void stub_kill(Stub *stub);
void stub_restart(Stub *stub);
