/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/model/right.h"

#include <limits.h>

void right_init(Right *r) {
        *r = (Right){
                .backoff = {.base_usec = RIGHT_WAIT_BASE_USEC, .cap_usec = RIGHT_WAIT_CAP_USEC}};
}

bool right_is_suspect(const Right *r) {
        return r->drops >= RIGHT_DROPS_SUSPICION;
}

bool right_dropped(Right *r, usec_t now_boot, uint64_t random) {
        if (r->drops < UINT_MAX)
                r->drops++;
        if (!right_is_suspect(r))
                return false;
        r->not_before_boot = usec_add(now_boot, backoff_next_patient(&r->backoff, random));
        return true;
}

bool right_answered(Right *r) {
        bool was = right_is_suspect(r);

        right_init(r);
        return was;
}

void right_retry(Right *r) {
        r->not_before_boot = 0;
        backoff_reset(&r->backoff);
}

usec_t right_wait(const Right *r, usec_t now_boot) {
        return usec_sub(r->not_before_boot, now_boot);
}
