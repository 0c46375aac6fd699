/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* A temporary folder for each test, with files that the test writes. */

#include <sys/types.h>

#include "daemon/base/macro.h"
#include "daemon/config/config.h"

void fixture_setup(void);
void fixture_teardown(void);

/* A path below the folder; valid until the test's end. */
const char *fixture_path(const char *name);

/* Writes a file (0644), folders included; gives its path. */
const char *fixture_write(const char *name, const char *content);
const char *fixture_write_bytes(const char *name, const void *content, size_t size, mode_t mode);

/* A whole profile named `aws` that is accepted, with `more` below it. Freed by fixture_teardown. */
const char *fixture_profile(const char *more);

/* Writes t.conf, loads it, and fails the test where it is refused. */
Config *fixture_load(const char *content);

/* The reason why it is refused; fails the test where it is not. The caller frees it. */
char *fixture_refused(const char *content);

/* Fails the test where `part` is not in `text`. */
void assert_contains(const char *text, const char *part);
