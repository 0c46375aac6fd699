/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* A test cloud of the test's own, in a directory of its own. What goes wrong here fails the test.
 */

#include <stdint.h>
#include <sys/types.h>

#include <jansson.h>

typedef struct CloudProcess {
        char *dir;
        pid_t pid;
        int port;
        int dps_port;
} CloudProcess;

/* Makes a directory, and starts the cloud there. option: one more option of tests/cloud/run, or
 * NULL. */
void cloud_start(CloudProcess *cloud, const char *option);

/* Starts it again in the same directory. */
void cloud_restart(CloudProcess *cloud);

/* Sends the signal, and waits until the process is gone. Its wait status. */
int cloud_signal(CloudProcess *cloud, int signo);

/* SIGTERM, and the directory goes too. */
void cloud_stop(CloudProcess *cloud);

/* tests/cloud/fault with these arguments, up to a NULL: what it printed, to be freed by the caller.
 * The first form fails the test when the tool fails; the second returns its exit status. */
char *cloud_fault(const CloudProcess *cloud, ...) __attribute__((sentinel));
int cloud_try_fault(const CloudProcess *cloud, ...) __attribute__((sentinel));

/* How often that rule has been broken so far. */
json_int_t cloud_breaches(const CloudProcess *cloud, const char *breach);

/* How many lines of the journal have all the text in them. */
size_t cloud_journal_count(const CloudProcess *cloud, const char *text, const char *text2);

/* DIR/NAME, to be freed by the caller. */
char *cloud_path(const CloudProcess *cloud, const char *name);
