/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/token/soft-token.h"

#include <check.h>
#include <dirent.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>

#include "daemon/base/macro.h"

#define SO_PIN "11223344"

static const char *folder; /* of this test process */

static void run(const char *format, ...) _printf_(1, 2);

static void run(const char *format, ...) {
        _cleanup_free_ char *command = NULL;
        va_list ap;

        va_start(ap, format);
        ck_assert_int_ge(vasprintf(&command, format, ap), 0);
        va_end(ap);
        ck_assert_msg(system(command) == 0, "failed: %s", command);
}

static char *path_of(const char *name) {
        char *path;

        ck_assert_ptr_nonnull(folder);
        ck_assert_int_ge(asprintf(&path, "%s/%s", folder, name), 0);
        return path;
}

void soft_token_add(const char *label, const char *pin) {
        run("softhsm2-util --init-token --free --label '%s' --pin %s --so-pin " SO_PIN
            " >/dev/null",
            label, pin);
}

void soft_token_make(const char *dir) {
        _cleanup_free_ char *conf = NULL, *tokens = NULL;
        FILE *f;

        folder = dir;
        conf = path_of("softhsm2.conf");
        tokens = path_of("tokens");
        ck_assert_int_eq(mkdir(tokens, 0700), 0);
        f = fopen(conf, "we");
        ck_assert_ptr_nonnull(f);
        fprintf(f, "directories.tokendir = %s\nlog.level = ERROR\n", tokens);
        ck_assert_int_eq(fclose(f), 0);
        ck_assert_int_eq(setenv("SOFTHSM2_CONF", conf, 1), 0);
        ck_assert_int_eq(setenv("TOKEN_SHIM_DIR", dir, 1), 0);
        soft_token_add(SOFT_TOKEN_LABEL, SOFT_TOKEN_PIN);
}

void soft_token_import(const char *key_file, const char *object, const char *id) {
        run("softhsm2-util --import '%s' --token '" SOFT_TOKEN_LABEL "' --label '%s' --id %s "
            "--pin " SOFT_TOKEN_PIN " >/dev/null",
            key_file, object, id);
}

const char *soft_token_module(void) {
        return TOKEN_SHIM;
}

static size_t count_lines(const char *name) {
        _cleanup_free_ char *path = path_of(name);
        FILE *f = fopen(path, "re");
        size_t n = 0;

        if (!f)
                return 0;
        for (int c = fgetc(f); c != EOF; c = fgetc(f))
                n += c == '\n';
        (void) fclose(f);
        return n;
}

size_t soft_token_logins(void) {
        return count_lines("logins");
}

size_t soft_token_signatures(void) {
        return count_lines("signatures");
}

size_t soft_token_made(void) {
        return count_lines("made");
}

static size_t count_objects(const char *dir) {
        DIR *d = opendir(dir);
        struct dirent *e;
        size_t n = 0;

        ck_assert_ptr_nonnull(d);
        while ((e = readdir(d))) {
                size_t length = strlen(e->d_name);

                n += length > 7 && streq(e->d_name + length - 7, ".object") &&
                     !streq(e->d_name, "token.object");
        }
        (void) closedir(d);
        return n;
}

size_t soft_token_objects(void) {
        _cleanup_free_ char *tokens = path_of("tokens");
        DIR *d = opendir(tokens);
        struct dirent *e;
        size_t n = 0;

        ck_assert_ptr_nonnull(d);
        while ((e = readdir(d))) {
                _cleanup_free_ char *path = NULL;

                if (e->d_name[0] == '.')
                        continue;
                ck_assert_int_ge(asprintf(&path, "%s/%s", tokens, e->d_name), 0);
                n += count_objects(path);
        }
        (void) closedir(d);
        return n;
}

/* By rename: a module that looks right now sees the one or the other. */
void soft_token_fault(const char *fault) {
        _cleanup_free_ char *path = path_of("fault"), *new = path_of("fault.new");
        FILE *f = fopen(new, "we");

        ck_assert_ptr_nonnull(f);
        fputs(fault ? fault : "", f);
        ck_assert_int_eq(fclose(f), 0);
        ck_assert_int_eq(rename(new, path), 0);
}
