/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/crypto/material.h"

#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/wait.h>

#define MATERIAL_MAX ((size_t) 1 << 20)

Secret *material_read(const char *name) {
        const char *directory = getenv("CRYPTO_MATERIAL");
        _cleanup_free_ char *path = NULL;
        Secret *s = NULL;

        ck_assert_msg(directory, "CRYPTO_MATERIAL names no directory made by make-material");
        ck_assert_int_ge(asprintf(&path, "%s/%s", directory, name), 0);
        ck_assert_msg(secret_from_file(AT_FDCWD, path, MATERIAL_MAX, &s) == 0, "no %s", path);
        return s;
}

char *material_line(const char *name) {
        _cleanup_secret_ Secret *s = material_read(name);
        size_t n = s->size;
        char *line;

        if (n > 0 && s->data[n - 1] == '\n')
                n--;
        line = strndup(secret_text(s), n);
        ck_assert_ptr_nonnull(line);
        return line;
}

int openssl_judges(const char *text, const char *command) {
        char path[] = "/tmp/crypto-test-XXXXXX";
        _cleanup_free_ char *line = NULL;
        _cleanup_close_ int fd = -1;
        int status;

        fd = mkstemp(path);
        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t) strlen(text));
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        ck_assert_int_ge(asprintf(&line, command, path), 0);
#pragma GCC diagnostic pop
        status = system(line);
        ck_assert_int_eq(unlink(path), 0);
        ck_assert(WIFEXITED(status));
        return WEXITSTATUS(status);
}

void expect_why(char *why, const char *expected) {
        ck_assert_msg(why, "no reason given; expected \"%s\"", expected);
        ck_assert_msg(strstr(why, expected), "\"%s\" does not say \"%s\"", why, expected);
        free(why);
}
