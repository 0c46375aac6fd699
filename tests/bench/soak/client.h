/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* One application of a soak: asks for jobs of all kinds, waits for some, fetches, acknowledges,
 * cancels, releases and asks again, as chance has it, and dies now and then in the middle of a
 * call. What the daemon promised to it stands in the ledger. */

#include "tests/bench/soak/ledger.h"

typedef struct SoakClient {
        Ledger *ledger;
        unsigned number;
        const char *socket;
        const char *csr;
} SoakClient;

#define SOAK_CLIENT_DIED 3 /* the exit status of one that died on purpose */

/* In a process of its own; returns at the round's end. */
void soak_client_run(void *userdata);
