/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/base/chance.h"

#include <stdlib.h>

uint64_t chance_draw(void) {
        uint64_t random = 0;

        arc4random_buf(&random, sizeof(random));
        return random;
}
