/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <systemd/sd-journal.h>

#define LINE_MAX_BYTES ((size_t) 4096)
#define FIELDS_MAX ((size_t) 16)

/* Written once at start (log_open) and by a reload; read by every thread. */
static atomic_int max_level = LOG_INFO;
static atomic_bool to_journal = false;

/* systemd sets JOURNAL_STREAM to the device and inode of the stream it connected, so that a
 * program can tell whether its standard error still is that stream (systemd.exec(5)). */
static bool stderr_is_journal(void) {
        const char *e = getenv("JOURNAL_STREAM");
        unsigned long long dev, ino;
        struct stat st;

        return e && sscanf(e, "%llu:%llu", &dev, &ino) == 2 && fstat(STDERR_FILENO, &st) == 0 &&
               st.st_dev == (dev_t) dev && st.st_ino == (ino_t) ino;
}

void log_open(int level) {
        atomic_store(&to_journal, stderr_is_journal());
        atomic_store(&max_level, level);
}

void log_set_level(int level) {
        atomic_store(&max_level, level);
}

int log_level_from_string(const char *s) {
        static const char *const names[] = {"emerg",   "alert",  "crit", "err",
                                            "warning", "notice", "info", "debug"};

        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                if (streq(s, names[i]) || (s[0] == (char) ('0' + i) && s[1] == '\0'))
                        return (int) i;
        return -EINVAL;
}

/* The length of the UTF-8 sequence at s (RFC 3629), 0 where there is none. */
static size_t utf8_length(const unsigned char *s) {
        if (s[0] < 0x80)
                return 1;
        if (s[0] >= 0xc2 && s[0] <= 0xdf)
                return (s[1] & 0xc0) == 0x80 ? 2 : 0;
        if ((s[0] & 0xf0) == 0xe0) {
                if ((s[1] & 0xc0) != 0x80 || (s[2] & 0xc0) != 0x80)
                        return 0;
                if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f))
                        return 0;
                return 3;
        }
        if (s[0] >= 0xf0 && s[0] <= 0xf4) {
                if ((s[1] & 0xc0) != 0x80 || (s[2] & 0xc0) != 0x80 || (s[3] & 0xc0) != 0x80)
                        return 0;
                if ((s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
                        return 0;
                return 4;
        }
        return 0;
}

/* U+200E and U+200F, U+2028 to U+202E, U+2066 to U+2069: marks that turn the direction of writing,
 * or end a line, and so make a line read as another one (Unicode TR 36, 2.5). */
static bool is_mark(const unsigned char *s) {
        if (s[0] != 0xe2)
                return false;
        return (s[1] == 0x80 && (s[2] == 0x8e || s[2] == 0x8f || (s[2] >= 0xa8 && s[2] <= 0xae))) ||
               (s[1] == 0x81 && s[2] >= 0xa6 && s[2] <= 0xa9);
}

/* C0, DEL and C1 (which in UTF-8 is 0xc2 0x80 to 0xc2 0x9f): all that can drive a terminal; and
 * what can mislead its reader. */
static bool is_control(const unsigned char *s, size_t length) {
        return (length == 1 && (s[0] < 0x20 || s[0] == 0x7f)) ||
               (length == 2 && s[0] == 0xc2 && s[1] < 0xa0) || (length == 3 && is_mark(s));
}

char *log_escape(const char *text) {
        const unsigned char *s = (const unsigned char *) text;
        char *escaped, *out;

        escaped = out = malloc(strlen(text) * 4 + 1);
        if (!escaped)
                return NULL;
        while (*s) {
                size_t length = utf8_length(s);

                if (length > 0 && !is_control(s, length)) {
                        memcpy(out, s, length);
                        out += length;
                        s += length;
                        continue;
                }
                for (size_t i = 0; i < (length > 0 ? length : 1); i++)
                        out += sprintf(out, "\\x%02x", *s++);
        }
        *out = '\0';
        return escaped;
}

static void send_to_journal(int level, const char *line, const LogField *fields, size_t n_fields) {
        _cleanup_free_ char *message = NULL;
        char *extra[FIELDS_MAX] = {};
        struct iovec iov[FIELDS_MAX + 3];
        char priority[] = "PRIORITY=0";
        char identifier[] = "SYSLOG_IDENTIFIER=fleetprovd";
        size_t n = 0, n_extra = 0;

        if (asprintf(&message, "MESSAGE=%s", line) < 0) {
                message = NULL;
                return;
        }
        priority[sizeof(priority) - 2] = (char) ('0' + level);
        iov[n++] = (struct iovec){message, strlen(message)};
        iov[n++] = (struct iovec){priority, strlen(priority)};
        iov[n++] = (struct iovec){identifier, strlen(identifier)};
        for (size_t i = 0; i < n_fields && n_extra < FIELDS_MAX; i++) {
                _cleanup_free_ char *value = NULL;
                char *field;

                if (!fields[i].value)
                        continue;
                value = log_escape(fields[i].value);
                if (!value || asprintf(&field, "%s=%s", fields[i].name, value) < 0)
                        break;
                extra[n_extra++] = field;
                iov[n++] = (struct iovec){field, strlen(field)};
        }
        (void) sd_journal_sendv(iov, (int) n);
        for (size_t i = 0; i < n_extra; i++)
                free(extra[i]);
}

static void log_line(int level, const LogField *fields, size_t n_fields, const char *text) {
        _cleanup_free_ char *line = log_escape(text);

        if (!line)
                return;
        if (atomic_load(&to_journal))
                send_to_journal(level, line, fields, n_fields);
        else
                /* One write: lines of several threads do not mix. */
                (void) dprintf(STDERR_FILENO, "fleetprovd: %s\n", line);
}

void log_message(int level, const LogField *fields, size_t n_fields, const char *format, ...) {
        char text[LINE_MAX_BYTES];
        va_list args;

        if (level > atomic_load(&max_level))
                return;
        va_start(args, format);
        (void) vsnprintf(text, sizeof(text), format, args);
        va_end(args);
        log_line(level, fields, n_fields, text);
}

int log_errno_full(int level, int r, const char *format, ...) {
        char text[LINE_MAX_BYTES];
        va_list args;
        int n;

        if (level > atomic_load(&max_level))
                return r;
        va_start(args, format);
        n = vsnprintf(text, sizeof(text), format, args);
        va_end(args);
        if (n >= 0 && (size_t) n < sizeof(text))
                (void) snprintf(text + n, sizeof(text) - (size_t) n, ": %s", strerrordesc_np(-r));
        log_line(level, NULL, 0, text);
        return r;
}
