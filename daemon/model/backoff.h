/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Exponential back-off with full jitter: the n-th wait is drawn evenly from zero to
 * min(cap, base * 2^n), so that a fleet that lost its cloud together does not come back together
 * (Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015). Pure: chance comes in.
 */

#include "daemon/base/macro.h"

typedef struct Backoff {
        usec_t base_usec;
        usec_t cap_usec;
        unsigned failures; /* in a row */
} Backoff;

/* The next wait. `random` is 64 random bits. */
usec_t backoff_next(Backoff *b, uint64_t random);

/* The same, but never below half of it: for what is no matter of a crowd, and where each try does
 * harm. */
usec_t backoff_next_patient(Backoff *b, uint64_t random);

void backoff_reset(Backoff *b);
