/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* What OpenSSL made for these tests (make-material), and asking OpenSSL about what we made. */

#include "daemon/base/secret.h"

/* The content of a file of the material; fails the test where it is missing. */
Secret *material_read(const char *name);

/* The same as a string without its last line end. */
char *material_line(const char *name);

/* Writes the text into a temporary file and runs `command`, in which %s stands for the file's path;
 * gives its exit status. */
int openssl_judges(const char *text, const char *command) __attribute__((format(printf, 2, 0)));

/* Fails the test if the reason is missing or does not hold `expected`; frees it. */
void expect_why(char *why, const char *expected);
