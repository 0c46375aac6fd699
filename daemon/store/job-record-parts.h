/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The parts that job-record-read.c puts together. All give 0, -EBADMSG or -ENOMEM. */

#include "daemon/store/job-record.h"

/* Bound of what only the service or we ourselves say; the line's own bound stands above it. */
#define JOB_RECORD_TEXT_MAX RECORD_LINE_MAX

/* The object behind "request", as a job that waits. */
int job_record_read_request(const json_t *o, const JobClock *clock, Job **ret);

/* The object behind "state" into a job that has none of it yet; all but the history. */
int job_record_read_state(const json_t *o, const JobClock *clock, Job *j);

/* The members "state" and "phase", which stand in entries of the history, too. */
int job_record_get_state(const json_t *o, JobState *ret_state, JobPhase *ret_phase);

/* An object of strings. Absent is no error: *ret_present says it. */
int job_record_get_parameters(const json_t *o, const char *name, Parameters *ret,
                              bool *ret_present);

/* When something was, on this boot's clock, by its age at the line's own time. */
int job_record_get_age(const json_t *o, const char *name, const JobClock *clock, usec_t *ret);
