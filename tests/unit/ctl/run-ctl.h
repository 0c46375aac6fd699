/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Runs fleetprovctl against a stub, in a directory of its own, as a script would. */

#include <sys/types.h>

#define TEXT_MAX 65536

extern char text_out[TEXT_MAX], text_err[TEXT_MAX]; /* of the last run */

void ctl_setup(void);
void ctl_teardown(void);

/* Words are divided by blanks. Gives the exit status, and fills text_out and text_err. */
int ctl_run(const char *line);

/* Only starts it; the files that it writes to are for ctl_slurp(), which closes them. */
pid_t ctl_start(const char *line, int *ret_out, int *ret_err);
void ctl_slurp(int fd, char *to);
