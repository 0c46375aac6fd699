/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The fault points that a daemon passes, by the list of a dry run (see tests/faults); and patience
 * with the processes around those who are killed there. */

#include <stdbool.h>
#include <sys/types.h>

#define POINTS_MAX 512U
#define KILL_TEST_PATIENCE_SEC 240

typedef struct Points {
        char *text; /* of the list */
        char *names[POINTS_MAX];
        unsigned pass[POINTS_MAX]; /* 1: the first time in that life */
        unsigned n;
        unsigned job; /* where the job's begin, behind those of the daemon's start */
} Points;

/* The list as it stands in the file; `job` and what follows are the test's. */
void points_read(Points *points, const char *path);

/* Where it is passed for that time; it must be. */
unsigned points_find(const Points *points, const char *name, unsigned pass);

bool has_ended(pid_t pid);

/* process_join(), beyond the patience with one process. */
void join(pid_t pid);
