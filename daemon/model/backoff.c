/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/model/backoff.h"

usec_t backoff_next(Backoff *b, uint64_t random) {
        usec_t ceiling = b->base_usec;

        for (unsigned i = 0; i < b->failures && ceiling < b->cap_usec; i++)
                ceiling *= 2;
        if (ceiling > b->cap_usec)
                ceiling = b->cap_usec;
        b->failures++;
        return random % (ceiling + 1);
}

void backoff_reset(Backoff *b) {
        b->failures = 0;
}
