/* SPDX-License-Identifier: GPL-2.0-or-later */

/* After work on elliptic curves wolfSSL keeps some 3 MB of tables for the thread that did it, and
 * the heap keeps what the handshake needed, and what jobs took that are gone. A gateway's daemon
 * idles nearly always: what is not needed is given back, once nothing has moved for a while. */

#include "daemon/base/log.h"
#include "daemon/crypto/crypto.h"
#include "daemon/manager/manager-internal.h"

#define IDLE_USEC USEC_PER_SEC

static int on_idle_timer(sd_event_source *source, uint64_t usec, void *userdata) {
        crypto_trim();
        return 0;
}

void idle_postpone(Manager *m) {
        int r;

        if (!m->idle_timer)
                r = sd_event_add_time_relative(m->event, &m->idle_timer, CLOCK_MONOTONIC, IDLE_USEC,
                                               USEC_PER_SEC, on_idle_timer, m);
        else {
                r = sd_event_source_set_time_relative(m->idle_timer, IDLE_USEC);
                if (r >= 0)
                        r = sd_event_source_set_enabled(m->idle_timer, SD_EVENT_ONESHOT);
        }
        if (r < 0)
                log_warning_errno(r, "Cannot set the timer that gives memory back");
}
