/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/integration/lib/place.h"

#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/integration/lib/process.h"

#define WALK_FDS 16

void place_make(Place *p) {
        *p = (Place){.dir = strdup("/tmp/fleetprov-daemon-XXXXXX")};
        ck_assert_ptr_nonnull(p->dir);
        ck_assert_ptr_nonnull(mkdtemp(p->dir));
        ck_assert_int_eq(chmod(p->dir, 0711), 0);
}

static int remove_one(const char *path, _unused_ const struct stat *st, _unused_ int type,
                      _unused_ struct FTW *ftw) {
        (void) remove(path);
        return 0;
}

void place_remove(Place *p) {
        if (p->dir)
                (void) nftw(p->dir, remove_one, WALK_FDS, FTW_DEPTH | FTW_PHYS);
        for (size_t i = 0; i < p->n_texts; i++)
                free(p->texts[i]);
        free(p->texts);
        free(p->dir);
        *p = (Place){};
}

static const char *keep(Place *p, char *text) {
        char **more = reallocarray(p->texts, p->n_texts + 1, sizeof(char *));

        ck_assert_ptr_nonnull(more);
        p->texts = more;
        more[p->n_texts++] = text;
        return text;
}

const char *place_text(Place *p, const char *format, ...) {
        va_list args;
        char *text;
        int n;

        va_start(args, format);
        n = vasprintf(&text, format, args);
        va_end(args);
        ck_assert_int_ge(n, 0);
        return keep(p, text);
}

const char *place_path(Place *p, const char *name) {
        return place_text(p, "%s/%s", p->dir, name);
}

const char *place_write(Place *p, const char *name, mode_t mode, const char *content) {
        const char *path = place_path(p, name), *fresh = place_text(p, "%s.fresh", path);
        _cleanup_close_ int fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);

        ck_assert_msg(fd >= 0, "%s: %s", fresh, strerrordesc_np(errno));
        ck_assert_int_eq(fchmod(fd, mode), 0);
        ck_assert_int_eq(write(fd, content, strlen(content)), (ssize_t) strlen(content));
        ck_assert_int_eq(rename(fresh, path), 0);
        return path;
}

const char *place_link(Place *p, const char *name, const char *target) {
        const char *path = place_path(p, name);

        (void) unlink(path);
        ck_assert_int_eq(symlink(target, path), 0);
        return path;
}

const char *place_copy(Place *p, const char *name, const char *source) {
        const char *path = place_path(p, name);
        const char *const argv[] = {"install", "-m", "0755", source, path, NULL};

        ck_assert_int_eq(process_run(argv, NULL, NULL), 0);
        return path;
}

void place_self_signed(Place *p, const char *name, const char *host, const char *days) {
        const char *const argv[] = {"openssl",
                                    "req",
                                    "-x509",
                                    "-newkey",
                                    "ec",
                                    "-pkeyopt",
                                    "ec_paramgen_curve:P-256",
                                    "-nodes",
                                    "-subj",
                                    place_text(p, "/CN=%s", name),
                                    "-addext",
                                    place_text(p, "subjectAltName=DNS:%s", host),
                                    "-days",
                                    days,
                                    "-keyout",
                                    place_path(p, place_text(p, "%s.key", name)),
                                    "-out",
                                    place_path(p, place_text(p, "%s.pem", name)),
                                    NULL};

        ck_assert_int_eq(process_run(argv, NULL, NULL), 0);
}

char *file_read(const char *path, size_t *ret_size) {
        FILE *in = fopen(path, "re"), *out;
        char *content = NULL, buffer[4096];
        size_t size = 0, n;

        if (!in)
                return NULL;
        out = open_memstream(&content, &size);
        ck_assert_ptr_nonnull(out);
        while ((n = fread(buffer, 1, sizeof(buffer), in)) > 0)
                ck_assert_uint_eq(fwrite(buffer, 1, n, out), n);
        fclose(in);
        fclose(out);
        if (ret_size)
                *ret_size = size;
        return content;
}

bool file_has(const char *path, const char *text) {
        return file_count_lines(path, text, NULL) > 0;
}

bool file_exists(const char *path) {
        return access(path, F_OK) == 0;
}

size_t file_count_lines(const char *path, const char *text, const char *text2) {
        _cleanup_free_ char *line = NULL;
        FILE *in = fopen(path, "re");
        size_t size = 0, n = 0;

        if (!in)
                return 0;
        while (getline(&line, &size, in) > 0)
                if (strstr(line, text) && (!text2 || strstr(line, text2)))
                        n++;
        fclose(in);
        return n;
}

char *folder_find_bytes(const char *folder, const void *bytes, size_t size) {
        DIR *dir = opendir(folder);
        const struct dirent *entry;
        char *found = NULL;

        while (dir && !found && (entry = readdir(dir))) {
                _cleanup_free_ char *path = NULL, *content = NULL;
                size_t n = 0;

                if (streq(entry->d_name, ".") || streq(entry->d_name, ".."))
                        continue;
                ck_assert_int_ge(asprintf(&path, "%s/%s", folder, entry->d_name), 0);
                if (entry->d_type == DT_DIR)
                        found = folder_find_bytes(path, bytes, size);
                else if (entry->d_type == DT_REG && (content = file_read(path, &n)) &&
                         memmem(content, n, bytes, size))
                        found = TAKE_PTR(path);
        }
        if (dir)
                closedir(dir);
        return found;
}

size_t folder_count(const char *folder, const char *end) {
        DIR *dir = opendir(folder);
        const struct dirent *entry;
        size_t n = 0;

        ck_assert_ptr_nonnull(dir);
        while ((entry = readdir(dir))) {
                size_t length = strlen(entry->d_name);

                if (length >= strlen(end) && streq(entry->d_name + length - strlen(end), end))
                        n++;
        }
        closedir(dir);
        return n;
}
