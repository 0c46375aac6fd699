/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/base/clock.h"

#include <errno.h>
#include <sys/timex.h>
#include <time.h>

/* systemd-timesyncd(8) touches it when it has set the clock. */
#define TIMESYNC_FILE "/run/systemd/timesync/synchronized"

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

        if (adjtimex(&t) >= 0)
                return (t.status & STA_UNSYNC) == 0;
        return errno == EPERM && access(TIMESYNC_FILE, F_OK) == 0;
}
