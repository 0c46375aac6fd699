/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/base/log-limit.h"

#include <stdio.h>

static usec_t end_of(const LogLimitEntry *e) {
        return usec_add(e->since, LOG_LIMIT_WINDOW_USEC);
}

/* Nothing of it is to be told any more. */
static bool is_free(const LogLimitEntry *e, usec_t now) {
        return e->lines == 0 || (e->left_out == 0 && end_of(e) <= now);
}

static void begin(LogLimitEntry *e, const char *cause, usec_t now) {
        *e = (LogLimitEntry){.since = now};
        (void) snprintf(e->cause, sizeof(e->cause), "%s", cause);
}

/* The last entry is everybody's for whom there is no room. */
static LogLimitEntry *find(LogLimit *l, const char *cause, usec_t now) {
        LogLimitEntry *unused = NULL;

        for (size_t i = 0; i < LOG_LIMIT_CAUSES_MAX; i++) {
                LogLimitEntry *e = l->entries + i;

                if (e->lines > 0 && strncmp(e->cause, cause, sizeof(e->cause) - 1) == 0)
                        return e;
                if (!unused && is_free(e, now))
                        unused = e;
        }
        if (!unused) {
                unused = l->entries + LOG_LIMIT_CAUSES_MAX;
                cause = "others";
                if (!is_free(unused, now))
                        return unused;
        }
        begin(unused, cause, now);
        return unused;
}

bool log_limit_take(LogLimit *l, const char *cause, usec_t now) {
        LogLimitEntry *e = find(l, cause, now);

        /* What was left out of the last window is still to be told: then it goes on. */
        if (e->left_out == 0 && end_of(e) <= now) {
                e->since = now;
                e->lines = 0;
        }
        if (e->lines < LOG_LIMIT_LINES) {
                e->lines++;
                return true;
        }
        e->left_out++;
        return false;
}

unsigned log_limit_left_out(LogLimit *l, usec_t now, const char **ret_cause) {
        for (size_t i = 0; i < ELEMENTSOF(l->entries); i++) {
                LogLimitEntry *e = l->entries + i;
                unsigned left_out = e->left_out;

                if (left_out == 0 || end_of(e) > now)
                        continue;
                e->lines = e->left_out = 0;
                *ret_cause = e->cause;
                return left_out;
        }
        return 0;
}

usec_t log_limit_due(const LogLimit *l) {
        usec_t due = USEC_INFINITY;

        for (size_t i = 0; i < ELEMENTSOF(l->entries); i++) {
                const LogLimitEntry *e = l->entries + i;

                if (e->left_out > 0 && end_of(e) < due)
                        due = end_of(e);
        }
        return due;
}
