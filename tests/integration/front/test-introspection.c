/* SPDX-License-Identifier: GPL-2.0-or-later */

/* What introspection tells is what protocol/ipc promises, member by member: names, types, names of
 * arguments, directions, and whether a property is constant. */

#include <check.h>
#include <errno.h>
#include <stdio.h>

#include "daemon/base/macro.h"
#include "tests/integration/front/client.h"
#include "tests/integration/front/stub.h"

/* The tags of one interface, one a line, attributes in the order in which they are asked for. */
typedef struct Outline {
        char *text;
        size_t size;
        FILE *out;
} Outline;

/* The value of an attribute in a tag; "" where it is absent. */
static char *attribute(const char *tag, size_t length, const char *name) {
        _cleanup_free_ char *key = NULL, *copy = strndup(tag, length);
        const char *start, *end;

        ck_assert_int_gt(asprintf(&key, " %s=\"", name), 0);
        start = strstr(copy, key);
        if (!start)
                return strdup("");
        start += strlen(key);
        end = strchr(start, '"');
        ck_assert_ptr_nonnull(end);
        return strndup(start, (size_t) (end - start));
}

static bool is_tag(const char *tag, const char *name) {
        size_t length = strlen(name);

        return strncmp(tag, name, length) == 0 && strchr(" />", tag[length]);
}

/* sd-bus writes direction="in" for the arguments of methods, and none for those of signals; and
 * Deprecated and the like are not in use. */
static void outline_tag(FILE *out, const char *tag, size_t length) {
        static const char *const names[] = {"name", "type", "direction", "access", "value"};
        static const char *const tags[] = {"method", "signal", "property", "arg", "annotation"};

        for (size_t i = 0; i < ELEMENTSOF(tags); i++) {
                if (!is_tag(tag, tags[i]))
                        continue;
                fprintf(out, "%s", tags[i]);
                for (size_t j = 0; j < ELEMENTSOF(names); j++) {
                        _cleanup_free_ char *value = attribute(tag, length, names[j]);

                        fprintf(out, " %s", value);
                }
                fprintf(out, "\n");
        }
}

static const char *skip_comment(const char *tag) {
        const char *end;

        if (strncmp(tag, "!--", 3) != 0)
                return NULL;
        end = strstr(tag, "-->");
        ck_assert_ptr_nonnull(end);
        return end;
}

/* Members begin a block; the blocks are sorted, since sd-bus tells them in its own order. */
static int compare(const void *a, const void *b) {
        return strcmp(*(char *const *) a, *(char *const *) b);
}

static char *sort_blocks(char *text) {
        char *blocks[64], *sorted = NULL, *line, *save = NULL;
        size_t n = 0, size = 0;
        FILE *out = open_memstream(&sorted, &size);

        for (line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
                char *longer = NULL;

                if (is_tag(line, "arg") || is_tag(line, "annotation")) {
                        ck_assert_uint_gt(n, 0);
                        ck_assert_int_gt(asprintf(&longer, "%s\n  %s", blocks[n - 1], line), 0);
                        free(blocks[n - 1]);
                        blocks[n - 1] = longer;
                } else {
                        ck_assert_uint_lt(n, ELEMENTSOF(blocks));
                        blocks[n++] = strdup(line);
                }
        }
        qsort(blocks, n, sizeof(char *), compare);
        for (size_t i = 0; i < n; i++) {
                fprintf(out, "%s\n", blocks[i]);
                free(blocks[i]);
        }
        (void) fclose(out);
        return sorted;
}

static char *outline(const char *xml, const char *interface) {
        _cleanup_free_ char *opening = NULL;
        Outline o = {};
        const char *tag, *end;
        char *sorted;

        ck_assert_int_gt(asprintf(&opening, "<interface name=\"%s\">", interface), 0);
        tag = strstr(xml, opening);
        ck_assert_msg(tag, "no %s in: %s", interface, xml);
        end = strstr(tag, "</interface>");
        o.out = open_memstream(&o.text, &o.size);
        for (tag = strchr(tag + 1, '<'); tag && tag < end; tag = strchr(tag + 1, '<')) {
                const char *comment = skip_comment(tag + 1);

                if (comment)
                        tag = comment;
                else
                        outline_tag(o.out, tag + 1, strcspn(tag + 1, ">"));
        }
        (void) fclose(o.out);
        sorted = sort_blocks(o.text);
        free(o.text);
        return sorted;
}

static char *read_contract(const char *interface) {
        const char *directory = getenv("IPC_XML");
        _cleanup_free_ char *path = NULL;
        char *text = calloc(1, 65536);
        FILE *f;

        ck_assert_int_gt(
                asprintf(&path, "%s/%s.xml", directory ? directory : "protocol/ipc", interface), 0);
        f = fopen(path, "re");
        ck_assert_msg(f, "%s: %s", path, strerrordesc_np(errno));
        ck_assert_uint_gt(fread(text, 1, 65535, f), 0);
        (void) fclose(f);
        return text;
}

static void assert_same(sd_bus *bus, const char *path, const char *interface) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m =
                client_call(bus, path, "org.freedesktop.DBus.Introspectable", "Introspect", NULL);
        _cleanup_free_ char *contract = read_contract(interface), *promised = NULL, *told = NULL;
        const char *xml;

        ck_assert_int_gt(sd_bus_message_read(m, "s", &xml), 0);
        promised = outline(contract, interface);
        told = outline(xml, interface);
        ck_assert_uint_gt(strlen(promised), 100);
        ck_assert_str_eq(told, promised);
}

START_TEST(introspection_is_what_the_contract_says)
{
        Stub *stub = stub_start(NULL);
        sd_bus *bus = client_connect(stub->address);
        _cleanup_free_ char *job = client_submit(bus, "k", NULL);

        assert_same(bus, IPC_MANAGER_PATH, IPC_MANAGER_INTERFACE);
        assert_same(bus, IPC_PROFILE_PREFIX "/aws", IPC_PROFILE_INTERFACE);
        assert_same(bus, job, IPC_JOB_INTERFACE);
        client_close(bus);
        stub_stop(stub);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("front/introspection");
        TCase *tcase = tcase_create("introspection");
        SRunner *runner;
        int failed;

        tcase_add_test(tcase, introspection_is_what_the_contract_says);
        suite_add_tcase(suite, tcase);
        runner = srunner_create(suite);
        srunner_run_all(runner, CK_ENV);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? 0 : 1;
}
