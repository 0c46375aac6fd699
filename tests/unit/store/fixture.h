/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* What the store's tests share: a directory of their own, jobs that have something in every field,
 * and a store whose disk is watched. */

#include <check.h>

#include "daemon/store/store.h"

/* A fresh directory; gone with all it holds at the end of the test. */
const char *fixture_directory(void);
void fixture_setup(void);
void fixture_teardown(void);

/* A path below it. Valid until the next call. */
const char *fixture_path(const char *name);
const char *fixture_job_path(const Job *j, const char *suffix);

/* A job with only what every job has, and one with all that there is. Owned by the caller. */
Job *fixture_plain_job(void);
Job *fixture_full_job(void);
void fixture_secrets(JobSecrets *ret);

/* Fails the test at the first field that differs (times on the boot clock aside). */
void fixture_assert_same(const Job *a, const Job *b);
void fixture_assert_same_secrets(const JobSecrets *a, const JobSecrets *b);

/* The bytes of a file, with a terminator that is not counted. */
char *fixture_read(const char *path, size_t *ret_size);
void fixture_write(const char *path, const void *data, size_t size);
bool fixture_exists(const char *path);
/* How many names in the directory contain this. */
unsigned fixture_count_names(const char *part);

/* Runs main() of a test program over one case list. */
typedef void (*FixtureAddTests)(TCase *c);
int fixture_main(const char *name, FixtureAddTests add);
