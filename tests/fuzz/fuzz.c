/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/fuzz/fuzz.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <unistd.h>

#include "daemon/base/macro.h"

/* Of AddressSanitizer's runtime; absent without it. */
int __sanitizer_install_malloc_and_free_hooks(void (*on_malloc)(const volatile void *, size_t),
                                              void (*on_free)(const volatile void *))
        __attribute__((weak));
size_t __sanitizer_get_allocated_size(const volatile void *p) __attribute__((weak));

/* Hooks and exit handlers have no argument to carry their state in. */
static struct Fuzz {
        bool hooked;
        bool counting;
        size_t live, peak;
        char *directory;
} fuzz;

void fuzz_broken(const char *file, int line, const char *function, const char *what) {
        fprintf(stderr, "%s:%d: %s: must hold: %s\n", file, line, function, what);
        abort();
}

/* The next character, and where the one behind it begins; 0xffffffff where it is none. Not the
 * daemon's decoder: that one is looked at here. */
static uint32_t next_character(const uint8_t **p) {
        static const uint32_t least[] = {0, 0x80, 0x800, 0x10000};
        uint8_t first = *(*p)++;
        unsigned more = first < 0x80   ? 0
                        : first < 0xc0 ? 4
                        : first < 0xe0 ? 1
                        : first < 0xf0 ? 2
                                       : 3;
        uint32_t c = more == 0 ? first : first & (0x3fU >> more);

        if (more > 3 || first >= 0xf8)
                return UINT32_MAX;
        for (unsigned i = 0; i < more; i++, (*p)++) {
                if ((**p & 0xc0) != 0x80)
                        return UINT32_MAX;
                c = c << 6 | (**p & 0x3f);
        }
        if (c < least[more] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
                return UINT32_MAX;
        return c;
}

static bool check_text(const char *s, bool printable) {
        for (const uint8_t *p = (const uint8_t *) s; *p;) {
                uint32_t c = next_character(&p);

                if (c == UINT32_MAX || (printable && (c < 0x20 || (c >= 0x7f && c < 0xa0))))
                        return false;
        }
        return true;
}

bool fuzz_is_text(const char *s) {
        return check_text(s, false);
}

bool fuzz_is_printable(const char *s) {
        return check_text(s, true);
}

bool fuzz_same_text(const char *a, const char *b) {
        return a && b ? streq(a, b) : a == b;
}

void fuzz_check_why(char *why, bool may_lack) {
        must(why || may_lack);
        if (!why)
                return;
        must(*why);
        for (char *p = why; (p = strchr(p, '\t'));) /* of a value that it shows */
                *p = ' ';
        must(fuzz_is_printable(why));
        free(why);
}

static void on_malloc(_unused_ const volatile void *p, size_t size) {
        if (!fuzz.counting)
                return;
        fuzz.live += size;
        if (fuzz.live > fuzz.peak)
                fuzz.peak = fuzz.live;
}

/* What was there before the counting began must not be freed meanwhile. */
static void on_free(const volatile void *p) {
        if (fuzz.counting && p)
                fuzz.live -= __sanitizer_get_allocated_size(p);
}

/* ThreadSanitizer has these hooks, too, and does not tell sizes of what is being freed. */
#ifdef __SANITIZE_THREAD__
#define CAN_COUNT false
#else
#define CAN_COUNT (__sanitizer_install_malloc_and_free_hooks != NULL)
#endif

void fuzz_heap_begin(void) {
        if (!fuzz.hooked && CAN_COUNT)
                (void) __sanitizer_install_malloc_and_free_hooks(on_malloc, on_free);
        fuzz.hooked = true;
        fuzz.live = fuzz.peak = 0;
        fuzz.counting = true;
}

size_t fuzz_heap_end(void) {
        fuzz.counting = false;
        return fuzz.peak;
}

static int remove_one(const char *path, _unused_ const struct stat *st, _unused_ int type,
                      _unused_ struct FTW *ftw) {
        return remove(path);
}

static void remove_directory(void) {
        (void) nftw(fuzz.directory, remove_one, 8, FTW_DEPTH | FTW_PHYS);
        free(fuzz.directory);
        fuzz.directory = NULL;
}

const char *fuzz_directory(void) {
        if (fuzz.directory)
                return fuzz.directory;
        must(asprintf(&fuzz.directory, "%s/fuzz-XXXXXX", getenv("TMPDIR") ?: "/tmp") > 0);
        must(mkdtemp(fuzz.directory));
        must(atexit(remove_directory) == 0);
        return fuzz.directory;
}

void fuzz_write_file(const char *path, const void *data, size_t size) {
        int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

        must(fd >= 0);
        for (size_t done = 0; done < size;) {
                ssize_t n = write(fd, (const uint8_t *) data + done, size - done);

                must(n > 0);
                done += (size_t) n;
        }
        must(close(fd) == 0);
}
