/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/config/config-value.h"

#include <arpa/inet.h>
#include <errno.h>
#include <strings.h>

/* Not isalnum(): what a name is must not depend on the locale. */
#define DIGITS "0123456789"
#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define BLANKS " \t"

static bool is_digit(char c) {
        return c >= '0' && c <= '9';
}

/* Reads the digits at *s and steps over them; there must be one at least. */
static int take_digits(const char **s, uint64_t *ret) {
        uint64_t n = 0;

        if (!is_digit(**s))
                return -EINVAL;
        for (; is_digit(**s); (*s)++)
                if (__builtin_mul_overflow(n, 10, &n) ||
                    __builtin_add_overflow(n, (uint64_t) (**s - '0'), &n))
                        return -ERANGE;
        *ret = n;
        return 0;
}

int config_parse_boolean(const char *s, bool *ret) {
        static const char *const yes[] = {"1", "yes", "y", "true", "t", "on"};
        static const char *const no[] = {"0", "no", "n", "false", "f", "off"};

        for (size_t i = 0; i < ELEMENTSOF(yes); i++)
                if (strcasecmp(s, yes[i]) == 0) {
                        *ret = true;
                        return 0;
                }
        for (size_t i = 0; i < ELEMENTSOF(no); i++)
                if (strcasecmp(s, no[i]) == 0) {
                        *ret = false;
                        return 0;
                }
        return -EINVAL;
}

int config_parse_number(const char *s, uint64_t max, uint64_t *ret) {
        uint64_t n;
        int r;

        r = take_digits(&s, &n);
        if (r < 0)
                return r;
        if (*s != '\0')
                return -EINVAL;
        if (n > max)
                return -ERANGE;
        *ret = n;
        return 0;
}

int config_parse_port(const char *s, uint16_t *ret) {
        uint64_t n;
        int r;

        r = config_parse_number(s, UINT16_MAX, &n);
        if (r < 0)
                return r;
        if (n == 0)
                return -ERANGE;
        *ret = (uint16_t) n;
        return 0;
}

int config_parse_size(const char *s, uint64_t *ret) {
        static const char units[] = "KMGT";
        uint64_t n;
        int r;

        r = take_digits(&s, &n);
        if (r < 0)
                return r;
        if (*s != '\0') {
                const char *unit = strchr(units, *s);
                unsigned shift;

                if (!unit || s[1] != '\0')
                        return -EINVAL;
                shift = 10 * (unsigned) (unit - units + 1);
                if (n > UINT64_MAX >> shift)
                        return -ERANGE;
                n <<= shift;
        }
        *ret = n;
        return 0;
}

/* The units of systemd.time(7). Of two that begin alike the longer one stands first. */
static const struct TimeUnit {
        const char *suffix;
        usec_t usec;
} time_units[] = {
        {"seconds", USEC_PER_SEC},
        {"second", USEC_PER_SEC},
        {"sec", USEC_PER_SEC},
        {"s", USEC_PER_SEC},
        {"minutes", USEC_PER_MINUTE},
        {"minute", USEC_PER_MINUTE},
        {"min", USEC_PER_MINUTE},
        {"months", 2629800 * USEC_PER_SEC},
        {"month", 2629800 * USEC_PER_SEC},
        {"M", 2629800 * USEC_PER_SEC},
        {"msec", USEC_PER_MSEC},
        {"ms", USEC_PER_MSEC},
        {"m", USEC_PER_MINUTE},
        {"hours", USEC_PER_HOUR},
        {"hour", USEC_PER_HOUR},
        {"hr", USEC_PER_HOUR},
        {"h", USEC_PER_HOUR},
        {"days", USEC_PER_DAY},
        {"day", USEC_PER_DAY},
        {"d", USEC_PER_DAY},
        {"weeks", 7 * USEC_PER_DAY},
        {"week", 7 * USEC_PER_DAY},
        {"w", 7 * USEC_PER_DAY},
        {"years", 31557600 * USEC_PER_SEC},
        {"year", 31557600 * USEC_PER_SEC},
        {"y", 31557600 * USEC_PER_SEC},
        {"usec", 1},
        {"us", 1},
        {"\xc2\xb5s", 1}, /* U+00B5 */
        {"\xce\xbcs", 1}, /* U+03BC */
};

/* Steps over the unit at *s; seconds where there is none. */
static usec_t take_time_unit(const char **s) {
        for (size_t i = 0; i < ELEMENTSOF(time_units); i++) {
                size_t n = strlen(time_units[i].suffix);

                if (strncmp(*s, time_units[i].suffix, n) == 0) {
                        *s += n;
                        return time_units[i].usec;
                }
        }
        return USEC_PER_SEC;
}

