/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The text of a job's record, put together and read by hand. */

#include "daemon/store/job-record.h"

#define BOOT_A "0123456789abcdef0123456789abcdef"
#define BOOT_B "fedcba9876543210fedcba9876543210"

JobClock clock_at(const char *boot, usec_t now);
int read_job(const char *text, size_t size, const JobClock *clock, Job **ret);
/* Adds a line to a text. */
void append(char **text, size_t *size, const char *line, size_t line_size);
void append_state(char **text, size_t *size, const Job *j, const JobClock *clock);
