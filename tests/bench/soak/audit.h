/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* At the end of a round, when all is well again and the queue is empty: whether the daemon has kept
 * what it promised, job by job, against the ledger. */

#include "libclient/fleetprov-client.h"
#include "tests/bench/soak/ledger.h"

#define AUDIT_CODES_MAX 64U /* error codes that are told apart */

typedef struct Audit {
        size_t jobs;                      /* that the daemon has */
        size_t succeeded, failed, others; /* others: cancelled, expired */
        size_t released;                  /* that clients gave back */
        size_t unanswered;                /* whose Submit was not answered, and that are there */
        size_t codes[AUDIT_CODES_MAX];    /* of those that failed, by their code */
} Audit;

/* Fails where a job is lost or not ended, stands for another key, has another certificate than it
 * had, or shares one. Then releases all of them. */
void audit_run(fleetprov_client *client, Ledger *ledger, Audit *ret);
