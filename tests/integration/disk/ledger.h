/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* What customers were told, added up, and held against what a daemon says and holds on disk after
 * it was started again. A difference fails the test. */

#include "tests/integration/lib/agent.h"

typedef struct Promise {
        JobId id;
        char key[64];           /* "": not known (its answer was lost) */
        char certificate[65];   /* "": no result was fetched */
        unsigned long long sum; /* of the private key */
        bool submitted;         /* it exists, someone was told */
        bool succeeded;
        bool acknowledging, acknowledged; /* may be; is */
        bool releasing, released;
        bool fresh; /* something came since it was looked at last */
} Promise;

typedef struct Ledger {
        const char *path;
        long read_to;
        Promise *promises;
        size_t n;
} Ledger;

/* Reads what was written since the last time. */
void ledger_read(Ledger *l);
void ledger_done(Ledger *l);

/* Each promise that is fresh, or `all` of them. `state`: the daemon's state directory. */
void ledger_check(Ledger *l, fleetprov_client *client, const char *state, bool all);

/* For people: what there was to be lost. */
void ledger_print(const Ledger *l);
