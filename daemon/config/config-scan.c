/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/config/config-scan.h"

#include <errno.h>

#include "daemon/config/config-value.h"

#define BLANKS " \t"
#define KEY_CHARACTERS                                         \
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ" \
        "0123456789._-:/@"

typedef struct Scan {
        ConfigTree *tree;
        ConfigPlace place;
        const char *section; /* NULL: before the first one */
        char *clean;
        size_t clean_size;
        char **ret_why;
} Scan;

static void clean_append(Scan *scan, const char *s, size_t n) {
        memcpy(scan->clean + scan->clean_size, s, n);
        scan->clean_size += n;
}

static void trim_end(char *s) {
        size_t n = strlen(s);

        while (n > 0 && strchr(BLANKS, s[n - 1]))
                s[--n] = '\0';
}

/* Cuts the comment behind a value. A '#' glued to a character before it would be part of the value
 * for one reader and a comment for the next one, so it is neither. */
static int cut_comment(Scan *scan, const char *key, char *value) {
        char *hash = strchr(value, '#');

        if (!hash)
                return 0;
        if (hash > value && !strchr(BLANKS, hash[-1]))
                return config_refuse_at(
                        scan->ret_why, scan->place, scan->section,
                        "%s=: a '#' stands within the value; put a blank before it if it begins a "
                        "comment, and keep a text with '#' in a file (Parameter.NAME=@FILE)",
                        key);
        *hash = '\0';
        return 0;
}

static int check_quotes(Scan *scan, const char *key, const char *value) {
        size_t n = strlen(value);

        if (value[0] != '"')
                return 0;
        if (n < 2 || value[n - 1] != '"' || memchr(value + 1, '"', n - 2))
                return config_refuse_at(
                        scan->ret_why, scan->place, scan->section,
                        "%s=: the quote before the value has no single match at its end; quotes "
                        "around a whole value are taken off, there is no escape within them "
                        "(and '#' begins a comment there, too)",
                        key);
        return 0;
}

static int scan_key(Scan *scan, char *line) {
        char *value = strchr(line, '=');
        const char *key = line;
        int r;

        if (!value)
                return config_refuse_at(scan->ret_why, scan->place, scan->section,
                                        "'%.40s' has no '='; write KEY=VALUE, or put a '#' before "
                                        "a comment",
                                        line);
        *value++ = '\0';
        trim_end(line);
        if (*key == '\0' || strspn(key, KEY_CHARACTERS) != strlen(key) ||
            strlen(key) > CONFIG_NAME_MAX)
                return config_refuse_at(scan->ret_why, scan->place, scan->section,
                                        "'%.40s' is no name of a key: letters, digits and "
                                        "._-:/@ make one",
                                        key);
        if (!scan->section)
                return config_refuse_at(scan->ret_why, scan->place, NULL,
                                        "%s= stands before the first section; put it below "
                                        "[Daemon] or [Profile NAME]",
                                        key);
        value += strspn(value, BLANKS);
        r = cut_comment(scan, key, value);
        if (r < 0)
                return r;
        trim_end(value);
        r = check_quotes(scan, key, value);
        if (r < 0)
                return r;
        if (config_tree_find(scan->tree, scan->section, key))
                return config_refuse_at(
                        scan->ret_why, scan->place, scan->section,
                        "%s= is set twice in this file, first in line %u; keep one of the two", key,
                        config_tree_find(scan->tree, scan->section, key)->place.line);
        if (scan->tree->n_entries >= CONFIG_ENTRIES_MAX)
                return config_refuse_at(scan->ret_why, scan->place, NULL,
                                        "more than %zu keys in one file; split it",
                                        CONFIG_ENTRIES_MAX);
        clean_append(scan, key, strlen(key));
        clean_append(scan, "=", 1);
        clean_append(scan, value, strlen(value));
        return config_tree_set(scan->tree, scan->section, key, NULL, scan->place);
}

