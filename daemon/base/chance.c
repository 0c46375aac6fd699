/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/base/chance.h"

#include <sys/random.h>

uint64_t chance_draw(void) {
        uint64_t random = 0;

        (void) getrandom(&random, sizeof(random), 0);
        return random;
}
