/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A unit of its own: glibc declares free() and its like as leaf functions, and within one unit the
 * compiler takes it that none of them touches what is static here. */
#include "tests/unit/protocol-aws/heap.h"

#include <errno.h>
#include <malloc.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#if __has_include(<valgrind/memcheck.h>)
#include <valgrind/memcheck.h>
#else
#define VALGRIND_MAKE_MEM_DEFINED(p, size) ((void) 0)
#endif

/* The interposed allocator has no argument to carry its state in. */
static struct Heap {
        long fail_at; /* this allocation from now on; 0: none */
        bool failed;
        const char *mark; /* what no freed block may hold; NULL: nobody looks */
        unsigned leaks;
} heap;

static bool fails(void) {
        if (heap.fail_at == 0 || --heap.fail_at > 0)
                return false;
        heap.failed = true;
        errno = ENOMEM;
        return true;
}

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_reallocarray(void *p, size_t n, size_t size);
char *__real_strdup(const char *s);
int __real_vasprintf(char **ret, const char *format, va_list ap);
int __real_asprintf(char **ret, const char *format, ...);
void __real_free(void *p);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_reallocarray(void *p, size_t n, size_t size);
char *__wrap_strdup(const char *s);
int __wrap_vasprintf(char **ret, const char *format, va_list ap)
        __attribute__((format(printf, 2, 0)));
int __wrap_asprintf(char **ret, const char *format, ...) __attribute__((format(printf, 2, 3)));
void __wrap_free(void *p);

void *__wrap_malloc(size_t size) {
        return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t n, size_t size) {
        return fails() ? NULL : __real_calloc(n, size);
}

void *__wrap_reallocarray(void *p, size_t n, size_t size) {
        return fails() ? NULL : __real_reallocarray(p, n, size);
}

char *__wrap_strdup(const char *s) {
        return fails() ? NULL : __real_strdup(s);
}

int __wrap_vasprintf(char **ret, const char *format, va_list ap) {
        return fails() ? -1 : __real_vasprintf(ret, format, ap);
}

int __wrap_asprintf(char **ret, const char *format, ...) {
        va_list ap;
        int r;

        va_start(ap, format);
        r = fails() ? -1 : __real_vasprintf(ret, format, ap);
        va_end(ap);
        return r;
}

/* Looks at bytes, too, that were never written: nobody else's business. */
static bool holds_mark(void *p) {
        size_t size = malloc_usable_size(p);

        VALGRIND_MAKE_MEM_DEFINED(p, size);
        return memmem(p, size, heap.mark, strlen(heap.mark));
}

void __wrap_free(void *p) {
        if (p && heap.mark && holds_mark(p))
                heap.leaks++;
        __real_free(p);
}

void heap_fail_at(long n) {
        heap.fail_at = n;
        heap.failed = false;
}

bool heap_end(void) {
        heap.fail_at = 0;
        return heap.failed;
}

void heap_watch(const char *mark) {
        heap.mark = mark;
        heap.leaks = 0;
}

unsigned heap_leaks(void) {
        heap.mark = NULL;
        return heap.leaks;
}
