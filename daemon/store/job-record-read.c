/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/store/job-record.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>

#include "daemon/store/job-record-parts.h"
#include "daemon/store/json-field.h"

static int read_entry(const json_t *o, JobHistory *ret) {
        JobHistory h = {};
        int r;

        if (!json_is_object(o))
                return -EBADMSG;
        if ((r = field_get_time(o, "time", &h.time_real)) < 0 ||
            (r = job_record_get_state(o, &h.state, &h.phase)) < 0 ||
            (r = field_get_string(o, "text", JOB_RECORD_TEXT_MAX, &h.text)) < 0)
                return r;
        *ret = h;
        return 0;
}

static bool entry_equal(const JobHistory *a, const JobHistory *b) {
        return a->time_real == b->time_real && a->state == b->state && a->phase == b->phase &&
               streq_ptr(a->text, b->text);
}

/* How many of the tail's first entries are the last ones that we have. */
static size_t overlap(const Job *j, const JobHistory *tail, size_t n) {
        for (size_t m = n < j->n_history ? n : j->n_history; m > 0; m--) {
                size_t i = 0;

                while (i < m && entry_equal(j->history + j->n_history - m + i, tail + i))
                        i++;
                if (i == m)
                        return m;
        }
        return 0;
}

static int join_history(const json_t *list, Job *j) {
        JobHistory tail[JOB_HISTORY_MAX] = {};
        size_t n;
        int r = 0;

        if (!json_is_array(list) || json_array_size(list) > ELEMENTSOF(tail))
                return -EBADMSG;
        for (n = 0; n < json_array_size(list) && r >= 0; n++)
                r = read_entry(json_array_get(list, n), tail + n);
        for (size_t i = r < 0 ? n : overlap(j, tail, n); i < n && r >= 0; i++)
                r = job_add_history(j, tail[i].time_real, tail[i].state, tail[i].phase,
                                    tail[i].text);
        for (size_t i = 0; i < ELEMENTSOF(tail); i++)
                free(tail[i].text);
        return r;
}

static int open_line(const char *line, size_t size, const char *name, json_t **ret) {
        _cleanup_json_ json_t *o = NULL;
        uint64_t version;
        json_t *what;
        int r;

        r = record_line_read(line, size, &o);
        if (r < 0)
                return r;
        if (field_get_number(o, "v", INT_MAX, &version) < 0)
                return -EBADMSG;
        if (version > JOB_RECORD_VERSION)
                return -EPROTONOSUPPORT;
        what = json_object_get(o, name);
        if (version != JOB_RECORD_VERSION || !json_is_object(what))
                return -EBADMSG;
        *ret = json_incref(what);
        return 0;
}

/* A crash leaves a line's beginning, never all of it and another end: one that was whole had been
 * promised. */
static bool tail_is_damaged(const char *text, size_t size) {
        _cleanup_json_ json_t *o = NULL;

        return size > 1 && record_line_read(text, size - 1, &o) >= 0;
}

/* Every line is checked and gives its history; only the last one gives the state. */
static int read_lines(const char *text, size_t size, const JobClock *clock, Job **ret,
                      size_t *ret_line) {
        _cleanup_job_ Job *j = NULL;
        _cleanup_json_ json_t *last = NULL;
        const char *end;
        int r;

        *ret_line = 1;
        for (; (end = memchr(text, '\n', size)); (*ret_line)++) {
                _cleanup_json_ json_t *o = NULL;
                size_t length = (size_t) (end - text);

                r = open_line(text, length, j ? "state" : "request", &o);
                if (r < 0)
                        return r;
                r = j ? join_history(json_object_get(o, "history"), j)
                      : job_record_read_request(o, clock, &j);
                if (r < 0)
                        return r;
                if (*ret_line > 1) {
                        json_decref(last);
                        last = TAKE_PTR(o);
                }
                text += length + 1;
                size -= length + 1;
        }
        if (!j || tail_is_damaged(text, size))
                return -EBADMSG;
        r = last ? job_record_read_state(last, clock, j)
                 : job_add_history(j, j->created_real, JOB_QUEUED, PHASE_NONE, "accepted");
        if (r < 0)
                return r;
        *ret = TAKE_PTR(j);
        return 0;
}

int job_record_read(const char *text, size_t size, const JobClock *clock, Job **ret,
                    char **ret_why) {
        size_t line = 0;
        int r, n = 0;

        r = read_lines(text, size, clock, ret, &line);
        if (r == -EPROTONOSUPPORT)
                n = asprintf(ret_why, "line %zu was written by a later version of fleetprovd",
                             line);
        else if (r == -EBADMSG)
                n = asprintf(ret_why, "line %zu is not as it was written", line);
        else if (r < 0)
                n = asprintf(ret_why, "%s", strerrordesc_np(-r));
        if (n < 0)
                *ret_why = NULL;
        return r;
}

int job_record_compact(const char *text, size_t size, const JobClock *clock, char **ret,
                       size_t *ret_size) {
        _cleanup_free_ char *why = NULL;
        _cleanup_job_ Job *j = NULL;
        int r;

        r = job_record_read(text, size, clock, &j, &why);
        if (r < 0)
                return r;
        return job_record_make(j, clock, SECRETS_AS_JOB_SAYS, ret, ret_size);
}
