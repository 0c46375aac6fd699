/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* A front with nothing behind it, in a process of its own: jobs are made in memory and end when
 * they are told to. What a job does is asked for by parameters of Submit:
 *   Done=yes    it has succeeded before the call is answered
 *   Later=yes   the call is answered a turn of the loop later
 *   Never=yes   the call is never answered
 *   Burst=N     N JobChanged follow its JobAdded
 * Reload tells N JobChanged of the oldest job, N being how often it was called, times 1000. */

#include <stdbool.h>
#include <sys/types.h>

#define STUB_KEY "-----BEGIN PRIVATE KEY-----\nstub\n"

typedef struct Stub {
        pid_t pid;
        char *directory;
        char *socket;  /* the path */
        char *address; /* "unix:path=…" of the socket */
} Stub;

/* `bus`: what --bus= says; NULL: "none". Returns when the socket is there. */
Stub *stub_start(const char *bus);

/* Fails the test where the stub has crashed, or does not end when told to. */
void stub_stop(Stub *s);

/* Lets all users connect. */
void stub_open_to_all(const Stub *s);

/* How many descriptors it has open. */
size_t stub_count_fds(const Stub *s);

/* Its resident memory in KiB. */
size_t stub_memory(const Stub *s);

/* The stub itself: runs until SIGTERM. */
int stub_run(const char *socket_path, const char *bus);
