/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The XML files are the contract: they are well-formed, and hold what was published, no more and no
 * less. A small reader of tags does; what it does not know, it refuses. */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/protocol-aws/suite.h"

#define DEPTH_MAX 8

/* Members in their order: a method's arguments in, "->", and out; a property's type and how its
 * changes are told; a signal's arguments. */
static const struct {
        const char *file;
        const char *node;
        const char *members;
} interfaces[] = {
        {"Manager", "/io/fleetprov/Provisioner1",
         "method Submit operation:s profile:s options:a{sv} -> job:o\n"
         "method FindJob profile:s key:s -> job:o\n"
         "method ListJobs all:b -> jobs:a(osssssuutttus)\n"
         "method Reload\n"
         "property Version s const\n"
         "property State s false\n"
         "property Profiles ao false\n"
         "property DefaultProfile s false\n"
         "property Queued u false\n"
         "property Running u false\n"
         "property Finished u false\n"
         "signal JobAdded job:o\n"
         "signal JobChanged job:o state:s phase:s\n"
         "signal JobRemoved job:o\n"},
        {"Profile", NULL,
         "method Check -> results:a(sss)\n"
         "property Name s const\n"
         "property Provider s false\n"
         "property Endpoint s false\n"
         "property SessionState s false\n"
         "property ConnectedSince t false\n"
         "property Claim a{sv} false\n"
         "property LastError a{sv} false\n"},
        {"Job", NULL,
         "method GetDetails -> details:a{sv}\n"
         "method GetResult -> result:a{sv}\n"
         "method Acknowledge\n"
         "method Cancel\n"
         "method Release\n"
         "property Operation s const\n"
         "property Profile s const\n"
         "property Owner u const\n"
         "property State s false\n"
         "property Phase s false\n"},
};

typedef struct Reader {
        const char *at;
        char stack[DEPTH_MAX][32]; /* open elements */
        unsigned depth;
        char members[4096];
        bool outward; /* an "->" was written for this method */
        char node[128], interface[128];
} Reader;

static char *read_file(const char *name) {
        const char *directory = getenv("INTERFACES");
        char path[512], *text = calloc(1, 64 * 1024);
        FILE *f;

        ck_assert_ptr_nonnull(directory);
        (void) snprintf(path, sizeof(path), "%s/io.fleetprov.Provisioner1.%s.xml", directory, name);
        f = fopen(path, "re");
        ck_assert_msg(f, "cannot open %s", path);
        ck_assert_uint_lt(fread(text, 1, 64 * 1024 - 1, f), 64 * 1024 - 1);
        (void) fclose(f);
        return text;
}

static void add(Reader *r, const char *separator, const char *text) {
        ck_assert_uint_lt(strlen(r->members) + strlen(separator) + strlen(text),
                          sizeof(r->members) - 1);
        strcat(strcat(r->members, separator), text);
}

static void skip_behind(Reader *r, const char *end) {
        const char *found = strstr(r->at, end);

        ck_assert_msg(found, "no %s behind: %.40s", end, r->at);
        r->at = found + strlen(end);
}

static void copy_until(Reader *r, const char *stop, char *ret, size_t size) {
        size_t n = strcspn(r->at, stop);

        ck_assert_msg(n > 0 && n < size, "at: %.40s", r->at);
        memcpy(ret, r->at, n);
        ret[n] = '\0';
        r->at += n;
}

typedef struct Tag {
        char element[32];
        char name[128], type[64], direction[8], access[8], value[16]; /* "": it has none */
} Tag;

static void take_attribute(Reader *r, Tag *tag) {
        char name[32], value[128] = "";
        static const struct {
                const char *name;
                size_t offset, size;
        } known[] = {
                {"name", offsetof(Tag, name), sizeof(((Tag *) 0)->name)},
                {"type", offsetof(Tag, type), sizeof(((Tag *) 0)->type)},
                {"direction", offsetof(Tag, direction), sizeof(((Tag *) 0)->direction)},
                {"access", offsetof(Tag, access), sizeof(((Tag *) 0)->access)},
                {"value", offsetof(Tag, value), sizeof(((Tag *) 0)->value)},
        };

        copy_until(r, "= \n<>", name, sizeof(name));
        ck_assert_msg(strncmp(r->at, "=\"", 2) == 0, "at: %.40s", r->at);
        r->at += 2;
        copy_until(r, "\"<>", value, sizeof(value));
        ck_assert_int_eq(*r->at++, '"');
        for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
                if (strcmp(known[i].name, name) == 0) {
                        char *field = (char *) tag + known[i].offset;

                        ck_assert_msg(!*field, "twice: %s", name);
                        ck_assert_uint_lt(strlen(value), known[i].size);
                        strcpy(field, value);
                        return;
                }
        ck_abort_msg("unknown attribute %s", name);
}

static const char *parent(const Reader *r) {
        return r->depth > 0 ? r->stack[r->depth - 1] : "";
}

