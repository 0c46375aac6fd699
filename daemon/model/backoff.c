/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/model/backoff.h"

#include <limits.h>

static usec_t next_ceiling(Backoff *b) {
        usec_t ceiling = b->base_usec;

        /* Never doubled beyond the cap, so that no cap is high enough to overflow. */
        for (unsigned i = 0; i < b->failures && ceiling < b->cap_usec; i++)
                ceiling = ceiling > b->cap_usec / 2 ? b->cap_usec : ceiling * 2;
        if (ceiling > b->cap_usec)
                ceiling = b->cap_usec;
        if (b->failures < UINT_MAX)
                b->failures++;
        return ceiling;
}

static usec_t draw(usec_t ceiling, uint64_t random) {
        return ceiling == UINT64_MAX ? random : random % (ceiling + 1);
}

usec_t backoff_next(Backoff *b, uint64_t random) {
        return draw(next_ceiling(b), random);
}

usec_t backoff_next_patient(Backoff *b, uint64_t random) {
        usec_t ceiling = next_ceiling(b);

        return ceiling - draw(ceiling / 2, random);
}

void backoff_reset(Backoff *b) {
        b->failures = 0;
}