static int scan_section(Scan *scan, char *line) {
        char *end = strchr(line, ']');
        const char *name = line + 1, *rest;
        int r;

        if (!end)
                return config_refuse_at(scan->ret_why, scan->place, NULL,
                                        "'%.40s' lacks its ']'; write [Daemon] or [Profile NAME]",
                                        line);
        rest = end + 1 + strspn(end + 1, BLANKS);
        if (*rest != '\0' && *rest != '#')
                return config_refuse_at(scan->ret_why, scan->place, NULL,
                                        "text behind ']'; a section stands alone in its line");
        *end = '\0';
        if (*name == '\0' || strlen(name) > CONFIG_NAME_MAX || strpbrk(name, "[#\""))
                return config_refuse_at(scan->ret_why, scan->place, NULL,
                                        "[%.40s] is no section; write [Daemon] or [Profile NAME]",
                                        name);
        r = config_tree_add_section(scan->tree, name, scan->place);
        if (r < 0)
                return r;
        for (size_t i = 0; i < scan->tree->n_sections; i++)
                if (streq(scan->tree->sections[i].name, name))
                        scan->section = scan->tree->sections[i].name;
        clean_append(scan, "[", 1);
        clean_append(scan, name, strlen(name));
        clean_append(scan, "]", 1);
        return 0;
}

static int scan_line(Scan *scan, char *line) {
        const char *text = line + strspn(line, BLANKS);

        if (*text == '\0' || *text == '#')
                return 0;
        if (text != line)
                return config_refuse_at(scan->ret_why, scan->place, scan->section,
                                        "the line begins with a blank: values are not continued "
                                        "over lines; put it into one line, or begin it at the left "
                                        "margin");
        if (*line == ';')
                return config_refuse_at(scan->ret_why, scan->place, scan->section,
                                        "a comment begins with '#', not with ';'");
        return *line == '[' ? scan_section(scan, line) : scan_key(scan, line);
}

/* Length, encoding and control characters of a line, which has neither its end nor a terminator. */
static int check_line(Scan *scan, const char *line, size_t size) {
        size_t bad;

        if (size > CONFIG_LINE_MAX)
                return config_refuse_at(scan->ret_why, scan->place, scan->section,
                                        "the line has %zu bytes, %zu are allowed; keep a long text "
                                        "in a file (Parameter.NAME=@FILE)",
                                        size, CONFIG_LINE_MAX);
        bad = config_text_check(line, size);
        if (bad == size)
                return 0;
        if ((unsigned char) line[bad] < 0x20 || line[bad] == 0x7f)
                return config_refuse_at(scan->ret_why, scan->place, scan->section,
                                        "control character \\x%02x in column %zu; take it out",
                                        (unsigned char) line[bad], bad + 1);
        return config_refuse_at(scan->ret_why, scan->place, scan->section,
                                "column %zu (byte \\x%02x) is no printable UTF-8; save the file "
                                "as UTF-8",
                                bad + 1, (unsigned char) line[bad]);
}

static int scan_text(Scan *scan, const char *text, size_t size) {
        for (const char *end = text + size; text < end; scan->place.line++) {
                const char *newline = memchr(text, '\n', (size_t) (end - text));
                size_t n = newline ? (size_t) (newline - text) : (size_t) (end - text);
                size_t n_line = n > 0 && text[n - 1] == '\r' ? n - 1 : n;
                _cleanup_free_ char *line = NULL;
                int r;

                r = check_line(scan, text, n_line);
                if (r < 0)
                        return r;
                line = strndup(text, n_line);
                if (!line)
                        return -ENOMEM;
                r = scan_line(scan, line);
                if (r < 0)
                        return r;
                clean_append(scan, "\n", 1);
                text += n + (newline ? 1 : 0);
        }
        return 0;
}

int config_scan(const char *text, size_t size, const char *file, ConfigTree *t, char **ret_clean,
                char **ret_why) {
        _cleanup_free_ char *clean = NULL;
        Scan scan = {.tree = t, .place.line = 1, .ret_why = ret_why};
        int r;

        scan.place.file = config_tree_add_file(t, file);
        /* One byte more than the text for the last line's end, which may lack, and a terminator. */
        clean = scan.clean = malloc(size + 2);
        if (!scan.place.file || !clean)
                return -ENOMEM;
        if (size >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
                return config_refuse_at(ret_why, scan.place, NULL,
                                        "the file begins with a byte order mark; save it as UTF-8 "
                                        "without one");
        r = scan_text(&scan, text, size);
        if (r < 0)
                return r;
        clean[scan.clean_size] = '\0';
        *ret_clean = TAKE_PTR(clean);
        return 0;
}