/* One number with its fraction and its unit, as in "1.5h". */
static int take_time_part(const char **s, usec_t *ret) {
        const char *fraction = NULL;
        uint64_t n;
        usec_t unit, scale;
        int r;

        r = take_digits(s, &n);
        if (r < 0)
                return r;
        if (**s == '.') {
                fraction = ++*s;
                if (!is_digit(**s))
                        return -EINVAL;
                *s += strspn(*s, DIGITS);
        }
        *s += strspn(*s, BLANKS);
        unit = take_time_unit(s);
        if (__builtin_mul_overflow(n, unit, &n))
                return -ERANGE;
        scale = unit / 10;
        for (; fraction && is_digit(*fraction) && scale > 0; fraction++, scale /= 10)
                if (__builtin_add_overflow(n, scale * (usec_t) (*fraction - '0'), &n))
                        return -ERANGE;
        *ret = n;
        return 0;
}

int config_parse_usec(const char *s, usec_t *ret) {
        usec_t sum = 0;

        s += strspn(s, BLANKS);
        if (streq(s, "infinity")) {
                *ret = USEC_INFINITY;
                return 0;
        }
        do {
                usec_t part;
                int r;

                r = take_time_part(&s, &part);
                if (r < 0)
                        return r;
                if (__builtin_add_overflow(sum, part, &sum) || sum == USEC_INFINITY)
                        return -ERANGE;
                s += strspn(s, BLANKS);
        } while (*s != '\0');
        *ret = sum;
        return 0;
}

static bool host_name_is_valid(const char *s) {
        bool numeric = true;

        if (strlen(s) > CONFIG_HOST_MAX)
                return false;
        for (;;) {
                size_t n = strspn(s, DIGITS LETTERS "-_");

                if (n == 0 || n > CONFIG_HOST_LABEL_MAX || s[0] == '-' || s[n - 1] == '-')
                        return false;
                numeric = strspn(s, DIGITS) == n;
                if (s[n] == '\0')
                        /* A name whose last label is a number is a mistyped address. */
                        return !numeric;
                if (s[n] != '.')
                        return false;
                s += n + 1;
        }
}

bool config_host_is_valid(const char *s) {
        struct in6_addr address;

        return inet_pton(AF_INET, s, &address) == 1 || inet_pton(AF_INET6, s, &address) == 1 ||
               host_name_is_valid(s);
}

bool config_template_name_is_valid(const char *s) {
        size_t n = strspn(s, DIGITS LETTERS "_-");

        return n > 0 && n <= CONFIG_TEMPLATE_NAME_MAX && s[n] == '\0';
}

bool config_client_id_is_valid(const char *s) {
        size_t n = strlen(s);

        return n > 0 && n <= CONFIG_CLIENT_ID_MAX && s[0] != '$' && !strpbrk(s, "#+\t") &&
               config_text_check(s, n) == n;
}

bool config_credential_name_is_valid(const char *s) {
        size_t n = strlen(s);

        for (size_t i = 0; i < n; i++)
                if (s[i] < ' ' || s[i] == '\x7f' || s[i] == '/' || s[i] == ':')
                        return false;
        return n > 0 && n <= CONFIG_CREDENTIAL_NAME_MAX && !streq(s, ".") && !streq(s, "..");
}

bool config_bus_is_valid(const char *s) {
        return streq(s, "system") || streq(s, "session") || streq(s, "none") ||
               /* Not "unixexec:", which would have the daemon start a program. */
               (strncmp(s, "unix:", 5) == 0 && s[5] != '\0' && !strstr(s, "unixexec:")) ||
               (strncmp(s, "tcp:", 4) == 0 && s[4] != '\0' && !strstr(s, "unixexec:"));
}

/* The length of the UTF-8 sequence at s (RFC 3629, 4), 0 where there is none. */
static size_t utf8_length(const unsigned char *s, size_t size) {
        size_t n;

        if (s[0] < 0x80)
                return 1;
        n = s[0] >= 0xc2 && s[0] <= 0xdf ? 2 : (s[0] & 0xf0) == 0xe0 ? 3 : s[0] <= 0xf4 ? 4 : 0;
        if (s[0] < 0xc2 || n == 0 || n > size)
                return 0;
        for (size_t i = 1; i < n; i++)
                if ((s[i] & 0xc0) != 0x80)
                        return 0;
        if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) ||
            (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
                return 0;
        return n;
}

size_t config_text_check(const char *text, size_t size) {
        const unsigned char *s = (const unsigned char *) text;

        for (size_t i = 0; i < size;) {
                size_t n = utf8_length(s + i, size - i);

                if (n == 0 || (n == 1 && (s[i] < 0x20 || s[i] == 0x7f) && s[i] != '\t') ||
                    (n == 2 && s[i] == 0xc2 && s[i + 1] < 0xa0))
                        return i;
                i += n;
        }
        return size;
}
