/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Reading a text from its front: what is left to be read. It needs no terminator, and may hold
 * anything. */

#include <stdbool.h>
#include <stddef.h>

typedef struct Rest {
        const char *p;
        size_t size;
} Rest;

/* Goes over the prefix, where it stands there; else false, and nothing is taken. */
bool rest_skip(Rest *rest, const char *prefix);

/* Takes what stands before the next `end`, and goes over that too; all of it where there is none.
 */
Rest rest_take(Rest *rest, char end);

/* Whether that is all of it. */
bool rest_is(const Rest *rest, const char *text);
