/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* How many log lines a cause may bring about: what callers can repeat at will must not fill the
 * journal, nor push out what others need to find there. What is left out is counted, and told in a
 * line of its own. Pure: the time comes in. */

#include "daemon/base/macro.h"

/* Lines of one cause in a window, which begins with the first of them. */
#define LOG_LIMIT_LINES 20U
#define LOG_LIMIT_WINDOW_USEC USEC_PER_MINUTE

/* Causes that are told apart at a time. All others together are one more. */
#define LOG_LIMIT_CAUSES_MAX ((size_t) 64)
#define LOG_LIMIT_CAUSE_SIZE ((size_t) 320) /* longer ones are cut off */

typedef struct LogLimitEntry {
        char cause[LOG_LIMIT_CAUSE_SIZE];
        usec_t since;
        unsigned lines, left_out; /* lines 0: not in use */
} LogLimitEntry;

typedef struct LogLimit {
        LogLimitEntry entries[LOG_LIMIT_CAUSES_MAX + 1];
} LogLimit;

/* Whether a line may be logged for that cause now. Where not, it is counted. */
bool log_limit_take(LogLimit *l, const char *cause, usec_t now);

/* A cause whose window is over and of which lines were left out: how many; it begins anew. 0: there
 * is none (any more). `ret_cause` stays valid until the next call. */
unsigned log_limit_left_out(LogLimit *l, usec_t now, const char **ret_cause);

/* When log_limit_left_out() has something to tell; USEC_INFINITY: nothing was left out. */
usec_t log_limit_due(const LogLimit *l);
