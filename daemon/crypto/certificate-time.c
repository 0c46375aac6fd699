/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/crypto/certificate-time.h"

#include <errno.h>
#include <time.h>

#define UTC_TIME_SIZE 13         /* YYMMDDHHMMSSZ */
#define GENERALIZED_TIME_SIZE 15 /* YYYYMMDDHHMMSSZ */

static bool digits(const uint8_t **at, size_t n, int least, int most, int *ret) {
        int value = 0;

        for (size_t i = 0; i < n; i++, (*at)++) {
                if (**at < '0' || **at > '9')
                        return false;
                value = value * 10 + (**at - '0');
        }
        *ret = value;
        return value >= least && value <= most;
}

static bool read_year(const DerItem *item, const uint8_t **at, int *ret) {
        if (item->tag == DER_GENERALIZED_TIME && item->size == GENERALIZED_TIME_SIZE)
                return digits(at, 4, 0, 9999, ret);
        if (item->tag != DER_UTC_TIME || item->size != UTC_TIME_SIZE || !digits(at, 2, 0, 99, ret))
                return false;
        *ret += *ret < 50 ? 2000 : 1900; /* RFC 5280, 4.1.2.5.1 */
        return true;
}

int certificate_time_read(DerReader *reader, usec_t *ret) {
        struct tm tm = {};
        const uint8_t *at;
        DerItem item;
        int year, month, day;
        time_t t;

        if (der_next(reader, &item) < 0)
                return -EBADMSG;
        at = item.content;
        if (!read_year(&item, &at, &year) || !digits(&at, 2, 1, 12, &month) ||
            !digits(&at, 2, 1, 31, &day) || !digits(&at, 2, 0, 23, &tm.tm_hour) ||
            !digits(&at, 2, 0, 59, &tm.tm_min) || !digits(&at, 2, 0, 59, &tm.tm_sec) || *at != 'Z')
                return -EBADMSG;
        tm.tm_year = year - 1900;
        tm.tm_mon = month - 1;
        tm.tm_mday = day;
        t = timegm(&tm);
        if (tm.tm_mday != day)
                return -EBADMSG; /* 31 February became March */
        *ret = t < 0 ? 0 : (usec_t) t * USEC_PER_SEC;
        return 0;
}
