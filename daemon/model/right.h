/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Whether the claim's policy seems to let us ask one kind of question, as rules alone. On MQTT
 * 3.1.1 AWS IoT says "forbidden" by dropping the connection, and so does every other trouble: only
 * drops in a row, each while the answer was awaited, make a suspicion.
 *
 * Then the circuit breaker of that question is open: it is asked again at long intervals only, one
 * asker at a time, and the others wait. The session stays in use for what it may ask. Any answer
 * closes the breaker; so do another claim, another configuration, and whoever wants a new try. */

#include "daemon/model/backoff.h"

#define RIGHT_DROPS_SUSPICION 3U
#define RIGHT_WAIT_BASE_USEC (30 * USEC_PER_SEC)
#define RIGHT_WAIT_CAP_USEC (10 * USEC_PER_MINUTE)

typedef struct Right {
        unsigned drops; /* in a row */
        usec_t not_before_boot;
        Backoff backoff;
} Right;

void right_init(Right *r);

/* The connection was dropped while an answer was awaited. True: it is suspected now. */
bool right_dropped(Right *r, usec_t now_boot, uint64_t random);

/* It was answered, whatever the answer. True: it had been suspected. */
bool right_answered(Right *r);

/* One try may be made now; what is suspected stays so. */
void right_retry(Right *r);

bool right_is_suspect(const Right *r);

/* How long nobody may ask; 0: now. */
usec_t right_wait(const Right *r, usec_t now_boot);
