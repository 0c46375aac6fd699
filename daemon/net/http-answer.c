/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/net/http-answer.h"

#include <errno.h>

#define VERSION "HTTP/1."
#define STATUS_AT                                                                      \
        (strlen(VERSION) + 2) /* the minor version's digit and a blank stand before it \
                               */
#define STATUS_DIGITS 3U
#define REASON_AT (STATUS_AT + STATUS_DIGITS + 1)

static bool is_digit(char c) {
        return c >= '0' && c <= '9';
}

static bool is_blank(char c) {
        return c == ' ' || c == '\t';
}

/* The status line's beginning, position by position: whatever else it is shows at once. The reason
 * may be left out, and its blank with it, as old proxies do. */
static bool fits_status_line(size_t at, char c) {
        if (at < strlen(VERSION))
                return c == VERSION[at];
        if (at == strlen(VERSION))
                return is_digit(c);
        if (at == STATUS_AT - 1)
                return c == ' ';
        if (at == STATUS_AT)
                return c >= '1' && c <= '9';
        if (at < STATUS_AT + STATUS_DIGITS)
                return is_digit(c);
        return at >= REASON_AT || c == ' ' || c == '\r' || c == '\n';
}

/* A lone line feed ends a line, too (RFC 9112, 2.2). */
static bool is_whole(const HttpAnswer *a) {
        const char *end = a->head + a->size;

        return (a->size >= 2 && memcmp(end - 2, "\n\n", 2) == 0) ||
               (a->size >= 3 && memcmp(end - 3, "\n\r\n", 3) == 0);
}

static bool is_fit(const HttpAnswer *a, char c) {
        char before = a->size > 0 ? a->head[a->size - 1] : '\0';

        if (!fits_status_line(a->size, c))
                return false;
        if (before == '\r' && c != '\n')
                return false;
        if (before == '\n' && is_blank(c)) /* a folded line (RFC 9112, 5.2) */
                return false;
        return c == '\r' || c == '\n' || c == '\t' || ((uint8_t) c >= 0x20 && c != 0x7f);
}

int http_answer_feed(HttpAnswer *a, uint8_t byte) {
        int status;

        if (a->before + a->size == HTTP_ANSWER_MAX)
                return -EMSGSIZE;
        if (!is_fit(a, (char) byte))
                return -EBADMSG;
        a->head[a->size++] = (char) byte;
        if (!is_whole(a))
                return 0;
        status = http_answer_status(a);
        if (status >= 200 || status == 101)
                return 1;
        a->before += a->size;
        a->size = 0;
        return 0;
}

int http_answer_status(const HttpAnswer *a) {
        const char *digits = a->head + STATUS_AT;

        return (digits[0] - '0') * 100 + (digits[1] - '0') * 10 + (digits[2] - '0');
}

const char *http_answer_reason(const HttpAnswer *a, int *ret_size) {
        const char *reason = a->head + REASON_AT - 1;
        int n = 0;

        if (*reason == ' ')
                reason++;
        while (n < HTTP_REASON_SHOWN_MAX && reason[n] >= 0x20 && reason[n] < 0x7f)
                n++;
        *ret_size = n;
        return reason;
}

/* --- headers */

typedef struct Line {
        const char *text;
        size_t size; /* without its end */
} Line;

/* The line behind `before` (text NULL: the status line); false at the empty one. */
static bool next_line(const HttpAnswer *a, Line before, Line *ret) {
        const char *end = a->head + a->size, *from = a->head, *feed;

        if (before.text) {
                feed = memchr(before.text, '\n', (size_t) (end - before.text));
                if (!feed)
                        return false;
                from = feed + 1;
        }
        feed = memchr(from, '\n', (size_t) (end - from));
        if (!feed)
                return false;
        *ret = (Line){.text = from, .size = (size_t) (feed - from)};
        if (ret->size > 0 && from[ret->size - 1] == '\r')
                ret->size--;
        return ret->size > 0;
}

static Line trim(Line l) {
        while (l.size > 0 && is_blank(l.text[0])) {
                l.text++;
                l.size--;
        }
        while (l.size > 0 && is_blank(l.text[l.size - 1]))
                l.size--;
        return l;
}

static bool is_header(Line line, const char *name, Line *ret_value) {
        size_t n = strlen(name);

        if (line.size <= n || strncasecmp(line.text, name, n) != 0 || line.text[n] != ':')
                return false;
        *ret_value = trim((Line){.text = line.text + n + 1, .size = line.size - n - 1});
        return true;
}

static bool has_token(Line value, const char *token) {
        while (value.size > 0) {
                const char *comma = memchr(value.text, ',', value.size);
                size_t n = comma ? (size_t) (comma - value.text) : value.size;
                Line item = trim((Line){.text = value.text, .size = n});

                if (item.size == strlen(token) && strncasecmp(item.text, token, item.size) == 0)
                        return true;
                n += comma != NULL;
                value.text += n;
                value.size -= n;
        }
        return false;
}

bool http_answer_has_token(const HttpAnswer *a, const char *name, const char *token) {
        Line line = {}, value;

        (void) next_line(a, line, &line); /* the status line */
        while (next_line(a, line, &line))
                if (is_header(line, name, &value) && has_token(value, token))
                        return true;
        return false;
}

const char *http_answer_header(const HttpAnswer *a, const char *name, size_t *ret_size) {
        Line line = {}, value, found = {};

        (void) next_line(a, line, &line);
        while (next_line(a, line, &line)) {
                if (!is_header(line, name, &value))
                        continue;
                if (found.text)
                        return NULL;
                found = value;
        }
        *ret_size = found.size;
        return found.text;
}
