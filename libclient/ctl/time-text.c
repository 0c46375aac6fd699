/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "libclient/ctl/time-text.h"

#include <stdio.h>
#include <time.h>

/* The year 9999, the last one that RFC 3339 can write. */
#define USEC_MAX 253402300799999999ULL

static bool split(uint64_t usec, time_t *ret_seconds, unsigned *ret_msec) {
        if (usec == 0 || usec > USEC_MAX)
                return false;
        *ret_seconds = (time_t) (usec / USEC_PER_SEC);
        *ret_msec = (unsigned) (usec % USEC_PER_SEC / USEC_PER_MSEC);
        return true;
}

char *time_rfc3339(uint64_t usec) {
        unsigned msec;
        struct tm tm;
        time_t t;
        char *s;

        if (!split(usec, &t, &msec) || !gmtime_r(&t, &tm))
                return NULL;
        if (asprintf(&s, "%04d-%02d-%02dT%02d:%02d:%02d.%03uZ", tm.tm_year + 1900, tm.tm_mon + 1,
                     tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, msec) < 0)
                return NULL;
        return s;
}

char *time_local(uint64_t usec) {
        unsigned msec;
        struct tm tm;
        time_t t;
        char *s;

        if (!split(usec, &t, &msec) || !localtime_r(&t, &tm))
                return NULL;
        if (asprintf(&s, "%04d-%02d-%02d %02d:%02d:%02d", tm.tm_year + 1900, tm.tm_mon + 1,
                     tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec) < 0)
                return NULL;
        return s;
}

char *time_span(usec_t usec) {
        uint64_t s = usec / USEC_PER_SEC;
        char *text;
        int r;

        if (s < 1)
                r = asprintf(&text, "%ums", (unsigned) (usec / USEC_PER_MSEC));
        else if (s < 60)
                r = asprintf(&text, "%u.%us", (unsigned) s,
                             (unsigned) (usec % USEC_PER_SEC / (USEC_PER_SEC / 10)));
        else if (s < 3600)
                r = asprintf(&text, "%umin %us", (unsigned) (s / 60), (unsigned) (s % 60));
        else if (s < 86400)
                r = asprintf(&text, "%uh %umin", (unsigned) (s / 3600), (unsigned) (s % 3600 / 60));
        else
                r = asprintf(&text, "%llud %uh", (unsigned long long) (s / 86400),
                             (unsigned) (s % 86400 / 3600));
        return r < 0 ? NULL : text;
}

char *time_age(uint64_t usec) {
        const uint64_t now = time_now();
        uint64_t s;
        char *text;
        int r;

        if (usec == 0)
                return NULL;
        s = now > usec ? (now - usec) / USEC_PER_SEC : 0;
        if (s < 60)
                r = asprintf(&text, "%us", (unsigned) s);
        else if (s < 3600)
                r = asprintf(&text, "%umin", (unsigned) (s / 60));
        else if (s < 86400)
                r = asprintf(&text, "%uh", (unsigned) (s / 3600));
        else
                r = asprintf(&text, "%llud", (unsigned long long) (s / 86400));
        return r < 0 ? NULL : text;
}

char *time_end(uint64_t usec, uint64_t now) {
        _cleanup_free_ char *date = time_local(usec);
        char *text;
        int r;

        if (!date)
                return NULL;
        if (usec <= now)
                r = asprintf(&text, "expired %s", date);
        else if (usec - now <= TIME_END_NEAR_USEC)
                r = asprintf(&text, "expires %s, in %llu days", date,
                             (unsigned long long) ((usec - now) / USEC_PER_DAY));
        else
                r = asprintf(&text, "expires %s", date);
        return r < 0 ? NULL : text;
}

uint64_t time_now(void) {
        struct timespec ts;

        clock_gettime(CLOCK_REALTIME, &ts);
        return (uint64_t) ts.tv_sec * USEC_PER_SEC + (uint64_t) ts.tv_nsec / 1000;
}

char *time_date(uint64_t usec) {
        char *s = time_local(usec);

        if (s)
                s[strcspn(s, " ")] = '\0';
        return s;
}
