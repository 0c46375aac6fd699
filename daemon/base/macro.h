/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The few macros that all of the daemon is written in: cleanup by scope, and handing over. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef uint64_t usec_t;

#define USEC_INFINITY ((usec_t) UINT64_MAX)
#define USEC_PER_MSEC ((usec_t) 1000)
#define USEC_PER_SEC ((usec_t) 1000000)
#define USEC_PER_MINUTE (60 * USEC_PER_SEC)
#define USEC_PER_HOUR (60 * USEC_PER_MINUTE)
#define USEC_PER_DAY (24 * USEC_PER_HOUR)

#define _cleanup_(f) __attribute__((cleanup(f)))
#define _printf_(fmt, args) __attribute__((format(printf, fmt, args)))
#define _unused_ __attribute__((unused))

#define ELEMENTSOF(a) (sizeof(a) / sizeof((a)[0]))

#define TAKE_PTR(p)                              \
        ({                                       \
                __typeof__(p) *_take_p = &(p);   \
                __typeof__(p) _taken = *_take_p; \
                *_take_p = NULL;                 \
                _taken;                          \
        })

#define TAKE_FD(fd)                        \
        ({                                 \
                int *_take_fd = &(fd);     \
                int _taken_fd = *_take_fd; \
                *_take_fd = -1;            \
                _taken_fd;                 \
        })

/* Defines `freep`, the scope-exit form of a destructor that takes NULL. */
#define DEFINE_CLEANUP(Type, destructor)            \
        static inline void destructor##p(Type *p) { \
                if (*p)                             \
                        destructor(*p);             \
        }                                           \
        struct destructor##_needs_a_semicolon

static inline void freep(void *p) {
        free(*(void **) p);
}

static inline void closep(const int *fd) {
        if (*fd >= 0)
                close(*fd);
}

/* Closes and gives -1 back, so that `fd = close_fd(fd)` cannot be closed twice. */
static inline int close_fd(int fd) {
        if (fd >= 0)
                close(fd);
        return -1;
}

#define _cleanup_free_ _cleanup_(freep)
#define _cleanup_close_ _cleanup_(closep)

static inline bool streq(const char *a, const char *b) {
        return strcmp(a, b) == 0;
}

/* Equal also when both are NULL. */
static inline bool streq_ptr(const char *a, const char *b) {
        return (!a && !b) || (a && b && strcmp(a, b) == 0);
}

static inline usec_t usec_add(usec_t a, usec_t b) {
        return a > USEC_INFINITY - b ? USEC_INFINITY : a + b;
}

static inline usec_t usec_sub(usec_t a, usec_t b) {
        if (a == USEC_INFINITY)
                return a;
        return a > b ? a - b : 0;
}

/* Frees what *p holds, and puts a copy of s (NULL: nothing) there. -ENOMEM leaves it as it was. */
int free_and_strdup(char **p, const char *s);
