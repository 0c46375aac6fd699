/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/base/clock.h"

#include <sys/timex.h>
#include <time.h>

static usec_t read_clock(clockid_t id) {
        struct timespec ts = {};

        (void) clock_gettime(id, &ts);
        return (usec_t) ts.tv_sec * USEC_PER_SEC + (usec_t) ts.tv_nsec / 1000;
}

usec_t clock_boot_usec(void) {
        return read_clock(CLOCK_BOOTTIME);
}

usec_t clock_real_usec(void) {
        return read_clock(CLOCK_REALTIME);
}

bool clock_is_synchronised(void) {
        struct timex t = {.modes = 0}; /* asks, sets nothing */

        return adjtimex(&t) >= 0 && (t.status & STA_UNSYNC) == 0;
}