static void on_argument(Reader *r, const Tag *tag) {
        ck_assert(*tag->name && *tag->type);
        if (strcmp(parent(r), "signal") == 0)
                ck_assert_str_eq(tag->direction, "");
        else {
                ck_assert_str_eq(parent(r), "method");
                ck_assert(strcmp(tag->direction, "in") == 0 || strcmp(tag->direction, "out") == 0);
        }
        if (strcmp(tag->direction, "out") == 0 && !r->outward) {
                add(r, " ", "->");
                r->outward = true;
        }
        ck_assert(strcmp(tag->direction, "in") != 0 || !r->outward);
        add(r, " ", tag->name);
        add(r, ":", tag->type);
}

static void on_member(Reader *r, const Tag *tag) {
        ck_assert_str_eq(parent(r), "interface");
        r->outward = false;
        add(r, "", tag->element);
        add(r, " ", tag->name);
        if (strcmp(tag->element, "property") == 0) {
                ck_assert_str_eq(tag->access, "read");
                add(r, " ", tag->type);
        }
}

static void on_open(Reader *r, const Tag *tag) {
        if (strcmp(tag->element, "node") == 0) {
                ck_assert_uint_eq(r->depth, 0);
                strcpy(r->node, tag->name);
        } else if (strcmp(tag->element, "interface") == 0) {
                ck_assert_str_eq(parent(r), "node");
                ck_assert_str_eq(r->interface, "");
                strcpy(r->interface, tag->name);
        } else if (strcmp(tag->element, "arg") == 0)
                on_argument(r, tag);
        else if (strcmp(tag->element, "annotation") == 0) {
                ck_assert_str_eq(parent(r), "property");
                ck_assert_str_eq(tag->name, "org.freedesktop.DBus.Property.EmitsChangedSignal");
                add(r, " ", tag->value);
        } else {
                ck_assert(strcmp(tag->element, "method") == 0 ||
                          strcmp(tag->element, "property") == 0 ||
                          strcmp(tag->element, "signal") == 0);
                on_member(r, tag);
        }
        ck_assert_uint_lt(r->depth, DEPTH_MAX);
        strcpy(r->stack[r->depth++], tag->element);
}

static void on_close(Reader *r, const char *element) {
        ck_assert_str_eq(parent(r), element);
        r->depth--;
        if (strcmp(parent(r), "interface") == 0)
                add(r, "", "\n");
}

static void read_tag(Reader *r) {
        bool closes = *r->at == '/', ends;
        Tag tag = {};

        if (closes)
                r->at++;
        copy_until(r, " \n/>", tag.element, sizeof(tag.element));
        for (r->at += strspn(r->at, " \n"); !strchr("/>", *r->at); r->at += strspn(r->at, " \n"))
                take_attribute(r, &tag);
        ends = *r->at == '/';
        if (ends)
                r->at++;
        ck_assert_int_eq(*r->at++, '>');
        if (!closes)
                on_open(r, &tag);
        if (closes || ends)
                on_close(r, tag.element);
}

/* "--" within a comment is what XML forbids there. */
static void read_comment(Reader *r) {
        const char *start = r->at;

        skip_behind(r, "--");
        ck_assert_msg(*r->at == '>', "in the comment: %.40s", start);
        r->at++;
}

static void read_all(Reader *r) {
        while (*r->at) {
                r->at += strspn(r->at, " \n");
                if (!*r->at)
                        return;
                ck_assert_msg(*r->at == '<', "text: %.40s", r->at);
                r->at++;
                if (strncmp(r->at, "!--", 3) == 0) {
                        r->at += 3;
                        read_comment(r);
                } else if (*r->at == '?')
                        skip_behind(r, "?>");
                else if (*r->at == '!')
                        skip_behind(r, ">");
                else
                        read_tag(r);
        }
}

START_TEST(interfaces_are_as_published)
{
        char *text = read_file(interfaces[_i].file), expected[128];
        Reader r = {.at = text};

        ck_assert_int_eq(strncmp(text, "<?xml ", 6), 0);
        read_all(&r);
        ck_assert_uint_eq(r.depth, 0);
        (void) snprintf(expected, sizeof(expected), "io.fleetprov.Provisioner1.%s",
                        interfaces[_i].file);
        ck_assert_str_eq(r.interface, expected);
        ck_assert_str_eq(r.node, interfaces[_i].node ? interfaces[_i].node : "");
        ck_assert_str_eq(r.members, interfaces[_i].members);
        free(text);
}
END_TEST

START_TEST(every_option_of_submit_is_explained)
{
        static const char *const options[] = {
                "key  ",          "parameters ",     "csr ",
                "key-type ",      "key-source ",     "payload ",
                "deadline-usec ", "certificate ",    "registration-id ",
                "private-key ",   "ownership-token "};
        char *text = read_file("Manager"), *end = strstr(text, "<method name=\"Submit\">");

        ck_assert_ptr_nonnull(end);
        *end = '\0';
        for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
                char line[64];

                (void) snprintf(line, sizeof(line), "\n        %s", options[i]);
                ck_assert_msg(strstr(text, line), "%s is not explained", options[i]);
        }
        free(text);
}
END_TEST

int main(void) {
        Suite *s = suite_create("ipc/interface");
        TCase *c = tcase_create("interface");

        tcase_add_loop_test(c, interfaces_are_as_published, 0,
                            (int) (sizeof(interfaces) / sizeof(interfaces[0])));
        tcase_add_test(c, every_option_of_submit_is_explained);
        suite_add_tcase(s, c);
        return suite_run(s);
}
