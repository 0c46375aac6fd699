/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Logging: to the journal with structured fields where standard error is connected to it, to
 * standard error otherwise. Control characters are escaped, in fields as well: what a caller or a
 * cloud wrote must neither drive somebody's terminal nor look like a line or a field of ours.
 * Thread-safe. Never hand a secret to it. */

#include <syslog.h>

#include "daemon/base/macro.h"

/* Decides where the lines go. The level is a syslog priority; lines above it are dropped. */
void log_open(int level);
void log_set_level(int level);

/* LOG_INVALID (-EINVAL) for a name that is no level: emerg … debug, or 0 to 7. */
int log_level_from_string(const char *s);

/* A structured field of an entry: FLEETPROV_JOB=…; entries with a NULL value are left out. */
typedef struct LogField {
        const char *name;
        const char *value;
} LogField;

void log_message(int level, const LogField *fields, size_t n_fields, const char *format, ...)
        _printf_(4, 5);

#define log_full(level, ...) log_message(level, NULL, 0, __VA_ARGS__)
#define log_debug(...) log_full(LOG_DEBUG, __VA_ARGS__)
#define log_info(...) log_full(LOG_INFO, __VA_ARGS__)
#define log_notice(...) log_full(LOG_NOTICE, __VA_ARGS__)
#define log_warning(...) log_full(LOG_WARNING, __VA_ARGS__)
#define log_error(...) log_full(LOG_ERR, __VA_ARGS__)

/* `return log_errno(r, "Cannot …")`: adds the errno's text, gives r back. r is a negative errno. */
int log_errno_full(int level, int r, const char *format, ...) _printf_(3, 4);
#define log_error_errno(r, ...) log_errno_full(LOG_ERR, r, __VA_ARGS__)
#define log_warning_errno(r, ...) log_errno_full(LOG_WARNING, r, __VA_ARGS__)

/* A copy in which control characters, marks that turn the direction of writing, and bytes that are
 * no UTF-8 stand as \xNN; NULL where memory is short. */
char *log_escape(const char *s);
