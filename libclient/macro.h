/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The few macros that the library and its tool are written in. The library stands on its own
 * licence, and takes nothing from the daemon's folders. */

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
#define USEC_PER_DAY (24 * 3600 * USEC_PER_SEC)

#define _cleanup_(f) __attribute__((cleanup(f)))
#define _printf_(fmt, args) __attribute__((format(printf, fmt, args)))
#define _unused_ __attribute__((unused))
/* What the library exports is hidden unless it says this, and is listed in the .sym file. */
#define _public_ __attribute__((visibility("default")))

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

/* Defines `destructorp`, the scope-exit form of a destructor that takes NULL. */
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

#define _cleanup_free_ _cleanup_(freep)
#define _cleanup_close_ _cleanup_(closep)

static inline bool streq(const char *a, const char *b) {
        return strcmp(a, b) == 0;
}

static inline bool streq_ptr(const char *a, const char *b) {
        return (!a && !b) || (a && b && strcmp(a, b) == 0);
}

static inline usec_t usec_add(usec_t a, usec_t b) {
        return a > USEC_INFINITY - b ? USEC_INFINITY : a + b;
}

static inline usec_t usec_min(usec_t a, usec_t b) {
        return a < b ? a : b;
}
