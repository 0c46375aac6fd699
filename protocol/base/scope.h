/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Cleanup by scope, and handing over. The daemon's macro.h is GPL and not for us. */

#include <stdlib.h>

#define _cleanup_(f) __attribute__((cleanup(f)))

#define TAKE_PTR(p)                              \
        ({                                       \
                __typeof__(p) *_take_p = &(p);   \
                __typeof__(p) _taken = *_take_p; \
                *_take_p = NULL;                 \
                _taken;                          \
        })

#define ELEMENTSOF(a) (sizeof(a) / sizeof((a)[0]))

static inline void protocol_freep(void *p) {
        free(*(void **) p);
}
