/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "libclient/ctl/time-span.h"

#include <errno.h>
#include <stdbool.h>

#define SPACE " \t"
#define DIGITS "0123456789"
#define DECIMALS_MAX 6U /* below a millionth of the unit nothing counts */

/* Some thousand years: what is beyond is a typing error. */
#define SPAN_MAX (UINT64_C(10000) * 366 * 24 * 3600 * USEC_PER_SEC)

typedef struct Unit {
        const char *name;
        usec_t usec;
} Unit;

#define MINUTE (60 * USEC_PER_SEC)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)
#define WEEK (7 * DAY)
#define MONTH (UINT64_C(2629800) * USEC_PER_SEC) /* 30.44 days */
#define YEAR (UINT64_C(31557600) * USEC_PER_SEC) /* 365.25 days */

static const Unit units[] = {
        {"", USEC_PER_SEC},
        {"us", 1},
        {"usec", 1},
        {"\xc2\xb5s", 1}, /* the micro sign */
        {"\xce\xbcs", 1}, /* the Greek letter */
        {"ms", 1000},
        {"msec", 1000},
        {"s", USEC_PER_SEC},
        {"sec", USEC_PER_SEC},
        {"second", USEC_PER_SEC},
        {"seconds", USEC_PER_SEC},
        {"m", MINUTE},
        {"min", MINUTE},
        {"minute", MINUTE},
        {"minutes", MINUTE},
        {"h", HOUR},
        {"hr", HOUR},
        {"hour", HOUR},
        {"hours", HOUR},
        {"d", DAY},
        {"day", DAY},
        {"days", DAY},
        {"w", WEEK},
        {"week", WEEK},
        {"weeks", WEEK},
        {"M", MONTH},
        {"month", MONTH},
        {"months", MONTH},
        {"y", YEAR},
        {"year", YEAR},
        {"years", YEAR},
};

static const Unit *find_unit(const char *s, size_t n) {
        for (size_t i = 0; i < ELEMENTSOF(units); i++)
                if (strlen(units[i].name) == n && strncmp(units[i].name, s, n) == 0)
                        return units + i;
        return NULL;
}

static int whole_number(const char **s, usec_t *ret) {
        usec_t value = 0;

        for (; **s >= '0' && **s <= '9'; (*s)++) {
                if (value > SPAN_MAX)
                        return -ERANGE;
                value = 10 * value + (usec_t) (**s - '0');
        }
        *ret = value;
        return 0;
}

/* Millionths of one. */
static int decimals(const char **s, usec_t *ret) {
        usec_t value = 0;
        unsigned n = 0;

        *ret = 0;
        if (**s != '.')
                return 0;
        (*s)++;
        if (strspn(*s, DIGITS) == 0)
                return -EINVAL;
        for (; **s >= '0' && **s <= '9'; (*s)++)
                if (n < DECIMALS_MAX) {
                        value = 10 * value + (usec_t) (**s - '0');
                        n++;
                }
        for (; n < DECIMALS_MAX; n++)
                value *= 10;
        *ret = value;
        return 0;
}

/* One number with its unit. */
static int part(const char **s, usec_t *ret) {
        const Unit *unit;
        usec_t whole, millionths;
        size_t n;
        int r;

        if (strspn(*s, DIGITS) == 0)
                return -EINVAL;
        if ((r = whole_number(s, &whole)) < 0 || (r = decimals(s, &millionths)) < 0)
                return r;
        *s += strspn(*s, SPACE);
        n = strcspn(*s, SPACE DIGITS);
        unit = find_unit(*s, n);
        if (!unit)
                return -EINVAL;
        *s += n;
        if (whole > SPAN_MAX / unit->usec)
                return -ERANGE;
        *ret = whole * unit->usec + millionths * (unit->usec / 1000) / 1000;
        return 0;
}

int time_span_parse(const char *s, usec_t *ret) {
        usec_t sum = 0, one;
        int r;

        s += strspn(s, SPACE);
        if (streq(s, "infinity")) {
                *ret = USEC_INFINITY;
                return 0;
        }
        do {
                r = part(&s, &one);
                if (r < 0)
                        return r;
                sum += one;
                if (sum > SPAN_MAX)
                        return -ERANGE;
                s += strspn(s, SPACE);
        } while (*s);
        *ret = sum;
        return 0;
}
