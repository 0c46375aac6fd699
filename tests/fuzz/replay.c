/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Feeds a target each file of its corpus, once: the fuzz targets as ordinary tests, by any
 * compiler. Each file stands in a block of its very size, so that AddressSanitizer sees a byte read
 * beyond.
 *
 * usage: fuzz-TARGET (FILE | DIRECTORY)...    a directory must have a file in it */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "daemon/base/macro.h"
#include "tests/fuzz/fuzz.h"

static void replay_file(const char *path) {
        _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
        _cleanup_free_ uint8_t *data = NULL;
        struct stat st;

        must(fd >= 0 && fstat(fd, &st) == 0);
        data = malloc((size_t) st.st_size);
        must(data || st.st_size == 0);
        must(read(fd, data, (size_t) st.st_size) == st.st_size);
        /* The one line that names the file that broke it, should the next one do so. */
        printf("%s\n", path);
        must(fflush(stdout) == 0);
        must(LLVMFuzzerTestOneInput(data, (size_t) st.st_size) <= 0);
}

static size_t replay_directory(DIR *directory, const char *path) {
        struct dirent *entry;
        size_t n = 0;

        while ((errno = 0, entry = readdir(directory))) {
                _cleanup_free_ char *file = NULL;

                if (entry->d_name[0] == '.')
                        continue;
                must(asprintf(&file, "%s/%s", path, entry->d_name) > 0);
                replay_file(file);
                n++;
        }
        must(errno == 0);
        return n;
}

int main(int argc, char **argv) {
        size_t n = 0;

        for (int i = 1; i < argc; i++) {
                DIR *directory = opendir(argv[i]);
                size_t found = 1;

                if (directory) {
                        found = replay_directory(directory, argv[i]);
                        closedir(directory);
                } else
                        replay_file(argv[i]);
                if (found == 0) {
                        fprintf(stderr, "%s: nothing in there\n", argv[i]);
                        return 1;
                }
                n += found;
        }
        if (n == 0) {
                fprintf(stderr, "usage: %s (FILE | DIRECTORY)...\n", argv[0]);
                return 2;
        }
        printf("%zu inputs, nothing found\n", n);
        return 0;
}
