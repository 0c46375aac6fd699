/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/config/fixture.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <sys/stat.h>

#define STRINGS_MAX ((size_t) 256)

/* A test has a process of its own, so these are the test's. */
static char folder[] = "/tmp/fleetprovd-test-XXXXXX";
static char *strings[STRINGS_MAX];
static size_t n_strings;

static const char *keep(char *s) {
        ck_assert_ptr_nonnull(s);
        ck_assert_uint_lt(n_strings, STRINGS_MAX);
        return strings[n_strings++] = s;
}

void fixture_setup(void) {
        (void) umask(022);
        memcpy(folder + strlen(folder) - 6, "XXXXXX", 6);
        ck_assert_ptr_nonnull(mkdtemp(folder));
        unsetenv("CREDENTIALS_DIRECTORY");
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw) {
        return remove(path);
}

void fixture_teardown(void) {
        while (n_strings > 0)
                free(strings[--n_strings]);
        ck_assert_int_eq(nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
}

const char *fixture_path(const char *name) {
        char *path;

        ck_assert_int_ge(asprintf(&path, "%s/%s", folder, name), 0);
        return keep(path);
}

const char *fixture_write_bytes(const char *name, const void *content, size_t size, mode_t mode) {
        const char *path = fixture_path(name);
        int fd;

        for (size_t i = strlen(folder) + 1; path[i] != '\0'; i++) {
                _cleanup_free_ char *parent = path[i] == '/' ? strndup(path, i) : NULL;

                if (parent)
                        ck_assert(mkdir(parent, 0755) == 0 || errno == EEXIST);
        }
        fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(write(fd, content, size), (ssize_t) size);
        ck_assert_int_eq(fchmod(fd, mode), 0);
        close(fd);
        return path;
}

const char *fixture_write(const char *name, const char *content) {
        return fixture_write_bytes(name, content, strlen(content), 0644);
}

const char *fixture_profile(const char *more) {
        char *text;

        ck_assert_int_ge(asprintf(&text,
                                  "[Profile aws]\nProvider=aws-iot\nEndpoint=iot.example.com\n"
                                  "Certificate=/etc/claim.pem\nPrivateKey=/etc/claim.key\n%s",
                                  more),
                         0);
        return keep(text);
}

Config *fixture_load(const char *content) {
        const char *path = fixture_write("t.conf", content);
        Config *c = NULL;
        char *why = NULL;

        ck_assert_msg(config_load(path, &c, &why) == 0, "refused: %s", why ? why : "(no reason)");
        return c;
}

char *fixture_refused(const char *content) {
        const char *path = fixture_write("t.conf", content);
        Config *c = NULL;
        char *why = NULL;

        ck_assert_msg(config_load(path, &c, &why) == -EINVAL, "taken: %s", content);
        ck_assert_ptr_null(c);
        ck_assert_ptr_nonnull(why);
        assert_contains(why, path);
        return why;
}

void assert_contains(const char *text, const char *part) {
        ck_assert_msg(text && strstr(text, part), "'%s' is not in '%s'", part, text ? text : "");
}
