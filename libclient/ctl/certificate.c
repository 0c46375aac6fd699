/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Certificate ::= SEQUENCE { tbsCertificate SEQUENCE { [0] version?, serialNumber, signature,
 * issuer, validity SEQUENCE { notBefore, notAfter }, ... }, ... } (RFC 5280, 4.1), in DER: no more
 * of it than leads to the dates. */

#include "libclient/ctl/certificate.h"

#include <errno.h>
#include <time.h>

#define BEGIN "-----BEGIN CERTIFICATE-----"
#define END "-----END CERTIFICATE-----"

enum {
        TAG_INTEGER = 0x02,
        TAG_UTC_TIME = 0x17,
        TAG_GENERALIZED_TIME = 0x18,
        TAG_SEQUENCE = 0x30,
        TAG_VERSION = 0xa0,
};

typedef struct Der {
        const uint8_t *data;
        size_t size;
} Der;

/* --- PEM */

static int digit_of(char c) {
        static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                       "0123456789+/";
        const char *at = c ? strchr(alphabet, c) : NULL;

        return at ? (int) (at - alphabet) : -1;
}

static bool is_space(char c) {
        return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* *ret has room for as many bytes as there are characters. */
static int base64_decode(const char *text, size_t size, uint8_t *ret, size_t *ret_size) {
        uint32_t bits = 0;
        unsigned n_bits = 0, padding = 0;
        size_t n = 0;

        for (size_t i = 0; i < size; i++) {
                int digit = digit_of(text[i]);

                if (is_space(text[i]))
                        continue;
                if (text[i] == '=' && ++padding <= 2)
                        continue;
                if (digit < 0 || padding > 0)
                        return -EINVAL;
                bits = bits << 6 | (uint32_t) digit;
                n_bits += 6;
                if (n_bits >= 8) {
                        n_bits -= 8;
                        ret[n++] = (uint8_t) (bits >> n_bits);
                }
        }
        *ret_size = n;
        return n_bits < 6 ? 0 : -EINVAL;
}

static int pem_decode(const char *pem, size_t size, uint8_t **ret, size_t *ret_size) {
        const char *begin = memmem(pem, size, BEGIN, strlen(BEGIN)), *end;
        uint8_t *der;
        int r;

        if (!begin)
                return -EINVAL;
        begin += strlen(BEGIN);
        end = memmem(begin, size - (size_t) (begin - pem), END, strlen(END));
        if (!end)
                return -EINVAL;
        der = malloc((size_t) (end - begin) + 1);
        if (!der)
                return -ENOMEM;
        r = base64_decode(begin, (size_t) (end - begin), der, ret_size);
        if (r < 0) {
                free(der);
                return r;
        }
        *ret = der;
        return 0;
}

/* --- DER */

static int read_length(Der *d, size_t *ret) {
        size_t n, length = 0;

        if (d->size == 0)
                return -EINVAL;
        n = d->data[0];
        d->data++;
        d->size--;
        if (n < 0x80) {
                *ret = n;
                return 0;
        }
        n &= 0x7f;
        if (n == 0 || n > 3 || n > d->size)
                return -EINVAL;
        for (size_t i = 0; i < n; i++)
                length = length << 8 | d->data[i];
        d->data += n;
        d->size -= n;
        *ret = length;
        return 0;
}

/* Takes the next item, which must be of that tag. */
static int take(Der *d, uint8_t tag, Der *ret) {
        size_t length = 0;
        int r;

        if (d->size == 0 || d->data[0] != tag)
                return -EINVAL;
        d->data++;
        d->size--;
        r = read_length(d, &length);
        if (r < 0 || length > d->size)
                return -EINVAL;
        *ret = (Der){.data = d->data, .size = length};
        d->data += length;
        d->size -= length;
        return 0;
}

static bool two_digits(const uint8_t *at, int least, int most, int *ret) {
        if (at[0] < '0' || at[0] > '9' || at[1] < '0' || at[1] > '9')
                return false;
        *ret = 10 * (at[0] - '0') + at[1] - '0';
        return *ret >= least && *ret <= most;
}

/* YYMMDDHHMMSSZ, or with four digits of the year (RFC 5280, 4.1.2.5). */
static int take_time(Der *d, usec_t *ret) {
        bool is_short = d->size > 0 && d->data[0] == TAG_UTC_TIME;
        int century, year, month, day, hour, minute, second;
        const uint8_t *at;
        struct tm tm;
        time_t t;
        Der item;

        if (take(d, is_short ? TAG_UTC_TIME : TAG_GENERALIZED_TIME, &item) < 0 ||
            item.size != (is_short ? 13 : 15) || item.data[item.size - 1] != 'Z')
                return -EINVAL;
        at = item.data;
        if (is_short)
                century = -1;
        else if (two_digits(at, 0, 99, &century))
                at += 2;
        else
                return -EINVAL;
        if (!two_digits(at, 0, 99, &year) || !two_digits(at + 2, 1, 12, &month) ||
            !two_digits(at + 4, 1, 31, &day) || !two_digits(at + 6, 0, 23, &hour) ||
            !two_digits(at + 8, 0, 59, &minute) || !two_digits(at + 10, 0, 59, &second))
                return -EINVAL;
        if (century < 0)
                century = year < 50 ? 20 : 19;
        tm = (struct tm){.tm_year = 100 * century + year - 1900,
                         .tm_mon = month - 1,
                         .tm_mday = day,
                         .tm_hour = hour,
                         .tm_min = minute,
                         .tm_sec = second};
        t = timegm(&tm);
        *ret = t < 0 ? 0 : (usec_t) t * USEC_PER_SEC;
        return 0;
}

static int read_dates(Der d, Certificate *c) {
        Der outer, inner, validity, skipped;

        if (take(&d, TAG_SEQUENCE, &outer) < 0 || d.size > 0 ||
            take(&outer, TAG_SEQUENCE, &inner) < 0)
                return -EINVAL;
        (void) take(&inner, TAG_VERSION, &skipped); /* none is version 1 */
        if (take(&inner, TAG_INTEGER, &skipped) < 0 || take(&inner, TAG_SEQUENCE, &skipped) < 0 ||
            take(&inner, TAG_SEQUENCE, &skipped) < 0 || take(&inner, TAG_SEQUENCE, &validity) < 0)
                return -EINVAL;
        if (take_time(&validity, &c->not_before) < 0 || take_time(&validity, &c->not_after) < 0)
                return -EINVAL;
        return 0;
}

int certificate_read(const char *pem, size_t size, Certificate *ret) {
        _cleanup_free_ uint8_t *der = NULL;
        size_t der_size = 0;
        int r;

        r = pem_decode(pem, size, &der, &der_size);
        if (r >= 0)
                r = read_dates((Der){.data = der, .size = der_size}, ret);
        if (r < 0)
                return r;
        sha256_hex(der, der_size, ret->fingerprint);
        return 0;
}
