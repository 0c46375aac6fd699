/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/store/record-text.h"

#include <stdio.h>

#include "tests/unit/store/fixture.h"

JobClock clock_at(const char *boot, usec_t now) {
        JobClock c = {.now_boot = now};

        (void) snprintf(c.boot_id, sizeof(c.boot_id), "%s", boot);
        return c;
}

int read_job(const char *text, size_t size, const JobClock *clock, Job **ret) {
        _cleanup_free_ char *why = NULL;
        int r = job_record_read(text, size, clock, ret, &why);

        if (r < 0)
                ck_assert_ptr_nonnull(why);
        return r;
}

void append(char **text, size_t *size, const char *line, size_t line_size) {
        *text = realloc(*text, *size + line_size + 1);
        ck_assert_ptr_nonnull(*text);
        memcpy(*text + *size, line, line_size);
        *size += line_size;
        (*text)[*size] = '\0';
}

void append_state(char **text, size_t *size, const Job *j, const JobClock *clock) {
        _cleanup_free_ char *line = NULL;
        size_t n;

        ck_assert_int_eq(job_record_make_state(j, clock, SECRETS_AS_JOB_SAYS, &line, &n), 0);
        append(text, size, line, n);
}
